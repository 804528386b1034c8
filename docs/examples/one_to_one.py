"""One-to-one: a vector in, a distribution out. Are two numbers of the same sign? No line tells that apart.

Run it: python docs/examples/one_to_one.py
"""

from __future__ import annotations

import keras
import numpy as np

from seqkit.cells import RNNCell
from seqkit.layers.shapes import one_to_one


def points(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of numbers, and 1 for those of the same sign."""
    x = np.random.default_rng(seed).uniform(-1, 1, size=(count, 2))
    return x, (x[:, 0] * x[:, 1] > 0).astype("int32")


def main(epochs: int = 15) -> dict[str, float]:
    """Trains, and counts the held-out pairs that are judged right."""
    model = one_to_one(RNNCell(16, seed=0), 2, features=2, seed=0)
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    keras.utils.set_random_seed(0)  # the order of the pairs
    model.fit(*points(2000, seed=0), batch_size=32, epochs=epochs, verbose=2)
    x, y = points(1000, seed=1)
    right = float((model.predict(x, verbose=0).argmax(axis=1) == y).mean())
    print(f"{right:.1%} of {len(x)} held-out pairs are judged right")
    return {"right": right}


if __name__ == "__main__":
    main()
