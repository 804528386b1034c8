r"""Hard debiasing: neutral words lose the bias, the words of an equalize set keep nothing else that differs.

Bolukbasi et al. 2016, "Man is to Computer Programmer as Woman is to Homemaker?", arXiv:1607.06520, section 6.
On unit vectors, with w_B the projection of w onto the bias subspace B:

    neutralize    w := (w − w_B) / ‖w − w_B‖                              for every neutral word w
    equalize      μ := mean of E,  ν := μ − μ_B                           for every equalize set E
                  w := ν + √(1 − ‖ν‖²) · (w_B − μ_B) / ‖w_B − μ_B‖        for w ∈ E

What holds afterwards, and is tested:

- the projection of a neutral word is 0 to 1e-6 of its length;
- n · w is the same for all w of a set E and any neutral n: they are equally near;
- every word has the length it had, words of a set E the mean length of the set: unit vectors stay that;
- words that are neither neutral nor in an equalize set keep every bit;
- with the same subspace again, nothing changes (to roundings): always for the neutral words, and for equalize
  sets that are pairs, or where the subspace is a line. A set of three in a plane is turned once more, because
  there the unit vectors (w_B − μ_B)/‖w_B − μ_B‖ do not add up to 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from seqkit.debias.directions import SubspaceConfig
from seqkit.debias.task import Array, Matrix, Removal, Rows, Task, side_by_side, to_unit

_NOTHING = 1e-5
"""What is left of a float32 unit vector that lies in the subspace is shorter than this, and is rounding."""
_SMALL = 1e-30
"""Squares below this, and above its inverse, may have lost digits in float32."""


@dataclass(frozen=True, kw_only=True)
class HardConfig(SubspaceConfig):
    """Settings of `hard`: those of the subspace."""


def neutralize(rows: Rows, basis: Array, out: Rows | None = None) -> Rows:
    """Vectors without their part in a subspace, at the lengths they had.

        w := ‖w‖ (w − w_B) / ‖w − w_B‖,   with ‖w − w_B‖² = ‖w‖² − ‖w_B‖² wherever that is no small difference

    Args:
        rows: (words, vector_size), of any precision.
        basis: (k, vector_size), orthonormal rows.
        out: for the result; may be `rows`; None for new memory.

    Returns:
        (words, vector_size); a row that lay in the subspace is 0.
    """
    axes = basis.astype(rows.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        squares, along = np.einsum("ij,ij->i", rows, rows), rows @ axes.T
        rest = squares - np.einsum("ij,ij->i", along, along)
        clear = (rest > 0.75 * squares) & (squares > _SMALL) & (squares < 1 / _SMALL)
    unclear = np.flatnonzero(~clear)
    slowly = _neutralize_slowly(rows[unclear].astype(np.float64), basis)
    scales = np.sqrt(np.divide(squares, rest, out=np.zeros_like(squares), where=clear))[:, None]
    along *= scales
    result: Rows = np.multiply(rows, scales, out=out)
    for column, axis in zip(along.T, axes, strict=True):
        result -= column[:, None] * axis  # twice as fast as a product of matrices, for so few axes
    result[unclear] = slowly
    return result


def _neutralize_slowly(rows: Array, basis: Array) -> Array:
    """The same by the formula: for rows that lose much, or are too short or too long to be squared."""
    longest = np.abs(rows).max(axis=1, initial=0, keepdims=True)
    rows /= np.where(longest > 0, longest, 1)
    unit, lengths = to_unit(rows)
    for _ in range(2):  # the second time for what rounding has left
        unit -= (unit @ basis.T) @ basis
    rest, left = to_unit(unit)
    rest[left[:, 0] < _NOTHING] = 0
    result: Array = rest * (lengths * longest)
    return result


def equalize(unit: Array, basis: Array) -> Array | None:
    """The words of an equalize set, equal but for their part in a subspace.

    Args:
        unit: (words, vector_size), rows of length 1.
        basis: (k, vector_size), orthonormal rows.

    Returns:
        (words, vector_size), rows of length 1; None where a word has the mean's projection, so that nothing
        says to which side it belongs.
    """
    mean = unit.mean(axis=0)
    mean_b = (mean @ basis.T) @ basis
    nu = mean - mean_b
    apart = (unit @ basis.T) @ basis - mean_b
    lengths = np.linalg.norm(apart, axis=1, keepdims=True)
    if lengths.min() < _NOTHING:
        return None
    result: Array = nu + np.sqrt(max(0.0, 1 - float(nu @ nu))) * apart / lengths
    return result


def hard(task: Task, config: HardConfig) -> Removal:
    """Neutralizes and equalizes.

    Args:
        task: the vectors and the subspace.
        config: not used beyond what made the subspace.

    Returns:
        The vectors; `details` has how many words were neutralized, which of them are zero vectors (they were,
        or lay in the subspace), the equalized sets, and those skipped with the reason.
    """
    matrix = np.empty_like(task.matrix)
    details = neutralize_and_equalize(task, task.matrix, matrix)
    return Removal(matrix, details)


def neutralize_and_equalize(task: Task, matrix: Matrix, out: Matrix) -> dict[str, Any]:
    """Hard debiasing of a matrix that need not be the task's.

    Args:
        task: which words, and the subspace.
        matrix: (vocabulary, vector_size).
        out: for the result; may be `matrix`.

    Returns:
        What was done, as JSON.
    """
    basis, words = task.subspace.basis, task.vectors.words
    before = [(ids, *to_unit(matrix[ids].astype(np.float64))) for ids in task.equalize]

    def work(part: slice) -> None:
        mask, rows, place = task.neutral[part], matrix[part], out[part]
        if mask.all():
            neutralize(rows, basis, place)
            return
        if out is not matrix:
            place[...] = rows
        place[mask] = neutralize(rows[mask], basis)

    side_by_side(work, len(matrix))
    equalized, skipped = [], []
    for ids, unit, lengths in before:
        names = [words[index] for index in ids.tolist()]
        changed = equalize(unit, basis) if lengths.all() else None
        if changed is None:
            reason = "do not differ in the direction of the bias" if lengths.all() else "a zero vector"
            skipped.append({"words": names, "reason": reason})
        else:
            out[ids] = changed * lengths.mean()
            equalized.append(names)
    zero = np.flatnonzero(task.neutral & (out[:, 0] == 0))
    zero = zero[~out[zero].any(axis=1)]
    return {
        "neutralized": int(task.neutral.sum()),
        "zero": [words[index] for index in zero.tolist()],
        "equalized": equalized,
        "skipped": skipped,
    }
