"""One or more classifiers as one: a weighted sum of their logits, calibrated.

p = softmax(Σ_m w_m z_m / n_m), w ≥ 0, where z_m is the sum of the logits of the n_m members that have the
same settings and differ in their seeds. The weights are those under which held-out labels are likeliest.
With one model this is temperature scaling with T = 1/w (Guo et al. 2017, On Calibration of Modern Neural
Networks, section 4.2), with several the logarithmic opinion pool (Hinton 1999, Products of experts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.documents import Documents
from seqkit.sentiment.models.contract import Classifier

MAX_WEIGHT = 100.0
"""A model that is never wrong on few texts would be made certain of everything."""

PRIOR = 0.01
"""Of (w - 1/groups)², in nats of one text: with no text to tell, the weights are equal and add up to 1."""


@dataclass(frozen=True)
class Member:
    """A classifier of an ensemble.

    Args:
        classifier: trained.
        group: members with the same settings have the same number.
    """

    classifier: Classifier
    group: int


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Classifiers that answer together.

    Args:
        members: with groups from 0.
        weights: of each group, (groups,), from 0.
    """

    members: Sequence[Member]
    weights: NDArray[np.float64]

    def logits(self, documents: Documents) -> NDArray[np.float64]:
        """Calibrated ones, (texts, labels)."""
        return weighted(group_logits(self.members, documents), self.weights)

    def attributions(self, documents: Documents) -> list[NDArray[np.float64]]:
        """What each token adds to each calibrated logit, of each text (tokens, labels)."""
        sizes = np.bincount([member.group for member in self.members])
        total: list[NDArray[np.float64]] = []
        for member in self.members:
            weight = self.weights[member.group] / sizes[member.group]
            found = [weight * each.astype(np.float64) for each in member.classifier.attributions(documents)]
            total = [a + b for a, b in zip(total, found, strict=True)] if total else found
        return total


def group_logits(members: Sequence[Member], documents: Documents) -> NDArray[np.float64]:
    """The mean logits of each group of members, (groups, texts, labels)."""
    groups: dict[int, list[NDArray[np.float64]]] = {}
    for member in members:
        found = member.classifier.logits(documents).astype(np.float64)
        groups.setdefault(member.group, []).append(found)
    return np.stack([np.mean(groups[number], axis=0) for number in range(len(groups))])


def weighted(logits: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Σ w z over groups, (texts, labels), of (groups, texts, labels)."""
    return np.tensordot(weights, logits, axes=1)


def probabilities(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """softmax over the last axis.

    >>> probabilities(np.log([[1.0, 3.0]])).round(6).tolist()
    [[0.25, 0.75]]
    """
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def mean_surprisal(
    weights: NDArray[np.float64], logits: NDArray[np.float64], targets: NDArray[np.int32]
) -> tuple[float, NDArray[np.float64]]:
    """-mean log p of the targets in nats, with the prior, and its gradient by the weights.

    Args:
        weights: of the groups, (groups,).
        logits: (groups, texts, labels).
        targets: (texts,).
    """
    texts = np.arange(len(targets))
    total = weighted(logits, weights)
    expected = probabilities(total)
    top = total.max(axis=1)
    normaliser = top + np.log(np.exp(total - top[:, None]).sum(axis=1))
    surprisal = np.mean(normaliser - total[texts, targets])
    gradient = np.mean((logits * expected).sum(axis=2) - logits[:, texts, targets], axis=1)
    strength, away = PRIOR / len(targets), weights - 1 / len(weights)
    loss = surprisal + strength * np.sum(away**2)
    return float(loss), gradient + 2 * strength * away


def fitted_weights(logits: NDArray[np.float64], targets: NDArray[np.int32]) -> NDArray[np.float64]:
    """The weights under which the targets are likeliest; the problem is convex.

    Args:
        logits: on texts that no member learned, (groups, texts, labels).
        targets: their labels, (texts,).
    """
    from scipy.optimize import minimize

    groups = len(logits)
    start = np.full(groups, 1 / groups)
    found = minimize(
        mean_surprisal,
        start,
        args=(logits, targets),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0, MAX_WEIGHT)] * groups,
    )
    return np.asarray(found.x, np.float64)
