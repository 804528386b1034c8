r"""Soft debiasing: one linear map for all words that trades the bias for the similarities, by a strength λ.

Bolukbasi et al. 2016, "Man is to Computer Programmer as Woman is to Homemaker?", arXiv:1607.06520, section 6:
with W the unit vectors of all words as columns, N those of the neutral words and B the bias subspace,

    min over T    ‖(TW)ᵀ(TW) − WᵀW‖²_F  +  λ ‖(TN)ᵀ(TB)‖²_F

and every word becomes Tw at length 1. In P = TᵀT ⪰ 0 this is a convex quadratic, and the words enter only
through the matrices G = WWᵀ and G_N = NNᵀ of size vector_size. How it is solved:

1. With Y = G^½ P G^½, M = G^-½ G_N G^-½ and R = G^-½ B it reads  min ‖Y − G‖² + λ tr(RᵀYMYR)  over Y ⪰ 0.
2. Without Y ⪰ 0 its gradient is zero where  Y + λ/2 (M Y RRᵀ + RRᵀ Y M) = G.  Y R, of k columns, solves a
   system of k · vector_size equations, and gives Y: exact, no iterations.
3. That Y is positive semi-definite, and so the answer, where most words are neutral. Where it is not (few
   neutral words and a large λ), the alternating direction method of multipliers (Boyd et al. 2011, section 5)
   goes on from it, each step being 2. with another right side and a projection onto Y ⪰ 0.
4. T is the symmetric root of P = G^-½ Y G^-½, of all T with this TᵀT the nearest to the identity.

What holds, and is tested: λ = 0 changes no bit; ‖(TN)ᵀ(TB)‖ falls as λ grows (at any minimum of f + λg, g
does); the gradient at the answer is 0, or is positive semi-definite and orthogonal to P where P ⪰ 0 holds it
back; for λ → ∞ PB → 0, which removes the subspace.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seqkit.debias.directions import SubspaceConfig
from seqkit.debias.task import Array, Removal, Task, blocks, to_unit, transform
from seqkit.errors import UsageError

_RANGE = 1e-10
"""Eigenvalues of G below this share of the largest belong to directions that no word has."""
_TOLERANCE = 1e-8
_ITERATIONS = 2000
_RELAXATION = 1.6  # Boyd et al. 2011, section 3.4.3


@dataclass(frozen=True, kw_only=True)
class SoftConfig(SubspaceConfig):
    """Settings of `soft`.

    Args:
        strength: λ in units of words / vector_size, the mean eigenvalue of G, so that it means the same for
            any number of words: vectors that point everywhere alike keep 1/(1 + strength) of the bias. At
            least 0; the paper's λ is in the record.
    """

    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.strength >= 0 and math.isfinite(self.strength)):
            raise UsageError(f"strength must be a number from 0 up, not {self.strength}")


@dataclass(frozen=True, eq=False)
class Problem:
    """The problem of soft debiasing in d = vector_size dimensions.

    Args:
        gram: (d, d), G = WWᵀ.
        neutral: (d, d), G_N = NNᵀ, at most G.
        basis: (k, d), Bᵀ: orthonormal rows.
        weight: λ.
    """

    gram: Array
    neutral: Array
    basis: Array
    weight: float

    def objective(self, p: Array) -> float:
        """‖(TW)ᵀ(TW) − WᵀW‖² + λ ‖(TN)ᵀ(TB)‖² for P = TᵀT."""
        change = self.gram @ (p - np.eye(len(p)))
        return float(np.sum(change * change.T)) + self.weight * self.bias(p)

    def bias(self, p: Array) -> float:
        """‖(TN)ᵀ(TB)‖² for P = TᵀT."""
        pb = p @ self.basis.T
        return float(np.sum(pb * (self.neutral @ pb)))

    def gradient(self, p: Array) -> Array:
        """Of the objective, (d, d), symmetric."""
        half = self.neutral @ p @ self.basis.T @ self.basis
        change = p - np.eye(len(p))
        result: Array = 2 * self.gram @ change @ self.gram + self.weight * (half + half.T)
        return result


def solve(problem: Problem) -> tuple[Array, int]:
    """The minimum over positive semi-definite P.

    Args:
        problem: with a basis in the span of the words, which definitional words' is.

    Returns:
        P, (d, d), which is the identity on directions that no word has; and the iterations taken, 0 where the
        solution is exact.
    """
    values, axes = np.linalg.eigh(problem.gram)
    kept = values > _RANGE * values[-1]
    values, axes = values[kept], axes[:, kept]
    root = axes / np.sqrt(values)  # (d, rank): G^-½ in the axes of G
    step = _Quadratic(root.T @ problem.neutral @ root, root.T @ problem.basis.T, problem.weight / 2)
    gram = np.diag(values)
    y, iterations = step.solve(gram, 1.0), 0
    if np.linalg.eigvalsh(y)[0] < -_RANGE * values[-1]:
        y, iterations = _positive(step, gram, y)
    return np.eye(len(problem.gram)) - axes @ axes.T + root @ y @ root.T, iterations


@dataclass(frozen=True, eq=False)
class _Quadratic:
    """Solves  c·Y + h (M Y RRᵀ + RRᵀ Y M) = C  for symmetric Y."""

    m: Array
    r: Array
    h: float

    def solve(self, right: Array, c: float) -> Array:
        return self.solver(c)(right)

    def solver(self, c: float) -> Callable[[Array], Array]:
        """The same for many right sides."""
        from scipy.linalg import lu_factor, lu_solve

        d, k = self.r.shape
        # For Z = YR:  c·Z + h (M Z RᵀR + R Zᵀ M R) = C R, with the columns of Z one after another.
        swapped = np.einsum("il,mj->jilm", self.r, self.m @ self.r).reshape(k * d, k * d)
        system = c * np.eye(k * d) + self.h * (np.kron(self.r.T @ self.r, self.m) + swapped)
        factors = lu_factor(system)

        def solve(right: Array) -> Array:
            z = lu_solve(factors, (right @ self.r).T.reshape(-1)).reshape(k, d).T
            half = self.m @ z @ self.r.T
            result: Array = (right - self.h * (half + half.T)) / c
            return result

        return solve


def _positive(step: _Quadratic, gram: Array, y: Array) -> tuple[Array, int]:
    """The minimum over Y ⪰ 0 by ADMM, the penalty balancing both residuals (Boyd et al. 2011, 3.4.1)."""
    penalty = 1.0
    solver = step.solver(1 + penalty / 2)
    q, dual = _clipped(y), np.zeros_like(y)
    for iteration in range(1, _ITERATIONS + 1):
        y = solver(gram + penalty / 2 * (q - dual))
        relaxed = _RELAXATION * y + (1 - _RELAXATION) * q
        before, q = q, _clipped(relaxed + dual)
        dual += relaxed - q
        primal = np.linalg.norm(y - q) / np.linalg.norm(q)
        moved = np.linalg.norm(q - before) / max(np.linalg.norm(dual), np.finfo(float).tiny)
        if max(primal, moved) < _TOLERANCE:
            break
        ratio = math.sqrt(primal / max(moved, np.finfo(float).tiny))
        if iteration % 10 == 0 and not 0.5 < ratio < 2:
            ratio = min(max(ratio, 0.1), 10)
            penalty, dual = penalty * ratio, dual / ratio
            solver = step.solver(1 + penalty / 2)
    return q, iteration


def _clipped(y: Array) -> Array:
    """The nearest positive semi-definite matrix."""
    values, axes = np.linalg.eigh(y)
    result: Array = (axes * np.maximum(values, 0)) @ axes.T
    return result


def soft(task: Task, config: SoftConfig) -> Removal:
    """Maps every word by the T that balances bias and similarities, and gives it back its length.

    Args:
        task: the vectors and the subspace.
        config: the strength.

    Returns:
        The vectors; `details` has `lambda`, the paper's; `kept`, ‖(TN)ᵀ(TB)‖ / ‖NᵀB‖; and `iterations`.
        The tensor `transform` is T.
    """
    size = task.vectors.vector_size
    gram, neutral = _grams(task)
    weight = config.strength * float(np.trace(gram)) / size
    if not math.isfinite(weight):
        raise UsageError(f"strength {config.strength:g} is too large for so many words")
    problem = Problem(gram, neutral, task.subspace.basis, weight)
    p, iterations = solve(problem) if weight else (np.eye(size), 0)
    before = problem.bias(np.eye(size))
    kept = math.sqrt(max(problem.bias(p), 0) / before) if before else 0.0
    details = {"lambda": weight, "kept": kept, "iterations": iterations}
    values, axes = np.linalg.eigh(p)
    t = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T if weight else np.eye(size)
    matrix = np.array(task.matrix)
    if weight:
        everything = np.ones(len(matrix), np.bool_)
        single = t.astype(np.float32)
        transform(task.matrix, everything, lambda unit: to_unit(unit @ single)[0], matrix, np.float32)
    return Removal(matrix, details, {"transform": t})


def _grams(task: Task) -> tuple[Array, Array]:
    """G of all words, G_N of the neutral ones."""
    size = task.vectors.vector_size
    gram, others = np.zeros((size, size)), np.zeros((size, size))
    for part, rows in blocks(task.matrix):
        unit, _ = to_unit(rows)
        gram += unit.T @ unit
        rest = unit[~task.neutral[part]]
        others += rest.T @ rest
    return gram, gram - others
