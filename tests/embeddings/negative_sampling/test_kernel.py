"""The compiled steps of each method against its reference, number by number, and against themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.cbow import config as cbow
from seqkit.embeddings.cbow import reference as cbow_reference
from seqkit.embeddings.cbow.config import CBOWConfig
from seqkit.embeddings.cbow.kernel import CBOWKernel
from seqkit.embeddings.negative_sampling import plan
from seqkit.embeddings.negative_sampling.chunks import Chunk
from seqkit.embeddings.negative_sampling.kernel import BlockKernel
from seqkit.embeddings.negative_sampling.plan import Masses
from seqkit.embeddings.skipgram import reference as skipgram_reference
from seqkit.embeddings.skipgram.config import Geometry, Precision, SkipGramConfig
from seqkit.embeddings.skipgram.kernel import SkipGramKernel
from seqkit.training.compiled import compiled

WINDOW, NEGATIVE, SIZE, STEPS = 5, 3, 10, 3

Tables = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Case:
    """A method.

    Args:
        kernel: of its steps.
        config: its hyper-parameters.
        masses: of the places of a step, from configuration and geometry.
        step: its reference.
        divisor: what the reference divides the loss by.
        geometry: of most tests.
        wide: of one with longer blocks.
        scale: of random numbers, so that scores are about ±1 and no σ is near 0, 1/2 or 1 throughout.
        rates: at which it learns much in a few steps.
        roundings: to bfloat16, one after the other, at most.
    """

    kernel: Callable[..., BlockKernel]
    config: Callable[..., Any]
    masses: Callable[[Any, Geometry], Masses]
    step: Callable[..., Any]
    divisor: str
    geometry: Geometry
    wide: Geometry
    scale: float
    rates: tuple[float, float]
    roundings: int

    def configured(self, size: int = SIZE, precision: Precision = "float32") -> Any:
        return self.config(vector_size=size, window=WINDOW, negative=NEGATIVE, precision=precision)

    def tables(self, vocabulary: int, size: int = SIZE) -> Tables:
        vectors, contexts = np.random.default_rng(0).normal(size=(2, vocabulary, size)) / size**0.25
        return (self.scale * vectors).astype(np.float32), (self.scale * contexts).astype(np.float32)

    def chunk(self, vocabulary: int, geometry: Geometry | None = None, steps: int = STEPS) -> Chunk:
        """Words of every reach from 0, beyond the ends of blocks too; the last block is not full."""
        rng, geometry = np.random.default_rng(1), geometry or self.geometry
        shape = (steps, geometry.blocks, geometry.length)
        words = rng.integers(0, vocabulary, shape, dtype=np.int32)
        left, right = rng.integers(0, WINDOW + 1, (2, *shape)).astype(np.float32)
        unfilled = geometry.length // 2
        for array in (words, left, right):
            array[-1, -1, unfilled:] = 0
        right[-1, -1, :unfilled] = np.minimum(right[-1, -1, :unfilled], np.arange(unfilled)[::-1])
        noise = rng.integers(0, vocabulary, (steps, geometry.blocks, geometry.noise), dtype=np.int32)
        return Chunk(words, left, right, noise, kept=words.size - unfilled)

    def model(
        self,
        tables: Tables,
        *,
        lanes: int = 2,
        precision: Precision = "float32",
        geometry: Geometry | None = None,
    ) -> BlockKernel:
        config = self.configured(tables[0].shape[1], precision)
        return self.kernel(*tables, config, geometry or self.geometry, lanes)

    def trained(self, tables: Tables, chunk: Chunk, **settings: Any) -> Tables:
        model = self.model(tables, **settings)
        model.train(model.plan(chunk), self.rates)
        return model.vectors.numpy(), model.contexts.numpy()

    def by_reference(self, tables: Tables, chunk: Chunk) -> tuple[list[np.ndarray], float, float]:
        """The tables after all steps; loss and divisor at the tables before, summed over the steps."""
        now = [table.astype(np.float64) for table in tables]
        before, masses = list(now), self.masses(self.configured(), self.geometry)
        loss = divisor = 0.0
        for number in range(len(chunk.words)):
            places = chunk.words[number], (chunk.left[number], chunk.right[number]), chunk.noise[number]
            rate = self.rates[0] + (self.rates[1] - self.rates[0]) * number / len(chunk.words)
            first, after = (
                self.step(*state, *places, masses=masses, negative=NEGATIVE, learning_rate=rate)
                for state in (before, now)
            )
            loss, divisor = loss + first.loss, divisor + getattr(first, self.divisor)
            now = [after.vectors, after.contexts]
        return now, loss, divisor


def cbow_step(*arguments: Any, **settings: Any) -> Any:
    return cbow_reference.step(*arguments, **settings, span=CASES["cbow"].geometry.span)


CASES = {
    # A number is rounded to bfloat16 with a relative error up to 2^-8: each of the two factors of a score,
    # the score, the weight of a gradient, the row that it multiplies, and the product. σ passes on a quarter
    # of the first three, of at most |s| ≈ 1 and on weights of a half: together not above 5 roundings.
    "skipgram": Case(
        kernel=SkipGramKernel,
        config=SkipGramConfig,
        masses=plan.place_masses,
        step=skipgram_reference.step,
        divisor="pairs",
        geometry=Geometry(blocks=4, length=16, noise=8),
        wide=Geometry(blocks=4, length=64, noise=32),
        scale=1.0,
        rates=(0.05, 0.02),
        roundings=5,
    ),
    # Each of the two factors of a score, the sum that is one of them, the score; the weight of a gradient,
    # the row that it multiplies, the two terms of an error, their sum, and the product. σ passes on a quarter
    # of the first ones, on weights of a half.
    "cbow": Case(
        kernel=CBOWKernel,
        config=CBOWConfig,
        masses=cbow.place_masses,
        step=cbow_step,
        divisor="words",
        geometry=Geometry(blocks=4, length=32, noise=8, spans=2),
        wide=Geometry(blocks=4, length=64, noise=32, spans=2),
        scale=1.5,
        rates=(0.1, 0.04),
        roundings=8,
    ),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def error(found: np.ndarray, expected: np.ndarray, before: np.ndarray) -> float:
    """Of what was added to a table, relative."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected - before))


