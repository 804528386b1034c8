"""GloVe as the training loop sees it: an epoch is a sweep over both tables, a unit some blocks of rows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.glove.balance import balance
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.held_out import HeldOutPairs, hold_out
from seqkit.embeddings.glove.kernel import Fixed, GloVeKernel
from seqkit.embeddings.glove.layout import blocks_of, make_block, weights
from seqkit.training.device import Device
from seqkit.training.loop import UnitReport

UNIT_BLOCKS = 32
"""Blocks of a unit."""

BIAS_SWEEPS = 2
"""Before the first sweep the biases are fitted alone, so often; they are most of what a count is made of."""

SPREAD = 0.3
"""Contexts begin uniform on ±SPREAD / (2 √vector_size) times √10; the first sweep solves for words."""

Floats = NDArray[np.float32]


class GloVeTrainer:
    """Trains two tables and two vectors of biases on counts.

    Blocks of rows do not depend on each other while the other table is held fixed, so threads take them in
    any order to the same bits.

    Args:
        counts: X.
        config: the hyper-parameters.
        device: where to compute.
        validation: fraction of the pairs that is held out, 0 to below 1.
    """

    def __init__(
        self, counts: Cooccurrences, config: GloVeConfig, device: Device, validation: float = 0.0
    ) -> None:
        self._config, self._device = config, device
        self._held_out: HeldOutPairs | None = None
        if validation:
            counts, self._held_out = hold_out(counts, validation, config)
        self._pool = ThreadPoolExecutor(device.threads, thread_name_prefix="glove")
        with device.scope():
            self._kernel = GloVeKernel(config)
        symmetric = counts.settings.get("context", config.context) == "symmetric"
        self._blocks = [self._placed(counts)]
        self._blocks.append(self._blocks[0] if symmetric else self._placed(counts.transposed()))
        self._mass = [np.concatenate([mass for _, _, _, mass in half]) for half in self._blocks]
        self._pairs, self._words = counts.pairs, len(counts)
        self._tables, self._biases = self._initial(counts)
        self._cost, self._done = 0.0, 0
        self._fixed: Fixed | None = None

    @property
    def epochs(self) -> int:
        """Sweeps of the run."""
        return self._config.epochs

    @property
    def units(self) -> int:
        """Units of a sweep: first over the words, then over the contexts."""
        return 2 * self._half

    @property
    def _half(self) -> int:
        return -(-blocks_of(self._words) // UNIT_BLOCKS)

    def work(self, epoch: int, unit: int) -> float:
        """Pairs done, each twice a sweep."""
        half, part = divmod(unit, self._half)
        blocks = self._blocks[half][: part * UNIT_BLOCKS] if part else []
        return self._pairs * (2.0 * epoch + half) + sum(pairs for _, _, pairs, _ in blocks)

    def train_unit(self, epoch: int, unit: int) -> UnitReport:
        """Solves for some rows; the loss is ½ f (…)² of a pair, over this half of the sweep, before it."""
        half, part = divmod(unit, self._half)
        if part == 0:
            self._fixed, self._cost, self._done = None, 0.0, 0
        if self._fixed is None:
            with self._device.scope():
                self._fixed = self._kernel.fix(
                    self._tables[1 - half], self._biases[1 - half], self._mass[1 - half]
                )
        blocks = self._blocks[half][part * UNIT_BLOCKS : (part + 1) * UNIT_BLOCKS]
        fixed = self._fixed
        costs = self._pool.map(lambda block: self._solve(half, fixed, block), blocks)
        self._cost += sum(costs)
        self._done += sum(pairs for _, _, pairs, _ in blocks)
        if unit + 1 == self.units:
            self._tables = list(balance(*self._tables))
        return UnitReport(self._cost / max(1, self._done), self._config.learning_rate)

    def validation_loss(self) -> float | None:
        """The same loss on the pairs held out; None without such."""
        if self._held_out is None:
            return None
        return self._held_out.loss(*self._tables, *self._biases)

    def state(self) -> dict[str, NDArray[Any]]:
        """Both tables with their biases, and "vectors", what the configuration asks for of them."""
        words, contexts = (table.copy() for table in self._tables)
        chosen = {"words": words, "contexts": contexts, "sum": words + contexts}
        return {
            "vectors": chosen[self._config.output],
            "words": words,
            "contexts": contexts,
            "word_bias": self._biases[0].copy(),
            "context_bias": self._biases[1].copy(),
            "optimizer.cost": np.array([self._cost, self._done], np.float64),
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Takes back tables and biases."""
        self._tables = [np.array(state[name], np.float32) for name in ("words", "contexts")]
        self._biases = [np.array(state[name], np.float32) for name in ("word_bias", "context_bias")]
        self._cost, self._done = float(state["optimizer.cost"][0]), int(state["optimizer.cost"][1])
        self._fixed = None

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown(cancel_futures=True)

    def _placed(self, counts: Cooccurrences) -> list[tuple[slice, Any, int, Floats]]:
        """Rows, tensors, pairs and masses of each block."""

        def place(number: int) -> tuple[slice, Any, int, Floats]:
            block = make_block(counts, number, self._config.x_max, self._config.alpha)
            rows = slice(block.begin, block.end)
            with self._device.scope():
                return rows, self._kernel.place(block), block.pairs, block.mass[: block.end - block.begin]

        return list(self._pool.map(place, range(blocks_of(len(counts)))))

    def _solve(self, half: int, fixed: Fixed, block: tuple[slice, Any, int, Floats]) -> float:
        rows, tensors, _, _ = block
        table, bias = self._tables[half], self._biases[half]
        with self._device.scope():
            table[rows], bias[rows], cost = self._kernel.solve(table[rows], bias[rows], fixed, tensors)
        return cost

    def _initial(self, counts: Cooccurrences) -> tuple[list[Floats], list[Floats]]:
        """Words' vectors 0, contexts' vectors random, and the biases that alone fit the counts best."""
        config = self._config
        rng = np.random.default_rng([config.seed, 3])
        shape = len(counts), config.vector_size
        contexts = rng.random(shape, dtype=np.float32) - np.float32(0.5)
        contexts *= np.float32(SPREAD * np.sqrt(10 / config.vector_size))
        return [np.zeros(shape, np.float32), contexts], fitted_biases(counts, config)


def fitted_biases(counts: Cooccurrences, config: GloVeConfig) -> list[Floats]:
    """b and b' that minimise Σ f (b_i + b'_j - log X_ij)², by turns; each of shape (vocabulary,)."""
    from scipy.sparse import csr_matrix

    words = len(counts)
    f = np.empty(counts.pairs, np.float32)
    sides, begin = [np.zeros(words), np.zeros(words)], 0
    for rows, columns, values in counts.entries():
        part = f[begin : begin + len(values)]
        part[:] = weights(values, config.x_max, config.alpha)
        weighted = part * np.log(values)
        sides[0] += np.bincount(rows, weighted, minlength=words)
        sides[1] += np.bincount(columns, weighted, minlength=words)
        begin += len(values)
    matrix = csr_matrix((f, counts.columns, counts.offsets), shape=(words, words))
    ones, biases = np.ones(words), [np.zeros(words), np.zeros(words)]
    for _ in range(BIAS_SWEEPS):
        for own, turned in enumerate((matrix, matrix.T)):
            mass = np.maximum(np.asarray(turned @ ones), np.finfo(np.float64).tiny)
            biases[own] = (sides[own] - np.asarray(turned @ biases[1 - own])) / mass
    return [bias.astype(np.float32) for bias in biases]
