"""Tables that AdaGrad trains, and the compiled steps that train them; the mathematics is in the subclasses.

`softmax/skipgram_trainer.py` and `window/kernel.py` have it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

import tensorflow as tf
from numpy.typing import NDArray

from seqkit.embeddings.softmax.adagrad import AdagradTable
from seqkit.training.compiled import Steps, compiled

Tables = dict[str, AdagradTable]
Planned = dict[str, Any]


class AdagradSteps(Steps, Protocol):
    """The steps of a chunk; what they plan has "weights", shape (steps, ...), 1 for each prediction or 0."""

    def step(self, number: Any, tables: Tables, plan: Planned, learning_rate: Any) -> Any:
        """Trains one step; J before its update."""

    def step_loss(self, number: Any, tables: Tables, plan: Planned) -> Any:
        """J of one step."""


class AdagradKernel(ABC):
    """Tables and the compiled steps that train them.

    Args:
        tables: initial, float32.
        steps: of a chunk.
    """

    def __init__(self, tables: dict[str, NDArray[Any]], steps: AdagradSteps) -> None:
        self.tables = {name: AdagradTable.of(table) for name, table in tables.items()}
        self._steps = steps
        self._device = self.tables["vectors"].value.device

    @abstractmethod
    def plan(self, chunk: Any) -> Planned:
        """What `train` and `loss` take; another thread may plan the next chunk meanwhile."""

    def train(self, planned: Planned, learning_rates: tuple[float, float]) -> tuple[float, float]:
        """Trains all steps of a chunk.

        Args:
            planned: from `plan`.
            learning_rates: at its beginning and its end, linear between.

        Returns:
            J, of each step before its update, and the number of predictions.
        """
        begin, end = learning_rates
        train = compiled(_train, self._steps, self._device, tf.float32, tf.float32)
        loss, count = train(self.tables, planned, tf.constant(begin), tf.constant(end))
        return float(loss), float(count)

    def loss(self, planned: Planned) -> tuple[float, float]:
        """J at the present tables, which it leaves as they are, and the number of predictions."""
        loss, count = compiled(_losses, self._steps, self._device)(self.tables, planned)
        return float(loss), float(count)


def _train(steps: AdagradSteps, tables: Tables, plan: Planned, begin: Any, end: Any) -> Any:
    slope = (end - begin) / tf.cast(tf.shape(plan["weights"])[0], tf.float32)

    def body(number: Any, loss: Any) -> Any:
        rate = begin + slope * tf.cast(number, tf.float32)
        return number + 1, loss + steps.step(number, tables, plan, rate)

    return _over(plan, body)


def _losses(steps: AdagradSteps, tables: Tables, plan: Planned) -> Any:
    return _over(plan, lambda number, loss: (number + 1, loss + steps.step_loss(number, tables, plan)))


def _over(plan: Planned, body: Any) -> Any:
    """J summed over the steps, and the number of predictions."""
    steps = tf.shape(plan["weights"])[0]
    start = [tf.constant(0), tf.constant(0.0, tf.float64)]
    _, loss = tf.while_loop(lambda number, loss: number < steps, body, start)
    return loss, tf.reduce_sum(tf.cast(plan["weights"], tf.float64))
