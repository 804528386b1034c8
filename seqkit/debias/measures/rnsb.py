"""Relative negative sentiment bias: does a sentiment classifier find some identities more negative?

Sweeney and Najafian 2019, "A Transparent Framework for Evaluating Unintended Demographic Bias in Word
Embeddings" (ACL).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit.debias.measures.intervals import Figure, bootstrap
from seqkit.debias.measures.lookup import known_words, unit_rows_of
from seqkit.errors import DataError

if TYPE_CHECKING:
    from seqkit.embeddings.vectors import Vectors

Array = npt.NDArray[np.float64]

_DRAWS = 200
"""Each trains a classifier."""
_STEPS = 100
_GRADIENT = 1e-10
"""Of a word: where Newton's method has arrived."""


@dataclass(frozen=True)
class NegativeSentiment:
    """How negative words look.

    Args:
        divergence: RNSB.
        shares: by word, its share of all words' probabilities of being negative; they sum to 1.
    """

    divergence: Figure
    shares: dict[str, float]

    def as_json(self) -> dict[str, Any]:
        """The same in JSON's types."""
        return {"divergence": self.divergence.as_json(), "shares": self.shares}


def negative_sentiment(
    vectors: Vectors,
    identities: Sequence[str],
    positive: Sequence[str],
    negative: Sequence[str],
    *,
    seed: int = 0,
) -> NegativeSentiment:
    """How far the shares of negative sentiment of identity terms are from equal.

        P(k)  = f*(w_k) / Σ_i f*(w_i),   f* the probability of "negative" by logistic regression
        RNSB  = D_KL(P ‖ U) = Σ_k P(k) ln(P(k) K),   U uniform over the K terms

    The classifier sees unit vectors, both classes weigh the same, and the penalty is scikit-learn's. The
    interval is over the labelled words, each draw training a classifier anew: the identity terms are the
    question. RNSB cannot be below 0, so resamples tend to be above it.

    Source: Sweeney and Najafian 2019, on the framework and its metric.

    Args:
        vectors: the vectors.
        identities: at least two with a vector.
        positive: words of positive sentiment, at least two with a vector.
        negative: words of negative sentiment, the same.
        seed: of the interval.

    Returns:
        RNSB, 0 (all terms look as negative) to ln K (only one does), in nats; and the shares.

    Raises:
        DataError: too few words; a word that is positive and negative.
    """
    from threadpoolctl import threadpool_limits

    both = sorted(set(positive).intersection(negative))
    if both:
        raise DataError(f"sentiment words: {both[0]!r} is positive and negative; leave it in one list")
    known = known_words(vectors, identities, "identities", least=2)
    terms = unit_rows_of(vectors, known, "identities")
    good = unit_rows_of(vectors, positive, "positive", least=2)
    bad = unit_rows_of(vectors, negative, "negative", least=2)

    def divergences(weights: Array, others: Array) -> Array:
        return np.array(
            [_divergence(_shares(terms, good, bad, *row)) for row in zip(weights, others, strict=True)]
        )

    with threadpool_limits(1):  # hundreds of small systems of equations are slower on several cores
        shares = _shares(terms, good, bad, np.ones(len(good)), np.ones(len(bad)))
        figure = bootstrap(divergences, len(good), len(bad), seed=seed, draws=_DRAWS)
    return NegativeSentiment(figure, dict(zip(known, shares.tolist(), strict=True)))


def _shares(terms: Array, good: Array, bad: Array, weights: Array, others: Array) -> Array:
    """P for labelled words of these weights."""
    rows, signs = np.concatenate([good, bad]), np.repeat([-1.0, 1.0], [len(good), len(bad)])
    half = len(rows) / 2
    sample = np.concatenate([weights * half / weights.sum(), others * half / others.sum()])
    coefficients = logistic_regression(rows, signs, sample)
    probabilities = _sigmoid(_with_constant(terms) @ coefficients)
    shares: Array = probabilities / probabilities.sum()
    return shares


def logistic_regression(rows: Array, signs: Array, weights: Array) -> Array:
    """The minimum of ‖w‖²/2 + Σ_i weight_i ln(1 + exp(-sign_i (w·x_i + b))), by Newton's method.

    This is scikit-learn's LogisticRegression with its default C; hundreds of fits of few words take seconds
    here, and a minute there.

    Args:
        rows: x, (words, vector_size), of length 1.
        signs: (words,), -1 or 1, both present.
        weights: (words,), at least 0.

    Returns:
        w and b, (vector_size + 1,).

    Raises:
        DataError: no minimum was found.
    """
    inputs = _with_constant(rows)
    penalty = np.append(np.ones(rows.shape[1]), 0.0)  # none on b
    coefficients = np.zeros(inputs.shape[1])

    def objective(values: Array) -> float:
        losses = np.logaddexp(0, -signs * (inputs @ values))
        return float(weights @ losses + penalty @ values**2 / 2)

    for _ in range(_STEPS):
        wrong = _sigmoid(-signs * (inputs @ coefficients))  # the probability of the other label
        gradient = penalty * coefficients - inputs.T @ (weights * signs * wrong)
        if np.abs(gradient).max() <= _GRADIENT * len(rows):
            return coefficients
        hessian = (inputs.T * (weights * wrong * (1 - wrong))) @ inputs + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        start = objective(coefficients)
        while objective(coefficients - step) > start and np.abs(step).max() > np.finfo(np.float64).eps:
            step /= 2
        coefficients = coefficients - step
    raise DataError("the sentiment classifier does not settle: do positive and negative words differ?")


def _with_constant(rows: Array) -> Array:
    extended: Array = np.hstack([rows, np.ones((len(rows), 1))])
    return extended


def _sigmoid(values: Array) -> Array:
    result: Array = np.exp(-np.logaddexp(0, -values))
    return result


def _divergence(shares: Array) -> float:
    logs = np.log(np.maximum(shares, np.finfo(np.float64).tiny) * len(shares))
    return max(float(shares @ logs), 0.0)  # rounding goes below 0
