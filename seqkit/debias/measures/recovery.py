"""Can the bias be recovered from vectors that are said to have lost it?

Gonen and Goldberg 2019, "Lipstick on a Pig: Debiasing Methods Cover up Systematic Gender Biases in Word
Embeddings But do not Remove Them" (NAACL, arXiv:1903.03862), §4. Words are chosen and labelled by the
original vectors; what is asked is whether the vectors under test still tell the labels, whatever they lost.

Classes are sides of the bias, each with an axis that points to it: of two classes g and -g, with g = he - she
as in the paper, or the mean of several such differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from seqkit.debias.double_hard import found_by_clusters
from seqkit.debias.measures import weighted
from seqkit.debias.measures.intervals import Figure, bootstrap, mean_figure
from seqkit.debias.measures.lookup import known_words, unit_rows_of
from seqkit.embeddings.neighbours import nearest_rows, unit_rows
from seqkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

_BLOCK = 50_000
_LEAST = 5
"""Words of each class without which nothing is learned."""
_TRAINED = 0.2


@dataclass(frozen=True)
class MostBiased:
    """Words on the far ends of the bias, by the original vectors.

    Args:
        words: `per_class` of the first class, then of the next, the most biased first.
        labels: the class of each, from 0.
    """

    words: tuple[str, ...]
    labels: Ids

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.labels.max()) + 1


def projections(vectors: Vectors, words: Sequence[str], axes: Array) -> Array:
    """Cosines of known words with the axes, (words, classes), block by block."""
    towards = unit_rows(axes.astype(np.float32))
    ids = np.array([vectors.vocabulary[word] for word in words], np.int64)
    blocks = (ids[start : start + _BLOCK] for start in range(0, len(ids), _BLOCK))
    return np.concatenate([unit_rows(vectors.matrix[block]) @ towards.T for block in blocks]).astype(
        np.float64
    )


def most_biased(vectors: Vectors, candidates: Sequence[str], axes: Array, per_class: int) -> MostBiased:
    """The words nearest to each axis, of those that are nearer to it than to the others.

    Source: Gonen and Goldberg 2019, §4, "Male- and female-biased words cluster together".

    Args:
        vectors: the ORIGINAL vectors.
        candidates: words that should be neutral; unknown ones are left out.
        axes: (classes, vector_size), of the original vectors, of any lengths.
        per_class: how many of each class, at least 5; the paper has 500 to cluster and 2,500 to classify. Of
            small vocabularies it is half of the side with the fewest words, so that the less biased stay out.

    Raises:
        DataError: some class has fewer than ten candidates on its side.
        UsageError: per_class below 5.
    """
    if per_class < _LEAST:
        raise UsageError(f"per_class is {per_class}; it must be at least {_LEAST}")
    known = known_words(vectors, candidates, "candidates")
    cosines = projections(vectors, known, axes)
    nearest, side = cosines.max(axis=1), cosines.argmax(axis=1)
    sides = [np.flatnonzero((side == number) & (nearest > 0)) for number in range(len(axes))]
    for number, mine in enumerate(sides):
        if len(mine) < 2 * _LEAST:
            raise DataError(
                f"{len(mine)} of {len(known)} candidates are on the side of class {number}, counted from 0; "
                f"at least {2 * _LEAST} must be"
            )
    per_class = min(per_class, *(len(mine) // 2 for mine in sides))
    orders = (mine[np.argsort(-nearest[mine], kind="stable")[:per_class]] for mine in sides)
    chosen = np.concatenate(list(orders)).tolist()
    return MostBiased(tuple(known[index] for index in chosen), np.repeat(np.arange(len(axes)), per_class))


def cluster_accuracy(vectors: Vectors, chosen: MostBiased, *, seed: int = 0) -> Figure:
    """How well k-means finds the classes, without having been told of them.

    Unit vectors, as many clusters as classes, the best of ten starts; clusters are matched to classes so that
    most words agree. The interval is over the words, given the clusters.

    Source: Gonen and Goldberg 2019, §4, "Male- and female-biased words cluster together".

    Args:
        vectors: the vectors under test, which have all the words.
        chosen: by the original vectors.
        seed: of the starts and of the interval.

    Returns:
        1, the classes are the clusters; chance is 1/classes, and a little above it for few words.

    Raises:
        DataError: a word without a vector; fewer distinct vectors than classes.
    """
    unit = unit_rows_of(vectors, chosen.words, "most biased words", least=len(chosen.words))
    distinct = len(np.unique(unit, axis=0))
    if distinct < chosen.classes:
        raise DataError(f"the most biased words have {distinct} distinct vectors; no clusters")
    return _accuracy(found_by_clusters(unit, chosen.labels, seed), seed)


def classifier_accuracy(
    vectors: Vectors, chosen: MostBiased, *, linear: bool = False, seed: int = 0
) -> Figure:
    """How well a classifier tells the classes of words that it was not trained on.

    A support vector machine with radial kernel on unit vectors, or logistic regression, scikit-learn's with
    their defaults; a fifth of the words of each class, drawn by chance, is trained on. The interval is over
    the words tested, given the classifier.

    Source: Gonen and Goldberg 2019, §4, "Classifying previously female- and male-biased words", with 1,000 of
    5,000 words trained on.

    Args:
        vectors: the vectors under test, which have all the words.
        chosen: by the original vectors.
        linear: logistic regression instead of the radial kernel: what a linear method must hide.
        seed: of the choice and of the interval.

    Returns:
        1, told without error; chance is 1/classes.

    Raises:
        DataError: a word without a vector.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC
    from threadpoolctl import threadpool_limits

    unit = unit_rows_of(vectors, chosen.words, "most biased words", least=len(chosen.words))
    per_class = len(chosen.words) // chosen.classes
    trained = round(_TRAINED * per_class)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(per_class), (chosen.classes, 1)), axis=1)
    order += per_class * np.arange(chosen.classes)[:, None]
    inside, outside = order[:, :trained].ravel(), order[:, trained:].ravel()
    model = LogisticRegression(max_iter=1000) if linear else SVC(kernel="rbf")
    with threadpool_limits(1):  # sums in one order on any number of cores; products this small gain nothing
        found = model.fit(unit[inside], chosen.labels[inside]).predict(unit[outside])
    return _accuracy(found == chosen.labels[outside], seed)


