"""The continuous cache: words that a text had lately are likelier (Grave et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit._settings import check_numbers
from seqkit.errors import UsageError

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class CacheConfig:
    """How much the cache counts.

    Args:
        size: tokens that it holds, at least 1.
        flatness: θ, how much more those count before which the network was in a similar state; 0 to 100.
        share: λ, of the cache in the probability; above 0 and below 1.
    """

    size: int = 500
    flatness: float = 0.3
    share: float = 0.1

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.size < 1 or not 0 <= self.flatness <= 100 or not 0 < self.share < 1:
            raise UsageError(
                f"a cache needs size {self.size} >= 1, flatness {self.flatness} in 0..100, "
                f"share {self.share} above 0 and below 1"
            )


class Cache:
    """The last tokens of a text, and the states h⟨i⟩ after which they came.

        P(w) = (1 - λ) ŷ_w + λ Σ_i [x⟨i+1⟩ = w] exp(θ h⟨t⟩·h⟨i⟩) / Σ_i exp(θ h⟨t⟩·h⟨i⟩)

    With nothing in the cache, P = ŷ (Grave et al. 2017, "Improving neural language models with a continuous
    cache", section 3).

    Args:
        config: how much it counts.
    """

    def __init__(self, config: CacheConfig) -> None:
        self._config = config
        self._hidden: Floats | None = None
        self._tokens = np.empty(0, np.int32)

    def surprisals(self, targets: NDArray[np.int32], surprisal: Floats, hidden: Floats) -> Floats:
        """-ln P of each target, after which it is in the cache.

        Args:
            targets: the next tokens of the text, (time,).
            surprisal: -ln ŷ of them, (time,).
            hidden: the states before them, (time, size).
        """
        old = hidden[:0] if self._hidden is None else self._hidden
        states, tokens = np.concatenate([old, hidden]), np.concatenate([self._tokens, targets])
        place = len(old) + np.arange(len(targets))[:, None]
        other = np.arange(len(states))[None, :]
        within = (other < place) & (other >= place - self._config.size)
        scores = np.where(within, self._config.flatness * (hidden @ states.T), -np.inf)
        weights = np.exp(scores - np.max(scores, axis=1, keepdims=True, initial=-1e30))
        total = weights.sum(axis=1)
        same = np.where(tokens[None, :] == targets[:, None], weights, 0).sum(axis=1)
        cached = np.divide(same, total, out=np.zeros_like(total), where=total > 0)
        share = np.where(total > 0, self._config.share, 0)
        self._hidden, self._tokens = states[-self._config.size :], tokens[-self._config.size :]
        with np.errstate(divide="ignore"):  # what is not cached has the logarithm -∞
            found: Floats = -np.logaddexp(np.log1p(-share) - surprisal, np.log(share * cached))
        return found

    def over(self, pieces: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        """Pieces of one text, as of `Scorer.pieces`, with the cache's surprisals."""
        for targets, piece in pieces:
            known = targets[0] >= 0
            found = np.zeros_like(targets, np.float32)
            found[0, known] = self.surprisals(
                targets[0, known], np.asarray(piece.surprisal)[0, known], np.asarray(piece.hidden)[0, known]
            )
            yield targets, piece._replace(surprisal=found)
