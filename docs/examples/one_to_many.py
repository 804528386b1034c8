"""One-to-many: a style in, names in that style out, letter by letter.

A second network, many-to-one, has learned from other names to tell the styles apart; it judges what was
written.

Run it: python docs/examples/one_to_many.py
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import keras
import numpy as np

from seqkit.cells import GRUCell, LSTMCell
from seqkit.corpora import Grammar, corpus_file
from seqkit.layers.shapes import many_to_one, one_to_many

STYLES = ["North", "Elven", "Roman", "Eastern", "Desert", "Village"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
END, LENGTH = len(LETTERS) + 1, 16  # tokens: 0 is padding, 1 to 26 are letters


def names(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of names, (count, LENGTH), and their styles."""
    grammar = Grammar(corpus_file("names.pcfg").read_text(encoding="utf-8"))
    tokens, styles = np.zeros((count, LENGTH), "int32"), np.zeros(count, "int32")
    short = (
        (style, name)
        for style, parts in grammar.sample_labelled(seed=seed)
        if len(name := "".join(parts).lower()) < LENGTH
    )
    for row, (style, name) in enumerate(islice(short, count)):
        tokens[row, : len(name) + 1] = [*(LETTERS.index(letter) + 1 for letter in name), END]
        styles[row] = STYLES.index(style)
    return tokens, styles


def spelled(tokens: np.ndarray) -> str:
    """A name as text."""
    return "".join(LETTERS[token - 1] for token in tokens if 0 < token < END).capitalize()


def judge(epochs: int) -> Any:
    """A network that tells of which style a name is."""
    tokens, styles = names(5000, seed=1)
    model = many_to_one(LSTMCell(48, seed=5), 6, vocabulary_size=END + 1, vector_size=16, seed=6)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(tokens, styles, batch_size=64, epochs=epochs, verbose=2)
    return model


def main(count: int = 6000, epochs: int = 8) -> dict[str, float]:
    """Trains, and counts the names that are of the style that was asked for."""
    keras.utils.set_random_seed(0)  # the order of the names
    tokens, styles = names(count, seed=0)
    model = one_to_many(GRUCell(96, seed=1), vocabulary_size=END + 1, vector_size=16, end=END, seed=2)
    model.compile(keras.optimizers.Adam(0.005), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit((np.eye(6)[styles], tokens), tokens, batch_size=64, epochs=epochs, verbose=2)
    asked = np.repeat(np.arange(6), 100)
    written = model.sample(np.eye(6)[asked], max_length=LENGTH, temperature=0.8, seed=3).numpy()
    for style, name in enumerate(STYLES):
        print(f"{name:8}", ", ".join(spelled(row) for row in written[asked == style][:6]))
    judged = judge(epochs)
    true_tokens, true_styles = names(600, seed=2)
    known = {row.tobytes() for row in tokens}
    shares = {
        "written": float((judged.predict(written, verbose=0).argmax(axis=1) == asked).mean()),
        "true": float((judged.predict(true_tokens, verbose=0).argmax(axis=1) == true_styles).mean()),
        "new": float(np.mean([row.tobytes() not in known for row in written])),
    }
    print(f"{shares['written']:.1%} of {len(asked)} names are judged to be of the style that was asked for")
    print(f"{shares['true']:.1%} of true names are judged right; {shares['new']:.1%} of the names are new")
    return shares


if __name__ == "__main__":
    main()
