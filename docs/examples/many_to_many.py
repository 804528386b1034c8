"""Many-to-many of equal length: tag the names in sentences.

All is lower case, and will, may, mark and rose are words as well as names: in "will mark see rose in may ?"
two words are names. Half of the other names were never seen. What a word is, is said by those before it and
those after it, so one direction is not enough.

Run it: python docs/examples/many_to_many.py
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import keras
import numpy as np

from seqkit import open_corpus
from seqkit.cells import LSTMCell
from seqkit.corpora import Grammar
from seqkit.layers import Bidirectional, Recurrent
from seqkit.layers.shapes import many_to_many

# NAME stands for a name of the corpus `names`; a word that begins with @ is a name.
GRAMMAR = """
S -> Name Said Clause [0.2] | Name Will Do [0.2] | Will Name Do '?' [0.2]
S -> Thing Fact [0.2] | Do 'with' Name [0.2]
Name -> 'NAME' [0.4] | '@will' [0.15] | '@may' [0.15] | '@rose' [0.15] | '@mark' [0.15]
Said -> 'said' [0.5] | 'thinks' [0.5]
Clause -> Thing Fact [0.4] | Name Will Do [0.3] | Name 'rose' 'early' [0.3]
Will -> 'will' [0.5] | 'may' [0.5]
Do -> 'see' Name Time [0.2] | 'mark' 'the' 'page' Time [0.2] | 'buy' Thing [0.2]
Do -> 'sing' Time [0.2] | 'leave' [0.2]
Thing -> 'the' 'rose' [0.3] | 'a' 'mark' [0.2] | 'the' 'will' [0.2] | 'the' 'garden' [0.3]
Fact -> 'is' 'red' [0.3] | 'rose' 'in' 'price' [0.2] | 'will' 'fade' [0.3] | 'may' 'be' 'lost' [0.2]
Time -> 'in' 'may' [0.5] | 'today' [0.5]
"""


def sentences(count: int, names: list[str], seed: int) -> list[tuple[list[str], list[int]]]:
    """Words, and 1 for those that are names."""
    rng = np.random.default_rng(seed)
    found = []
    for words in islice(Grammar(GRAMMAR).sample(seed=seed), count):
        tags = [int(word == "NAME" or word.startswith("@")) for word in words]
        plain = [str(rng.choice(names)) if word == "NAME" else word.removeprefix("@") for word in words]
        found.append((plain, tags))
    return found


def trained(layer: Any, x: np.ndarray, y: np.ndarray, vocabulary_size: int, epochs: int) -> Any:
    """A model that tags."""
    model = many_to_many(layer, 2, vocabulary_size=vocabulary_size, vector_size=24, seed=2)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    keras.utils.set_random_seed(0)  # the order of the sentences
    model.fit(x, y, batch_size=32, epochs=epochs, verbose=2)
    return model


def main(count: int = 3000, epochs: int = 4) -> dict[str, float]:
    """Trains in both directions and in one, and counts the held-out sentences tagged without a mistake."""
    names = [name.lower() for name in open_corpus("names", size=200, seed=0)]
    seen, unseen = names[:100], names[100:]
    train = sentences(count, seen, seed=1)
    words = ["<pad>", "<unk>", *sorted({word for some, _ in train for word in some} - set(seen)), *seen]
    ids = {word: number for number, word in enumerate(words)}
    rng = np.random.default_rng(0)

    def encoded(some: list[tuple[list[str], list[int]]], forget: float) -> tuple[np.ndarray, np.ndarray]:
        """Ids and tags; a share of the names is forgotten, so that unknown words are met in training, too."""
        x, y = np.zeros((2, len(some), 12), "int32")
        for row, (plain, tags) in enumerate(some):
            kept = [ids.get(word, 1) if rng.random() > forget or word not in seen else 1 for word in plain]
            x[row, : len(plain)], y[row, : len(plain)] = kept, tags
        return x, y

    x, y = encoded(train, forget=0.5)
    held_out = [*sentences(500, seen, seed=2), *sentences(500, unseen, seed=3)]
    test_x, test_y = encoded(held_out, forget=0)
    layers = {
        "both directions": Bidirectional(LSTMCell(24, seed=1), return_sequences=True),
        "forward": Recurrent(LSTMCell(48, seed=1), return_sequences=True),
    }
    right = {}
    for name, layer in layers.items():
        model = trained(layer, x, y, len(words), epochs)
        tags = model.predict(test_x, verbose=0).argmax(axis=2)
        right[name] = float(((tags == test_y) | (test_x == 0)).all(axis=1).mean())
        for (plain, _), row in list(zip(held_out, tags, strict=True))[-4:]:
            print(" ".join(word.upper() if tag else word for word, tag in zip(plain, row, strict=False)))
    for name, share in right.items():
        print(f"{name}: {share:.1%} of {len(held_out)} held-out sentences without a mistake")
    return right


if __name__ == "__main__":
    main()
