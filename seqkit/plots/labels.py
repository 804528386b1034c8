"""Where the labels of a map go: beside their points, never over each other.

Greedy: each label, the important ones first, takes the first place that is free of labels, points and leader
lines; one that finds none within reach is dropped. No randomness, so the same points give the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_BESIDE = np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, 1], [1, -1], [-1, -1]], np.float64)
"""Directions in the order in which a reader wants them: right and left, above and below, then corners."""
_AROUND = np.concatenate([_BESIDE, _BESIDE[4:] * [1, 0.5], _BESIDE[4:] * [0.5, 1]])
_RINGS = (0.15, 0.9, 1.6, 2.4, 3.4, 4.6, 6.0, 8.0, 11.0)
"""Gaps between a point and the rings of places around it, in heights of a label; the first needs no line."""
_PADDING = np.array([0.35, 0.12])
"""Air beside and above a label, in its height: two words in a row must not read as one phrase."""


@dataclass(frozen=True)
class Placement:
    """Where a label goes.

    Args:
        left: of its box.
        bottom: of its box.
        leader: the end of a line from the point to the box; None where the box is beside the point.
    """

    left: float
    bottom: float
    leader: tuple[float, float] | None


def place_labels(
    points: Array,
    sizes: Array,
    bounds: tuple[float, float, float, float],
    radius: float,
    arrows: Array | None = None,
) -> list[Placement | None]:
    """Finds places for labels, in any unit of length, the y axis upwards.

    Args:
        points: (n, 2), where the markers are; earlier ones choose first.
        sizes: (n, 2), width and height of each label's box.
        bounds: left, bottom, right and top of the area that labels must stay in.
        radius: of a marker.
        arrows: (m, 2, 2), lines that are on the map, by their ends.

    Returns:
        A place for each label; None for those that are dropped. No two boxes touch; no box covers a marker or
        a line; a leader line crosses no other line and no marker but its own.
    """
    taken = _Taken(points, radius, np.empty((0, 2, 2)) if arrows is None else arrows)
    placements: list[Placement | None] = []
    for index, size in enumerate(sizes):
        boxes = _candidates(points[index], size, radius)
        padding = _PADDING * size[1]
        found = None
        for place in np.flatnonzero(_inside(boxes, bounds) & taken.are_free(index, boxes, padding)).tolist():
            box = boxes[place]
            leader = None if place < len(_BESIDE) else np.clip(points[index], box[:2], box[2:])
            if taken.crosses_nothing(index, box, leader, padding):
                taken.add(box, points[index], leader)
                end = None if leader is None else (float(leader[0]), float(leader[1]))
                found = Placement(float(box[0]), float(box[1]), end)
                break
        placements.append(found)
    return placements


def _candidates(point: Array, size: Array, radius: float) -> Array:
    """Boxes (m, 4), left, bottom, right and top, around a point, the best first: ring by ring."""
    rings = [_BESIDE, *[_AROUND] * (len(_RINGS) - 1)]
    gaps = np.repeat(radius + np.array(_RINGS) * size[1], [len(ring) for ring in rings])[:, None]
    directions = np.concatenate(rings)
    away = gaps * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    corner = point + away - size * (1 - np.sign(directions)) / 2
    return np.hstack([corner, corner + size])


def _inside(boxes: Array, bounds: tuple[float, float, float, float]) -> npt.NDArray[np.bool_]:
    low, high = np.array(bounds[:2]), np.array(bounds[2:])
    return np.asarray(((boxes[:, :2] >= low) & (boxes[:, 2:] <= high)).all(axis=1), np.bool_)


class _Taken:
    """What is on the map already: markers, boxes of labels, lines."""

    def __init__(self, points: Array, radius: float, lines: Array) -> None:
        self._points, self._radius = points, radius
        self._boxes = np.empty((len(points), 4))
        self._lines = np.concatenate([lines, np.empty((len(points), 2, 2))])
        self._n_boxes, self._n_lines = 0, len(lines)

    def are_free(self, index: int, boxes: Array, padding: Array) -> npt.NDArray[np.bool_]:
        """Which boxes (m, 4) for the label of point `index` touch no label and no other marker."""
        placed = self._boxes[None, : self._n_boxes]
        wide = (boxes + np.concatenate([-padding, padding]))[:, None]
        apart = (placed[..., :2] >= wide[..., 2:]) | (placed[..., 2:] <= wide[..., :2])
        free: npt.NDArray[np.bool_] = apart.any(axis=2).all(axis=1)
        near = np.flatnonzero(free)
        nearest = np.clip(self._points, boxes[near, None, :2], boxes[near, None, 2:])
        clear = np.linalg.norm(self._points - nearest, axis=2) >= self._radius
        clear[:, index] = True
        free[near] = clear.all(axis=1)
        return free

    def crosses_nothing(self, index: int, box: Array, leader: Array | None, padding: Array) -> bool:
        """Whether no line passes under a box (4,), and its own leader line meets nothing."""
        boxes, lines = self._boxes[: self._n_boxes], self._lines[: self._n_lines]
        air = np.concatenate([-padding, padding])
        if _crosses(lines[:, 0], lines[:, 1], (box + air)[None]).any():
            return False
        if leader is None:
            return True
        start, end = self._points[index][None], leader[None]
        markers = np.hstack([self._points - self._radius, self._points + self._radius])
        under = _crosses(start, end, markers)
        # Those that lie on its own marker cannot be avoided.
        under &= np.linalg.norm(self._points - start, axis=1) > 2 * self._radius
        met = _crosses(start, end, boxes + air / 2).any() or _meets(start[0], end[0], lines).any()
        return not (under.any() or met)

    def add(self, box: Array, point: Array, leader: Array | None) -> None:
        """Takes a place."""
        self._boxes[self._n_boxes] = box
        self._n_boxes += 1
        if leader is not None:
            self._lines[self._n_lines] = point, leader
            self._n_lines += 1


def _crosses(starts: Array, ends: Array, boxes: Array) -> npt.NDArray[np.bool_]:
    """Which segments meet which boxes, by clipping (Liang and Barsky 1984).

    Args:
        starts: (n, 2), or (1, 2) to compare one segment with all boxes.
        ends: the same.
        boxes: (n, 4), or (1, 4) to compare all segments with one box.
    """
    delta = ends - starts
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (boxes[:, :2] - starts) / delta, (boxes[:, 2:] - starts) / delta
    flat = delta == 0  # parallel to a side: either between the two lines for good, or never
    between = (starts >= boxes[:, :2]) & (starts <= boxes[:, 2:])
    enter = np.where(flat, np.where(between, -np.inf, np.inf), np.minimum(low, high)).max(axis=1)
    leave = np.where(flat, np.where(between, np.inf, -np.inf), np.maximum(low, high)).min(axis=1)
    crossing: npt.NDArray[np.bool_] = (enter <= leave) & (leave >= 0) & (enter <= 1)
    return crossing


def _meets(start: Array, end: Array, lines: Array) -> npt.NDArray[np.bool_]:
    """Which of the segments (n, 2, 2) cross the one from start to end."""

    def side(a: Array, b: Array, c: Array) -> Array:
        """Twice the area of the triangle: positive where c is to the left of a-b."""
        u, v = b - a, c - a
        area: Array = u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]
        return area

    first, last = lines[:, 0], lines[:, 1]
    crossing: npt.NDArray[np.bool_] = (side(first, last, start) * side(first, last, end) < 0) & (
        side(start, end, first) * side(start, end, last) < 0
    )
    return crossing
