"""Counts made of full matrices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.text.vocabulary import Vocabulary

Counted = Callable[[np.ndarray], Cooccurrences]


@pytest.fixture(scope="session")
def counted() -> Counted:
    """Makes counts of a square matrix, whose words are w0, w1, …"""

    def make(matrix: np.ndarray) -> Cooccurrences:
        rows, columns = np.nonzero(matrix)
        words = len(matrix)
        return Cooccurrences(
            Vocabulary(tuple(f"w{number}" for number in range(words)), np.ones(words, np.int64)),
            offsets=np.append(0, np.cumsum(np.bincount(rows, minlength=words))),
            columns=columns.astype(np.int32),
            values=(values := matrix[rows, columns].astype(np.float32)),
            total=float(values.sum()),
        )

    return make
