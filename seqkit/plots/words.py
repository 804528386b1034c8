"""A map of words: `seqkit embed plot`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit.embeddings.neighbours import nearest_rows, unit_rows
from seqkit.errors import Place
from seqkit.plots.canvas import check_target, drawing, printable, save
from seqkit.plots.drawing import draw_map
from seqkit.plots.projection import project
from seqkit.plots.selection import MapConfig, Selection, select
from seqkit.progress import SILENT, Progress

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

_HINT_NEIGHBOURS = 5


@dataclass(frozen=True)
class MapReport:
    """What was drawn.

    Args:
        file: the picture.
        projection: how the words came to the plane; PCA where they were too few for what was asked.
        words: points on the map.
        labels: words with a label.
    """

    file: str
    projection: str
    words: int
    labels: int


def plot_words(
    vectors: Vectors,
    file: Place,
    words: Sequence[str] = (),
    config: MapConfig | None = None,
    *,
    title: str = "",
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> MapReport:
    """Draws words as points of the plane, near to each other where their vectors are.

    Args:
        vectors: where the words come from.
        file: ends in .png, .svg or .html; written atomically.
        words: what to show; without any, what `config` says.
        config: what else to show, and how.
        title: of the picture; what it shows is added.
        overwrite: replace a file that is there.
        progress: told of labels without room and characters without a font.

    Returns:
        What was drawn. The same vectors, options and seed give the same bytes on the same machine.

    Raises:
        UnavailableError: matplotlib is not installed.
        UnknownWordError: a word outside the vocabulary.
        UsageError: another ending, a file that is there, options that do not fit together.
        StorageError: the system refused.
    """
    config = config or MapConfig()
    target = check_target(file, overwrite=overwrite)
    selection = select(vectors, words, config)
    unit = unit_rows(np.asarray(vectors.matrix[selection.ids]))
    fit = np.unique(np.array(selection.pairs, np.int64)) if selection.pairs else None
    projection = project(unit, config.projection_of(len(unit)), config.seed, fit=fit)
    heading = printable(f"{title}: {selection.heading}" if title else selection.heading, 90)
    shown = [printable(vectors.words[index], 32) for index in selection.ids.tolist()]
    with drawing(heading + "".join([*shown, *selection.classes]), progress) as missing:
        counts = None if vectors.counts is None else vectors.counts[selection.ids]
        figure, widths = draw_map(selection, projection, shown, counts, heading)
        kept = {name: width for name, width in widths.items() if not missing & set(shown[_number(name)])}
        save(figure, target, heading, _hints(vectors, selection, target), kept)
    dropped = len(shown) - len(widths)
    if dropped:
        progress.message(f"{dropped} of {len(shown)} words have no label, for lack of room; show fewer")
    return MapReport(str(target), projection.name, len(shown), len(widths))


def _number(name: str) -> int:
    """The word that `label-7` belongs to."""
    return int(name.rpartition("-")[2])


def _hints(vectors: Vectors, selection: Selection, target: Path) -> dict[str, str]:
    """What a page says of each word under the pointer: its count and its nearest words."""
    if target.suffix.lower() != ".html":
        return {}
    unit, ids = unit_rows(vectors.matrix), selection.ids
    nearest = nearest_rows(unit, ids, min(_HINT_NEIGHBOURS, len(vectors) - 1))
    hints: dict[str, str] = {}
    for position, (index, row) in enumerate(zip(ids.tolist(), nearest, strict=True)):
        hint = _hint(vectors, unit, index, row)
        hints |= {f"point-{position}": hint, f"label-{position}": hint}
    return hints


def _hint(vectors: Vectors, unit: npt.NDArray[np.float32], index: int, nearest: npt.NDArray[np.int64]) -> str:
    lines = [printable(vectors.words[index])]
    if vectors.counts is not None:
        lines.append(f"count {vectors.counts[index]:,}")
    near = zip(nearest.tolist(), (unit[nearest] @ unit[index]).tolist(), strict=True)
    lines.append("nearest: " + ", ".join(f"{printable(vectors.words[i])} {cosine:.2f}" for i, cosine in near))
    return "\n".join(lines)
