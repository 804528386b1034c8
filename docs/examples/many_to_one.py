"""Many-to-one: a review in, its sentiment out. "The plot was not bad at all" is positive.

Run it: python docs/examples/many_to_one.py
"""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np

from seqkit import Tokenizer, Vocabulary
from seqkit.cells import GRUCell
from seqkit.corpora import open_labelled
from seqkit.layers import Bidirectional
from seqkit.layers.shapes import many_to_one

LABELS = ["negative", "neutral", "positive"]


def main(reviews: int = 9000, epochs: int = 4) -> dict[str, float]:
    """Trains, and counts the held-out reviews that are judged right."""
    tokenize = Tokenizer("word").tokenize
    labelled = [
        (LABELS.index(label), tokenize(text)) for label, text in open_labelled("reviews", size=reviews)
    ]
    held_out, train = labelled[:1000], labelled[1000:]
    counts = Counter(word for _, words in train for word in words)
    vocabulary = Vocabulary.from_counts(counts, specials=("<pad>", "<unk>"))
    longest = max(len(words) for _, words in labelled)

    def encoded(some: list[tuple[int, list[str]]]) -> tuple[np.ndarray, np.ndarray]:
        ids = np.zeros((len(some), longest), "int32")
        for row, (_, words) in zip(ids, some, strict=True):
            row[: len(words)] = [vocabulary.get(word) or 1 for word in words]
        return ids, np.array([label for label, _ in some])

    layer = Bidirectional(GRUCell(48, recurrent_dropout=0.1, seed=1))
    model = many_to_one(layer, 3, vocabulary_size=len(vocabulary), vector_size=48, seed=2)
    model.compile(keras.optimizers.Adam(0.004), "sparse_categorical_crossentropy")
    keras.utils.set_random_seed(0)  # the order of the reviews
    model.fit(*encoded(train), batch_size=64, epochs=epochs, verbose=2)
    x, y = encoded(held_out)
    found = model.predict(x, verbose=0).argmax(axis=1)
    for (_, words), label in list(zip(held_out, found, strict=True))[:5]:
        print(f"{LABELS[label]:8}  {' '.join(words)}")
    right = float((found == y).mean())
    print(f"{right:.1%} of {len(y)} held-out reviews are judged right")
    return {"right": right}


if __name__ == "__main__":
    main()
