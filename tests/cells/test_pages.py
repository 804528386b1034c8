"""The pages of the cells: quoted code, pictures, and how near the cells are to Keras' in float32."""

from __future__ import annotations

import re
import runpy
import textwrap
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqkit.cells import from_keras
from seqkit.layers import Recurrent

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = {name: (DOCS / f"cell-{name}.md").read_text(encoding="utf-8") for name in ("rnn", "gru", "lstm")}

BATCH, TIME, FEATURES, UNITS = 8, 35, 24, 64
KERAS = {
    "SimpleRNN": ("rnn", lambda **given: keras.layers.SimpleRNN(UNITS, **given)),
    "SimpleRNN, ReLU": ("rnn", lambda **given: keras.layers.SimpleRNN(UNITS, activation="relu", **given)),
    "GRU, full": ("gru", lambda **given: keras.layers.GRU(UNITS, reset_after=False, **given)),
    "GRU, reset-after": ("gru", lambda **given: keras.layers.GRU(UNITS, **given)),
    "LSTM": ("lstm", lambda **given: keras.layers.LSTM(UNITS, **given)),
}


def quotes(page: str) -> list[tuple[str, str]]:
    """The file and the code of each block that is said to be quoted."""
    return re.findall(r"From `([^`]+)`:\n\n```python\n(.*?)```", page, flags=re.DOTALL)


def is_quoted(code: str, source: str) -> bool:
    """Whether a method stands in a class of the source, word for word."""
    return textwrap.indent(code, "    ") in source


@pytest.mark.parametrize("page", PAGES)
def test_the_code_is_that_of_the_cell(page: str) -> None:
    found = quotes(PAGES[page])
    assert found
    for file, code in found:
        assert is_quoted(code, (ROOT / file).read_text(encoding="utf-8")), f"{file} has changed:\n{code}"


def test_a_changed_quote_is_seen() -> None:
    file, code = quotes(PAGES["lstm"])[0]
    source = (ROOT / file).read_text(encoding="utf-8")
    assert "gamma_f * c_previous" in code
    assert not is_quoted(code.replace("gamma_f * c_previous", "gamma_f * c"), source)


def test_the_pictures_are_drawn(tmp_path: Path) -> None:
    runpy.run_path(str(DOCS / "draw_cells.py"))["main"](tmp_path)
    for name, page in PAGES.items():
        picture = DOCS / "images" / f"cell-{name}.svg"
        assert f"](images/{picture.name})" in page
        assert 0 < picture.stat().st_size < 100_000
        assert (tmp_path / picture.name).read_text(encoding="utf-8").count("<path") > 20


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_the_page_runs(page: str) -> None:
    _, _, use = PAGES[page].partition("## In use")
    blocks = re.findall(r"```python\n(.*?)```", use, flags=re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, f"cell-{page}.md", "exec"), {})


def difference(found: Any, wanted: Any) -> float:
    """max |found - wanted| / max |wanted|."""
    return float(np.max(np.abs(found - wanted)) / np.max(np.abs(wanted)))


def outputs_and_gradients(layer: Any, x: Any) -> tuple[Any, Any, list[Any]]:
    """a⟨t⟩ and the derivatives of the mean of a⟨t⟩ · r⟨t⟩, r fixed and random, by x and by the weights."""
    direction = tf.random.stateless_normal([BATCH, TIME, UNITS], [3, 4])
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x, training=True)
        loss = tf.reduce_mean(output * direction)
    by_x, by_weights = tape.gradient(loss, [x, layer.trainable_variables])
    return output.numpy(), by_x.numpy(), [value.numpy() for value in by_weights]


def parity(make: Any) -> tuple[float, float]:
    """The largest relative difference of outputs, and of gradients by x, W and b, of a layer and its cell."""
    keras.utils.set_random_seed(0)
    layer = make(return_sequences=True)
    layer.build((BATCH, TIME, FEATURES))
    ours = Recurrent(from_keras(layer), return_sequences=True)
    x = tf.random.stateless_normal([BATCH, TIME, FEATURES], [1, 2])
    wanted, wanted_x, (wanted_kernel, wanted_recurrent, wanted_bias) = outputs_and_gradients(layer, x)
    found, found_x, gradients = outputs_and_gradients(ours, x)
    letters = ours.cell.equation_weights(gradients)
    names = {"SimpleRNN": "a", "GRU": "urc", "LSTM": "ufco"}[type(layer).__name__]
    signs = [-1 if names == "urc" and gate == "u" else 1 for gate in names]
    joined = np.concatenate([sign * letters[f"W_{g}"] for sign, g in zip(signs, names, strict=True)], axis=1)
    bias = np.concatenate([sign * letters[f"b_{g}"] for sign, g in zip(signs, names, strict=True)])
    if wanted_bias.ndim == 2:  # Keras' second bias, which is b_cc in the candidate
        assert difference(letters["b_cc"], wanted_bias[1, 2 * UNITS :]) <= 1e-5
        wanted_bias = wanted_bias[0]
    pairs = [
        (found_x, wanted_x),
        (joined[UNITS:], wanted_kernel),
        (joined[:UNITS], wanted_recurrent),
        (bias, wanted_bias),
    ]
    return difference(found, wanted), max(difference(*pair) for pair in pairs)


@pytest.mark.parametrize("name", KERAS)
def test_the_parity_table(name: str) -> None:
    """Within 1e-5 of Keras, and about what the page says: rounding depends on the machine."""
    page, make = KERAS[name]
    row = re.search(rf"^\| `{name}` \| (\S+) \| (\S+) \|$", PAGES[page], flags=re.MULTILINE)
    assert row, f"cell-{page}.md has no row for {name}"
    for found, said in zip(parity(make), row.groups(), strict=True):
        assert found <= 1e-5
        assert found <= 8 * max(float(said), np.finfo("float32").eps)
