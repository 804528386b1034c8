"""The compiled steps against the reference, number by number."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.embeddings.window import reference
from seqkit.embeddings.window.batches import Batches
from seqkit.embeddings.window.config import WindowConfig
from seqkit.embeddings.window.kernel import WindowKernel

VOCABULARY, STEP, STEPS, NOISE = 12, 8, 3, 6
RATES = (0.3, 0.1)
SQUARES = 0.5  # not 0, or the first step of AdaGrad would be the gradient's sign, whatever its size
PROBABILITIES = np.arange(1, VOCABULARY + 1) / sum(range(1, VOCABULARY + 1))

Tables = dict[str, np.ndarray]


def config(softmax: str, context: str = "left", precision: str = "float32") -> WindowConfig:
    return WindowConfig(
        vector_size=5,
        window=3,
        context=context,  # type: ignore[arg-type]
        hidden_units=7,
        softmax=softmax,  # type: ignore[arg-type]
        negative=NOISE,
        precision=precision,  # type: ignore[arg-type]
    )


def random_tables(of: WindowConfig) -> Tables:
    rng = np.random.default_rng(0)
    shapes = {
        "vectors": (VOCABULARY, 5),
        "hidden_kernel": (len(of.offsets) * 5, 7),
        "hidden_bias": (7,),
        "output_kernel": (VOCABULARY, 7),
        "output_bias": (VOCABULARY,),
    }
    return {name: (rng.normal(size=shape) / 2).astype(np.float32) for name, shape in shapes.items()}


def random_batches(of: WindowConfig) -> Batches:
    """Windows with places that no word has; the last step is half empty."""
    rng = np.random.default_rng(1)
    contexts = rng.integers(0, VOCABULARY + 1, (STEPS, STEP, len(of.offsets)), dtype=np.int32)
    contexts[0, 0] = VOCABULARY
    targets = rng.integers(0, VOCABULARY, (STEPS, STEP), dtype=np.int32)
    weights = np.ones((STEPS, STEP), np.float32)
    weights[-1, STEP // 2 :] = 0
    draws = NOISE if of.softmax == "sampled" else 0
    noise = rng.integers(0, VOCABULARY, (STEPS, draws), dtype=np.int32)
    return Batches(contexts, targets, weights, noise)


def kernel(of: WindowConfig, tables: Tables) -> WindowKernel:
    made = WindowKernel(tables, of, STEP, PROBABILITIES)
    for table in made.tables.values():
        table.squares.assign(np.full(table.squares.shape, SQUARES))
    return made


def by_reference(of: WindowConfig, tables: Tables, batches: Batches) -> tuple[float, float, Tables, Tables]:
    """The loss before training, the loss in training, the tables and the sums of squares afterwards."""
    before = {name: table.astype(np.float64) for name, table in tables.items()}
    now, squares = dict(before), {name: np.full(table.shape, SQUARES) for name, table in tables.items()}
    untrained = trained = 0.0
    for step in range(STEPS):
        here = batches.weights[step] > 0
        noise = (batches.noise[step], PROBABILITIES) if of.softmax == "sampled" else None
        windows, targets = batches.contexts[step][here], batches.targets[step][here]
        untrained += reference.gradients(before, windows, targets, noise)[0]
        loss, found = reference.gradients(now, windows, targets, noise)
        rate = RATES[0] + (RATES[1] - RATES[0]) * step / STEPS
        now, squares = reference.adagrad(now, squares, found, rate)
        trained += loss
    return untrained, trained, now, squares


@pytest.mark.parametrize("context", ["left", "around"])
@pytest.mark.parametrize("softmax", ["exact", "sampled"])
def test_steps_are_those_of_the_reference(softmax: str, context: str) -> None:
    of = config(softmax, context)
    tables, batches = random_tables(of), random_batches(of)
    untrained, trained, after, squares = by_reference(of, tables, batches)
    model = kernel(of, tables)
    planned = model.plan(batches)
    count = 2.5 * STEP
    assert model.loss(planned) == pytest.approx((untrained, count), rel=1e-5)
    assert model.loss(planned) == model.loss(planned)  # it changes nothing
    for name, table in model.tables.items():
        np.testing.assert_array_equal(table.value, tables[name])
    assert model.train(planned, RATES) == pytest.approx((trained, count), rel=1e-5)
    for name, table in model.tables.items():
        moved = np.linalg.norm(after[name] - tables[name])
        assert moved > 0.1
        assert np.linalg.norm(table.value - after[name]) <= 1e-5 * moved
        np.testing.assert_allclose(table.squares, squares[name], rtol=1e-4, atol=1e-5)
    assert model.loss(planned)[0] < untrained


@pytest.mark.parametrize("softmax", ["exact", "sampled"])
def test_steps_in_bfloat16_are_those_of_the_reference_rounded(softmax: str) -> None:
    # bfloat16 rounds with a relative error up to 2^-8: four products in a row, of rounded factors each, and
    # errors of scores that add up over 7 hidden units: not above a dozen roundings together.
    of = config(softmax, precision="bfloat16")
    tables, batches = random_tables(of), random_batches(of)
    untrained, _, after, _ = by_reference(of, tables, batches)
    model = kernel(of, tables)
    planned = model.plan(batches)
    assert model.loss(planned)[0] == pytest.approx(untrained, rel=2**-7)
    model.train(planned, RATES)
    for name, table in model.tables.items():
        assert table.value.dtype.name == "float32"
        error = np.linalg.norm(table.value - after[name])
        assert 0 < error <= 12 * 2**-8 * np.linalg.norm(after[name] - tables[name])


@pytest.mark.parametrize("softmax", ["exact", "sampled"])
def test_places_that_are_filled_up_learn_nothing(softmax: str) -> None:
    of = config(softmax)
    tables, batches = random_tables(of), random_batches(of)
    empty = Batches(batches.contexts, batches.targets, 0 * batches.weights, batches.noise)
    model = kernel(of, tables)
    assert model.train(model.plan(empty), RATES) == (0, 0)
    for name, table in model.tables.items():
        assert table.value.numpy().tobytes() == tables[name].tobytes()


def test_words_that_are_not_seen_keep_their_bits() -> None:
    of = config("sampled")
    tables, batches = random_tables(of), random_batches(of)
    limited = Batches(
        np.where(batches.contexts < VOCABULARY, batches.contexts % 4, VOCABULARY),
        batches.targets % 5,
        batches.weights,
        batches.noise % 6,
    )
    model = kernel(of, tables)
    model.train(model.plan(limited), RATES)
    for name, touched in (("vectors", 4), ("output_kernel", 6), ("output_bias", 6)):
        now = model.tables[name].value.numpy()
        assert now[touched:].tobytes() == tables[name][touched:].tobytes()
        assert (now[:touched] != tables[name][:touched]).reshape(touched, -1).any(axis=1).all()
