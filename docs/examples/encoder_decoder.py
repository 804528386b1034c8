"""Encoder-decoder: reads a number in words, writes it in digits. "three hundred and seven" → 307.

Run it: python docs/examples/encoder_decoder.py
"""

from __future__ import annotations

import keras
import numpy as np

from seqkit.cells import GRUCell
from seqkit.layers import Bidirectional
from seqkit.layers.shapes import encoder_decoder

ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
WORDS = ["", *ONES, *TENS, "hundred", "thousand", "and"]  # 0 is padding
END = 11  # of the digits, 1 to 10 for 0 to 9


def in_words(number: int) -> list[str]:
    """307,012 → three hundred and seven thousand and twelve."""
    if number < 20:
        return [ONES[number]]
    if number < 100:
        return [TENS[number // 10 - 2], *([ONES[number % 10]] if number % 10 else [])]
    size, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    head, rest = divmod(number, size)
    joint = ["and"] if 0 < rest < 100 else []
    return [*in_words(head), name, *joint, *(in_words(rest) if rest else [])]


def encoded(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Words and digits as tokens, padded by 0."""
    source, target = np.zeros((len(numbers), 13), "int32"), np.zeros((len(numbers), 7), "int32")
    for row, number in enumerate(numbers):
        words, digits = in_words(int(number)), [int(digit) + 1 for digit in str(number)]
        source[row, : len(words)] = [WORDS.index(word) for word in words]
        target[row, : len(digits) + 1] = [*digits, END]
    return source, target


def in_digits(tokens: np.ndarray) -> str:
    """What was written, as text."""
    return "".join(str(token - 1) for token in tokens if 0 < token < END)


def main(numbers: int = 20_000, epochs: int = 8) -> dict[str, float]:
    """Trains, and counts how many held-out numbers are written without any mistake."""
    rng = np.random.default_rng(0)
    # As many of each length: 1 to 6 digits.
    drawn = np.unique((10 ** rng.uniform(0, 6, numbers + 2000)).astype(int))
    rng.shuffle(drawn)
    held_out, train = drawn[:1000], drawn[1000:]
    keras.utils.set_random_seed(0)
    model = encoder_decoder(
        Bidirectional(GRUCell(96, seed=1)),
        GRUCell(128, seed=2),
        source_size=len(WORDS),
        target_size=END + 1,
        vector_size=32,
        end=END,
        seed=3,
    )
    rate = keras.optimizers.schedules.CosineDecay(0.004, epochs * len(train) // 64)
    model.compile(
        keras.optimizers.Adam(rate, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    source, target = encoded(train)
    model.fit((source, target), target, batch_size=64, epochs=epochs, verbose=2)
    source, target = encoded(held_out)
    found = {"greedy": model.greedy(source, max_length=7), "beam": model.beam(source, max_length=7)[0][:, 0]}
    for number, tokens in list(zip(held_out, found["greedy"].numpy(), strict=True))[:5]:
        print(f"{' '.join(in_words(int(number)))} → {in_digits(tokens)}")
    exact = {name: float(np.mean((tokens.numpy() == target).all(axis=1))) for name, tokens in found.items()}
    for name, share in exact.items():
        print(f"{name}: {share:.1%} of {len(held_out)} held-out numbers without a mistake")
    return exact


if __name__ == "__main__":
    main()