def bits(tables: Tables) -> list[bytes]:
    return [table.tobytes() for table in tables]


@pytest.mark.parametrize("steps", [1, STEPS])
@pytest.mark.parametrize("vocabulary", [12, 5000])
def test_steps_are_those_of_the_reference(case: Case, vocabulary: int, steps: int) -> None:
    # Of 12 words each stands many times in a step, some beyond the limit of their mass; of 5000 hardly any.
    tables, chunk = case.tables(vocabulary), case.chunk(vocabulary, steps=steps)
    after, loss, divisor = case.by_reference(tables, chunk)
    model = case.model(tables)
    planned = model.plan(chunk)
    assert model.loss(planned) == pytest.approx((loss, divisor), rel=1e-5)
    model.train(planned, case.rates)
    for found, expected, before in zip((model.vectors, model.contexts), after, tables, strict=True):
        assert error(found.numpy(), expected, before) <= 1e-5
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", ["skipgram", pytest.param("cbow", marks=pytest.mark.slow)], indirect=True)
def test_steps_in_bfloat16_are_those_of_the_reference_rounded(case: Case) -> None:
    tables, chunk = case.tables(12), case.chunk(12)
    after, loss, divisor = case.by_reference(tables, chunk)
    model = case.model(tables, precision="bfloat16")
    planned = model.plan(chunk)
    found_loss, found_divisor = model.loss(planned)
    assert found_loss == pytest.approx(loss, rel=2**-8)
    assert found_divisor == pytest.approx(divisor, rel=1e-5)
    model.train(planned, case.rates)
    for found, expected, before in zip((model.vectors, model.contexts), after, tables, strict=True):
        assert found.dtype.name == "float32"
        assert error(found.numpy(), expected, before) <= case.roundings * 2**-8


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_the_number_of_lanes_changes_no_bit(case: Case, precision: Precision) -> None:
    tables, chunk = case.tables(300, size=37), case.chunk(300, case.wide)
    one, *others = (
        case.trained(tables, chunk, lanes=lanes, precision=precision, geometry=case.wide)
        for lanes in (1, 2, 4)
    )
    assert (one[0] != tables[0]).mean() > 0.9
    for other in others:
        assert bits(other) == bits(one)


