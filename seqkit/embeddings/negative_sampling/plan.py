"""Which rows of a table a step touches, and how the gradients of its places add up to them.

A frequent word stands many times in a step. TensorFlow adds a row at a time under a lock, which takes four
times as long as moving it. So a step reads each distinct row once, adds the gradients of all its places by
a segment sum over the sorted places, and writes each row once: faster, and the same bits for any number of
threads.

The places of a step all see the same table, so a sum of many gradients can overshoot where as many steps in
sequence would have come to rest. The mass of a row is what bounds the curvature of the loss along it: the
pairs that it is in, noise pairs counted as `NOISE_MASS`, up to `PLACE_MASS` for each place. No row learns
faster than 1 / mass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.skipgram.config import NOISE_MASS, PLACE_MASS, Geometry, SkipGramConfig

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]

ROW_WORK = 2
"""Reading and writing a row takes about so many times what adding one place to it does."""


@dataclass(frozen=True, eq=False)
class Masses:
    """The mass that each place of a step adds to its row, expected over the reaches.

    Args:
        vectors: of words, shape (N·L,).
        contexts: of the places in the table of contexts, shape (N·(L + K),).
    """

    vectors: Floats
    contexts: Floats


def place_masses(config: SkipGramConfig, geometry: Geometry) -> Masses:
    """The masses for a geometry.

    A word has window + 1 pairs on average, its reach being uniform on 1..window to both sides; each pair
    comes with `negative` noise pairs, which the noise words of the block share. No place counts for more than
    `PLACE_MASS`.
    """
    pairs = config.window + 1
    noise_pairs = NOISE_MASS * config.negative * pairs
    block = [pairs] * geometry.length + [noise_pairs * geometry.length / geometry.noise] * geometry.noise
    return Masses(
        np.full(geometry.words, min(PLACE_MASS, pairs + noise_pairs), np.float32),
        np.tile(np.minimum(np.array(block, np.float32), PLACE_MASS), geometry.blocks),
    )


@dataclass(frozen=True, eq=False)
class RowPlan:
    """The rows of one table for S steps of M places each; the distinct rows of all steps lie end to end.

    Args:
        rows: distinct rows of each step, ascending; shape (distinct rows of all steps,).
        mass: of each of them; float32, shape (distinct rows of all steps, 1).
        offsets: where each step's rows begin, shape (S + 1,).
        inverse: for each place the index of its row among the step's; shape (S, M).
        order: the places, sorted by row; shape (S, M).
        segments: the row index of each sorted place, ascending; shape (S, M).
        place_bounds: cuts of the sorted places into one part a lane, never within a row; shape
            (S, lanes + 1).
        row_bounds: the same cuts, counted in rows; shape (S, lanes + 1).
    """

    rows: Ints
    mass: Floats
    offsets: Ints
    inverse: Ints
    order: Ints
    segments: Ints
    place_bounds: Ints
    row_bounds: Ints


def plan_rows(ids: Ints, masses: Floats, vocabulary: int, lanes: int) -> RowPlan:
    """The plan for the rows that some steps touch.

    Args:
        ids: row of each place, shape (S, M).
        masses: of each place, shape (M,).
        vocabulary: rows of the table.
        lanes: parts that work at the same time.
    """
    steps, places = ids.shape
    order, sorted_ids = _sorted(ids, vocabulary)
    first = np.empty(ids.shape, np.bool_)
    first[:, 0] = True
    np.not_equal(sorted_ids[:, 1:], sorted_ids[:, :-1], out=first[:, 1:])
    segments = np.cumsum(first, axis=1, dtype=np.int32) - 1
    offsets = np.zeros(steps + 1, np.int32)
    np.cumsum(segments[:, -1] + 1, out=offsets[1:])
    inverse = np.empty_like(order)
    place = order + (np.arange(steps, dtype=np.int32) * places)[:, None]
    inverse.ravel()[place.ravel()] = segments.ravel()
    starts = np.flatnonzero(first)
    place_bounds = _cuts(starts, segments, offsets, lanes)
    row_bounds = np.take_along_axis(segments, place_bounds[:, :-1], axis=1)
    return RowPlan(
        rows=sorted_ids.ravel()[starts],
        mass=np.add.reduceat(masses[order].ravel(), starts)[:, None],
        offsets=offsets,
        inverse=inverse,
        order=order,
        segments=segments,
        place_bounds=place_bounds,
        row_bounds=np.append(row_bounds, segments[:, -1:] + 1, axis=1),
    )


def _sorted(ids: Ints, vocabulary: int) -> tuple[Ints, Ints]:
    """The places of each step in the order of their rows, and those rows; shapes (S, M).

    Row and place are packed into one number: sorting values is several times as fast as finding an order.
    """
    bits = max(1, (ids.shape[1] - 1).bit_length())
    wide: type[np.unsignedinteger[Any]] = np.uint32 if vocabulary << bits <= 2**32 else np.uint64
    packed = ids.astype(wide) << bits | np.arange(ids.shape[1], dtype=wide)
    packed.sort(axis=1)
    return (packed & ((1 << bits) - 1)).astype(np.int32), (packed >> bits).astype(np.int32)


def _cuts(starts: NDArray[np.intp], segments: Ints, offsets: Ints, lanes: int) -> Ints:
    """Where the sorted places of each step are cut for the lanes, so that all have as much to do."""
    steps, places = segments.shape
    begin = np.arange(steps) * places
    # The work up to each row, counted on from step to step so that it ascends.
    before = starts + ROW_WORK * np.arange(len(starts))
    first, total = before[offsets[:-1]], places + ROW_WORK * (segments[:, -1] + 1)
    cuts = [np.zeros(steps, np.intp)]
    for lane in range(1, lanes):
        row = np.searchsorted(before, first + total * lane // lanes)
        cuts.append(starts[np.minimum(row, offsets[1:] - 1)] - begin)
    return np.stack([*cuts, np.full(steps, places)], axis=1).astype(np.int32)
