"""Training curves out of bundles: `seqkit plot history`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from seqkit.errors import BundleError, Place, UsageError
from seqkit.plots.canvas import PALETTE, check_target, drawing, new_figure, printable, save, text_widths
from seqkit.progress import SILENT, Progress
from seqkit.storage import Bundle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Line = Literal["-", "--", ":", "-."]

_PANEL = (4.4, 2.5)  # inches
_LEFT, _RIGHT, _FOOT, _GAP = 0.75, 0.2, 0.55, 0.75
_HEAD, _KEY, _KEY_ROW = 0.85, 0.1, 0.215
_KEY_LINE = 0.75  # width of a name in the key, without its letters
_LINES: tuple[Line, ...] = ("-", "--", ":", "-.")
_ORDER = {"loss": 0, "validation_loss": 1, "learning_rate": 3}
"""The first and the last panels; the others stand between them, as they come."""
_NAME = 40
"""Letters of a bundle's name; paths differ at their ends."""
_MOST_MARKERS = 50
"""Longer runs are drawn without a marker at each epoch."""


@dataclass(frozen=True)
class HistoryReport:
    """What was drawn.

    Args:
        file: the picture.
        bundles: number of runs.
        epochs: of the longest.
        measures: a panel each, in the order of the picture.
    """

    file: str
    bundles: int
    epochs: int
    measures: list[str]


@dataclass(frozen=True)
class _Run:
    """The history of a bundle: a name, and (epochs, values) of each measure; NaN where there is none."""

    name: str
    measures: dict[str, tuple[list[float], list[float]]]

    @property
    def epochs(self) -> int:
        return max(len(epochs) for epochs, _ in self.measures.values())


def plot_history(
    bundles: Sequence[Place], file: Place, *, overwrite: bool = False, progress: Progress = SILENT
) -> HistoryReport:
    """Draws how training went: a panel for each measure, a line for each bundle.

    Args:
        bundles: of any kind.
        file: ends in .png, .svg or .html; written atomically.
        overwrite: replace a file that is there.
        progress: told of characters without a font.

    Returns:
        What was drawn.

    Raises:
        BundleError: a bundle that is damaged or has no history.
        MissingInputError: there is no such bundle.
        UnavailableError: matplotlib is not installed.
        UsageError: no bundle, another ending, a file that is there.
        StorageError: the system refused.
    """
    if not bundles:
        raise UsageError("give at least one bundle")
    target = check_target(file, overwrite=overwrite)
    paths = [Path(bundle) for bundle in dict.fromkeys(bundles)]
    distinct = len({path.name for path in paths}) == len(paths)
    runs = [_read(path, path.name if distinct else str(path)) for path in paths]
    found = dict.fromkeys(measure for run in runs for measure in run.measures)
    measures = sorted(found, key=lambda measure: _ORDER.get(measure, 2))
    title = f"training of {runs[0].name}" if len(runs) == 1 else f"training of {len(runs)} bundles"
    with drawing("".join([title, *(run.name for run in runs), *measures]), progress):
        figure, hints = _draw(runs, measures, printable(title, 80))
        save(figure, target, printable(title), hints, {})
    return HistoryReport(str(target), len(runs), max(run.epochs for run in runs), measures)


def _read(path: Path, name: str) -> _Run:
    measures: dict[str, tuple[list[float], list[float]]] = {}
    records = [record for record in Bundle.open(path).manifest.history if isinstance(record, dict)]
    for number, record in enumerate(records, 1):
        epoch = record.get("epoch", number)
        for measure, value in record.items():
            if measure != "epoch" and _is_number(value) and _is_number(epoch):
                epochs, values = measures.setdefault(measure, ([], []))
                epochs.append(float(epoch))
                values.append(float(value))
    if not measures:
        raise BundleError(path, "has no history of its training, so there is no curve to draw")
    shown = printable(name)
    return _Run(shown if len(shown) <= _NAME else f"…{shown[1 - _NAME :]}", measures)


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer beyond float
        return False


def _draw(runs: list[_Run], measures: list[str], title: str) -> tuple[Figure, dict[str, str]]:
    """The figure, and what its markers say under the pointer."""
    from matplotlib.ticker import MaxNLocator

    columns = 1 if len(measures) == 1 else 2 if len(measures) <= 4 else 3
    rows = -(-len(measures) // columns)
    width = _LEFT + columns * _PANEL[0] + (columns - 1) * _GAP + _RIGHT
    names = max(1, int((width - 0.2) / (_KEY_LINE + text_widths([run.name for run in runs]).max())))
    head = _HEAD + (_KEY + _KEY_ROW * -(-len(runs) // names) if len(runs) > 1 else 0)
    height = head + rows * _PANEL[1] + (rows - 1) * _GAP + _FOOT
    figure = new_figure(width, height)
    figure.text(0.2 / width, 1 - 0.4 / height, title, fontsize=13, parse_math=False)
    hints: dict[str, str] = {}
    epochs = [epoch for run in runs for xs, _ in run.measures.values() for epoch in xs]
    for number, measure in enumerate(measures):
        row, column = divmod(number, columns)
        left = _LEFT + column * (_PANEL[0] + _GAP)
        bottom = height - head - (row + 1) * _PANEL[1] - row * _GAP
        axes = figure.add_axes((left / width, bottom / height, _PANEL[0] / width, _PANEL[1] / height))
        hints |= _panel(axes, runs, measure, number)
        axes.set_xlim(min(epochs) - 0.3, max(epochs) + 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
        lowest_of_column = number + columns >= len(measures)
        axes.tick_params(labelbottom=lowest_of_column)
        if lowest_of_column:
            axes.set_xlabel("epoch")
    if len(runs) > 1:
        _key(figure, runs, names, (0.2 / width, 1 - 0.5 / height))
    return figure, hints


def _panel(axes: Axes, runs: list[_Run], measure: str, number: int) -> dict[str, str]:
    hints: dict[str, str] = {}
    axes.set_title(printable(measure.replace("_", " "), 40), parse_math=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
    axes.ticklabel_format(axis="y", useOffset=False, scilimits=(-3, 5))
    for index, run in enumerate(runs):
        xs, ys = run.measures.get(measure, ([], []))
        colour, line = _style(index)
        axes.plot(xs, ys, line, color=colour, linewidth=1.6)
        for x, y in zip(xs, ys, strict=True) if len(xs) <= _MOST_MARKERS else ():
            name = f"point-{number}-{index}-{x:g}"
            axes.plot(x, y, "o", color=colour, markersize=4, mew=0, gid=name)
            hints[name] = f"{run.name}, epoch {x:g}\n{measure.replace('_', ' ')} {y:.5g}"
    return hints


def _style(index: int) -> tuple[str, Line]:
    return PALETTE[index % len(PALETTE)], _LINES[index // len(PALETTE) % len(_LINES)]


def _key(figure: Figure, runs: list[_Run], columns: int, place: tuple[float, float]) -> None:
    """The names of the runs in rows under the title."""
    from matplotlib.lines import Line2D

    handles: list[Any] = []
    for index in range(len(runs)):
        colour, line = _style(index)
        handles.append(Line2D([], [], color=colour, linestyle=line, linewidth=1.6))
    legend = figure.legend(
        handles, [str(index) for index in range(len(runs))], loc="upper left", bbox_to_anchor=place,
        ncols=min(columns, len(runs)), borderaxespad=0, borderpad=0,
    )  # fmt: skip
    for text, run in zip(legend.get_texts(), runs, strict=True):
        text.set(text=run.name, parse_math=False)
