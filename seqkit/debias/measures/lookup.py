"""From word lists to unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]

_SHOWN = 5
"""Missing words that an error names."""


def known_words(vectors: Vectors, words: Sequence[str], name: str, *, least: int = 1) -> list[str]:
    """The words of a list that have a vector, each once.

    Args:
        vectors: the vectors.
        words: the list.
        name: what errors call it, "attributes_a".
        least: how many of the words are needed.

    Raises:
        DataError: fewer than `least` of the words have a vector.
    """
    distinct = list(dict.fromkeys(words))
    known = [word for word in distinct if word in vectors]
    if len(known) < least:
        missing = [word for word in distinct if word not in vectors]
        more = ", …" if len(missing) > _SHOWN else ""
        named = f"; missing: {', '.join(missing[:_SHOWN])}{more}" if missing else ""
        raise DataError(
            f"{name}: {len(known)} of {len(distinct)} words have a vector, at least {least} must{named}"
        )
    return known


def rows_of(vectors: Vectors, words: Sequence[str]) -> Array:
    """The vectors of known words, (words, vector_size) in float64.

    Raises:
        UnknownWordError: a word without a vector.
    """
    return vectors.matrix[[vectors.vocabulary[word] for word in words]].astype(np.float64)


def unit_rows_of(vectors: Vectors, words: Sequence[str], name: str, *, least: int = 1) -> Array:
    """The vectors of a list's known words at length 1, (words, vector_size) in float64.

    Raises:
        DataError: fewer than `least` of the words have a vector; a vector is zero, which has no direction.
    """
    known = known_words(vectors, words, name, least=least)
    rows = rows_of(vectors, known)
    norms: Array = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        word = known[int(np.flatnonzero(norms == 0)[0])]
        raise DataError(f"{name}: the vector of {word!r} is zero, so it has no direction; leave the word out")
    return rows / norms


def frequent_words(vectors: Vectors, n: int) -> list[str]:
    """The first `n` words of the vocabulary that consist of letters: names and marks are no candidates.

    Words of several parts, `new_york`, count as letters.
    """
    letters = (word for word in vectors.words[:n] if word.replace("_", "").isalpha())
    return list(letters)
