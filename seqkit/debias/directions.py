r"""The direction of a bias, or its subspace, from definitional tuples.

With unit vectors and D_1, D_2, … the tuples ("she", "he"), ("woman", "man"), …, μ_i the mean of D_i:

    svd     the k leading right singular vectors of the rows  w − μ_i  for w ∈ D_i, all i
            (Bolukbasi et al. 2016, "Man is to Computer Programmer as Woman is to Homemaker?",
            arXiv:1607.06520, section 6, step 1; for tuples of more than two words Manzini et al. 2019,
            "Black is to Criminal as Caucasian is to Police", arXiv:1904.04047)
    mean    the mean over i of  w_i1 − w_i2,  at length 1; of pairs only
            (compared with the first by Dev and Phillips 2019, "Attenuating Bias in Word Vectors")

>>> from seqkit.embeddings.vectors import Vectors
>>> matrix = np.array([[0.6, 0.8, 0], [-0.6, 0.8, 0], [0.8, 0, 0.6], [-0.8, 0, 0.6]], np.float32)
>>> vectors = Vectors(["she", "he", "woman", "man"], matrix)
>>> subspace = bias_subspace(vectors, [("she", "he"), ("woman", "man")])
>>> subspace.basis.round(6).tolist(), subspace.explained_variance
([[1.0, 0.0, 0.0]], (1.0,))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from seqkit._settings import check_numbers
from seqkit.debias.word_sets import first_known
from seqkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]
DirectionKind = Literal["svd", "mean"]
KINDS: tuple[str, ...] = get_args(DirectionKind)

MIN_TUPLES = 2
"""The words of a single pair differ in much besides the bias; what several have in common is the bias."""

_EPSILON = 1e-6
"""Below this share of the largest singular value, differences of float32 vectors are roundings."""


@dataclass(frozen=True, kw_only=True)
class SubspaceConfig:
    """How the bias subspace is found.

    Args:
        direction: "svd" or "mean".
        components: k, the dimensions of the subspace, at least 1; None for one fewer than a tuple has words:
            1 for pairs, 2 for triples. With "mean" it is 1.
    """

    direction: DirectionKind = "svd"
    components: int | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        if self.direction not in KINDS:
            raise UsageError(f"direction must be one of {', '.join(KINDS)}, not {self.direction!r}")
        if self.components is not None and self.components < 1:
            raise UsageError(f"components must be at least 1, not {self.components}")
        if self.direction == "mean" and (self.components or 1) != 1:
            raise UsageError(f"a mean of differences is one direction, not {self.components}; take svd")


@dataclass(frozen=True, eq=False)
class Subspace:
    """A bias subspace.

    Args:
        basis: (k, vector_size), orthonormal rows; each points to where the first words of the tuples lie.
        explained_variance: of each row, the share of the tuples' variance about their means, 0 to 1.
        tuples: the definitional tuples that it was made from.
        classes: (words of a tuple, vector_size): the mean over tuples of w_ij − μ_i, by which class j lies on
            its side of the subspace.
    """

    basis: Array
    explained_variance: tuple[float, ...]
    tuples: tuple[tuple[str, ...], ...]
    classes: Array

    @property
    def components(self) -> int:
        """k, the number of its dimensions."""
        return len(self.basis)


def bias_subspace(
    vectors: Vectors, tuples: Sequence[Sequence[str]], config: SubspaceConfig | None = None
) -> Subspace:
    """The bias subspace of definitional tuples.

    Args:
        vectors: the vectors, of any lengths.
        tuples: of one length, classes in the same order; in the spellings of `WordSets.known_to`, and
            those with an unknown word are left out.
        config: how it is found.

    Returns:
        The subspace; it does not depend on the vectors' lengths.

    Raises:
        DataError: fewer than two tuples are in the vocabulary; a word with a zero vector; tuples whose words
            do not differ, or whose differences cancel out.
        UsageError: tuples of several lengths; more components than the tuples allow; a mean of more than
            pairs.
    """
    known = _known(vectors, tuples)
    words = [word for row in known for word in row]
    rows = vectors.matrix[[vectors.vocabulary[word] for word in words]].astype(np.float64)
    return subspace_of_rows(rows, known, config or SubspaceConfig())


def subspace_of_rows(rows: Array, tuples: tuple[tuple[str, ...], ...], config: SubspaceConfig) -> Subspace:
    """As `bias_subspace`, of vectors that are at hand.

    Args:
        rows: the words of all tuples one after another, (words, vector_size), of any lengths.
        tuples: the words.
        config: how it is found.

    Raises:
        DataError, UsageError: as `bias_subspace`.
    """
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        word = [word for row in tuples for word in row][int(norms.argmin())]
        raise DataError(f"the vector of {word!r} is zero; a definitional word needs one: leave its pair out")
    unit = (rows / norms).reshape(len(tuples), len(tuples[0]), -1)  # (tuples, words of each, vector_size)
    centred = unit - unit.mean(axis=1, keepdims=True)
    total = float((centred**2).sum())
    if total <= _EPSILON**2 * len(centred):
        same = " = ".join(tuples[0])
        raise DataError(f"the words of each tuple have the same vector ({same}, …): there is no direction")
    classes = centred.mean(axis=0)
    basis = _mean(centred) if config.direction == "mean" else _svd(centred, config.components)
    signs = np.where(basis @ classes[0] < 0, -1.0, 1.0)
    shares = ((centred @ basis.T) ** 2).sum(axis=(0, 1)) / total
    return Subspace(basis * signs[:, None], tuple(np.minimum(shares, 1).tolist()), tuples, classes)


def _known(vectors: Vectors, tuples: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    if len({len(words) for words in tuples}) > 1:
        raise UsageError("definitional tuples must all have as many words")
    spelled = [first_known(words, vectors) for words in tuples]
    known = tuple(found for found, words in zip(spelled, tuples, strict=True) if len(found) == len(words))
    if len(known) < MIN_TUPLES:
        missing = [word for words in tuples for word in words if not first_known([word], vectors)]
        lacking = f"; not in it: {', '.join(dict.fromkeys(missing[:5]))}" if missing else ""
        raise DataError(
            f"{len(known)} of {len(tuples)} definitional pairs are in the vocabulary, a direction needs "
            f"{MIN_TUPLES} at least{lacking}"
        )
    return known


def _mean(centred: Array) -> Array:
    """The direction of the mean difference, (1, vector_size)."""
    if centred.shape[1] != 2:
        raise UsageError(f"a mean of differences needs pairs, these tuples have {centred.shape[1]}; take svd")
    mean = centred[:, :1] - centred[:, 1:]
    mean = mean.mean(axis=0)
    norm = float(np.linalg.norm(mean))
    if norm <= _EPSILON:
        raise DataError("the differences of the pairs cancel out: are their words in one order?")
    direction: Array = mean / norm
    return direction


def _svd(centred: Array, components: int | None) -> Array:
    """The leading right singular vectors, (components, vector_size)."""
    tuples, words, size = centred.shape
    _, scales, axes = np.linalg.svd(centred.reshape(-1, size), full_matrices=False)
    rank = int((scales > _EPSILON * scales[0]).sum())
    wanted = min(words - 1, rank) if components is None else components
    if wanted > rank:
        span = f"{tuples} tuples of {words} words span"
        raise UsageError(f"components must be at most {rank}, which is what {span}, not {wanted}")
    return np.asarray(axes[:wanted])
