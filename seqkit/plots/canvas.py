"""What all pictures share: style, fonts, and the bytes of a PNG, an SVG or an HTML page.

Figures are made without pyplot, so nothing global is left behind and no window is ever asked for.
"""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.errors import Place, UsageError
from seqkit.plots.extra import plot_extra
from seqkit.plots.page import annotated_svg, html_page
from seqkit.progress import Progress
from seqkit.storage import atomic_write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

ENDINGS = (".png", ".svg", ".html")
DPI = 150  # of PNG files

# Okabe and Ito 2008, "Color Universal Design": told apart with every kind of colour vision. Without yellow,
# which is pale on white, and black, which is the ink.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
INK, MUTED, GRID, UNGROUPED = "#222222", "#666666", "#e4e4e4", "#9a9a9a"

_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 9.5,
    "grid.color": GRID,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "seqkit",  # else every run has other ids
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}


def check_target(path: Place, *, overwrite: bool) -> Path:
    """The file of a picture, checked before any work is done.

    Args:
        path: ends in .png, .svg or .html.
        overwrite: whether a file that is there may be replaced.

    Raises:
        UsageError: another ending; a directory, or a file that is not to be overwritten.
    """
    place = Path(path)
    if place.suffix.lower() not in ENDINGS:
        raise UsageError(f"{place}: a picture ends in {', '.join(ENDINGS)}, not in {place.suffix!r}")
    if place.is_dir() or (place.exists() and not overwrite):
        hint = "is there already; choose another name or overwrite it (--overwrite)"
        raise UsageError(f"{place}: {'is a directory' if place.is_dir() else hint}")
    return place


def printable(text: str, limit: int = 10_000) -> str:
    r"""`text` on one line and without what cannot be drawn or stand in XML, cut to `limit` characters.

    Joiners are kept, as Persian and the scripts of India need them.

    >>> printable("a\x1bb\ud800"), printable("abcdef", 4)
    ('a\\x1bb\\ud800', 'abc…')
    """
    shown = "".join(
        character
        if character.isprintable() or character in "\u200c\u200d"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


@contextmanager
def drawing(text: str, progress: Progress) -> Iterator[set[str]]:
    """The block in which a figure is made and saved: our style, whatever the user's matplotlibrc says.

    Args:
        text: all that will be written, to choose fonts by.
        progress: told which characters no font has.

    Yields:
        Those characters.

    Raises:
        UnavailableError: matplotlib is not installed.
    """
    with plot_extra():
        import matplotlib.style
    families, missing = _families(printable(text, sys.maxsize))
    if missing:
        shown = " ".join(sorted(missing)[:12])
        progress.message(
            f"no installed font has {len(missing)} of the characters ({shown}); boxes stand for them in .png"
        )
    style = {**_STYLE, "font.family": ["sans-serif", *families]}
    with matplotlib.style.context(["default", style]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)  # said above
        yield missing


def _families(text: str) -> tuple[list[str], set[str]]:
    """Installed fonts for what DejaVu Sans lacks, and the characters that none of them has."""
    from matplotlib import font_manager

    def lacking(path: str, characters: set[str]) -> set[str]:
        font = font_manager.get_font(path)
        return {character for character in characters if not font.get_char_index(ord(character))}

    missing = lacking(font_manager.findfont("DejaVu Sans"), set(text) - {"\u200c", "\u200d"})
    families: list[str] = []
    for font in sorted(font_manager.fontManager.ttflist, key=lambda font: (font.name, font.fname)):
        # Last Resort has a box for every character.
        if missing and not font.name.startswith(("Last Resort", "DejaVu")):
            rest = lacking(font.fname, missing)
            if rest != missing:
                families.append(font.name)
            missing = rest
    return families, missing


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DPI)


def text_sizes(figure: Figure, texts: Sequence[Text]) -> npt.NDArray[np.float64]:
    """Widths and heights of texts, (n, 2), in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()  # one for all: it has the pixels of the whole picture
    boxes = [text.get_window_extent(renderer) for text in texts]
    return np.array([[box.width, box.height] for box in boxes]) / figure.dpi


def text_widths(texts: Sequence[str], fontsize: float = 10.0) -> npt.NDArray[np.float64]:
    """Widths of texts that are not drawn yet, (n,), in inches."""
    figure = new_figure(1, 1)
    return text_sizes(
        figure, [figure.text(0, 0, text, fontsize=fontsize, parse_math=False) for text in texts]
    )[:, 0]


def save(
    figure: Figure,
    path: Path,
    title: str,
    hints: Mapping[str, str],
    widths: Mapping[str, float],
) -> None:
    """Writes a figure, atomically, in the format of the file's ending; without dates and versions.

    Args:
        figure: the figure.
        path: checked by `check_target`.
        title: of the page, and what a screen reader says for the picture.
        hints: the gid of an artist to what is shown when the pointer rests on it, in HTML.
        widths: the gid of a text to its width in inches, which it keeps in whatever font a viewer has.

    Raises:
        StorageError: the system refused.
    """
    buffer = io.BytesIO()
    if path.suffix.lower() == ".png":
        figure.savefig(buffer, format="png", metadata={"Software": None})
        atomic_write_bytes(path, buffer.getvalue())
        return
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing)
    is_page = path.suffix.lower() == ".html"
    svg = annotated_svg(buffer.getvalue(), title, hints if is_page else {}, widths)
    atomic_write_bytes(path, (html_page(svg, title) if is_page else svg).encode())
