"""How the counts lie for the kernel: dense ones as tiles of a matrix, the others as groups of a row.

Words are in order of frequency, so most pairs of the text are among few columns. A block of `ROWS` rows is
cut into tiles of `COLUMNS` columns. Multiplying a whole tile, gaps included, costs 3 ns an entry on a core;
gathering a single pair's vector and multiplying it, 200. So a tile that is filled by more than `DENSE`
becomes a matrix, and the pairs of all others are packed, `GROUP` to a group of one row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cooccurrence.counts import Cooccurrences

ROWS, COLUMNS, DENSE = 256, 1024, 0.015
GROUP, PIECE = 16, 512
"""Pairs of a group, and groups of a piece: what one operation takes."""

GAP = np.float16(-65504)
"""The logarithm of a count that is 0 is kept as the lowest float16: its weight comes out as exactly 0."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Block:
    """The counts of up to `ROWS` rows: T dense tiles and P pieces of groups.

    Args:
        begin: the first row.
        end: the row after the last.
        tiles: which columns each tile has, in units of `COLUMNS`; shape (T,).
        tile_logs: log X, `GAP` where X is 0; float16, shape (T, ROWS, COLUMNS).
        columns: of the pairs in groups, shape (P, PIECE, GROUP).
        logs: their log X, the same shape.
        weights: their f(X), 0 where a group is not full; the same shape.
        group_rows: the row of each group, counted from `begin`, ascending within a piece; shape (P, PIECE).
        mass: Σ_j f(X_ij) of each row, shape (ROWS,).
        pairs: how many X are above 0.
    """

    begin: int
    end: int
    tiles: Ints
    tile_logs: NDArray[np.float16]
    columns: Ints
    logs: Floats
    weights: Floats
    group_rows: Ints
    mass: Floats
    pairs: int


def blocks_of(words: int) -> int:
    """How many blocks so many words make."""
    return -(-words // ROWS)


def weights(values: Floats, x_max: float, alpha: float) -> Floats:
    """f(X) = min(1, (X / x_max)^alpha)."""
    f: Floats = np.minimum(np.float32(1), values / np.float32(x_max)) ** np.float32(alpha)
    return f


def make_block(counts: Cooccurrences, number: int, x_max: float, alpha: float) -> Block:
    """One block of the layout.

    Args:
        counts: X, by rows.
        number: of the block, from 0.
        x_max: of the weight f.
        alpha: likewise.
    """
    begin, end = number * ROWS, min(len(counts), (number + 1) * ROWS)
    offsets = np.asarray(counts.offsets[begin : end + 1])
    columns = np.asarray(counts.columns[offsets[0] : offsets[-1]])
    values = np.asarray(counts.values[offsets[0] : offsets[-1]])
    rows = np.repeat(np.arange(end - begin, dtype=np.int32), np.diff(offsets))
    logs = np.log(values)
    f = weights(values, x_max, alpha)
    filled = np.bincount(columns // COLUMNS, minlength=-(-len(counts) // COLUMNS))
    tiles = np.flatnonzero(filled > DENSE * ROWS * COLUMNS).astype(np.int32)
    place = np.full(len(filled), -1, np.int32)
    place[tiles] = np.arange(len(tiles))
    tile = place[columns // COLUMNS]
    dense, sparse = np.flatnonzero(tile >= 0), np.flatnonzero(tile < 0)
    tile_logs = np.full((len(tiles), ROWS, COLUMNS), GAP, np.float16)
    tile_logs[tile[dense], rows[dense], columns[dense] % COLUMNS] = logs[dense]
    groups = _groups(rows[sparse], (columns[sparse], logs[sparse], f[sparse]))
    return Block(
        begin,
        end,
        tiles,
        tile_logs,
        *groups,
        mass=np.bincount(rows, f, minlength=ROWS).astype(np.float32),
        pairs=len(columns),
    )


def _groups(rows: Ints, pairs: tuple[Ints, Floats, Floats]) -> tuple[Ints, Floats, Floats, Ints]:
    """Columns, logs, weights and rows of the groups of some pairs, which are sorted by row."""
    lengths = np.bincount(rows, minlength=ROWS)
    sizes = -(-lengths // GROUP)  # groups of each row
    first = (np.cumsum(sizes) - sizes) * GROUP - (np.cumsum(lengths) - lengths)
    slots = np.arange(len(rows)) + first[rows]
    pieces = -(-int(sizes.sum()) // PIECE)
    packed: list[NDArray[Any]] = []
    for array in pairs:
        slotted = np.zeros(pieces * PIECE * GROUP, array.dtype)
        slotted[slots] = array
        packed.append(slotted.reshape(pieces, PIECE, GROUP))
    group_rows = np.full(pieces * PIECE, ROWS - 1, np.int32)
    group_rows[: sizes.sum()] = np.repeat(np.arange(ROWS, dtype=np.int32), sizes)
    return packed[0], packed[1], packed[2], group_rows.reshape(pieces, PIECE)
