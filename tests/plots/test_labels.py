"""Labels of a map: none over another, over a marker or over a line; checked one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqkit.plots.labels import Array, Placement, place_labels

BOUNDS = (0.0, 0.0, 10.0, 8.0)
RADIUS = 0.05


def crowd(n: int, seed: int) -> tuple[Array, Array]:
    """Points in clumps, some of them on the very same spot, with labels of several widths."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([0.5, 0.5], [9.5, 7.5], (1 + n // 5, 2))[rng.integers(0, 1 + n // 5, n)]
    points = np.clip(points + rng.normal(0, 0.3, (n, 2)) * rng.integers(0, 2, (n, 1)), 0.1, 7.9)
    return points, np.column_stack([rng.uniform(0.1, 1.2, n), np.full(n, 0.15)])


def box_of(placement: Placement, size: Array) -> tuple[float, float, float, float]:
    return placement.left, placement.bottom, placement.left + size[0], placement.bottom + size[1]


def segments_cross(a: Array, b: Array, c: Array, d: Array) -> bool:
    """Whether a-b and c-d cross inside both, from the solution of a + t (b - a) = c + u (d - c)."""
    matrix = np.column_stack([b - a, c - d])
    if abs(np.linalg.det(matrix)) < 1e-12:
        return False
    t, u = np.linalg.solve(matrix, c - a)
    return bool(1e-9 < t < 1 - 1e-9 and 1e-9 < u < 1 - 1e-9)


def segment_enters(a: Array, b: Array, box: tuple[float, float, float, float]) -> bool:
    """Whether one of many places along a-b is inside the box."""
    places = a + np.linspace(0, 1, 400)[:, None] * (b - a)
    low, high = np.array(box[:2]) + 1e-9, np.array(box[2:]) - 1e-9
    return bool(((places > low) & (places < high)).all(axis=1).any())


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 60), st.integers(0, 1000))
def test_nothing_is_covered(n: int, seed: int) -> None:
    points, sizes = crowd(n, seed)
    arrows = np.array([[[1.0, 1.0], [9.0, 7.0]]])
    placed = [
        (index, box_of(place, sizes[index]), place.leader)
        for index, place in enumerate(place_labels(points, sizes, BOUNDS, RADIUS, arrows))
        if place is not None
    ]
    lines = [(index, points[index], np.array(leader)) for index, _, leader in placed if leader is not None]
    for position, (index, (left, bottom, right, top), _) in enumerate(placed):
        assert BOUNDS[0] <= left < right <= BOUNDS[2]
        assert BOUNDS[1] <= bottom < top <= BOUNDS[3]
        for _, other, _ in placed[position + 1 :]:
            assert right <= other[0] or other[2] <= left or top <= other[1] or other[3] <= bottom
        nearest = np.clip(points, [left, bottom], [right, top])
        assert (np.linalg.norm(points - nearest, axis=1) >= RADIUS - 1e-9).all()
        assert not segment_enters(*arrows[0], (left, bottom, right, top))
        for _, start, end in lines:
            assert not segment_enters(start, end, (left, bottom, right, top)), index
    for position, (_, start, end) in enumerate(lines):
        assert not segments_cross(start, end, *arrows[0])
        assert not any(segments_cross(start, end, *other) for _, *other in lines[position + 1 :])


def test_a_lone_label_is_at_the_right_of_its_point() -> None:
    [place] = place_labels(np.array([[5.0, 4.0]]), np.array([[1.0, 0.2]]), BOUNDS, RADIUS)
    assert place is not None
    assert place.leader is None
    # The gap is the radius and 0.15 of the height: 5 + 0.05 + 0.03; the box is centred on the point's height.
    assert (place.left, place.bottom) == (pytest.approx(5.08), pytest.approx(3.9))


def test_at_the_right_border_it_is_at_the_left() -> None:
    [place] = place_labels(np.array([[9.8, 4.0]]), np.array([[1.0, 0.2]]), BOUNDS, RADIUS)
    assert place is not None
    assert place.left == pytest.approx(9.8 - 0.08 - 1.0)


def test_what_stands_apart_has_a_line_to_its_box() -> None:
    points = np.full((30, 2), 4.0)
    sizes = np.tile([0.8, 0.2], (30, 1))
    places = place_labels(points, sizes, BOUNDS, RADIUS)
    apart = [place for place in places if place is not None and place.leader is not None]
    assert apart
    for place in apart:
        assert place.leader is not None
        x, y = place.leader
        assert place.left - 1e-9 <= x <= place.left + 0.8 + 1e-9
        assert place.bottom - 1e-9 <= y <= place.bottom + 0.2 + 1e-9


def test_the_first_come_first_and_the_rest_are_dropped() -> None:
    # The area holds 2.0 × 0.4, each label 0.9 × 0.2 and air: at most four, and the first is among them.
    points = np.full((9, 2), 1.0) * [1.0, 0.2]
    places = place_labels(points, np.tile([0.9, 0.2], (9, 1)), (0.0, 0.0, 2.0, 0.4), 0.02)
    assert places[0] is not None
    assert 1 <= sum(place is not None for place in places) <= 4


def test_the_same_points_give_the_same_places() -> None:
    points, sizes = crowd(80, 3)
    assert place_labels(points, sizes, BOUNDS, RADIUS) == place_labels(points, sizes, BOUNDS, RADIUS)
