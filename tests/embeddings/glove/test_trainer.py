"""The trainer as the loop uses it: both halves of a sweep, exact continuation, awkward counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Interrupting, bits
from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.glove import kernel as kernel_module
from seqkit.embeddings.glove import reference
from seqkit.embeddings.glove import trainer as module
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.layout import ROWS
from seqkit.embeddings.glove.trainer import GloVeTrainer, fitted_biases
from seqkit.errors import InterruptedTraining
from seqkit.progress import SILENT, Silent
from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device
from seqkit.training.loop import LoopConfig, TrainingLoop

WORDS = 2 * ROWS + 30
CONFIG = GloVeConfig(vector_size=6, x_max=50, epochs=3, seed=3)

Counted = Callable[[np.ndarray], Cooccurrences]
Make = Callable[..., GloVeTrainer]


def planted(symmetric: bool) -> np.ndarray:
    """Counts of rank 3 in their logarithms, eighths that float16 has exactly; a tenth of them are there.

    Rows and columns are of different frequency, so that X is far from its transpose unless it is symmetric.
    """
    rng = np.random.default_rng(0)
    rows, columns = rng.normal(size=(2, WORDS, 3))
    logs = rows @ columns.T + np.linspace(3, -1, WORDS)[:, None] + np.linspace(1, 0, WORDS)
    here = rng.random((WORDS, WORDS)) < (0.3 if symmetric else 0.1)
    if symmetric:
        logs, here = (logs + logs.T) / 2, here & here.T | np.eye(WORDS, dtype=bool)
    return np.where(here, np.exp(np.round(8 * logs) / 8), 0).astype(np.float32)


@pytest.fixture(scope="module", params=["symmetric", "left"])
def counts(request: pytest.FixtureRequest, counted: Counted) -> Cooccurrences:
    return replace(
        counted(planted(request.param == "symmetric")), settings={"context": request.param, "window": 10}
    )


@pytest.fixture(scope="module")
def left(counted: Counted) -> Cooccurrences:
    return replace(counted(planted(False)), settings={"context": "left"})


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Trainers of a block a unit; they are closed at the end."""
    monkeypatch.setattr(module, "UNIT_BLOCKS", 1)
    made = []

    def trainer(
        counts: Cooccurrences, threads: int = 2, validation: float = 0.0, **settings: Any
    ) -> GloVeTrainer:
        config = replace(CONFIG, **settings)
        made.append(GloVeTrainer(counts, config, Device("/CPU:0", threads), validation))
        return made[-1]

    yield trainer
    for each in made:
        each.close()


def tables(trainer: GloVeTrainer) -> tuple[np.ndarray, np.ndarray]:
    """[θ, b] and [e, b'], float64."""
    state = trainer.state()
    words, contexts = (
        np.column_stack([state[table], state[bias]]).astype(np.float64)
        for table, bias in (("words", "word_bias"), ("contexts", "context_bias"))
    )
    return words, contexts


def pairs_of(counts: Cooccurrences) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    (rows, columns, values), *rest = counts.entries()
    assert not rest
    x = values.astype(np.float64)
    return rows, columns, x, reference.weight(x, CONFIG.x_max, CONFIG.alpha)


def total_cost(counts: Cooccurrences, words: np.ndarray, contexts: np.ndarray, ridge: float) -> float:
    """J."""
    ridges = np.append(np.full(words.shape[1] - 1, ridge), reference.BIAS_RIDGE)
    squares = float((ridges * (words**2 + contexts**2)).sum())
    return reference.pair_cost(words, contexts, *pairs_of(counts)) + 0.5 * squares


