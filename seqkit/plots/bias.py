"""The pictures of a report on bias, as SVG that follows the light or dark of its page."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seqkit.debias.measures.intervals import Figure as Interval
from seqkit.debias.tradeoff import TradeOff
from seqkit.plots.canvas import GRID, INK, MUTED, PALETTE, new_figure, printable
from seqkit.plots.page import annotated_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 9.0  # inches, like all lengths here
_LEFT, _RIGHT, _HEAD, _FOOT = 1.75, 0.25, 0.4, 0.55
_BARE = 0.1  # head of a picture without titles
_ROW, _GROUP = 0.2, 0.5
_AFTER, _BEFORE = PALETTE[0], PALETTE[1]
_THEMED = {INK: "currentColor", MUTED: "var(--muted)", GRID: "var(--grid)"}


@dataclass(frozen=True)
class Position:
    """A word on the bias axis: its cosine with the direction before, and after where there is one."""

    word: str
    before: float
    after: float | None = None


def axis_picture(words: Sequence[Position], ends: tuple[str, str]) -> str:
    """Words on the bias axis, a line each; of two sets of vectors both points, joined.

    Args:
        words: from top to bottom.
        ends: what lies to the left and to the right.
    """
    figure, axes = _frame(_ROW * len(words))
    hints = {}
    for row, position in enumerate(words):
        hints[f"word-{row}"] = _hint(position)
        if position.after is not None:
            axes.plot([position.before, position.after], [row, row], color=GRID, linewidth=2.5, zorder=2)
            axes.plot(position.after, row, "D", color=_AFTER, markersize=4.5, mew=0, zorder=4)
        axes.plot(
            position.before, row, "o", color=_BEFORE, markersize=5.5, mew=0, zorder=3, gid=f"word-{row}"
        )
    axes.set_ylim(len(words) - 0.4, -0.6)
    axes.set_yticks(range(len(words)), [printable(position.word, 22) for position in words])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    farthest = max(abs(value) for word in words for value in (word.before, word.after or 0.0))
    axes.set_xlim(-1.08 * farthest, 1.08 * farthest)
    axes.axvline(0, color=MUTED, linewidth=0.9, zorder=1)
    axes.set_xlabel("cosine with the bias direction")
    axes.set_title(f"← {printable(ends[0], 40)}", parse_math=False, fontsize=10)
    axes.set_title(f"{printable(ends[1], 40)} →", loc="right", parse_math=False, fontsize=10)
    if any(position.after is not None for position in words):
        _key(figure, [("before", _BEFORE, "o"), ("after", _AFTER, "D")])
    return _svg(figure, "words on the bias axis", "axis", hints)


def bars_picture(
    names: Sequence[str],
    sides: Mapping[str, Sequence[Interval | None]],
    *,
    neutral: float,
    label: str,
    limits: tuple[float, float],
    title: str,
) -> str:
    """Figures as bars from their neutral value, with intervals.

    Args:
        names: of the bars, from top to bottom.
        sides: "before" and "after", or one of them; a figure for each name.
        neutral: where bars begin.
        label: of the axis.
        limits: of the axis.
        title: what a screen reader says; its first word begins the names of the parts.
    """
    figure, axes = _frame(_GROUP * len(names), _BARE)
    height = 0.7 / len(sides)
    hints, colours = {}, dict(zip(sides, (_BEFORE, _AFTER) if len(sides) > 1 else (_AFTER,), strict=True))
    for number, (side, figures) in enumerate(sides.items()):
        for row, found in enumerate(figures):
            if found is None:
                continue
            place = row + (number - (len(sides) - 1) / 2) * height
            [bar] = axes.barh(
                place,
                found.value - neutral,
                height * 0.86,
                neutral,
                color=colours[side],
                zorder=2,
                alpha=0.85,
            )
            bar.set_gid(f"bar-{number}-{row}")
            axes.plot([found.low, found.high], [place, place], color=INK, linewidth=1.4, zorder=3)
            axes.plot([found.low, found.high], [place, place], "|", color=INK, markersize=6, zorder=3)
            hints[f"bar-{number}-{row}"] = (
                f"{names[row]}, {side}: {found.value:z.3f}, 95% from {found.low:z.3f} to {found.high:z.3f}"
            )
    axes.set(xlim=limits, ylim=(len(names) - 0.45, -0.55), xlabel=label)
    axes.set_yticks(range(len(names)), [printable(name, 24) for name in names])
    for text in axes.get_yticklabels():
        text.set_parse_math(False)
    axes.axvline(neutral, color=MUTED, linewidth=0.9, zorder=4)
    if len(sides) > 1:
        _key(figure, [(side, colour, "s") for side, colour in colours.items()])
    return _svg(figure, title, title.split()[0], hints)


def trade_off_picture(found: TradeOff) -> str:
    """What strength λ of soft debiasing leaves of the bias, and keeps of usefulness."""
    height = 2.3
    panels = 2 if found.similarity else 1
    total = _HEAD + height + _FOOT
    figure = new_figure(WIDTH, total)
    gap = 0.85
    width = (WIDTH - 0.65 - _RIGHT - gap) / 2
    hints: dict[str, str] = {}
    rows = [("direct bias that is left", found.bias, _BEFORE), (found.test_set, found.similarity, _AFTER)]
    for number, (title, figures, colour) in enumerate(rows[:panels]):
        left = 0.65 + number * (width + gap)
        axes = figure.add_axes((left / WIDTH, _FOOT / total, width / WIDTH, height / total))
        _curve(axes, found.strengths, figures, colour, f"curve-{number}", hints)
        shown = title if number == 0 else f"usefulness that is kept: Spearman's ρ on {printable(title, 20)}"
        axes.set_title(shown, parse_math=False, fontsize=10)
        axes.set_xlabel("strength λ")
    return _svg(figure, "trade-off of soft debiasing", "trade", hints)


def _curve(
    axes: Axes,
    strengths: Sequence[float],
    figures: Sequence[Interval],
    colour: str,
    name: str,
    hints: dict[str, str],
) -> None:
    places = range(len(strengths))
    axes.fill_between(
        places,
        [part.low for part in figures],
        [part.high for part in figures],
        color=colour,
        alpha=0.18,
        linewidth=0,
    )
    axes.plot(places, [part.value for part in figures], color=colour, linewidth=1.8)
    for place, part in zip(places, figures, strict=True):
        axes.plot(place, part.value, "o", color=colour, markersize=5, mew=0, gid=f"{name}-{place}")
        hints[f"{name}-{place}"] = (
            f"λ {strengths[place]:g}: {part.value:z.3f}, 95% from {part.low:z.3f} to {part.high:z.3f}"
        )
    axes.set_xticks(places, [f"{strength:g}" for strength in strengths])
    axes.set_ylim(min(0.0, *(part.low for part in figures)), None)
    axes.tick_params(length=0)


def _frame(height: float, head: float = _HEAD) -> tuple[Figure, Axes]:
    """A figure with one panel of that height, and room for titles above."""
    total = head + height + _FOOT
    figure = new_figure(WIDTH, total)
    axes = figure.add_axes((_LEFT / WIDTH, _FOOT / total, (WIDTH - _LEFT - _RIGHT) / WIDTH, height / total))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(length=0)
    return figure, axes


def _key(figure: Figure, rows: Sequence[tuple[str, str, str]]) -> None:
    """Colours and what they stand for, at the lower left."""
    from matplotlib.lines import Line2D

    handles: list[Any] = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=6, mew=0, label=name)
        for name, colour, marker in rows
    ]
    figure.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 0), ncols=1, borderpad=0.2)


def _hint(position: Position) -> str:
    after = "" if position.after is None else f", after {position.after:+z.3f}"
    return f"{printable(position.word)}: {position.before:+z.3f}{after}"


def _svg(figure: Figure, title: str, prefix: str, hints: Mapping[str, str]) -> str:
    """The figure as an SVG element whose ids are its own and whose ink is the page's."""
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata=nothing, transparent=True)
    svg = annotated_svg(buffer.getvalue(), title, hints, {})
    for colour, themed in _THEMED.items():
        svg = svg.replace(colour, themed)
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
