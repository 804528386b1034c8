"""The compiled step against the reference, number by number, and against itself for any number of lanes."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.cbow import reference
from seqkit.embeddings.cbow.config import CBOWConfig, place_masses
from seqkit.embeddings.cbow.kernel import CBOWKernel
from seqkit.embeddings.negative_sampling.chunks import Chunk
from seqkit.embeddings.skipgram.config import Geometry, Precision

GEOMETRY = Geometry(blocks=4, length=32, noise=8, spans=2)
CONFIG = CBOWConfig(vector_size=10, window=5, negative=3)
STEPS = 3
RATES = (0.1, 0.04)

Tables = tuple[np.ndarray, np.ndarray]


def random_tables(vocabulary: int, size: int = CONFIG.vector_size) -> Tables:
    """Scores of about ±1, so that no σ is near 0, 1/2 or 1 throughout."""
    vectors, contexts = np.random.default_rng(0).normal(size=(2, vocabulary, size)) / size**0.25
    return (1.5 * vectors).astype(np.float32), (1.5 * contexts).astype(np.float32)


def random_chunk(vocabulary: int, geometry: Geometry = GEOMETRY, steps: int = STEPS) -> Chunk:
    """Words of every reach from 0, beyond the ends of blocks too; the last block is not full."""
    rng = np.random.default_rng(1)
    shape = (steps, geometry.blocks, geometry.length)
    words = rng.integers(0, vocabulary, shape, dtype=np.int32)
    left, right = rng.integers(0, CONFIG.window + 1, (2, *shape)).astype(np.float32)
    unfilled = geometry.length // 2
    for array in (words, left, right):
        array[-1, -1, unfilled:] = 0
    right[-1, -1, :unfilled] = np.minimum(right[-1, -1, :unfilled], np.arange(unfilled)[::-1])
    noise = rng.integers(0, vocabulary, (steps, geometry.blocks, geometry.noise), dtype=np.int32)
    return Chunk(words, left, right, noise, kept=words.size - unfilled)


def kernel(
    tables: Tables, *, lanes: int = 2, precision: Precision = "float32", geometry: Geometry = GEOMETRY
) -> CBOWKernel:
    config = CBOWConfig(
        vector_size=tables[0].shape[1], window=CONFIG.window, negative=CONFIG.negative, precision=precision
    )
    return CBOWKernel(*tables, config, geometry, lanes)


def trained(tables: Tables, chunk: Chunk, **settings: object) -> Tables:
    model = kernel(tables, **settings)  # type: ignore[arg-type]
    model.train(model.plan(chunk), RATES)
    return model.vectors.numpy(), model.contexts.numpy()


def by_reference(tables: Tables, chunk: Chunk) -> tuple[list[np.ndarray], float, int]:
    """The tables after all steps; the loss and the words at the tables before, summed over the steps."""
    now = [table.astype(np.float64) for table in tables]
    before, masses = list(now), place_masses(CONFIG, GEOMETRY)
    loss, words = 0.0, 0
    for number in range(len(chunk.words)):
        places = chunk.words[number], (chunk.left[number], chunk.right[number]), chunk.noise[number]
        rate = RATES[0] + (RATES[1] - RATES[0]) * number / len(chunk.words)
        first, after = (
            reference.step(
                *state,
                *places,
                masses=masses,
                negative=CONFIG.negative,
                learning_rate=rate,
                span=GEOMETRY.span,
            )
            for state in (before, now)
        )
        loss, words = loss + first.loss, words + first.words
        now = [after.vectors, after.contexts]
    return now, loss, words


def error(found: np.ndarray, expected: np.ndarray, before: np.ndarray) -> float:
    """Of what was added to a table, relative."""
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected - before))


@pytest.mark.parametrize("steps", [1, STEPS])
@pytest.mark.parametrize("vocabulary", [12, 5000])
def test_steps_are_those_of_the_reference(vocabulary: int, steps: int) -> None:
    # Of 12 words each stands many times in a step, some beyond the limit of their mass; of 5000 hardly any.
    tables, chunk = random_tables(vocabulary), random_chunk(vocabulary, steps=steps)
    after, loss, words = by_reference(tables, chunk)
    model = kernel(tables)
    planned = model.plan(chunk)
    assert model.loss(planned) == pytest.approx((loss, words), rel=1e-5)
    model.train(planned, RATES)
    for found, expected, before in zip((model.vectors, model.contexts), after, tables, strict=True):
        assert error(found.numpy(), expected, before) <= 1e-5
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_steps_in_bfloat16_are_those_of_the_reference_rounded() -> None:
    # A number is rounded to bfloat16 with a relative error up to 2^-8: each of the two factors of a score,
    # the sum that is one of them, the score; the weight of a gradient, the row that it multiplies, the two
    # terms of an error, their sum, and the product. σ passes on a quarter of the first ones, on weights of
    # a half.
    tables, chunk = random_tables(12), random_chunk(12)
    after, loss, words = by_reference(tables, chunk)
    model = kernel(tables, precision="bfloat16")
    planned = model.plan(chunk)
    found_loss, found_words = model.loss(planned)
    assert found_loss == pytest.approx(loss, rel=2**-8)
    assert found_words == words
    model.train(planned, RATES)
    for found, expected, before in zip((model.vectors, model.contexts), after, tables, strict=True):
        assert found.dtype.name == "float32"
        assert error(found.numpy(), expected, before) <= 8 * 2**-8


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_number_of_lanes_changes_no_bit(precision: Precision) -> None:
    geometry, vocabulary = Geometry(blocks=4, length=64, noise=32, spans=2), 300
    tables, chunk = random_tables(vocabulary, size=37), random_chunk(vocabulary, geometry)
    one, *others = (
        trained(tables, chunk, lanes=lanes, precision=precision, geometry=geometry) for lanes in (1, 2, 4)
    )
    assert (one[0] != tables[0]).mean() > 0.9
    for other in others:
        assert [table.tobytes() for table in other] == [table.tobytes() for table in one]


@pytest.mark.parametrize("vocabulary", [1, 3])
def test_lanes_without_rows(vocabulary: int) -> None:
    tables, chunk = random_tables(vocabulary), random_chunk(vocabulary)
    after, _, _ = by_reference(tables, chunk)
    for found, expected, before in zip(trained(tables, chunk, lanes=4), after, tables, strict=True):
        assert error(found, expected, before) <= 1e-5


def test_places_without_context_learn_nothing() -> None:
    tables, chunk = random_tables(12), random_chunk(12)
    nowhere = Chunk(0 * chunk.words, 0 * chunk.left, 0 * chunk.right, chunk.noise, kept=0)
    model = kernel(tables)
    assert model.loss(model.plan(nowhere)) == (0, 0)
    for before, after in zip(tables, trained(tables, nowhere), strict=True):
        assert after.tobytes() == before.tobytes()


def test_the_loss_of_a_word_before_training() -> None:
    # Where all contexts are 0 every σ is 1/2: a word and its three noise words cost 4 log 2.
    vectors, contexts = random_tables(12)
    model = kernel((vectors, 0 * contexts))
    loss, words = model.loss(model.plan(random_chunk(12)))
    assert loss / words == pytest.approx(4 * np.log(2), rel=1e-6)


def test_loss_leaves_the_tables_as_they_are() -> None:
    tables = random_tables(12)
    model = kernel(tables)
    planned = model.plan(random_chunk(12))
    assert model.loss(planned) == model.loss(planned)
    assert model.vectors.numpy().tobytes() == tables[0].tobytes()
    assert model.contexts.numpy().tobytes() == tables[1].tobytes()
