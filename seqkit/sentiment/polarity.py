"""Which labels are good and which are bad, where labels say so.

>>> polarity(Labels(("negative", "neutral", "positive"))).tolist()
[-1.0, 0.0, 1.0]
>>> polarity(Labels.of("12345")).tolist()
[-1.0, -0.5, 0.0, 0.5, 1.0]
>>> polarity(Labels(("anger", "joy"))) is None
True
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqkit.sentiment.labels import Labels

_GOOD = frozenset({"positive", "pos", "good", "favourable", "favorable"})
_BAD = frozenset({"negative", "neg", "bad", "unfavourable", "unfavorable"})
_NEITHER = frozenset({"neutral", "neu", "mixed", "average"})
_STRONGLY = frozenset({"very", "strongly", "extremely", "highly"})


def polarity(labels: Labels) -> NDArray[np.float64] | None:
    """How good each label is, -1 to 1, (labels,); None where one of them does not say.

    Numbers go evenly from the least, -1, to the greatest, 1. Beside "very positive", "positive" is half as
    good.
    """
    try:
        numbers = np.array([float(name) for name in labels.names])
    except ValueError:
        return _of_names(labels)
    if not np.isfinite(numbers).all():
        return None
    scaled: NDArray[np.float64] = 2 * (numbers - numbers.min()) / np.ptp(numbers) - 1
    return scaled


def _of_names(labels: Labels) -> NDArray[np.float64] | None:
    words = [name.casefold().replace("_", " ").replace("-", " ").split() for name in labels.names]
    strong = [len(each) == 2 and each[0] in _STRONGLY for each in words]
    found = []
    for each, is_strong in zip(words, strong, strict=True):
        last = " ".join(each[1:] if is_strong else each)
        if last in _NEITHER:
            found.append(0.0)
        elif last in _GOOD | _BAD:
            size = 1.0 if is_strong or not any(strong) else 0.5
            found.append(size if last in _GOOD else -size)
        else:
            return None
    values = np.array(found)
    return values if values.min() < 0 < values.max() else None
