"""Reports on bias: one self-contained HTML page with pictures, tables, the verdict and what was done."""

from __future__ import annotations

import html
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqkit.debias.directions import bias_subspace
from seqkit.debias.measures.audit import RECOVERY, Audit
from seqkit.debias.measures.comparison import Comparison, neutral_values
from seqkit.debias.measures.intervals import Figure
from seqkit.debias.measures.meaning import asks
from seqkit.debias.tradeoff import TradeOff, trade_off
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.neighbours import unit_rows
from seqkit.errors import DataError, Place, UsageError
from seqkit.plots.bias import Position, axis_picture, bars_picture, trade_off_picture
from seqkit.plots.canvas import check_target, drawing, printable
from seqkit.plots.extra import plot_extra
from seqkit.progress import SILENT, Progress
from seqkit.storage import Bundle, atomic_write_bytes, is_bundle, storage_errors

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

    Source = tuple[Place, Vectors]

_ACCURACIES = [name for name in RECOVERY if name.endswith("accuracy")]
_INTERVAL = "95% interval"
_UNBROKEN = (_INTERVAL, "known")  # columns whose cells stay on a line
_RIGHT = ("p", "p corrected", "partitions")  # and those of numbers that are written otherwise than to .001
_MOST = 15  # words at each end of the axis
_LISTED = 12  # words of a list in what was done

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark;
  --ink: #222; --muted: #666; --grid: #ddd; --paper: #fff; --card: #f6f6f4; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e6e6e6; --muted: #a5a5a5; --grid: #484848; --paper: #17181a; --card: #222427; }}
}}
body {{ margin: 2rem auto; max-width: 58rem; padding: 0 1rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }}
h1 {{ font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }}
h2 {{ font-size: 1.15rem; margin: 2.2rem 0 .4rem; }}
p {{ margin: .3rem 0 .6rem; }}
.note {{ color: var(--muted); font-size: .9rem; }}
.verdict {{ background: var(--card); border-radius: .5rem; padding: .7rem 1rem .7rem 2rem; margin: 1rem 0; }}
svg {{ display: block; width: 100%; height: auto; }}
.wide {{ overflow-x: auto; }}
table {{ border-collapse: collapse; font-size: .88rem; width: 100%; }}
th {{ text-align: left; font-weight: 600; color: var(--muted); }}
th, td {{ padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--grid); vertical-align: top; }}
td.number, th.number {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.wide table, .wide svg {{ min-width: 36rem; }}
td {{ overflow-wrap: break-word; }}
td.range, td:first-child {{ white-space: nowrap; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def check_report(path: Place, *, overwrite: bool) -> Path:
    """The file of a report, checked before any work is done.

    Raises:
        UnavailableError: matplotlib is not installed.
        StorageError: there is no directory to write it to.
        UsageError: it does not end in .html; a directory, or a file that is not to be overwritten.
    """
    if Path(path).suffix.lower() != ".html":
        raise UsageError(f"{path}: a report ends in .html, not in {Path(path).suffix!r}")
    target = check_target(path, overwrite=overwrite)
    with storage_errors(target, "write"), os.scandir(target.parent):
        pass
    with plot_extra():
        import matplotlib.figure  # noqa: F401
    return target


def report_audit(
    file: Place,
    result: Audit,
    source: Source,
    sets: WordSets,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> None:
    """Writes an audit as a page: words on the bias axis, tests, recovery, what soft debiasing would trade.

    Args:
        file: ends in .html; written atomically.
        result: of `audit`.
        source: the path of the vectors, and the vectors.
        sets: those of the audit.
        overwrite: replace a file that is there.
        progress: told of the trade-off, which takes several removals.

    Raises:
        StorageError: the system refused.
        UnavailableError, UsageError: as `check_report`.
    """
    target = check_report(file, overwrite=overwrite)
    title = f"Bias in {Path(source[0]).name}"
    neutral = neutral_values(result)
    pictures = _pictures({"now": result}, [source[1]], sets, progress, title)
    rows = [[name, *_ends(figure), neutral.get(name), asks(name)] for name, figure in result.flat().items()]
    parts = [
        _head(title, [source], sets),
        *pictures,
        _table("Measures", ["measure", "value", _INTERVAL, "neutral", "what it asks"], rows),
        _tests(result),
        _coverage(result),
        _skipped(result.skipped),
        _done(source[0]),
    ]
    _write(target, title, parts)


def report_comparison(
    file: Place,
    result: Comparison,
    before: Source,
    after: Source,
    sets: WordSets,
    *,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> None:
    """Writes a comparison as a page: verdict, both sets of vectors in each picture, tables, what was done.

    Args:
        file: ends in .html; written atomically.
        result: of `compare`.
        before: the path of the vectors before, and the vectors.
        after: those after.
        sets: those of the comparison.
        overwrite: replace a file that is there.
        progress: told of the trade-off, which takes several removals.

    Raises:
        StorageError: the system refused.
        UnavailableError, UsageError: as `check_report`.
    """
    target = check_report(file, overwrite=overwrite)
    title = f"Bias in {Path(before[0]).name} and {Path(after[0]).name}"
    audits = {"before": result.before, "after": result.after}
    pictures = _pictures(audits, [before[1], after[1]], sets, progress, title)
    rows = [
        [
            name,
            *(None if part is None else part.value for part in (change.before, change.after)),
            *_ends(change.change),
            change.neutral,
            asks(name),
        ]
        for name, change in (result.measures | result.utility).items()
    ]
    headers = ["measure", "before", "after", "change", _INTERVAL, "neutral", "what it asks"]
    verdict = "".join(f"<li>{_text(line)}</li>" for line in result.verdict.text)
    parts = [
        _head(title, [before, after], sets),
        f'<ul class="verdict">{verdict}</ul>',
        *pictures,
        _table("Measures and cost", headers, rows),
        _tests(result.after, "Tests after"),
        _coverage(result.after),
        _skipped(result.before.skipped | result.after.skipped),
        _done(after[0]),
    ]
    _write(target, title, parts)


def _pictures(
    audits: Mapping[str, Audit],
    vectors: Sequence[Vectors],
    sets: WordSets,
    progress: Progress,
    title: str,
) -> list[str]:
    """The sections with pictures, of what there is to show."""
    first = next(iter(audits.values()))
    traded = None
    with suppress(DataError):
        traded = trade_off(vectors[0], sets, seed=first.seed, progress=progress)
    words, ends = _positions(vectors, sets)
    shown = "".join([title, *ends, *first.weat, *(word.word for word in words)])
    with drawing(shown, progress):
        return [
            _axis(words, ends, len(vectors) > 1) if words else "",
            _associations(audits, list(first.weat)) if first.weat else "",
            _recovery(audits) if any(name in first.recovery for name in _ACCURACIES) else "",
            _traded(traded, len(vectors) > 1) if traded is not None else "",
        ]


def _axis(words: Sequence[Position], ends: tuple[str, str], several: bool) -> str:
    note = (
        "Words that should be neutral, by their cosine with the bias direction of the vectors"
        f"{' before' if several else ''}: the farthest of each side."
    )
    return _section("Words on the bias axis", note, axis_picture(words, ends))


def _associations(audits: Mapping[str, Audit], tests: Sequence[str]) -> str:
    sides = {
        side: [audit.weat[name].effect_size if name in audit.weat else None for name in tests]
        for side, audit in audits.items()
    }
    found = [figure for figures in sides.values() for figure in figures if figure is not None]
    reach = max(
        2.05, *(1.02 * abs(end) for figure in found for end in (figure.value, figure.low, figure.high))
    )
    note = (
        "Effect size, −2 to 2 where both sets of targets are of one size, with its 95% interval; 0 is no "
        "association. It has no unit: the table has the difference of cosines, too."
    )
    svg = bars_picture(
        tests, sides, neutral=0.0, label="effect size", limits=(-reach, reach), title="weat effect sizes"
    )
    return _section("Association tests (WEAT)", note, svg)


def _recovery(audits: Mapping[str, Audit]) -> str:
    chance = 1 / next(iter(audits.values())).classes
    sides = {side: [audit.recovery.get(name) for name in _ACCURACIES] for side, audit in audits.items()}
    names = [name.removesuffix("_accuracy").replace("_", " ") for name in _ACCURACIES]
    note = (
        "How well the sides of the most biased words are told from the vectors; the line is chance, "
        f"{chance:.2f}. Above it, the bias is there, whatever the direction says."
    )
    svg = bars_picture(names, sides, neutral=chance, label="accuracy", limits=(0.0, 1.02), title="recovery")
    return _section("Recovery", note, svg)


def _traded(found: TradeOff, several: bool) -> str:
    note = (
        f"Soft debiasing of the {found.words:,} most frequent words{' before' if several else ''}: bias that "
        "is left, usefulness that is kept."
    )
    return _section("What strength λ trades", note, trade_off_picture(found))


def _positions(vectors: Sequence[Vectors], sets: WordSets) -> tuple[list[Position], tuple[str, str]]:
    """The neutral words farthest to each side of the first vectors' direction, and what the sides are."""
    known = sets.known_to(vectors[0])
    words = [word for word in known.neutral or known.professions if all(word in part for part in vectors)]
    try:
        subspace = bias_subspace(vectors[0], known.pairs)
    except DataError:
        return [], ("", "")
    axis = subspace.basis[0]
    sides = subspace.classes @ axis
    ends = [
        ", ".join(row[index] for row in subspace.tuples[:3]) for index in (sides.argmin(), sides.argmax())
    ]
    if not words:
        return [], (ends[0], ends[1])
    places = [
        unit_rows(np.asarray(part.matrix[[part.vocabulary[word] for word in words]])) @ axis
        for part in vectors
        if part.vector_size == len(axis)  # else the direction means nothing there
    ]
    order = np.argsort(places[0])
    chosen = order if len(order) <= 2 * _MOST else np.concatenate([order[:_MOST], order[-_MOST:]])
    found = [Position(words[row], *(float(place[row]) for place in places)) for row in chosen.tolist()]
    return found, (ends[0], ends[1])


def _head(title: str, sources: Sequence[Source], sets: WordSets) -> str:
    described = "; ".join(
        f"{printable(str(path))}: {len(vectors):,} words, {vectors.vector_size} numbers each"
        for path, vectors in sources
    )
    return (
        f"<h1>{_text(title)}</h1>\n<p class='note'>{_text(described)}. "
        f"Word sets “{_text(sets.name)}” ({_text(sets.language)}): {_text(sets.description)}</p>"
    )


def _section(title: str, note: str, svg: str) -> str:
    return f"<h2>{title}</h2>\n<p class='note'>{_text(note)}</p>\n<div class='wide'>{svg}</div>"


def _tests(result: Audit, title: str = "Tests") -> str:
    headers = ["test", "effect size", "difference", "p", "p corrected", "partitions"]
    rows = [
        [name, test.effect_size.value, test.difference.value, f"{test.p.value:.2g}",
         f"{result.corrected[name].value:.2g}", f"{test.partitions:,}{'' if test.exact else ' drawn'}"]
        for name, test in result.weat.items()
    ]  # fmt: skip
    return _table(title, headers, rows) if rows else ""


def _coverage(result: Audit) -> str:
    rows = [
        [name, f"{part.found} of {part.words}", _listed(part.missing)]
        for name, part in result.coverage.items()
    ]
    return _table("Coverage", ["list", "known", "missing"], rows)


def _skipped(reasons: Mapping[str, str]) -> str:
    return _table("Not measured", ["measure", "why"], [[*row] for row in reasons.items()]) if reasons else ""


def _done(path: Place) -> str:
    """What the manifest says of a removal."""
    if not is_bundle(path):
        return ""
    record = Bundle.open(path).manifest.config.get("debias")
    if not isinstance(record, dict):
        return ""
    rows = [[key, value] for key, value in _flat(record) if not key.startswith("coverage.")]
    return _table("What was done", ["from the manifest", ""], rows)


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, part in value.items():
        if isinstance(part, Mapping):
            yield from _flat(part, f"{prefix}{key}.")
        elif isinstance(part, list) and part:
            yield prefix + key, _listed([_short(item) for item in part])
        elif part not in (None, "", []):
            yield prefix + key, _short(part)


def _short(item: Any) -> str:
    """An item of a list in a line: a pair as she–he, a number by four digits."""
    if isinstance(item, list):
        return "–".join(map(str, item))
    if isinstance(item, Mapping):
        return "; ".join(f"{key}: {_short(part)}" for key, part in item.items())
    return f"{item:.4g}" if isinstance(item, float) else str(item)


def _listed(words: Sequence[str]) -> str:
    more = f", … ({len(words)} in all)" if len(words) > _LISTED else ""
    return ", ".join(words[:_LISTED]) + more


def _ends(figure: Figure | None) -> list[object]:
    return [None, None] if figure is None else [figure.value, f"{figure.low:z.3f} to {figure.high:z.3f}"]


def _table(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    numeric = [all(isinstance(row[column], float | None) for row in rows) for column in range(len(headers))]
    styles = [
        ' class="number"' if is_number or name in _RIGHT else ' class="range"' if name in _UNBROKEN else ""
        for name, is_number in zip(headers, numeric, strict=True)
    ]
    head = "".join(f"<th{style}>{_text(name)}</th>" for name, style in zip(headers, styles, strict=True))
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{style}>{_cell(cell)}</td>" for cell, style in zip(row, styles, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<h2>{_text(title)}</h2>\n<div class='wide'><table>\n<tr>{head}</tr>\n{body}\n</table></div>"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:z.3f}" if isinstance(value, float) else _text(str(value))


def _text(text: str) -> str:
    return html.escape(printable(text))


def _write(target: Path, title: str, parts: Iterable[str]) -> None:
    page = _PAGE.format(title=_text(title), body="\n".join(part for part in parts if part))
    atomic_write_bytes(target, page.encode())
