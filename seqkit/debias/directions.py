r"""The direction of a bias, or its subspace, from definitional tuples.

With unit vectors and D_1, D_2, … the tuples ("she", "he"), ("woman", "man"), …, μ_i the mean of D_i:

    svd     the k leading right singular vectors of the rows  w − μ_i  for w ∈ D_i, all i
            (Bolukbasi et al. 2016, "Man is to Computer Programmer as Woman is to Homemaker?", section 5,
            step 1; for tuples of more than two words Manzini et al. 2019, "Black is to Criminal …", section 3)
    mean    the mean over i of  w_i1 − w_i2,  at length 1; of pairs only
            (the average that Dev and Phillips 2019, "Attenuating Bias in Word Vectors", section 2, compare)

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
        tuples: of one length, classes in the same order; those with an unknown word are left out
            (`WordSets.known_to` finds the spellings).
        config: how it is found.

    Returns:
        The subspace; it does not depend on the vectors' lengths.

    Raises:
        DataError: fewer than two tuples are in the vocabulary; a word with a zero vector; tuples whose words
            do not differ, or whose differences cancel out.
        UsageError: tuples of several lengths; more components than the tuples allow; a mean of more than
            pairs.
    """
    config = config or SubspaceConfig()
    known = _known(vectors, tuples)
    rows = _unit_rows(vectors, [word for words in known for word in words])
    rows = rows.reshape(len(known), len(known[0]), -1)  # (tuples, words of each, vector_size)
    centred = rows - rows.mean(axis=1, keepdims=True)
    total = float((centred**2).sum())
    if total <= _EPSILON**2 * len(centred):
        raise DataError(
            f"the words of each tuple have the same vector ({' = '.join(known[0])}, …): there is no direction"
        )
    classes = centred.mean(axis=0)
    flat = centred.reshape(-1, centred.shape[-1])
    basis = _mean(centred) if config.direction == "mean" else _svd(flat, centred.shape[:2], config.components)
    signs = np.where(basis @ classes[0] < 0, -1.0, 1.0)
    shares = ((flat @ basis.T) ** 2).sum(axis=0) / total
    return Subspace(basis * signs[:, None], tuple(np.minimum(shares, 1).tolist()), known, classes)


def _known(vectors: Vectors, tuples: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    if len({len(words) for words in tuples}) > 1:
        raise UsageError("definitional tuples must all have as many words")
    known = tuple(tuple(words) for words in tuples if all(word in vectors for word in words))
    if len(known) < MIN_TUPLES:
        missing = [word for words in tuples for word in words if word not in vectors]
        lacking = f"; not in it: {', '.join(dict.fromkeys(missing[:5]))}" if missing else ""
        raise DataError(
            f"{len(known)} of {len(tuples)} definitional pairs are in the vocabulary, a direction needs "
            f"{MIN_TUPLES} at least{lacking}"
        )
    return known


def _unit_rows(vectors: Vectors, words: Sequence[str]) -> Array:
    rows = vectors.matrix[[vectors.vocabulary[word] for word in words]].astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    if not norms.all():
        word = words[int(norms.argmin())]
        raise DataError(f"the vector of {word!r} is zero; a definitional word needs one: leave its pair out")
    unit: Array = rows / norms
    return unit


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


def _svd(rows: Array, shape: tuple[int, ...], components: int | None) -> Array:
    """The leading right singular vectors, (components, vector_size)."""
    _, scales, axes = np.linalg.svd(rows, full_matrices=False)
    rank = int((scales > _EPSILON * scales[0]).sum())
    wanted = min(shape[1] - 1, rank) if components is None else components
    if wanted > rank:
        raise UsageError(
            f"components must be at most {rank}, what {shape[0]} tuples of {shape[1]} words span, not {wanted}"
        )
    return np.asarray(axes[:wanted])
