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
from seqkit.debias.task import Array, Matrix, Removal, Rows, Task, to_unit, transform

_NOTHING = 1e-5
"""What is left of a float32 unit vector that lies in the subspace is shorter than this, and is rounding."""


@dataclass(frozen=True, kw_only=True)
class HardConfig(SubspaceConfig):
    """Settings of `hard`: those of the subspace."""


def neutralize(unit: Rows, basis: Array) -> Rows:
    """Unit vectors without their part in a subspace, at length 1 again.

    Args:
        unit: (words, vector_size), rows of length 1 or 0, of any precision; overwritten.
        basis: (k, vector_size), orthonormal rows.

    Returns:
        (words, vector_size); a row that lay in the subspace is 0.
    """
    axes = basis.astype(unit.dtype)
    for _ in range(2):  # the second time for what rounding has left
        unit -= (unit @ axes.T) @ axes
    rest, lengths = to_unit(unit)
    rest[lengths[:, 0] < _NOTHING] = 0
    return rest


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
    transform(matrix, task.neutral, lambda unit: neutralize(unit, basis), out, np.float32)
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
