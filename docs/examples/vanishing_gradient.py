"""The vanishing gradient: how far back an RNN, a GRU and an LSTM can learn, in three experiments.

1. How much of the gradient by the state is left k steps before the end, before training and after.
2. Subject and verb: "the girls I met yesterday at the nightclub … were", at growing distance.
3. The adding problem (Hochreiter & Schmidhuber 1997): the sum of two marked numbers among many.

All cells have about as many weights. Run it:

    python docs/examples/vanishing_gradient.py [--quick] [PICTURE]

PICTURE ends in .png, .svg or .html. It takes some minutes on two cores; --quick is a short way
through all of it, with the LSTM alone, that finds nothing out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from seqkit.cells import GRUCell, LSTMCell, RNNCell
from seqkit.layers import Recurrent
from seqkit.layers.shapes import many_to_one
from seqkit.plots.canvas import MUTED, PALETTE, check_target, drawing, new_figure, save
from seqkit.progress import SILENT

CELLS: dict[str, Callable[..., Any]] = {
    "RNN": lambda **options: RNNCell(66, **options),
    "GRU": lambda **options: GRUCell(37, variant="full", **options),
    "LSTM": lambda **options: LSTMCell(32, **options),
}

# Distances are words between subject and verb; each noun stands in its singular and its plural.
SINGULARS = ("girl", "boy", "dog", "teacher", "car", "house", "friend", "nightclub", "song", "singer")
NOUNS = [noun + ending for noun in SINGULARS for ending in ("", "s")]
PLACES = ("at", "near", "behind", "with")
SEEN = ("I met", "you saw", "we know", "they like")
ADVERBS = ("yesterday", "again", "there")
VOCABULARY = ["<pad>", "the", "old", "who", "met", *PLACES, *ADVERBS, *" ".join(SEEN).split(), *NOUNS]


class Settings(NamedTuple):
    """How much is computed.

    Args:
        cells: which, by name.
        seeds: networks of each kind.
        sentences: to learn agreement from.
        farthest: words between subject and verb in them, at most.
        distances: at which agreement is asked for.
        length: of the sequences of numbers.
        rounds: of 100 steps, of 32 sequences each, on which adding is learned.
    """

    cells: tuple[str, ...] = tuple(CELLS)
    seeds: int = 3
    sentences: int = 19200
    farthest: int = 30
    distances: tuple[int, ...] = (0, 5, 10, 20, 30, 50, 75, 100)
    length: int = 100
    rounds: int = 10


FULL = Settings()
QUICK = Settings(cells=("LSTM",), seeds=1, sentences=320, farthest=6, distances=(0, 6), length=12, rounds=1)


class Findings(NamedTuple):
    """What has been measured, by the names of the cells.

    Args:
        before: norms of the gradient k steps before the end, in units of that at the end, (length,); the
            median over seeds.
        after: the same after training on the adding problem.
        agreement: share of right verbs, (seeds, distances).
        adding: mean squared error after each round, (seeds, rounds).
    """

    before: dict[str, Any]
    after: dict[str, Any]
    agreement: dict[str, Any]
    adding: dict[str, Any]


# 1. The gradient


def gradient_norms(cell: Any, loss: Callable[[Any], Any], x: Any) -> Any:
    """‖∂L_T/∂state⟨T-k⟩‖ / ‖∂L_T/∂state⟨T⟩‖ for k = 0 … T-1; the median over sequences.

    The state is all that a step hands on: a⟨t⟩, in an LSTM a⟨t⟩ and c⟨t⟩.

    Args:
        cell: a built one, in float64, for a norm may be below what float32 can hold.
        loss: the loss of each sequence from a⟨T⟩.
        x: (batch, time, features).
    """
    layer = Recurrent(cell, return_state=True)
    states = [cell.get_initial_state(len(x))]
    with tf.GradientTape() as tape:
        tape.watch(states[0])
        for t in range(x.shape[1]):
            states.append(layer(x[:, t : t + 1], initial_state=states[-1])[1])
        total = tf.reduce_sum(loss(states[-1].hidden))
    by_states = tape.gradient(total, states[1:], unconnected_gradients="zero")
    norms = np.array([np.linalg.norm(np.concatenate(by_state, axis=1), axis=1) for by_state in by_states])
    return np.median(norms[::-1] / norms[-1], axis=1)


def norms_in_adding(model: Any, name: str, length: int) -> Any:
    """`gradient_norms` of a network for the adding problem."""
    recurrent, dense = model.layers
    x, y = additions(200, length, seed=1)
    cell = CELLS[name](dtype="float64")
    cell.build((None, x.shape[2]))
    cell.set_weights(recurrent.cell.get_weights())
    kernel, bias = (tf.cast(weight, tf.float64) for weight in dense.weights)
    return gradient_norms(cell, lambda a: tf.square((a @ kernel + bias)[:, 0] - y), tf.cast(x, tf.float64))


# 2. Subject and verb


def sentence(rng: np.random.Generator, distance: int) -> tuple[list[str], bool]:
    """A sentence up to its verb, and whether the verb is "were".

    Half of the sentences begin with a place, so the subject is not always the second word. What stands
    between subject and verb has nouns of its own, in either number.

    Args:
        rng: draws.
        distance: number of words between subject and verb.
    """
    subject = str(rng.choice(NOUNS))
    words = [str(rng.choice(PLACES)), "the", str(rng.choice(NOUNS))] if rng.random() < 0.5 else []
    words += ["the", subject]
    while distance:
        phrase = _phrase(rng)
        if len(phrase) <= distance:
            words += phrase
            distance -= len(phrase)
    return words, NOUNS.index(subject) % 2 == 1


def _phrase(rng: np.random.Generator) -> list[str]:
    """One to four words that may follow a noun, or each other."""
    noun, kind = str(rng.choice(NOUNS)), rng.integers(5)
    if kind == 0:
        return [str(rng.choice(ADVERBS))]
    if kind == 1:
        return str(rng.choice(SEEN)).split()
    if kind == 2:
        return ["who", "met", "the", noun]
    return [str(rng.choice(PLACES)), "the", *(["old"] if kind == 3 else []), noun]


def encoded(rng: np.random.Generator, distances: Any, longest: int) -> tuple[Any, Any]:
    """Sentences as tokens, padded by 0, and 1 for those whose verb is "were"."""
    tokens, were = np.zeros((len(distances), longest + 5), "int32"), np.zeros(len(distances), "int32")
    for row, distance in enumerate(distances):
        words, were[row] = sentence(rng, int(distance))
        tokens[row, : len(words)] = [VOCABULARY.index(word) for word in words]
    return tokens, were


def agreement(name: str, settings: Settings, seed: int) -> list[float]:
    """The share of right verbs at each distance, of a network that has learned up to `farthest`."""
    rng = np.random.default_rng(seed)
    distances = rng.integers(settings.farthest + 1, size=settings.sentences)
    model = many_to_one(CELLS[name](seed=seed), 2, vocabulary_size=len(VOCABULARY), vector_size=16, seed=seed)
    model.compile(keras.optimizers.Adam(0.005, clipnorm=1.0), "sparse_categorical_crossentropy")
    model.fit(*encoded(rng, distances, settings.farthest), batch_size=32, verbose=0, shuffle=False)
    right = []
    for distance in settings.distances:
        tokens, were = encoded(np.random.default_rng(1000), [distance] * 512, max(settings.distances))
        found = model.predict(tokens, batch_size=512, verbose=0).argmax(axis=1)
        right.append(float((found == were).mean()))
    return right


# 3. Adding


def additions(count: int, length: int, seed: int) -> tuple[Any, Any]:
    """Numbers and marks, (count, length, 2), and the sum of the two marked numbers of each.

    One mark is in the first half, one in the second. Who says 1 always has a mean squared error of 1/6, the
    variance of the sum of two numbers that are uniform in 0..1.
    """
    rng = np.random.default_rng(seed)
    numbers, marks = rng.uniform(size=(count, length)), np.zeros((count, length))
    rows = np.arange(count)
    marks[rows, rng.integers(length // 2, size=count)] = 1
    marks[rows, rng.integers(length // 2, length, size=count)] = 1
    x = np.stack([numbers, marks], axis=2)
    return x.astype("float32"), (numbers * marks).sum(axis=1).astype("float32")


def adding(name: str, settings: Settings, seed: int) -> tuple[Any, list[float], Any]:
    """The mean squared error after each round, and norms of the gradient before and after all of them."""
    model = keras.Sequential(
        [
            keras.Input((settings.length, 2)),
            Recurrent(CELLS[name](seed=seed)),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed)),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01, clipnorm=1.0), "mse")
    before = norms_in_adding(model, name, settings.length)
    held_out = additions(1000, settings.length, seed=0)
    errors = []
    for number in range(settings.rounds):
        x, y = additions(3200, settings.length, seed=1000 * (seed + 1) + number)
        model.fit(x, y, batch_size=32, verbose=0, shuffle=False)
        errors.append(float(model.evaluate(*held_out, batch_size=500, verbose=0)))
    return before, errors, norms_in_adding(model, name, settings.length)


# All three


def main(settings: Settings = FULL, picture: str | None = None) -> Findings:
    """Measures, prints, and draws where there is a file to draw to."""
    target = check_target(picture, overwrite=True) if picture else None
    found = Findings({}, {}, {}, {})
    for name in settings.cells:
        runs = [adding(name, settings, seed) for seed in range(settings.seeds)]
        found.before[name], found.after[name] = (np.median([run[i] for run in runs], axis=0) for i in (0, 2))
        found.adding[name] = np.array([errors for _, errors, _ in runs])
        found.agreement[name] = np.array([agreement(name, settings, seed) for seed in range(settings.seeds)])
        report(name, found, settings)
    if target:
        draw(found, settings, target)
    return found


def report(name: str, found: Findings, settings: Settings) -> None:
    """Prints the figures of a cell."""
    steps = [k for k in (10, 20, 50, 99) if k < settings.length]
    for when, norms in (("before", found.before[name]), ("after", found.after[name])):
        print(f"{name:5}gradient {when:7}", *(f"k={k}: {norms[k]:.1e}" for k in steps), sep="  ")
    shares = found.agreement[name].mean(axis=0)
    pairs = zip(settings.distances, shares, strict=True)
    print(f"{name:5}right verbs     ", *(f"{d}: {share:.1%}" for d, share in pairs), sep="  ")
    errors = found.adding[name][:, -1]
    print(
        f"{name:5}squared error   ", f"{errors.mean():.4f}", "mean of", *(f"{error:.4f}" for error in errors)
    )


def draw(found: Findings, settings: Settings, target: Path) -> None:
    """The three panels."""
    titles = (
        "Gradient that is left k steps before the end",
        "Right verbs, by distance from the subject",
        "Error in the adding problem",
    )
    with drawing("ΔΓ×⁰¹²³⁴⁵⁶⁷⁸⁹⁻", SILENT):
        figure = new_figure(13, 4.2)
        gradients, verbs, sums = figure.subplots(1, 3)
        for axes, title in zip((gradients, verbs, sums), titles, strict=True):
            axes.set_title(title)
        styles = dict(zip(CELLS, zip(PALETTE, "os^", strict=False), strict=True))
        for name in settings.cells:
            color, marker = styles[name]
            line = {"color": color, "marker": marker, "markersize": 4.5, "label": name}
            gradients.plot(found.before[name], color=color, linestyle=":")
            gradients.plot(found.after[name], markevery=10, **line)
            _band(verbs, settings.distances, 100 * found.agreement[name], line)
            _band(sums, 100 * np.arange(1, settings.rounds + 1), found.adding[name], line)
        gradients.set(yscale="log", xlabel="k = T - t, steps", ylabel="norm by the state, relative to k = 0")
        gradients.plot([], color=MUTED, linestyle=":", label="before training")
        verbs.set(xlabel="words between subject and verb", ylabel="right, %", ylim=(40, 103))
        verbs.axhline(50, color=MUTED, linestyle="--", linewidth=0.9)
        verbs.axvline(settings.farthest, color=MUTED, linewidth=0.9)
        note = {"color": MUTED, "fontsize": 8}
        verbs.text(settings.farthest, 41, " trained up to here", **note)
        verbs.text(max(settings.distances), 50.5, "guessing", ha="right", **note)
        sums.set(yscale="log", xlabel="steps of training", ylabel="mean squared error")
        sums.axhline(1 / 6, color=MUTED, linestyle="--", linewidth=0.9)
        sums.text(100 * settings.rounds, 1 / 6.2, "who always says 1", ha="right", va="top", **note)
        gradients.legend(loc="lower left")
        verbs.legend(loc=(0.02, 0.85), ncols=3)
        sums.legend(loc="lower left")
        figure.tight_layout()
        save(figure, target, "The vanishing gradient in an RNN, a GRU and an LSTM", {}, {})


def _band(axes: Any, x: Any, runs: Any, line: dict[str, Any]) -> None:
    """The mean of runs, and from the least to the largest of them."""
    axes.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=line["color"], alpha=0.15, linewidth=0)
    axes.plot(x, runs.mean(axis=0), **line)


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--quick"]
    main(QUICK if "--quick" in sys.argv else FULL, *arguments[:1])
