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


class WindowKernel:
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
        self.tables = {name: AdagradTable(table) for name, table in tables.items()}
        self._vocabulary, self._size = tables["vectors"].shape
        self._step_size, self._columns = step, len(config.offsets)
        self._sampled, self._noise = config.softmax == "sampled", config.negative
        self._correction = tf.constant(np.log(config.negative * probabilities), tf.float32)
        self._product_type = tf.as_dtype(config.precision)
        plan, scalar = self._signature(), tf.TensorSpec([], tf.float32)
        self._train = tf.function(self._steps, autograph=False, input_signature=(plan, scalar, scalar))
        self._evaluate = tf.function(self._losses, autograph=False, input_signature=(plan,))

    def plan(self, chunk: Batches) -> dict[str, Any]:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""
        steps = len(chunk.targets)
        contexts = chunk.contexts.reshape(steps, -1)
        planned = {
            "contexts": tf.constant(contexts),
            "targets": tf.constant(chunk.targets),
            "weights": tf.constant(chunk.weights),
            "noise": tf.constant(chunk.noise),
            # The word that no line has is the row after the last one.
            "vector_rows": planned_rows(contexts, self._vocabulary + 1),
        }
        if self._sampled:
            places = np.concatenate([chunk.noise, chunk.targets], axis=1)
            planned["output_rows"] = planned_rows(places, self._vocabulary)
        return planned

    def train(self, planned: dict[str, Any], learning_rates: tuple[float, float]) -> tuple[float, float]:
        """Trains all steps of a chunk.

        Args:
            planned: from `plan`.
            learning_rates: at its beginning and its end, linear between.

        Returns:
            J, of each step before its update, and the number of predictions.
        """
        begin, end = learning_rates
        loss, count = self._train(planned, tf.constant(begin), tf.constant(end))
        return float(loss), float(count)

    def loss(self, planned: dict[str, Any]) -> tuple[float, float]:
        """J at the present tables, which it leaves as they are, and the number of predictions."""
        loss, count = self._evaluate(planned)
        return float(loss), float(count)

    def _signature(self) -> dict[str, Any]:
        """Types and shapes of what `plan` returns, for any number of steps."""
        step = self._step_size
        noise = self._noise if self._sampled else 0
        specs: dict[str, Any] = {
            "contexts": tf.TensorSpec([None, step * self._columns], tf.int32),
            "targets": tf.TensorSpec([None, step], tf.int32),
            "weights": tf.TensorSpec([None, step], tf.float32),
            "noise": tf.TensorSpec([None, noise], tf.int32),
            "vector_rows": ROW_PLAN,
        }
        return specs | {"output_rows": ROW_PLAN} if self._sampled else specs

    def _steps(self, plan: dict[str, Any], begin: Any, end: Any) -> Any:
        steps = tf.shape(plan["targets"])[0]
        slope = (end - begin) / tf.cast(steps, tf.float32)

        def body(step: Any, loss: Any) -> Any:
            return step + 1, loss + self._step(step, plan, begin + slope * tf.cast(step, tf.float32))

        return self._over(plan, body)

    def _losses(self, plan: dict[str, Any]) -> Any:
        def body(step: Any, loss: Any) -> Any:
            _, hidden = self._forward(plan["contexts"][step])
            return step + 1, loss + self._output(step, plan, hidden).loss

        return self._over(plan, body)

    def _over(self, plan: dict[str, Any], body: Any) -> Any:
        steps = tf.shape(plan["targets"])[0]
        start = [tf.constant(0), tf.constant(0.0, tf.float64)]
        _, loss = tf.while_loop(lambda step, loss: step < steps, body, start)
        return loss, tf.reduce_sum(tf.cast(plan["weights"], tf.float64))

    def _step(self, step: Any, plan: dict[str, Any], rate: Any) -> Any:
        x, hidden = self._forward(plan["contexts"][step])
        output = self._output(step, plan, hidden)
        z = output.hidden * (1 - hidden * hidden)
        kernel = self._rounded(self.tables["hidden_kernel"].value)
        vector_gradient = self._product(z, kernel, transpose_b=True)
        rows, gradient = summed_rows(plan["vector_rows"], step, tf.reshape(vector_gradient, [-1, self._size]))
        present = tf.math.count_nonzero(rows < self._vocabulary, dtype=tf.int32)
        kernel_gradient = self._product(x, z, transpose_a=True)
        self.tables["vectors"].update_rows(rows[:present], gradient[:present], rate)
        self.tables["hidden_kernel"].update(kernel_gradient, rate)
        self.tables["hidden_bias"].update(tf.reduce_sum(z, 0), rate)
        self._update_output(step, plan, output, rate)
        return output.loss

    def _forward(self, contexts: Any) -> tuple[Any, Any]:
        """The windows' vectors, end to end, shape (B, C·D), and the hidden layer, shape (B, H)."""
        present = contexts < self._vocabulary
        vectors = tf.gather(self.tables["vectors"].value, tf.where(present, contexts, 0))
        vectors = tf.where(present[:, None], vectors, 0.0)
        x = tf.reshape(vectors, [self._step_size, self._columns * self._size])
        kernel, bias = (self.tables[name].value for name in ("hidden_kernel", "hidden_bias"))
        return x, tf.tanh(self._product(x, kernel) + bias)

    def _output(self, step: Any, plan: dict[str, Any], hidden: Any) -> _Output:
        targets, weights = plan["targets"][step], plan["weights"][step]
        kernel, bias = (self.tables[name].value for name in ("output_kernel", "output_bias"))
        if self._sampled:
            return self._sampled_softmax(hidden, targets, weights, plan["noise"][step])
        exact = exact_softmax(hidden, kernel, bias, targets[:, None], weights[:, None], self._product_type)
        return _Output(exact.loss, exact.inputs, exact.table, exact.bias)

    def _sampled_softmax(self, hidden: Any, targets: Any, weights: Any, noise: Any) -> _Output:
        words = tf.concat([noise, targets], 0)
        kernel = tf.gather(self.tables["output_kernel"].value, words)
        bias = tf.gather(self.tables["output_bias"].value - self._correction, words)
        noise_kernel, target_kernel = kernel[: self._noise], kernel[self._noise :]
        losses, hidden_gradients, kernel_gradients, bias_gradients, target_gradients = [], [], [], [], []
        size = self._step_size // LANES
        for lane in range(LANES):
            part = slice(lane * size, (lane + 1) * size)
            h, weight = hidden[part], weights[part, None]
            scores = self._product(h, noise_kernel, transpose_b=True) + bias[: self._noise]
            scores = tf.where(noise[None, :] == targets[part, None], NEVER, scores)
            target = tf.reduce_sum(h * target_kernel[part], 1) + bias[self._noise :][part]
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

    def _update_output(self, step: Any, plan: dict[str, Any], output: _Output, rate: Any) -> None:
        kernel, bias = self.tables["output_kernel"], self.tables["output_bias"]
        if not self._sampled:
            kernel.update(output.kernel, rate)
            bias.update(output.bias, rate)
            return
        kernel.update_rows(*summed_rows(plan["output_rows"], step, output.kernel), rate)
        bias.update_rows(*summed_rows(plan["output_rows"], step, output.bias), rate)

    def _rounded(self, tensor: Any) -> Any:
        return tf.cast(tensor, self._product_type)

    def _product(self, left: Any, right: Any, **transposed: bool) -> Any:
        return tf.cast(tf.matmul(self._rounded(left), self._rounded(right), **transposed), tf.float32)
