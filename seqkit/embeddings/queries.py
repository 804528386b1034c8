"""Questions to word vectors, answered by gensim behind checks of our own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit.embeddings.neighbours import lengths_of
from seqkit.errors import UsageError
from seqkit.text.vocabulary import Vocabulary

if TYPE_CHECKING:
    from gensim.models import KeyedVectors


def keyed_vectors(vocabulary: Vocabulary, matrix: npt.NDArray[np.float32]) -> KeyedVectors:
    """A gensim KeyedVectors over a matrix, which is not copied.

    Args:
        vocabulary: the words.
        matrix: (vocabulary, vector_size).

    Returns:
        Keyed vectors; a zero vector is at similarity 0 to everything, where gensim alone gives NaN.
    """
    from gensim.models import KeyedVectors

    keyed = KeyedVectors(matrix.shape[1], 0)
    keyed.index_to_key = list(vocabulary.words)
    keyed.key_to_index = {word: index for index, word in enumerate(vocabulary.words)}
    keyed.vectors = matrix
    keyed.next_index = len(vocabulary)
    norms = lengths_of(matrix)
    keyed.norms = np.where(norms > 0, norms, np.float32(1))
    if vocabulary.counts.any():
        keyed.expandos["count"] = np.array(vocabulary.counts, np.int64)
    return keyed


def similarity(keyed: KeyedVectors, vocabulary: Vocabulary, a: str, b: str) -> float:
    """The cosine of the angle between the vectors of two words.

    Args:
        keyed: made by `keyed_vectors`.
        vocabulary: its words.
        a: a word.
        b: another one, or the same.

    Raises:
        UnknownWordError: a word outside the vocabulary.
    """
    rows = [vocabulary[word] for word in (a, b)]
    first, second = keyed.vectors[rows] / keyed.norms[rows][:, None]
    return float(np.clip(first @ second, -1, 1))


def most_similar(
    keyed: KeyedVectors, vocabulary: Vocabulary, positive: Sequence[str], negative: Sequence[str], n: int
) -> list[tuple[str, float]]:
    """The words nearest to the mean of some unit vectors minus others.

    Args:
        keyed: made by `keyed_vectors`.
        vocabulary: its words.
        positive: words to be near to.
        negative: words to be far from.
        n: how many to return.

    Returns:
        Words and their cosine similarities, best first; none of those asked for.

    Raises:
        UnknownWordError: a word outside the vocabulary.
        UsageError: no word, or n below 1.
    """
    if not positive:
        raise UsageError("give at least one word")
    if n < 1:
        raise UsageError(f"n is {n}; it must be at least 1")
    for word in [*positive, *negative]:
        vocabulary[word]
    answers = keyed.most_similar(positive=list(positive), negative=list(negative), topn=n)
    return [(word, float(np.clip(similarity, -1, 1))) for word, similarity in answers]


def odd_one_out(keyed: KeyedVectors, vocabulary: Vocabulary, words: Sequence[str]) -> str:
    """The word farthest from the mean of the words' unit vectors.

    Args:
        keyed: made by `keyed_vectors`.
        vocabulary: its words.
        words: at least three distinct ones.

    Raises:
        UnknownWordError: a word outside the vocabulary.
        UsageError: fewer than three distinct words.
    """
    distinct = list(dict.fromkeys(words))
    if len(distinct) < 3:
        raise UsageError(
            f"give at least three distinct words, not {len(distinct)}: one of two is not the odd one"
        )
    for word in distinct:
        vocabulary[word]
    return str(keyed.doesnt_match(distinct))
