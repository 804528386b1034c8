"""A map of words as a matplotlib figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.plots.canvas import (
    GRID,
    MUTED,
    PALETTE,
    UNGROUPED,
    new_figure,
    printable,
    text_sizes,
    text_widths,
)
from seqkit.plots.labels import Array, place_labels
from seqkit.plots.projection import Projection
from seqkit.plots.selection import Selection

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 10.0  # inches, like all lengths here
_LOWEST, _HIGHEST = 4.5, 6.6  # of the map itself, which follows the points
_HIGHEST_OF_FEW = 5.2
_SIDE, _HEAD, _FOOT = 0.15, 0.65, 0.35
_LEGEND, _ROW = 0.5, 0.215  # width of the key without its text, and height of a row
_MARGIN = 0.45
"""Between the outermost points and the frame, for their labels."""
_SHAPES = ("o", "s", "^", "D", "v", "P", "X")
_POINT, _SEED, _SMALL = 4.5, 7.5, 3.2  # diameters of markers in points
_FEW, _CROWD = 60, 300  # up to how many words letters are large, and beyond how many all is small
_LEADER_GAP = 0.03  # between a line and its label
_INCH = 72
_HEADING = 13  # points
_BAR = 2.0  # width of the scale of counts

_CAPTIONS = {
    "tsne": "t-SNE: near is similar; sizes of clusters and distances between them mean nothing",
    "spectral": "spectral embedding of the graph that joins each word to its nearest",
}


def draw_map(
    selection: Selection,
    projection: Projection,
    shown: Sequence[str],
    counts: npt.NDArray[np.int64] | None,
    heading: str,
) -> tuple[Figure, dict[str, float]]:
    """Draws points, labels and arrows, and a key to the colours.

    Args:
        selection: the words.
        projection: their points.
        shown: their labels.
        counts: (n,), by which words without classes are coloured.
        heading: above the map.

    Returns:
        The figure, and the gid of each label with its width in inches; a word whose label found no room has
        none. The point of word i has the gid `point-i`, its label `label-i`.
    """
    names = [printable(name, 20) for name in selection.classes]
    right = _LEGEND + text_widths(names).max() if names else _SIDE
    points, size = _fitted(projection.points, WIDTH - _SIDE - right, _ROW * len(names))
    room = WIDTH - 2 * _SIDE - (_BAR + 0.7 if _shows_counts(selection, counts) else 0)
    figure, axes = _frame(size, _cut(heading, room), _caption(projection))
    small = _POINT if len(points) <= _CROWD else _SMALL
    styles = _styles(figure, axes, selection, counts)
    for index, ((x, y), (colour, shape)) in enumerate(zip(points, styles, strict=True)):
        diameter = _SEED if index in selection.seeds else small
        [point] = axes.plot(x, y, shape, color=colour, markersize=diameter, gid=f"point-{index}", zorder=3)
        point.set(markeredgecolor="white", markeredgewidth=0.5)  # keeps neighbours apart
    arrows = points[np.array(selection.pairs, np.int64).reshape(-1, 2)]
    for start, end in arrows:
        style = {"arrowstyle": "-|>", "color": MUTED, "shrinkA": 4, "shrinkB": 4, "linewidth": 1}
        axes.annotate("", end, start, arrowprops=style, zorder=2)
    radius = (_SEED if selection.seeds else small) / 2 / _INCH
    return figure, _label(figure, axes, points, selection, shown, arrows, radius)


def _fitted(points: Array, width: float, least: float) -> tuple[Array, tuple[float, float]]:
    """Points in inches, one scale for both directions, and the width and height of the map.

    Args:
        points: (n, 2), in any unit.
        width: of the map.
        least: its height, at least.
    """
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-9)
    highest = _HIGHEST_OF_FEW if len(points) <= _FEW else _HIGHEST
    scale = ((np.array([width, highest]) - 2 * _MARGIN) / span).min()
    height = float(max(_LOWEST, least, span[1] * scale + 2 * _MARGIN))
    fitted: Array = (points - low - span / 2) * scale + np.array([width, height]) / 2
    return fitted, (width, height)


def _frame(size: tuple[float, float], heading: str, caption: str) -> tuple[Figure, Axes]:
    """A figure with empty axes, whose data are inches from their lower left corner."""
    height = size[1] + _HEAD + _FOOT
    figure = new_figure(WIDTH, height)
    axes = figure.add_axes((_SIDE / WIDTH, _FOOT / height, size[0] / WIDTH, size[1] / height))
    axes.set(xlim=(0, size[0]), ylim=(0, size[1]), xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=GRID)
    figure.text(_SIDE / WIDTH, 1 - 0.42 / height, heading, fontsize=_HEADING, parse_math=False)
    figure.text(_SIDE / WIDTH, 0.12 / height, caption, fontsize=8.5, color=MUTED)
    return figure, axes


def _caption(projection: Projection) -> str:
    if projection.variance is None:
        return _CAPTIONS[projection.name]
    first, second = projection.variance
    return f"PCA: the horizontal axis shows {first:.0%} of the variance, the vertical one {second:.0%}"


def _styles(
    figure: Figure, axes: Axes, selection: Selection, counts: npt.NDArray[np.int64] | None
) -> list[tuple[Any, str]]:
    """Colour and shape of each point, with a key to them."""
    if selection.classes:
        return _by_class(axes, selection)
    if selection.pairs:
        firsts = {a for a, _ in selection.pairs}
        return [(PALETTE[index not in firsts], "o") for index in range(len(selection.ids))]
    if counts is None or not _shows_counts(selection, counts):
        return [(PALETTE[0], "o")] * len(selection.ids)
    return [(colour, "o") for colour in _by_count(figure, counts)]


def _shows_counts(selection: Selection, counts: npt.NDArray[np.int64] | None) -> bool:
    """Whether points are coloured by their counts."""
    if selection.classes or selection.pairs or counts is None:
        return False
    return 1 <= int(counts.min()) < int(counts.max())


def _cut(heading: str, width: float) -> str:
    """What of a heading fits a width."""
    shown = heading
    while len(shown) > 1 and (wide := text_widths([shown], _HEADING)[0]) > width:
        shown = printable(heading, min(len(shown) - 1, int(len(shown) * width / wide)))
    return shown


def _by_class(axes: Axes, selection: Selection) -> list[tuple[Any, str]]:
    styles: list[tuple[Any, str]] = [(UNGROUPED, "o")] * len(selection.ids)
    for number, members in enumerate(selection.classes.values()):
        shape = _SHAPES[number // len(PALETTE) % len(_SHAPES)]
        style = (PALETTE[number % len(PALETTE)], shape)
        for member in members:
            styles[member] = style
        axes.plot([], [], shape, color=style[0], markersize=_SEED, mew=0, label=str(number))
    legend = axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2, handletextpad=0.3)
    for text, name in zip(legend.get_texts(), selection.classes, strict=True):
        text.set(text=printable(name, 20), parse_math=False)  # as labels, names with _ would be left out
    return styles


def _by_count(figure: Figure, counts: npt.NDArray[np.int64]) -> list[Any]:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    # From the end that is pale on white to the dark one: frequent words stand out. Of more than 50 colours
    # matplotlib makes an image, which an SVG had better not hold.
    scale = ListedColormap(colormaps["viridis"](np.linspace(0.85, 0, 40)))
    ends = [int(counts.min()), int(counts.max())]
    norm = LogNorm(ends[0], ends[1])
    height = figure.get_figheight()
    place = figure.add_axes((1 - (_BAR + _SIDE) / WIDTH, 1 - 0.42 / height, _BAR / WIDTH, 0.1 / height))
    bar = figure.colorbar(ScalarMappable(norm, scale), cax=place, orientation="horizontal")
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_edgecolor("face")  # no pale seams between the colours
    bar.ax.minorticks_off()
    bar.set_ticks(ends, labels=[f"{end:,}" for end in ends])
    lowest, highest = bar.ax.get_xticklabels()
    lowest.set_horizontalalignment("left")
    highest.set_horizontalalignment("right")
    bar.ax.tick_params(labelsize=8, length=0)
    figure.text(
        1 - (_BAR + 0.1 + _SIDE) / WIDTH, 1 - 0.41 / height, "count", ha="right", fontsize=8.5, color=MUTED
    )
    return list(scale(norm(counts)))


def _label(
    figure: Figure,
    axes: Axes,
    points: Array,
    selection: Selection,
    shown: Sequence[str],
    arrows: Array,
    radius: float,
) -> dict[str, float]:
    """Writes the labels that find room, with lines to those that stand apart; their gids and widths."""
    fontsize = next(size for most, size in ((_FEW, 10.0), (_CROWD, 8.5), (np.inf, 7.0)) if len(shown) <= most)
    texts = [
        axes.text(
            0,
            0,
            label,
            fontsize=fontsize,
            fontweight="bold" if index in selection.seeds else "normal",
            va="bottom",
            parse_math=False,
            gid=f"label-{index}",
            zorder=4,
        )
        for index, label in enumerate(shown)
    ]
    sizes = text_sizes(figure, texts)
    bounds = (0.02, 0.02, axes.get_xlim()[1] - 0.02, axes.get_ylim()[1] - 0.02)
    places = place_labels(points, sizes, bounds, radius, arrows)
    widths = {}
    for index, (text, place) in enumerate(zip(texts, places, strict=True)):
        if place is None:
            text.remove()
            continue
        text.set_position((place.left, place.bottom))
        widths[f"label-{index}"] = float(sizes[index, 0])
        if place.leader is not None:
            line = np.array(place.leader) - points[index]
            line *= 1 - min(1.0, _LEADER_GAP / np.hypot(*line))
            ends = np.array([points[index], points[index] + line]).T
            axes.plot(*ends, color=UNGROUPED, linewidth=0.6, zorder=1)
    return widths
