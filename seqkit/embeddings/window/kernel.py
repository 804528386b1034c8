"""The step of the window model in TensorFlow: `reference.py` has its equations.

The steps of a whole chunk run inside one compiled call. Gradients of rows that stand several times in a step
are summed in a fixed order, and work is cut into the same parts for any number of threads: the same bits for
all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.softmax.adagrad import ROW_PLAN, AdagradTable, planned_rows, summed_rows
from seqkit.embeddings.softmax.exact import LANES, exact_softmax
from seqkit.embeddings.softmax.kernel import AdagradKernel, Planned, Tables
from seqkit.embeddings.window.batches import Batches
from seqkit.embeddings.window.config import WindowConfig

Matrix = NDArray[np.float32]

NEVER = -1e30
"""The score of noise that equals the word to predict: exp gives 0."""


@dataclass(frozen=True, eq=False)
class _Output:
    """Loss and gradients of the output layer, by the places in `PlannedBatches.output_rows` if sampled."""

    loss: Any
    hidden: Any
    kernel: Any
    bias: Any


@dataclass(frozen=True)
class _Steps:
    """Steps of so many predictions from so many words of context; other settings as in `WindowConfig`.

    `negative` is 0 for the exact softmax.
    """

    vector_size: int
    context: int
    hidden_units: int
    negative: int
    precision: str
    predictions: int

    def tables(self) -> Tables:
        return {
            "vectors": AdagradTable.stand_in(self.vector_size),
            "hidden_kernel": AdagradTable.stand_in(self.hidden_units),
            "hidden_bias": AdagradTable.stand_in(),
            "output_kernel": AdagradTable.stand_in(self.hidden_units),
            "output_bias": AdagradTable.stand_in(),
        }

    def plan(self) -> Planned:
        specs: Planned = {
            "contexts": tf.TensorSpec([None, self.predictions * self.context], tf.int32),
            "targets": tf.TensorSpec([None, self.predictions], tf.int32),
            "weights": tf.TensorSpec([None, self.predictions], tf.float32),
            "vector_rows": ROW_PLAN,
        }
        if self.negative:
            specs["noise"] = tf.TensorSpec([None, self.negative], tf.int32)
            specs["correction"] = tf.TensorSpec([None], tf.float32)
            specs["output_rows"] = ROW_PLAN
        return specs

    def step(self, number: Any, tables: Tables, plan: Planned, learning_rate: Any) -> Any:
        x, hidden = self._forward(tables, plan["contexts"][number])
        output = self._output(number, tables, plan, hidden)
        z = output.hidden * (1 - hidden * hidden)
        kernel = self._rounded(tables["hidden_kernel"].value)
        vector_gradient = tf.reshape(self._product(z, kernel, transpose_b=True), [-1, self.vector_size])
        rows, gradient = summed_rows(plan["vector_rows"], number, vector_gradient)
        present = tf.math.count_nonzero(rows < _rows_of(tables["vectors"]), dtype=tf.int32)
        kernel_gradient = self._product(x, z, transpose_a=True)
        tables["vectors"].update_rows(rows[:present], gradient[:present], learning_rate)
        tables["hidden_kernel"].update(kernel_gradient, learning_rate)
        tables["hidden_bias"].update(tf.reduce_sum(z, 0), learning_rate)
        self._update_output(number, tables, plan, output, learning_rate)
        return output.loss

    def step_loss(self, number: Any, tables: Tables, plan: Planned) -> Any:
        _, hidden = self._forward(tables, plan["contexts"][number])
        return self._output(number, tables, plan, hidden).loss

    def _forward(self, tables: Tables, contexts: Any) -> tuple[Any, Any]:
        """The windows' vectors, end to end, shape (B, C·D), and the hidden layer, shape (B, H)."""
        present = contexts < _rows_of(tables["vectors"])
        vectors = tf.gather(tables["vectors"].value, tf.where(present, contexts, 0))
        vectors = tf.where(present[:, None], vectors, 0.0)
        x = tf.reshape(vectors, [self.predictions, self.context * self.vector_size])
        kernel, bias = (tables[name].value for name in ("hidden_kernel", "hidden_bias"))
        return x, tf.tanh(self._product(x, kernel) + bias)

    def _output(self, number: Any, tables: Tables, plan: Planned, hidden: Any) -> _Output:
        targets, weights = plan["targets"][number], plan["weights"][number]
        kernel, bias = (tables[name].value for name in ("output_kernel", "output_bias"))
        if self.negative:
            bias = bias - plan["correction"]
            return self._sampled_softmax(hidden, kernel, bias, targets, weights, plan["noise"][number])
        product_type = tf.as_dtype(self.precision)
        exact = exact_softmax(hidden, kernel, bias, targets[:, None], weights[:, None], product_type)
        return _Output(exact.loss, exact.inputs, exact.table, exact.bias)

    def _sampled_softmax(
        self, hidden: Any, kernel: Any, bias: Any, targets: Any, weights: Any, noise: Any
    ) -> _Output:
        words = tf.concat([noise, targets], 0)
        kernel, bias = tf.gather(kernel, words), tf.gather(bias, words)
        noise_kernel, target_kernel = kernel[: self.negative], kernel[self.negative :]
        losses, hidden_gradients, kernel_gradients, bias_gradients, target_gradients = [], [], [], [], []
        size = self.predictions // LANES
        for lane in range(LANES):
            part = slice(lane * size, (lane + 1) * size)
            h, weight = hidden[part], weights[part, None]
            scores = self._product(h, noise_kernel, transpose_b=True) + bias[: self.negative]
            scores = tf.where(noise[None, :] == targets[part, None], NEVER, scores)
            target = tf.reduce_sum(h * target_kernel[part], 1) + bias[self.negative :][part]
            log_probabilities = tf.nn.log_softmax(tf.concat([target[:, None], scores], 1))
            losses.append(-tf.reduce_sum(tf.cast(weight * log_probabilities[:, :1], tf.float64)))
            probabilities = weight * tf.exp(log_probabilities)
            target_delta, noise_delta = probabilities[:, :1] - weight, probabilities[:, 1:]
            hidden_gradients.append(
                self._product(noise_delta, noise_kernel) + target_delta * target_kernel[part]
            )
            kernel_gradients.append(self._product(noise_delta, h, transpose_a=True))
            bias_gradients.append(tf.reduce_sum(noise_delta, 0))
            target_gradients.append(target_delta)
        target_delta = tf.concat(target_gradients, 0)
        return _Output(
            loss=tf.add_n(losses),
            hidden=tf.concat(hidden_gradients, 0),
            kernel=tf.concat([tf.add_n(kernel_gradients), target_delta * hidden], 0),
            bias=tf.concat([tf.add_n(bias_gradients), target_delta[:, 0]], 0),
        )

    def _update_output(self, number: Any, tables: Tables, plan: Planned, output: _Output, rate: Any) -> None:
        kernel, bias = tables["output_kernel"], tables["output_bias"]
        if not self.negative:
            kernel.update(output.kernel, rate)
            bias.update(output.bias, rate)
            return
        kernel.update_rows(*summed_rows(plan["output_rows"], number, output.kernel), rate)
        bias.update_rows(*summed_rows(plan["output_rows"], number, output.bias), rate)

    def _rounded(self, tensor: Any) -> Any:
        return tf.cast(tensor, self.precision)

    def _product(self, left: Any, right: Any, **transposed: bool) -> Any:
        return tf.cast(tf.matmul(self._rounded(left), self._rounded(right), **transposed), tf.float32)