def neighbour_correlation(
    vectors: Vectors,
    original: Vectors,
    professions: Sequence[str],
    candidates: Sequence[str],
    axes: Array,
    *,
    k: int = 100,
    seed: int = 0,
) -> Figure:
    """Does the company of a profession still tell its bias?

    Over professions, Pearson's correlation of the original cosine with a class's axis and the share of the k
    nearest candidates, in the vectors under test, that are on this class's side by the original vectors; the
    mean over classes, which of two are equal.

    Source: Gonen and Goldberg 2019, §4, "Professions", with 100 neighbours among the vocabulary.

    Args:
        vectors: the vectors under test.
        original: the original vectors.
        professions: at least three with a vector in both.
        candidates: words that may be neighbours, as the professions may; unknown ones are left out.
        axes: (classes, vector_size), of the original vectors, of any lengths.
        k: neighbours, at least 1 and fewer than there are candidates.
        seed: of the interval.

    Returns:
        1, neighbours tell all of the original bias; 0, nothing.

    Raises:
        DataError: too few professions or candidates; no differences to correlate.
        UsageError: k out of range.
    """
    asked = known_words(vectors, [word for word in professions if word in original], "professions", least=3)
    pool = known_words(vectors, [word for word in candidates if word in original], "candidates")
    words = list(dict.fromkeys([*pool, *asked]))
    if not 1 <= k < len(words):
        raise UsageError(f"k is {k}; it must be at least 1 and below the {len(words):,} candidates")
    bias = projections(original, words, axes)
    side = bias.argmax(axis=1)
    at = {word: index for index, word in enumerate(words)}
    queries = np.array([at[word] for word in asked])
    near = nearest_rows(unit_rows(vectors.matrix[[vectors.vocabulary[word] for word in words]]), queries, k)
    parts = [(bias[queries, number], (side[near] == number).mean(axis=1)) for number in range(len(axes))]

    def correlation(weights: Array) -> Array:
        classes: Array = np.mean([weighted.correlation(weights, *part) for part in parts], axis=0)
        return classes

    return bootstrap(correlation, len(asked), seed=seed)


def _accuracy(correct: npt.NDArray[np.bool_], seed: int) -> Figure:
    return mean_figure(correct.astype(np.float64), seed=seed)
