"""Embeddings that begin with vectors: which, how long, frozen or tuned, and what is refused."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from helpers import Failing, Told
from seqkit.embeddings.initial import Initial
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, FormatError, MissingInputError, UsageError
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.training import RunConfig, TrainingConfig, train
from seqkit.language_model.transfer import InitialEmbeddings, Transfer
from seqkit.progress import SILENT
from seqkit.storage import Bundle, partial_path
from seqkit.text.vocabulary import Vocabulary

WORDS = Vocabulary(("<unk>", "<eos>", "a", "b", "c"), np.array([1, 10, 6, 3, 1]))
NETWORK = NetworkConfig(layers=1, units=8)
RUN = RunConfig(precision="float32", threads=1, checkpoint_seconds=0)

# Of a, b, c and d in the text, three have one; z is not in it.
TABLE = {"a": [3.0, 4.0, 0.0], "c": [0.0, -5.0, 0.0], "d": [1.0, 0.0, 7.0], "z": [100.0, 0.0, 0.0]}


def table(path: Path, **changed: list[float]) -> Path:
    rows = TABLE | changed
    path.write_text("".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows.items()))
    return path


def initial(words: list[str], rows: Any) -> InitialEmbeddings:
    vectors = Vectors(words, np.array(rows, np.float32))
    return InitialEmbeddings(Initial("v", vectors, "0"), False, NETWORK, TextConfig())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("a b c d\n" * 400)
    table(tmp_path / "v.txt")
    return tmp_path


def run(bundle: str, *, epochs: int = 1, progress: Any = SILENT, **changed: Any) -> Any:
    settings: dict[str, Any] = {
        "network": NETWORK,
        "text": TextConfig(tokenizer="whitespace"),
        "transfer": Transfer(vectors="v.txt"),
    }
    training = TrainingConfig(batch_size=4, bptt=8, epochs=epochs)
    return train(["text"], bundle, **{**settings, **changed}, training=training, run=RUN, progress=progress)


def tensors(bundle: str) -> Any:
    return Bundle.open(bundle).tensors("tensors.safetensors")


# --- what they begin with


def test_words_with_a_vector_have_it_at_the_size_of_the_drawn_ones() -> None:
    """The mean square of (3, 4), (0, -5) is 50/4, so that the factor is .2/√12.5; z does not count."""
    embeddings, progress = keras.Variable(np.full((5, 2), 0.5, np.float32)), Told()
    found = initial(["z", "c", "a"], [[1000, 0], [0, -5], [3, 4]])
    assert found.put_into(embeddings, WORDS, 0.2, progress) == pytest.approx(2 / 3)
    factor = 0.2 / math.sqrt(12.5)
    expected = [[0.5, 0.5], [0.5, 0.5], [3 * factor, 4 * factor], [0.5, 0.5], [0, -5 * factor]]
    np.testing.assert_allclose(embeddings.numpy(), expected, rtol=1e-6)
    assert np.sqrt(np.mean(embeddings.numpy()[[2, 4]] ** 2)) == pytest.approx(0.2)
    # a and c, of a, b and c: 6 and 1 of 10
    assert progress.messages == ["v: vectors for 66.7% of the words, which are 70.0% of the text"]


def test_a_vector_of_the_unknown_word_is_its_own() -> None:
    embeddings = keras.Variable(np.zeros((5, 1), np.float32))
    share = initial(["<unk>", "b"], [[-1], [1]]).put_into(embeddings, WORDS, 0.1, SILENT)
    np.testing.assert_allclose(embeddings.numpy()[:, 0], [-0.1, 0, 0, 0.1, 0], rtol=1e-6)
    assert share == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("words", "rows", "message"),
    [
        (["A", "<unk>"], [[1], [2]], "v has no vector for any word of the text"),
        (["a", "z"], [[0], [2]], "v: the vectors of all words of the text are zero"),
    ],
)
def test_vectors_that_say_nothing(words: list[str], rows: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        initial(words, rows).put_into(keras.Variable(np.zeros((5, 1))), WORDS, 0.1, SILENT)


# --- trained


@pytest.mark.slow
def test_frozen_they_stay_and_tuned_they_learn(folder: Path) -> None:
    """Vocabulary: `<unk>`, `<eos>`, a, b, c, d. Of a, c and d the mean square is (25 + 25 + 50)/9."""
    frozen = run("frozen", transfer=Transfer(vectors="v.txt", frozen=True))
    tuned = run("tuned")
    assert (frozen.covered, tuned.covered) == (0.75, 0.75)
    metrics = Bundle.open("frozen").manifest.metrics
    assert (metrics["covered"], metrics["vocabulary"]) == (0.75, 6)
    factor = 0.1 / math.sqrt(3) / math.sqrt(100 / 9)
    size = NetworkConfig(layers=1, units=8, embedding_size=3)
    first = np.array(LanguageNetwork(size, 6, seed=0).embeddings.numpy())
    for row, word in ((2, "a"), (4, "c"), (5, "d")):
        first[row] = np.array(TABLE[word]) * factor
    kept, learned = tensors("frozen"), tensors("tuned")
    np.testing.assert_allclose(kept["embeddings"], first, rtol=1e-6)
    moved = np.abs(np.asarray(learned["embeddings"]) - first).max(axis=1)
    assert (moved[2:] > 1e-3).all()
    assert (moved < 0.2).all()  # it is from there that they learned
    assert tuned.parameters - frozen.parameters == 6 * 3
    assert run("drawn", transfer=None).covered is None


@pytest.mark.slow
def test_tied_they_are_tuned(folder: Path) -> None:
    run("b", network=NetworkConfig(layers=1, units=8, tied=True))
    assert set(tensors("b")) >= {"embeddings", "layer_1.kernel"}
    assert "kernel" not in tensors("b")
    assert tensors("b")["layer_1.kernel"].shape == (3, 12)  # the layer has as many units as a vector is long


def test_a_bundle_of_vectors(folder: Path) -> None:
    Vectors(list(TABLE), np.array([*TABLE.values()], np.float32)).save("v")
    run("from-file", transfer=Transfer(vectors="v.txt", frozen=True))
    run("from-bundle", transfer=Transfer(vectors="v", frozen=True))
    np.testing.assert_array_equal(tensors("from-file")["kernel"], tensors("from-bundle")["kernel"])


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_vectors_alone(folder: Path) -> None:
    run("whole", epochs=2)
    with pytest.raises(RuntimeError, match="enough"):
        run("stopped", epochs=2, progress=Failing())
    assert partial_path("stopped").exists()
    table(folder / "other.txt", a=[3.0, 4.0, 1.0])
    for transfer, named in (
        (Transfer(vectors="other.txt"), "vectors.digest was"),
        (Transfer(vectors="v.txt", frozen=True), "vectors.frozen was False, is True"),
        (None, "vectors.digest was .* is None"),
    ):
        with pytest.raises(UsageError, match=named):
            run("stopped", epochs=2, transfer=transfer)
    run("stopped", epochs=2)
    digests = [
        hashlib.sha256((folder / name / "tensors.safetensors").read_bytes()).hexdigest()
        for name in ("whole", "stopped")
    ]
    assert digests[0] == digests[1]


# --- what is refused, before the text is read


@pytest.mark.parametrize(
    ("error", "changed", "message"),
    [
        (UsageError, {"text": TextConfig(level="character")}, "vectors are of words.* character: take level"),
        (UsageError, {"text": TextConfig(level="bpe")}, "vectors are of words"),
        (
            UsageError,
            {"network": NetworkConfig(embedding_size=4)},
            "v.txt has vectors of 3 numbers, and embedding_size is 4: set it to 3, or leave it out",
        ),
        (
            UsageError,
            {"network": NetworkConfig(tied=True), "transfer": Transfer(vectors="v.txt", frozen=True)},
            "tied weights are those of the softmax",
        ),
        (MissingInputError, {"transfer": Transfer(vectors="nowhere")}, "nowhere"),
        (FormatError, {"transfer": Transfer(vectors="bad.txt")}, "bad.txt, line 2"),
    ],
)
def test_what_cannot_be(folder: Path, error: Any, changed: dict[str, Any], message: str) -> None:
    (folder / "bad.txt").write_text("a 1 2\nb 1\n")
    with pytest.raises(error, match=message):
        run("b", **changed)
    assert sorted(os.listdir(folder)) == ["bad.txt", "text", "v.txt"]


def test_the_length_asked_for_may_be_theirs(folder: Path) -> None:
    run("b", network=NetworkConfig(layers=1, units=8, embedding_size=3))
    assert Bundle.open("b").manifest.config["network"]["embedding_size"] == 3
