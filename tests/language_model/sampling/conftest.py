"""Toy models: tables of logits, whose texts have probabilities that a reader can work out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import LSTMCell


class TableModel:
    """The next word depends on the last one: logits[last]; row 1, `<eos>`, is also that of the beginning."""

    def __init__(self, logits: Any) -> None:
        self.logits = np.asarray(logits, np.float32)

    @property
    def vocabulary_size(self) -> int:
        return self.logits.shape[1]

    def initial_state(self, batch: int) -> Any:
        return {"steps": tf.zeros([batch], tf.int32)}

    def step(self, inputs: Any, state: Any) -> Any:
        return tf.gather(self.logits, inputs), {"steps": state["steps"] + 1}

    def log_p(self, words: Any, before: int = 1) -> float:
        """Of words one after the other, in float64."""
        total, table = 0.0, self.logits.astype(np.float64)
        for word in words:
            total += table[before, word] - np.logaddexp.reduce(table[before])
            before = word
        return float(total)


class MemoryModel(TableModel):
    """The next word depends on all words before it, by a running sum: logits[last] + sums[sum]."""

    def __init__(self, logits: Any, sums: Any) -> None:
        super().__init__(logits)
        self.sums = np.asarray(sums, np.float32)

    def initial_state(self, batch: int) -> Any:
        return tf.zeros([batch], tf.int32)

    def step(self, inputs: Any, state: Any) -> Any:
        total = (2 * state + inputs) % len(self.sums)
        return tf.gather(self.logits, inputs) + tf.gather(self.sums, total), total

    def rows(self, words: Any) -> np.ndarray:
        """log P of the next word after each of the words, from the beginning, in float64."""
        total, found = 0, []
        for word in [1, *words]:
            total = (2 * total + word) % len(self.sums)
            row = self.logits[word].astype(np.float64) + self.sums[total]
            found.append(row - np.logaddexp.reduce(row))
        return np.array(found)

    def log_p(self, words: Any, before: Any = ()) -> float:
        rows = self.rows([*before, *words])
        return float(sum(rows[len(before) + place, word] for place, word in enumerate(words)))


class LSTMModel:
    """Vectors, one LSTM, and a softmax, with random weights."""

    def __init__(self, vocabulary: int = 12, units: int = 16) -> None:
        rng = np.random.default_rng(3)
        self.vectors = tf.constant(rng.normal(size=(vocabulary, units)).astype(np.float32))
        self.out = tf.constant(rng.normal(size=(units, vocabulary)).astype(np.float32))
        self.cell = LSTMCell(units, seed=1)
        self.cell.build((None, units))

    @property
    def vocabulary_size(self) -> int:
        return self.out.shape[1]

    def initial_state(self, batch: int) -> Any:
        return self.cell.get_initial_state(batch)

    def step(self, inputs: Any, state: Any) -> Any:
        vectors = tf.gather(self.vectors, inputs) * tf.cast(inputs != 1, tf.float32)[:, None]
        hidden, state = self.cell(vectors, state)
        return hidden @ self.out, state


@pytest.fixture
def compiled() -> None:
    """For tests that are about the compiled loop."""


@pytest.fixture(autouse=True)
def eager(request: pytest.FixtureRequest) -> Iterator[None]:
    """Else nothing is compiled, which takes a second for each set of options; one test compares the two."""
    tf.config.run_functions_eagerly("compiled" not in request.fixturenames)
    yield
    tf.config.run_functions_eagerly(False)


class Toys:
    """There are no modules to import between tests."""

    Table, Memory, LSTM = TableModel, MemoryModel, LSTMModel


@pytest.fixture(scope="session")
def toys() -> type[Toys]:
    return Toys
