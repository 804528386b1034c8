"""The window model in NumPy float64, prediction by prediction: the definition the kernel is held to.

Word t is predicted from the words w_1 … w_C of its window; E holds the vectors, e_w is 0 where the line has
no word.

    x = [e_w1; …; e_wC]              the window's vectors, end to end, shape (C·D,)
    h = tanh(Wᵀ x + d)               W: hidden kernel, d: hidden bias
    s_j = u_j · h + b_j              u_j: row j of the output kernel, b: output bias
    J = - log softmax(s)_t           exact softmax

That is Bengio et al. 2003 (JMLR 3), equation 1, without direct connections from x to s. The sampled softmax
scores word t and K noise words n_k drawn with probabilities q, each corrected by the logarithm of how often
it is expected among K draws (Bengio & Senécal 2008; Jean et al. 2015, section 3), noise that equals t left
out:

    s'_j = s_j - log(K q_j)          J = - log (exp s'_t / (exp s'_t + Σ_{k: n_k ≠ t} exp s'_{n_k}))

With p the softmax, δ = ∂J/∂s = p - e_t, and going back:

    ∂J/∂u_j = δ_j h    ∂J/∂b = δ    ∂J/∂h = Σ_j δ_j u_j    z = (1 - h²) ∂J/∂h
    ∂J/∂W = x zᵀ       ∂J/∂d = z    ∂J/∂x = W z            ∂J/∂e_w: the sum of its parts of ∂J/∂x

A step adds up J over its predictions and takes one step of AdaGrad (`seqkit.embeddings.softmax.adagrad`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Tables = dict[str, Floats]

EPSILON = 1e-7


def gradients(
    tables: Mapping[str, Floats],
    contexts: Ints,
    targets: Ints,
    noise: tuple[Ints, Floats] | None = None,
) -> tuple[float, Tables]:
    """J of some predictions and its gradients, by the equations at the top of this module.

    Args:
        tables: "vectors" (V, D), "hidden_kernel" (C·D, H), "hidden_bias" (H,), "output_kernel" (V, H),
            "output_bias" (V,).
        contexts: ids, V for no word; shape (B, C).
        targets: ids, shape (B,).
        noise: ids of the noise words (K,) and all q (V,) for the sampled softmax; None for the exact one.

    Returns:
        J, summed, and the gradients, by the names of the tables.
    """
    found = {name: np.zeros_like(table) for name, table in tables.items()}
    size = tables["vectors"].shape[1]
    padded = np.vstack([tables["vectors"], np.zeros(size)])
    loss = 0.0
    for window, target in zip(contexts, targets, strict=True):
        x = padded[window].ravel()
        h = np.tanh(x @ tables["hidden_kernel"] + tables["hidden_bias"])
        words, correction = _candidates(int(target), noise, len(tables["output_bias"]))
        rows = tables["output_kernel"][words]
        scores = rows @ h + tables["output_bias"][words] - correction
        place = 0 if noise else int(target)
        log_probabilities = scores - np.logaddexp.reduce(scores)
        loss -= float(log_probabilities[place])
        delta = np.exp(log_probabilities)
        delta[place] -= 1
        np.add.at(found["output_kernel"], words, np.outer(delta, h))
        np.add.at(found["output_bias"], words, delta)
        z = (1 - h**2) * (delta @ rows)
        found["hidden_kernel"] += np.outer(x, z)
        found["hidden_bias"] += z
        for word, part in zip(window, (tables["hidden_kernel"] @ z).reshape(-1, size), strict=True):
            if word < len(tables["vectors"]):
                found["vectors"][word] += part
    return loss, found


def _candidates(target: int, noise: tuple[Ints, Floats] | None, vocabulary: int) -> tuple[Ints, Floats]:
    """The words that are scored, the target first where they are sampled, and what their scores lose."""
    if noise is None:
        return np.arange(vocabulary, dtype=np.int32), np.zeros(vocabulary)
    drawn, probabilities = noise
    words = np.append(np.int32(target), drawn[drawn != target])
    return words, np.log(len(drawn) * probabilities[words])


def adagrad(
    tables: Mapping[str, Floats], squares: Mapping[str, Floats], found: Mapping[str, Floats], rate: float
) -> tuple[Tables, Tables]:
    """The tables and the sums of squared gradients after one step of AdaGrad."""
    summed = {name: squares[name] + found[name] ** 2 for name in tables}
    moved = {name: tables[name] - rate * found[name] / (np.sqrt(summed[name]) + EPSILON) for name in tables}
    return moved, summed