@pytest.mark.slow
def test_what_a_chunk_teaches_does_not_depend_on_the_chunks_before(case: Case) -> None:
    # As where a run was interrupted decides which chunk a kernel is shown first.
    tables = case.tables(12)
    seasoned = case.model(tables)
    for steps in (2, 3, 5, 7):
        chunk = case.chunk(12, steps=steps)
        seasoned.vectors.assign(tables[0])
        seasoned.contexts.assign(tables[1])
        seasoned.train(seasoned.plan(chunk), case.rates)
        found = seasoned.vectors.numpy(), seasoned.contexts.numpy()
        compiled.cache_clear()  # as in a new process
        assert bits(found) == bits(case.trained(tables, chunk))


@pytest.mark.parametrize("vocabulary", [1, 3])
def test_lanes_without_rows(case: Case, vocabulary: int) -> None:
    tables, chunk = case.tables(vocabulary), case.chunk(vocabulary)
    after, _, _ = case.by_reference(tables, chunk)
    for found, expected, before in zip(case.trained(tables, chunk, lanes=4), after, tables, strict=True):
        assert error(found, expected, before) <= 1e-5


@pytest.mark.parametrize(("lanes", "used"), [(1, 1), (2, 2), (3, 2), (4, 4), (64, 4)])
def test_as_many_lanes_as_divide_the_blocks(case: Case, lanes: int, used: int) -> None:
    planned = case.model(case.tables(12), lanes=lanes).plan(case.chunk(12))
    assert planned.vector_rows["row_bounds"].shape == (STEPS, used + 1)


def test_words_that_no_step_touches_keep_their_bits(case: Case) -> None:
    tables, chunk = case.tables(5000), case.chunk(5000)
    vectors, contexts = case.trained(tables, chunk, precision="bfloat16")
    words = np.unique(chunk.words)
    with_noise = np.union1d(words, chunk.noise)
    for before, after, touched in ((tables[0], vectors, words), (tables[1], contexts, with_noise)):
        changed = np.flatnonzero((before != after).any(axis=1))
        assert set(changed) <= set(touched)
        assert len(changed) > 0.5 * len(touched)


def test_places_without_context_learn_nothing(case: Case) -> None:
    """Those that are filled up, and words alone in a line."""
    tables, chunk = case.tables(12), case.chunk(12)
    nowhere = Chunk(0 * chunk.words, 0 * chunk.left, 0 * chunk.right, chunk.noise, kept=0)
    model = case.model(tables)
    assert model.loss(model.plan(nowhere)) == (0, 0)
    assert bits(case.trained(tables, nowhere)) == bits(tables)


def test_the_loss_before_training(case: Case) -> None:
    # Where all contexts are 0 every σ is 1/2: a pair, or a word, and its three noise words cost 4 log 2.
    vectors, contexts = case.tables(12)
    model = case.model((vectors, 0 * contexts))
    loss, divisor = model.loss(model.plan(case.chunk(12)))
    assert loss / divisor == pytest.approx(4 * np.log(2), rel=1e-6)


def test_loss_leaves_the_tables_as_they_are(case: Case) -> None:
    tables = case.tables(12)
    model = case.model(tables)
    planned = model.plan(case.chunk(12))
    assert model.loss(planned) == model.loss(planned)
    assert bits((model.vectors.numpy(), model.contexts.numpy())) == bits(tables)


def test_loss_of_the_first_steps(case: Case) -> None:
    tables, chunk = case.tables(12), case.chunk(12)
    model = case.model(tables)
    planned = model.plan(chunk)
    first_two = Chunk(*(array[:2] for array in (chunk.words, chunk.left, chunk.right, chunk.noise)), kept=0)
    assert model.loss(planned, 2) == model.loss(model.plan(first_two))
    assert model.loss(planned, 99) == model.loss(planned)


def test_training_lowers_the_loss(case: Case) -> None:
    # Where each of 12 words stands dozens of times in a step, CBOW goes too far at its rates.
    model = case.model(case.tables(300))
    planned = model.plan(case.chunk(300))
    before = model.loss(planned)[0]
    model.train(planned, case.rates)
    assert model.loss(planned)[0] < 0.9 * before
