"""The hand-written gradients against differences, and TensorFlow's cells against the references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import Cell, GRUCell, LSTMCell, RNNCell
from seqkit.cells.gru_reference import GRUReference
from seqkit.cells.lstm_reference import LSTMReference
from seqkit.cells.reference import Reference, normalised, normalised_backward, sigmoid
from seqkit.cells.rnn_reference import RNNReference


def reference(cell: Cell, weights: dict[str, np.ndarray]) -> Reference:
    if isinstance(cell, RNNCell):
        return RNNReference(weights, cell.activation, cell.output_activation)
    if isinstance(cell, GRUCell):
        return GRUReference(weights, cell.variant)
    assert isinstance(cell, LSTMCell)
    return LSTMReference(weights, cell.cell_clip)


class Run:
    """A cell in training along a sequence with masks from a fixed seed, in TensorFlow and in NumPy."""

    def __init__(self, cell: Cell, x: np.ndarray, training: bool = True) -> None:
        self.cell, self.x = cell, x
        batch, time, _ = x.shape
        rng = np.random.default_rng(2)
        self.state = cell.state_type(*(rng.normal(size=(batch, size)) for size in cell.state_size))
        self.constants = cell.constants(batch, training, seed=[5, 6])
        masks = cell.zoneout_masks((time, batch), training, seed=[7, 8])
        self.masks = masks and type(masks)(*(np.asarray(m) if tf.is_tensor(m) else m for m in masks))
        kernel = cell.recurrent_kernel.numpy()
        # Which recurrent weights are left, and by what they are multiplied; for each letter.
        self.left = self.letters(
            [np.asarray(self.dropped_kernel()) / kernel if w is cell.recurrent_kernel else np.ones(w.shape)
             for w in cell.weights]
        )  # fmt: skip
        self.loss_weights = rng.normal(size=(batch, time, cell.output_size))

    def dropped_kernel(self) -> Any:
        more = getattr(self.constants, "candidate_kernel", None)
        kernel = self.constants.recurrent_kernel
        return kernel if more is None else tf.concat([kernel, more], axis=1)

    def letters(self, values: Any = None) -> dict[str, np.ndarray]:
        return self.cell.equation_weights(values)

    def by_numpy(self, *, forward_only: bool = False) -> tuple[np.ndarray, Any]:
        """Outputs and gradients of Σ loss_weights ∘ ŷ."""
        weights = {name: value * self.left[name] for name, value in self.letters().items()}
        of = reference(self.cell, weights)
        mask = 1.0 if self.constants.mask is None else self.constants.mask.numpy()
        hidden, _ = of.forward(self.x, self.state, mask=mask, zoneout=self.masks)
        outputs, d_hidden, more = hidden, self.loss_weights, {}
        if "W_y" in weights:
            outputs = of.output(hidden)
        if forward_only:
            return outputs, None
        if "W_y" in weights:
            d_hidden, more = of.output_backward(hidden, self.loss_weights)
        found = of.backward(d_hidden)
        by_weights = {name: value * self.left[name] for name, value in (found.weights | more).items()}
        return outputs, found._replace(weights=by_weights)

    def by_tensorflow(self) -> tuple[np.ndarray, Any]:
        x, state = tf.constant(self.x), self.cell.state_type(*map(tf.constant, self.state))
        with tf.GradientTape() as tape:
            tape.watch([x, *state])
            outputs = self.unrolled(x, state)
            loss = tf.reduce_sum(outputs * self.loss_weights)
        weights = [weight.value for weight in self.cell.weights]
        by_x, by_state, by_weights = tape.gradient(
            loss, [x, list(state), weights], unconnected_gradients="zero"
        )
        return outputs.numpy(), (by_x, by_state, self.letters(by_weights))

    def unrolled(self, x: Any, state: Any) -> Any:
        """By the split of a step; the constants again, so that the tape sees them."""
        cell, batch = self.cell, self.x.shape[0]
        training = self.constants.mask is not None or any((v != 1).any() for v in self.left.values())
        constants = cell.constants(batch, training, seed=[5, 6])
        projected, hidden = cell.project_inputs(x), []
        for t in range(self.x.shape[1]):
            keep = self.masks and type(self.masks)(*(m[t] if np.ndim(m) else m for m in self.masks))
            state = cell.step(projected[:, t], state, constants, keep)
            hidden.append(state.hidden)
        return cell.project_outputs(tf.stack(hidden, axis=1))


def test_cells_are_their_references(helpers: Any, any_case: str) -> None:
    run = Run(helpers.built(any_case), helpers.sequences())
    outputs, (by_x, by_state, by_weights) = run.by_tensorflow()
    expected, gradients = run.by_numpy()
    np.testing.assert_allclose(outputs, expected, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(by_x, gradients.inputs, rtol=1e-9, atol=1e-11)
    for found, wanted in zip(by_state, gradients.state, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-11)
    initial = {name for name in by_weights if name.startswith("initial_")}  # the state was given
    assert by_weights.keys() - initial == gradients.weights.keys() - initial
    for name in by_weights.keys() - initial:
        np.testing.assert_allclose(
            by_weights[name], gradients.weights[name], rtol=1e-9, atol=1e-11, err_msg=name
        )
        assert by_weights[name].any(), name


@pytest.mark.parametrize("case", ["RNN zoneout", "GRU full zoneout", "LSTM zoneout"])
def test_zoneout_without_training_mixes_by_the_rates(helpers: Any, case: str) -> None:
    run = Run(helpers.built(case), helpers.sequences(), training=False)
    assert run.masks == run.cell.zoneout_rates
    np.testing.assert_allclose(run.by_tensorflow()[0], run.by_numpy()[0], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    "case", ["RNN all", "RNN relu", "RNN softmax", "RNN sigmoid", "GRU simplified all", "GRU full all",
             "GRU reset-after all", "LSTM all", "LSTM peepholes"]
)  # fmt: skip
def test_references_have_the_gradient_of_their_loss(helpers: Any, case: str) -> None:
    run = Run(helpers.built(case), helpers.sequences())
    _, gradients = run.by_numpy()
    change = 1e-6

    def slope(array: np.ndarray, index: tuple[int, ...]) -> float:
        kept, losses = array[index], []
        for sign in (1, -1):
            array[index] = kept + sign * change
            losses.append((run.by_numpy(forward_only=True)[0] * run.loss_weights).sum())
        array[index] = kept
        return (losses[0] - losses[1]) / (2 * change)

    weights = run.letters()
    run.letters = lambda values=None: weights
    wanted = {"x": gradients.inputs, **gradients.state._asdict(), **gradients.weights}
    places = {"x": run.x, **run.state._asdict(), **weights}
    for name, exact in wanted.items():
        found = np.array([slope(places[name], index) for index in np.ndindex(exact.shape)])
        if not name.startswith("initial_"):
            assert np.linalg.norm(exact) > 0, name
        assert np.linalg.norm(found - exact.ravel()) <= 1e-7 * (1 + np.linalg.norm(exact)), name


def test_normalised_by_hand() -> None:
    # Mean 2, variance (1 + 0 + 1) / 3: n = ∓1 / √(2/3 + 1e-5).
    row = np.array([[1.0, 2.0, 3.0]])
    edge = 1 / np.sqrt(2 / 3 + 1e-5)
    np.testing.assert_allclose(normalised(row), [[-edge, 0, edge]], rtol=1e-12)
    # A shift of z changes nothing, so the derivatives by z add up to 0.
    assert normalised_backward(row, np.array([[1.0, 5.0, -2.0]])).sum() == pytest.approx(0, abs=1e-12)


def test_sigmoid_by_hand() -> None:
    assert sigmoid(np.array([0.0, np.log(3), -1000.0, 1000.0])) == pytest.approx([0.5, 0.75, 0, 1], abs=1e-12)
