"""The two random choices of word2vec that depend on counts: which occurrences stay, which words are noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def keep_probabilities(counts: NDArray[np.int64], sample: float) -> NDArray[np.float32]:
    """The probability that an occurrence of each word survives sub-sampling.

    p(w) = min(1, √(t/f) + t/f) with f the relative frequency of w: the formula of word2vec.c, which differs
    from the 1 - √(t/f) of the paper (Mikolov et al. 2013, NeurIPS, section 2.3) and is what everybody uses.

    Args:
        counts: of each word, shape (vocabulary,).
        sample: t; 0 keeps everything.

    Returns:
        Probabilities, shape (vocabulary,).
    """
    if sample == 0:
        return np.ones(len(counts), np.float32)
    ratio = sample * counts.sum() / np.maximum(counts, 1)
    return np.asarray(np.minimum(1, np.sqrt(ratio) + ratio), np.float32)


class AliasTable:
    """Draws from a fixed discrete distribution in constant time (Walker 1977; Vose 1991).

    Args:
        weights: non-negative, not all zero, shape (n,); probabilities are weights / sum.
    """

    def __init__(self, weights: NDArray[np.float64]) -> None:
        n = len(weights)
        share = weights * (n / weights.sum())  # 1 is a cell's worth
        self.alias = np.arange(n, dtype=np.int32)
        self.threshold = np.ones(n, np.float32)
        small, large = (np.flatnonzero(cells).tolist() for cells in (share < 1, share >= 1))
        left = share.tolist()
        while small and large:
            cell, donor = small.pop(), large[-1]
            self.threshold[cell], self.alias[cell] = left[cell], donor
            left[donor] -= 1 - left[cell]
            if left[donor] < 1:
                small.append(large.pop())

    def stratified(self, rng: np.random.Generator, rows: int, draws: int) -> NDArray[np.int32]:
        """Draws in strata: the unit interval is cut into `draws` equal parts, one draw falls into each.

        Each draw of a row has another distribution, their mixture is exactly the table's: a sum over a row
        has the expectation of independent draws and less variance (Cochran 1977, chapter 5).

        Args:
            rng: the source of randomness.
            rows: rows of draws.
            draws: draws a row.

        Returns:
            Indices, shape (rows, draws).
        """
        n = len(self.alias)
        position = (np.arange(draws) + rng.random((rows, draws))) * (n / draws)
        cell = np.minimum(position.astype(np.int32), n - 1)
        return np.where(position - cell < self.threshold[cell], cell, self.alias[cell])