def _rows_of(table: AdagradTable) -> Any:
    return tf.shape(table.value)[0]


class WindowKernel(AdagradKernel):
    """The model's tables and the compiled steps that train them.

    Args:
        tables: initial, by the names of `reference.gradients`.
        config: context, softmax, negative, precision.
        step: predictions of a step, a multiple of `LANES`.
        probabilities: of each word to be drawn as noise, shape (vocabulary,).
    """

    def __init__(
        self,
        tables: dict[str, Matrix],
        config: WindowConfig,
        step: int,
        probabilities: NDArray[np.float64],
    ) -> None:
        self._negative = config.negative if config.softmax == "sampled" else 0
        super().__init__(
            tables,
            _Steps(
                vector_size=config.vector_size,
                context=len(config.offsets),
                hidden_units=config.hidden_units,
                negative=self._negative,
                precision=config.precision,
                predictions=step,
            ),
        )
        self._vocabulary = len(tables["vectors"])
        self._correction = tf.constant(np.log(config.negative * probabilities), tf.float32)

    def plan(self, chunk: Batches) -> Planned:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""
        contexts = chunk.contexts.reshape(len(chunk.targets), -1)
        planned = {
            "contexts": tf.constant(contexts),
            "targets": tf.constant(chunk.targets),
            "weights": tf.constant(chunk.weights),
            # The word that no line has is the row after the last one.
            "vector_rows": planned_rows(contexts, self._vocabulary + 1),
        }
        if self._negative:
            places = np.concatenate([chunk.noise, chunk.targets], axis=1)
            planned["noise"] = tf.constant(chunk.noise)
            planned["correction"] = self._correction
            planned["output_rows"] = planned_rows(places, self._vocabulary)
        return planned
