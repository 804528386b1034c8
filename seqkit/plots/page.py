"""SVG with titles that appear under the pointer, and the HTML page around it."""

from __future__ import annotations

import html
from collections.abc import Mapping
from xml.etree import ElementTree

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_POINTS = 72  # an inch; the unit of matplotlib's SVG

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ margin: 1rem auto; max-width: 75rem; background: #fff; }}
svg {{ display: block; width: 100%; height: auto; }}
[id^="point-"], [id^="label-"] {{ cursor: default; }}
[id^="label-"]:hover text {{ text-decoration: underline; }}
</style>
</head>
<body>
{svg}
</body>
</html>
"""


def annotated_svg(svg: bytes, title: str, hints: Mapping[str, str], widths: Mapping[str, float]) -> str:
    """An SVG as matplotlib writes it, made to look the same in every viewer and to answer the pointer.

    Args:
        svg: the file.
        title: of the picture.
        hints: the id of a group to the text shown when the pointer rests on it.
        widths: the id of a group with a text to the text's width in inches.

    Returns:
        The same picture, without a document type.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(svg)  # noqa: S314  # just written by matplotlib
    root.set("role", "img")
    root.set("aria-label", title)
    for group in root.iter(f"{{{_SVG}}}g"):
        name = group.get("id", "")
        if name in hints:
            hint = ElementTree.Element(f"{{{_SVG}}}title")
            hint.text = hints[name]
            group.insert(0, hint)
        if name in widths:
            for text in group.iter(f"{{{_SVG}}}text"):
                text.set("textLength", f"{widths[name] * _POINTS:.2f}")
                text.set("lengthAdjust", "spacingAndGlyphs")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def html_page(svg: str, title: str) -> str:
    """One self-contained page: no script, and a policy that forbids every request.

    Args:
        svg: an SVG element.
        title: of the page.
    """
    return _PAGE.format(title=html.escape(title), svg=svg)
