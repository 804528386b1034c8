"""Where the labels of a map go: beside their points, never over each other.

Greedy: each label, the important ones first, takes the first place that is free of labels, points and leader
lines; one that finds none within reach is dropped. No randomness, so the same points give the same picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Directions in the order in which a reader would want them: right and left, above and below, then corners.
_DIRECTIONS = (
    (1.0, 0.0),
    (-1.0, 0.0),
    (0.0, 1.0),
    (0.0, -1.0),
    (1.0, 1.0),
    (-1.0, 1.0),
    (1.0, -1.0),
    (-1.0, -1.0),
)
_BETWEEN = (
    (1.0, 0.5),
    (-1.0, 0.5),
    (1.0, -0.5),
    (-1.0, -0.5),
    (0.5, 1.0),
    (-0.5, 1.0),
    (0.5, -1.0),
    (-0.5, -1.0),
)
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
    for index, (point, size) in enumerate(zip(points, sizes, strict=True)):
        found = None
        for box, leader in _candidates(point, size, radius):
            if _inside(box, bounds) and taken.is_free(index, box, leader, _PADDING * size[1]):
                found = Placement(float(box[0]), float(box[1]), leader)
                taken.add(box, point, leader)
                break
        placements.append(found)
    return placements


def _candidates(
    point: Array, size: Array, radius: float
) -> Iterator[tuple[Array, tuple[float, float] | None]]:
    """Boxes (left, bottom, right, top) around a point, the best first, and where their leader lines end."""
    width, height = size
    for ring in _RINGS:
        gap = radius + ring * height
        for x, y in _DIRECTIONS if ring == _RINGS[0] else (*_DIRECTIONS, *_BETWEEN):
            across, up = gap * np.array([x, y]) / np.hypot(x, y)
            left = point[0] + across - (width * (1 - np.sign(x)) / 2)
            low = point[1] + up - (height * (1 - np.sign(y)) / 2)
            box = np.array([left, low, left + width, low + height])
            near = np.clip(point, box[:2], box[2:])
            yield box, None if ring == _RINGS[0] else (float(near[0]), float(near[1]))


def _inside(box: Array, bounds: tuple[float, float, float, float]) -> bool:
    left, bottom, right, top = bounds
    return bool(box[0] >= left and box[1] >= bottom and box[2] <= right and box[3] <= top)


class _Taken:
    """What is on the map already: markers, boxes of labels, lines."""

    def __init__(self, points: Array, radius: float, lines: Array) -> None:
        self._points, self._radius = points, radius
        self._boxes = np.empty((len(points), 4))
        self._lines = np.concatenate([lines, np.empty((len(points), 2, 2))])
        self._n_boxes, self._n_lines = 0, len(lines)

    def is_free(self, index: int, box: Array, leader: tuple[float, float] | None, padding: Array) -> bool:
        """Whether the label of point `index` and its leader line can go here."""
        wide = box + np.concatenate([-padding, padding])
        boxes, lines = self._boxes[: self._n_boxes], self._lines[: self._n_lines]
        if (
            (boxes[:, 0] < wide[2])
            & (boxes[:, 2] > wide[0])
            & (boxes[:, 1] < wide[3])
            & (boxes[:, 3] > wide[1])
        ).any():
            return False
        away = np.linalg.norm(self._points - np.clip(self._points, box[:2], box[2:]), axis=1)
        away[index] = np.inf
        if (away < self._radius).any() or _crosses(lines[:, 0], lines[:, 1], wide[None]).any():
            return False
        if leader is None:
            return True
        start, end = self._points[index][None], np.array(leader)[None]
        markers = np.hstack([self._points - self._radius, self._points + self._radius])
        under = _crosses(start, end, markers)
        # Those that lie on its own marker cannot be avoided.
        under &= np.linalg.norm(self._points - start, axis=1) > 2 * self._radius
        clear = boxes + np.concatenate([-padding, padding]) / 2
        return not (under.any() or _crosses(start, end, clear).any() or _meets(start[0], end[0], lines).any())

    def add(self, box: Array, point: Array, leader: tuple[float, float] | None) -> None:
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