@pytest.mark.slow
def test_each_half_solves_for_its_table(
    counts: Cooccurrences, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words with X by rows, contexts with X by columns: of the asymmetric one, a swap would show."""
    monkeypatch.setattr(kernel_module, "CG_STEPS", 14)
    monkeypatch.setattr(module, "balance", lambda words, contexts: (words, contexts))
    trainer, (rows, columns, x, f) = make(counts), pairs_of(counts)
    assert trainer.units == 6
    words, contexts = tables(trainer)
    costs = [reference.pair_cost(words, contexts, rows, columns, x, f)]
    reports = [trainer.train_unit(0, unit) for unit in range(3)]
    expected = reference.solve(contexts, rows, columns, x, f, CONFIG.ridge)
    words, unchanged = tables(trainer)
    np.testing.assert_array_equal(unchanged, contexts)
    np.testing.assert_allclose(words, expected, atol=1e-3)
    costs.append(reference.pair_cost(words, contexts, rows, columns, x, f))
    reports += [trainer.train_unit(0, unit) for unit in range(3, 6)]
    expected = reference.solve(words, columns, rows, x, f, CONFIG.ridge)
    unchanged, contexts = tables(trainer)
    np.testing.assert_array_equal(unchanged, words)
    np.testing.assert_allclose(contexts, expected, atol=1e-3)
    # The loss of a half is that before it, of a pair; earlier units report that of their rows.
    for report, cost in zip(reports[2::3], costs, strict=True):
        assert report.loss == pytest.approx(cost / counts.pairs, rel=1e-4)
    assert reports[0].loss != reports[2].loss


@pytest.mark.parametrize("precision", ["float32", pytest.param("bfloat16", marks=pytest.mark.slow)])
def test_the_cost_never_rises(counts: Cooccurrences, make: Make, precision: str) -> None:
    trainer = make(counts, precision=precision)
    costs = [total_cost(counts, *tables(trainer), CONFIG.ridge)]
    for epoch in range(CONFIG.epochs):
        for unit in range(trainer.units):
            trainer.train_unit(epoch, unit)
            if unit in (2, 5):
                costs.append(total_cost(counts, *tables(trainer), CONFIG.ridge))
    assert (np.diff(costs) < 0).all()
    assert costs[-1] < 0.5 * costs[0]
    if precision == "bfloat16":
        assert trainer.state()["words"].dtype == np.float32


def test_after_a_sweep_both_tables_have_the_same_moments(left: Cooccurrences, make: Make) -> None:
    trainer = make(left)
    for unit in range(trainer.units):
        trainer.train_unit(0, unit)
    words, contexts = (table[:, :-1] for table in tables(trainer))
    moments = words.T @ words
    np.testing.assert_allclose(moments, contexts.T @ contexts, atol=1e-4 * np.abs(moments).max())


def test_threads_change_no_bit(left: Cooccurrences, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "UNIT_BLOCKS", 32)
    found = []
    for threads in (1, 2, 3):
        trainer = make(left, threads, 0.1)
        losses = [trainer.train_unit(epoch, unit).loss for epoch in range(2) for unit in range(2)]
        found.append((bits(trainer), losses, trainer.validation_loss()))
    assert found[0] == found[1] == found[2]


def test_seeds_change_vectors(left: Cooccurrences, make: Make) -> None:
    first, again, other = (make(left, seed=seed).state()["contexts"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.1


def test_half_the_learning_rate_goes_half_the_way(left: Cooccurrences, make: Make) -> None:
    whole, half = make(left), make(left, learning_rate=0.5)
    before = tables(half)[0]
    for trainer in (whole, half):
        for unit in range(3):
            report = trainer.train_unit(0, unit)
    assert report.learning_rate == 0.5
    np.testing.assert_allclose(tables(half)[0], (before + tables(whole)[0]) / 2, atol=1e-5)


# --- exact continuation


def run(trainer: GloVeTrainer, folder: Path, progress: Silent = SILENT) -> Position:  # type: ignore[assignment]
    checkpoint, best = (CheckpointFile(folder / name, {}, "") for name in ("checkpoint", "best"))
    return TrainingLoop(trainer, checkpoint, best, LoopConfig(), progress).run("training", "pairs")


@pytest.mark.parametrize("units", [1, 3, 5, 6])  # within each half, between them, after an epoch
def test_an_interrupted_run_goes_on_to_the_same_bits(
    counts: Cooccurrences, make: Make, tmp_path: Path, units: int
) -> None:
    whole, first, second = (make(counts, validation=0.1) for _ in range(3))
    (tmp_path / "whole").mkdir()
    history = run(whole, tmp_path / "whole").history
    with pytest.raises(InterruptedTraining):
        run(first, tmp_path, Interrupting(units))
    again = run(second, tmp_path)
    assert len(history) == 3
    assert again.history == history
    assert bits(second) == bits(whole)


def test_a_state_is_not_what_training_works_on(left: Cooccurrences, make: Make) -> None:
    for output in ("sum", "contexts"):
        trainer = make(left, output=output)
        state = trainer.state()
        kept = {name: table.copy() for name, table in state.items()}
        for unit in range(trainer.units):
            trainer.train_unit(0, unit)
        for name, table in state.items():
            np.testing.assert_array_equal(table, kept[name])


def test_vectors_are_what_the_configuration_asks_for(left: Cooccurrences, make: Make) -> None:
    for output in ("sum", "words", "contexts"):
        trainer = make(left, output=output)
        for unit in range(trainer.units):
            trainer.train_unit(0, unit)
        state = trainer.state()
        words, contexts = state["words"], state["contexts"]
        assert np.abs(words - contexts).max() > 0.1
        expected = {"sum": words + contexts, "words": words, "contexts": contexts}[output]
        np.testing.assert_array_equal(state["vectors"], expected)
    assert list(state) == ["vectors", "words", "contexts", "word_bias", "context_bias", "optimizer.cost"]


def test_work_is_counted_in_pairs_twice_a_sweep(counts: Cooccurrences, make: Make) -> None:
    trainer = make(counts)
    by_rows = np.diff(counts.offsets[[0, ROWS, 2 * ROWS, WORDS]])
    by_columns = np.histogram(counts.columns, [0, ROWS, 2 * ROWS, WORDS])[0]
    expected = np.cumsum([0, *by_rows, *by_columns])
    assert [trainer.work(0, unit) for unit in range(7)] == expected.tolist()
    assert trainer.work(2, 1) == 4 * counts.pairs + by_rows[0]
    assert trainer.work(3, 0) == 6 * counts.pairs


# --- beginning


def test_the_first_biases_are_fitted(left: Cooccurrences, monkeypatch: pytest.MonkeyPatch) -> None:
    """After enough turns no bias can be moved for the better: weighted residuals of each word add up to 0."""
    monkeypatch.setattr(module, "BIAS_SWEEPS", 60)
    b, c = fitted_biases(left, CONFIG)
    rows, columns, x, f = pairs_of(left)
    residuals = f * (np.log(x) - b[rows] - c[columns])
    for index in (rows, columns):
        assert np.abs(np.bincount(index, f * np.log(x), minlength=WORDS)).max() > 10
        np.testing.assert_allclose(np.bincount(index, residuals, minlength=WORDS), 0, atol=1e-3)


@pytest.mark.parametrize("size", [10, 40])
def test_first_contexts_are_smaller_where_they_are_longer(left: Cooccurrences, make: Make, size: int) -> None:
    contexts = make(left, vector_size=size).state()["contexts"]
    end = module.SPREAD / 2 * np.sqrt(10 / size)
    assert 0.99 * end < np.abs(contexts).max() <= end * (1 + 1e-6)
    assert contexts.std() == pytest.approx(end / np.sqrt(3), rel=0.05)


# --- awkward counts


def finite_after_training(trainer: GloVeTrainer) -> dict[str, np.ndarray]:
    losses = [
        trainer.train_unit(epoch, unit).loss
        for epoch in range(trainer.epochs)
        for unit in range(trainer.units)
    ]
    state = trainer.state()
    assert np.isfinite(losses).all()
    for table in state.values():
        assert np.isfinite(table).all()
    return state


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize(
    "settings",
    [
        {"x_max": 1e12, "alpha": 1.0},
        {"x_max": 1e-6},
        {"alpha": 0.01},
        {"ridge": 0.0},
        {"ridge": 1e6},
        {"vector_size": 40, "ridge": 0.0, "epochs": 5},
    ],
    ids=str,
)
def test_extreme_counts_and_settings(
    counted: Counted, make: Make, settings: dict[str, Any], precision: str
) -> None:
    """From 1e-3 to 1e9, at hardly any pair a word."""
    rng = np.random.default_rng(0)
    here = rng.random((ROWS + 1, ROWS + 1)) < 0.01
    matrix = np.where(here, 10 ** rng.uniform(-3, 9, here.shape), 0)
    matrix[0], matrix[-1] = 1e9, 0
    finite_after_training(make(counted(matrix), context="left", precision=precision, **settings))


def test_words_without_pairs(counted: Counted, make: Make) -> None:
    """Nothing is known of them; the ridge takes them to 0."""
    matrix = planted(symmetric=True)
    alone = [3, WORDS - 1]
    matrix[alone], matrix[:, alone] = 0, 0
    state = finite_after_training(make(counted(matrix)))
    for name in ("vectors", "words", "contexts", "word_bias", "context_bias"):
        np.testing.assert_allclose(state[name][alone], 0, atol=1e-6)


def test_words_whose_pairs_are_all_held_out(left: Cooccurrences, make: Make) -> None:
    trainer = make(left, validation=0.97)
    kept = sum(trainer.work(0, unit + 1) - trainer.work(0, unit) for unit in range(3))
    assert kept == pytest.approx(0.03 * left.pairs, rel=0.15)
    before = trainer.validation_loss()
    finite_after_training(trainer)
    after = trainer.validation_loss()
    assert before is not None
    assert after is not None
    assert np.isfinite([before, after]).all()


@pytest.mark.parametrize("words", [1, 2, 5])
def test_fewer_words_than_the_vectors_are_long(counted: Counted, make: Make, words: int) -> None:
    state = finite_after_training(make(counted(np.full((words, words), 7.0)), vector_size=20))
    assert state["vectors"].shape == (words, 20)
    # All counts are alike, so that biases alone say everything: b + b' = log 7.
    scores = state["words"] @ state["contexts"].T + state["word_bias"][:, None] + state["context_bias"]
    np.testing.assert_allclose(scores, np.log(7), atol=0.01)


def test_without_held_out_pairs_there_is_no_validation(left: Cooccurrences, make: Make) -> None:
    assert make(left).validation_loss() is None


def test_held_out_pairs_are_foretold(left: Cooccurrences, make: Make) -> None:
    """Logarithms of rank 3, a tenth of them given: what is held out follows."""
    trainer = make(left, validation=0.1, vector_size=4, ridge=0.1, epochs=12)
    before = trainer.validation_loss()
    finite_after_training(trainer)
    after = trainer.validation_loss()
    assert before is not None
    assert after is not None
    assert after < 0.1 * before


def test_close_ends_the_threads(left: Cooccurrences, make: Make) -> None:
    trainer = make(left)
    trainer.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        trainer.train_unit(0, 0)
