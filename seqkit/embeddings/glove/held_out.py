"""Pairs that GloVe does not train on, to see how well it foretells them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.glove.layout import weights
from seqkit.errors import CorpusError
from seqkit.text.splitting import GOLDEN, uniform

Floats = NDArray[np.float32]
PART = 1 << 20
"""Pairs that are scored at a time."""


@dataclass(frozen=True, eq=False)
class HeldOutPairs:
    """Some pairs: words, contexts, log X and f(X), each of shape (pairs,)."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    logs: Floats
    weights: Floats

    def loss(self, words: Floats, contexts: Floats, word_bias: Floats, context_bias: Floats) -> float:
        """½ f(X) (θ·e + b + b' - log X)², the mean over the pairs."""
        total = 0.0
        for begin in range(0, len(self.rows), PART):
            i, j = self.rows[begin : begin + PART], self.columns[begin : begin + PART]
            scores = np.einsum("pd,pd->p", words[i], contexts[j]) + word_bias[i] + context_bias[j]
            differences = (scores - self.logs[begin : begin + PART]).astype(np.float64)
            total += 0.5 * float(self.weights[begin : begin + PART] @ differences**2)
        return total / len(self.rows)


def hold_out(
    counts: Cooccurrences, fraction: float, config: GloVeConfig
) -> tuple[Cooccurrences, HeldOutPairs]:
    """Divides pairs: (i, j) and (j, i) go the same way, or one would give the other away.

    Args:
        counts: X.
        fraction: of the pairs to hold out, above 0 and below 1.
        config: weights and seed.

    Raises:
        CorpusError: too few pairs to hold out any, or to keep any.
    """
    kept_columns, kept_values, parts = [], [], []
    lengths = np.zeros(len(counts), np.int64)
    for rows, columns, values in counts.entries():
        out = _draw(np.minimum(rows, columns), np.maximum(rows, columns), config.seed) < fraction
        lengths += np.bincount(rows[~out], minlength=len(counts))
        kept_columns.append(columns[~out])
        kept_values.append(values[~out])
        parts.append((rows[out], columns[out], values[out]))
    i, j, x = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if not len(i) or not lengths.any():
        raise CorpusError(
            f"{fraction:g} of {counts.pairs:,} pairs cannot be held out: take another share (--validation)"
        )
    kept = replace(
        counts,
        offsets=np.append(0, np.cumsum(lengths)),
        columns=np.concatenate(kept_columns),
        values=np.concatenate(kept_values),
    )
    return kept, HeldOutPairs(
        i.astype(np.int32), j.astype(np.int32), np.log(x), weights(x, config.x_max, config.alpha)
    )


def _draw(low: NDArray[np.int64], high: NDArray[np.int64], seed: int) -> NDArray[np.float64]:
    """Uniform on [0, 1), a function of a pair and the seed."""
    pairs = low.astype(np.uint64) << np.uint64(32) | high.astype(np.uint64)
    return uniform(pairs + np.uint64((seed + 1) * GOLDEN % 2**64))
