"""Tables against AdaGrad's equation, whole and by rows; sums over the places of a step."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from seqkit.embeddings.softmax.adagrad import AdagradTable, planned_rows, summed_rows

IDS = np.array([[2, 0, 2, 5], [1, 1, 1, 1]], np.int32)


def test_updates_by_rows_are_updates_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(size=(6, 3)).astype(np.float32)
    whole, by_rows = AdagradTable.of(before), AdagradTable.of(before)
    value, squares = before.astype(np.float64), np.zeros((6, 3))
    for rate in (0.5, 0.25):
        gradient = np.zeros((6, 3), np.float32)
        rows = rng.choice(6, 3, replace=False).astype(np.int32)
        gradient[rows] = rng.normal(size=(3, 3))
        squares += gradient.astype(np.float64) ** 2
        value -= rate * gradient / (np.sqrt(squares) + 1e-7)
        whole.update(tf.constant(gradient), rate)
        by_rows.update_rows(rows, tf.constant(gradient[rows]), rate)
    for table in (whole, by_rows):
        np.testing.assert_allclose(table.value, value, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(table.squares, squares, rtol=1e-5)
    untouched = squares.sum(axis=1) == 0
    assert by_rows.value.numpy()[untouched].tobytes() == before[untouched].tobytes()


def test_places_of_a_row_are_summed() -> None:
    plan = planned_rows(IDS, 6)
    gradient = tf.constant([[1.0, 10], [2, 20], [4, 40], [8, 80]])
    for step, rows, sums in (
        (0, [0, 2, 5], [[2, 20], [5, 50], [8, 80]]),
        (1, [1], [[15, 150]]),
    ):
        found, total = summed_rows(plan, tf.constant(step), gradient)
        assert found.numpy().tolist() == rows
        assert total.numpy().tolist() == sums
    _, bias = summed_rows(plan, tf.constant(0), gradient[:, 0])
    assert bias.numpy().tolist() == [2, 5, 8]
