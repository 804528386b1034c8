"""Kinds of texts that classifiers tend to get wrong, found without a person; words are English ones.

>>> found = slices(["Not GOOD at all", "nice, but dull :-("], np.array([4, 5]), np.array([0, 0]))
>>> {name: part.tolist() for name, part in found.items() if part.any()}["negation"]
[True, False]
>>> found["contrast"].tolist(), found["capitals"].tolist(), found["emoji"].tolist()
([False, True], [True, False], [False, True])
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import regex
from numpy.typing import NDArray

from seqkit.sentiment.cutting import EMOTICON_PATTERN

Mask = NDArray[np.bool_]

UNKNOWN_SHARE = 0.1
"""Of its tokens, from which on a text is in the slice of unknown words."""

_PATTERNS = {
    "negation": regex.compile(
        r"\b(?:not|no|never|none|nobody|nothing|nowhere|neither|nor|without|cannot|hardly|barely|scarcely)\b"
        r"|n['\u2019]t\b|\b(?:is|was|are|were|do|does|did|has|have|had|ca|wo|would|could|should)nt\b",
        regex.IGNORECASE,
    ),
    "contrast": regex.compile(
        r"\b(?:but|however|although|though|despite|except|nevertheless|nonetheless|whereas|yet|instead"
        r"|in spite of|on the other hand)\b",
        regex.IGNORECASE,
    ),
    "capitals": regex.compile(r"\b\p{Lu}{4,}\b"),
    "emoji": regex.compile(
        rf"{EMOTICON_PATTERN} | \p{{Emoji_Presentation}} | \p{{Extended_Pictographic}}\uFE0F", regex.VERBOSE
    ),
}

DESCRIPTIONS = {
    "short": "the shortest quarter of the texts",
    "long": "the longest quarter",
    "negation": "a word that negates: not, never, n't",
    "contrast": "a word that turns: but, although, despite",
    "unknown-words": f"at least {UNKNOWN_SHARE:.0%} of the words are unknown",
    "capitals": "a word of four capitals or more",
    "emoji": "an emoji or emoticon",
}
"""The slices that there are, and what is in them."""


def slices(
    texts: Sequence[str], tokens: NDArray[np.integer], unknown: NDArray[np.integer]
) -> dict[str, Mask]:
    """Which texts are in which slice; a text may be in several, or in none.

    Args:
        texts: any.
        tokens: how many each has, (texts,).
        unknown: how many of them the model does not know, (texts,).

    Returns:
        (texts,) for each of `DESCRIPTIONS`, in their order.
    """
    low, high = np.quantile(tokens, [0.25, 0.75]) if len(texts) else (0.0, 0.0)
    differ = low < high
    found = {
        "short": (tokens <= low) & differ,
        "long": (tokens >= high) & differ,
        "unknown-words": (unknown >= UNKNOWN_SHARE * tokens) & (unknown > 0),
    }
    for name, pattern in _PATTERNS.items():
        found[name] = np.array([pattern.search(text) is not None for text in texts], bool)
    return {name: found[name] for name in DESCRIPTIONS}
