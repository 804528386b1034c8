"""The example of the vanishing gradient: its measure against arithmetic, its tasks, and its findings."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import Cell, GRUCell, LSTMCell, RNNCell

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "vanishing-gradient.md"
STEPS, UNITS = 12, 3


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "docs" / "examples" / "vanishing_gradient.py"))


def norms(example: dict[str, Any], cell: Cell, **weights: Any) -> Any:
    """Of Σ a⟨T⟩, with weights of 0 but for the given ones."""
    cell.build((None, 2))
    zeros = {letter: np.zeros_like(value) for letter, value in cell.equation_weights().items()}
    cell.set_equation_weights({**zeros, **weights})
    x = tf.constant(np.random.default_rng(0).uniform(0.1, 1, size=(4, STEPS, 2)))
    return example["gradient_norms"](cell, lambda a: tf.reduce_sum(a, axis=1), x)


@pytest.mark.parametrize("rho", [0.5, 0.9, 1.0, 1.1])
def test_a_linear_rnn_keeps_rho_to_the_k(example: dict[str, Any], rho: float) -> None:
    """With W_aa = ρ I and everything positive, the ReLU is linear: ∂a⟨t⟩/∂a⟨t-1⟩ = ρ I."""
    kernel = np.concatenate([rho * np.eye(UNITS), np.ones((2, UNITS))])
    found = norms(example, RNNCell(UNITS, activation="relu", dtype="float64"), W_a=kernel)
    np.testing.assert_allclose(found, rho ** np.arange(STEPS), rtol=1e-12)


def test_a_gru_keeps_what_its_gate_leaves(example: dict[str, Any]) -> None:
    """With W = 0, c̃ is fixed and ∂c⟨t⟩/∂c⟨t-1⟩ = 1 - Γ_u; σ(-ln 9) = 0.1."""
    found = norms(example, GRUCell(UNITS, dtype="float64"), b_u=np.full(UNITS, -np.log(9)))
    np.testing.assert_allclose(found, 0.9 ** np.arange(STEPS), rtol=1e-12)


def test_an_lstm_keeps_what_its_forget_gate_leaves(example: dict[str, Any]) -> None:
    """With W = 0, ∂c⟨t⟩/∂c⟨t-1⟩ = Γ_f = σ(ln 19) = 0.95; the first step back is from a⟨T⟩ to c⟨T⟩, too.

    c̃ = 0 and c = 0, so ∂a⟨T⟩/∂c⟨T⟩ = Γ_o (1 - tanh² 0) = σ(0) = 0.5: 1, then 0.5 · 0.95^k.
    """
    found = norms(example, LSTMCell(UNITS, dtype="float64"), b_f=np.full(UNITS, np.log(19)))
    np.testing.assert_allclose(found, [1, *(0.5 * 0.95 ** np.arange(1, STEPS))], rtol=1e-12)


def test_the_subject_is_as_far_away_as_asked_for(example: dict[str, Any]) -> None:
    rng, places = np.random.default_rng(0), example["PLACES"]
    begins, plurals, misleading = [], [], []
    for distance in list(range(20)) * 20:
        words, were = example["sentence"](rng, distance)
        begins.append(words[0] in places)
        subject = 4 if begins[-1] else 1  # "near the cars the girl …", "the girl …"
        assert words[subject - 1] == "the"
        assert were == words[subject].endswith("s")
        assert len(words) - subject - 1 == distance
        plurals.append(were)
        nouns = [word for word in words[subject + 1 :] if word in example["NOUNS"]]
        misleading += [nouns[-1].endswith("s") != were] if nouns else []
    # Three standard errors of a share of 1/2 in 400 are 0.075.
    for share in (np.mean(begins), np.mean(plurals), np.mean(misleading)):
        assert abs(share - 0.5) < 0.08


def test_sums_are_of_the_marked_numbers(example: dict[str, Any]) -> None:
    x, y = example["additions"](5000, 10, seed=0)
    assert (x[:, :5, 1].sum(axis=1) == 1).all()
    assert (x[:, 5:, 1].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y, [row[row[:, 1] == 1, 0].sum() for row in x], rtol=1e-6)
    # The variance of one uniform number is 1/12; of the sum of two 1/6.
    assert np.mean(np.square(y - 1)) == pytest.approx(1 / 6, rel=0.05)


@pytest.mark.slow
def test_the_quick_version_runs_and_draws(example: dict[str, Any], tmp_path: Path) -> None:
    quick, picture = example["QUICK"], tmp_path / "picture.svg"
    found = example["main"](quick, str(picture))
    assert found.before.keys() == {"LSTM"}
    assert found.after["LSTM"].shape == (quick.length,)
    assert found.agreement["LSTM"].shape == (1, len(quick.distances))
    assert found.adding["LSTM"].shape == (1, quick.rounds)
    assert "words between subject and verb" in picture.read_text(encoding="utf-8")


@pytest.mark.slow
def test_an_rnn_does_not_reach_back(example: dict[str, Any]) -> None:
    """What the page says. Where it doesn't learn it goes where rounding leads it, so of its gradient only the
    order of magnitude holds from machine to machine.
    """
    found = example["main"](example["FULL"]._replace(cells=("RNN",)))
    guess = 1 / 6
    assert (found.adding["RNN"][:, -1] > 0.9 * guess).all()
    assert found.after["RNN"][50] < 0.01
    assert found.agreement["RNN"].mean() < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("gated", ["GRU", "LSTM"])
def test_gates_reach_back(example: dict[str, Any], gated: str) -> None:
    found = example["main"](example["FULL"]._replace(cells=(gated,)))
    assert found.before[gated][50] < 0.1
    assert found.after[gated][50] > 0.1
    assert (found.adding[gated][:, -1] < 0.01).all()
    assert found.agreement[gated].min() > 0.95


def test_the_page_shows_the_picture() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "(images/vanishing-gradient.svg)" in page
    assert (ROOT / "docs" / "images" / "vanishing-gradient.svg").stat().st_size < 100_000
    assert "python docs/examples/vanishing_gradient.py docs/images/vanishing-gradient.svg" in page
