"""The rows of a step against np.unique, the cuts for the lanes, the masses by arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.embeddings.negative_sampling.plan import ROW_WORK, Masses, RowPlan, place_masses, plan_rows
from seqkit.embeddings.skipgram.config import PLACE_MASS, Geometry, SkipGramConfig
from seqkit.embeddings.skipgram.trainer import GAIN


@st.composite
def places(draw: st.DrawFn) -> tuple[np.ndarray, int]:
    """Rows of each place, shape (S, M), and the size of the table."""
    steps, count = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    # Row and place fit 32 bits for 64 places of 2**26 rows, but not of one more.
    vocabulary = draw(st.sampled_from([1, 2, 7, 50, 10_000, 2**26, 2**26 + 1, 2**31 - 1]))
    ids = draw(
        st.lists(
            st.lists(st.integers(0, vocabulary - 1), min_size=count, max_size=count),
            min_size=steps,
            max_size=steps,
        )
    )
    return np.array(ids, np.int32), vocabulary


def masses_of(count: int) -> np.ndarray:
    return np.arange(1, count + 1, dtype=np.float32)  # whole numbers: sums are exact


@given(case=places(), lanes=st.integers(1, 8))
def test_a_plan_is_that_of_numpy_unique(case: tuple[np.ndarray, int], lanes: int) -> None:
    ids, vocabulary = case
    masses = masses_of(ids.shape[1])
    plan = plan_rows(ids, masses, vocabulary, lanes)
    assert len(plan.rows) == len(plan.mass) == plan.offsets[-1]
    for step, row_of_place in enumerate(ids):
        here = slice(plan.offsets[step], plan.offsets[step + 1])
        rows, inverse = np.unique(row_of_place, return_inverse=True)
        np.testing.assert_array_equal(plan.rows[here], rows)
        np.testing.assert_array_equal(plan.inverse[step], inverse)
        np.testing.assert_array_equal(plan.mass[here, 0], np.bincount(inverse, masses))
        np.testing.assert_array_equal(plan.order[step], np.argsort(row_of_place, kind="stable"))
        np.testing.assert_array_equal(plan.segments[step], np.sort(inverse))


@given(case=places(), lanes=st.integers(1, 8))
def test_lanes_cover_all_places_and_share_no_row(case: tuple[np.ndarray, int], lanes: int) -> None:
    ids, vocabulary = case
    plan = plan_rows(ids, masses_of(ids.shape[1]), vocabulary, lanes)
    assert plan.place_bounds.shape == plan.row_bounds.shape == (len(ids), lanes + 1)
    for step in range(len(ids)):
        check_cuts(plan, step)


def check_cuts(plan: RowPlan, step: int) -> None:
    place, row, segments = plan.place_bounds[step], plan.row_bounds[step], plan.segments[step]
    assert (place[0], place[-1]) == (0, len(segments))
    assert (row[0], row[-1]) == (0, plan.offsets[step + 1] - plan.offsets[step])
    assert (np.diff(place) >= 0).all()
    for lane in range(len(place) - 1):
        rows = segments[place[lane] : place[lane + 1]]
        np.testing.assert_array_equal(np.unique(rows), np.arange(row[lane], row[lane + 1]))


@pytest.mark.parametrize("lanes", [2, 3, 4, 8])
def test_lanes_have_about_the_same_to_do(lanes: int) -> None:
    rng = np.random.default_rng(lanes)
    ids = np.minimum(rng.zipf(1.2, (5, 6144)), 20_000).astype(np.int32) - 1
    plan = plan_rows(ids, masses_of(6144), 20_000, lanes)
    work = np.diff(plan.place_bounds) + ROW_WORK * np.diff(plan.row_bounds)
    # A lane begins at the first row past its share.
    greatest = ROW_WORK + max(int(np.bincount(step).max()) for step in ids)
    assert (np.abs(work - work.mean(axis=1, keepdims=True)) <= greatest + 1).all()


def test_many_rows_take_the_wide_path_to_the_same_plan() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 1000, (3, 200), dtype=np.int32)
    # 200 places need 8 bits: 2^23 rows are too many for 31 bits with them.
    narrow, wide = (plan_rows(ids, masses_of(200), rows, 3) for rows in (1000, 1 << 23))
    for name, array in vars(narrow).items():
        np.testing.assert_array_equal(array, getattr(wide, name), err_msg=name)


@pytest.mark.parametrize(
    "vocabulary", [(1 << 23) - 1, 1 << 23, 3 << 22, 1 << 24, (1 << 24) + 1, 1 << 25, 1 << 26, 2**31 - 1]
)
def test_the_last_rows_of_great_tables(vocabulary: int) -> None:
    ids = np.full((1, 200), vocabulary - 1, np.int32)
    ids[0, 50] = 0
    plan = plan_rows(ids, masses_of(200), vocabulary, 1)
    assert plan.rows.tolist() == [0, vocabulary - 1]
    assert plan.mass.ravel().tolist() == [51, 200 * 201 / 2 - 51]


def test_plans_are_small_whole_numbers() -> None:
    plan = plan_rows(np.zeros((2, 3), np.int32), masses_of(3), 5, 2)
    assert {name for name, array in vars(plan).items() if array.dtype != np.int32} == {"mass"}
    assert plan.mass.dtype == np.float32


def test_masses() -> None:
    # Reach is 3 on average: 6 pairs a word, each with 5 noise pairs of mass 0.4, that is 12 for the word.
    # The 64 words of a block have 768 of those, 24 for each of the 32 noise words.
    masses = place_masses(SkipGramConfig(window=5, negative=5), Geometry(2, 64, 32))
    assert isinstance(masses, Masses)
    np.testing.assert_allclose(masses.vectors, np.full(128, 18))
    np.testing.assert_allclose(masses.contexts, np.tile([6] * 64 + [24] * 32, 2))


def test_no_place_has_more_than_the_greatest_mass() -> None:
    # 11 pairs a word with 15 noise pairs each: 11 + 0.4·165 = 77; 66 a noise word where there are as many.
    masses = place_masses(SkipGramConfig(window=10, negative=15), Geometry(1, 64, 64))
    np.testing.assert_allclose(masses.vectors, np.full(64, 33))
    np.testing.assert_allclose(masses.contexts, [11] * 64 + [33] * 64)
    # 1/33 is the first rate of a step at the default: 1.2 times 0.025
    assert pytest.approx(GAIN * SkipGramConfig().learning_rate, rel=0.02) == 1 / PLACE_MASS


def test_masses_are_the_mean_number_of_pairs() -> None:
    rng = np.random.default_rng(0)
    reach = rng.integers(1, 11, 1 << 20, endpoint=False)
    masses = place_masses(SkipGramConfig(window=10, negative=15), Geometry(1, 64, 64))
    assert masses.contexts[0] == pytest.approx(2 * reach.mean(), rel=3e-3)  # both sides
