"""A dozen words, and texts whose label one of them tells."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.sentiment.documents import SPECIALS, Documents, Labelled, Task
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.contract import Fitting
from seqkit.text.vocabulary import Vocabulary

WORDS = (*SPECIALS, "good", "bad", "film", "the", "a", "was", "unseen")


@pytest.fixture(scope="module")
def toy() -> Fitting:
    """48 texts; the last word is in none of them."""
    texts = [
        f"{article} film was {word}{end}"
        for word in ("good", "bad")
        for article in ("the", "a")
        for end in ("", " film", " the film", " a film was", " the", " was the film", " a", " film a", " was",
                    " the a", " a the", " was a")
    ]  # fmt: skip
    tokens = [text.split() for text in texts]
    ids = np.array([WORDS.index(token) for each in tokens for token in each], np.int32)
    starts = np.cumsum([0, *map(len, tokens)]).astype(np.int64)
    targets = np.array(["good" in text for text in texts], np.int32)
    labelled = Labelled(Documents(texts, ids, starts), Task(Labels(("no", "yes")), targets))
    counts = np.bincount(ids, minlength=len(WORDS))
    return Fitting(labelled, labelled, Vocabulary(WORDS, counts))
