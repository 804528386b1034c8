"""Going on from another model: which weights are taken, what new tokens begin with, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Failing, Told
from seqkit.errors import BundleError, MissingInputError, UsageError
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.initial import settings_of
from seqkit.language_model.members import read_members
from seqkit.language_model.model import LanguageModel
from seqkit.language_model.training import RunConfig, TrainingConfig, train
from seqkit.language_model.transfer import Transfer
from seqkit.progress import SILENT
from seqkit.storage import Bundle, partial_path
from seqkit.training.optimizers import OptimizerConfig

NETWORK = NetworkConfig(layers=2, units=6, embedding_size=4, dropout=0.1)
WORDS = TextConfig(tokenizer="whitespace", lowercase=True)
RUN = RunConfig(precision="float32", threads=1, checkpoint_seconds=0)


def run(
    source: str, bundle: str, *, rate: float = 0.01, epochs: int = 1, progress: Any = SILENT, **settings: Any
) -> Any:
    """A run; one of rate 0 saves what it began with."""
    optimizer = OptimizerConfig(name="sgd", learning_rate=rate or 1e-30)
    training = TrainingConfig(batch_size=4, bptt=8, epochs=epochs, optimizer=optimizer)
    return train([source], bundle, **settings, training=training, run=RUN, progress=progress)


def tensors(bundle: str) -> dict[str, Any]:
    found = Bundle.open(bundle).tensors("tensors.safetensors")
    return {name: np.array(tensor) for name, tensor in found.items()}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of words and another text."""
    folder = tmp_path_factory.mktemp("before")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("old").write_text("a b C\n" * 40 + "a b d\n" * 20)
        Path("new").write_text("a a e b\n" * 60 + "f\n")
        run("old", "words", network=NETWORK, text=WORDS, rate=1.0)
    return folder


@pytest.fixture
def folder(before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder beside them."""
    monkeypatch.chdir(tmp_path)
    for each in before.iterdir():
        (tmp_path / each.name).symlink_to(each)
    return tmp_path


# --- what it begins with


def test_all_that_was_learned_and_the_mean_for_what_is_new(folder: Path) -> None:
    """The text has a, b, e and f; f is rarer than 2, c and d stay."""
    told = Told()
    report = run("new", "b", rate=0, transfer=Transfer(model="words"), text=None, progress=told)
    old, new = tensors("words"), tensors("b")
    known = LanguageModel.load("words").coding.vocabulary
    words = LanguageModel.load("b").coding.vocabulary
    assert words.words == ("<unk>", "<eos>", "a", "b", "e", "f", "c", "d")
    assert dict(zip(words, words.counts.tolist(), strict=True)) == {
        **{"<unk>": 0, "<eos>": 61, "a": 120, "b": 60, "e": 60, "f": 1, "c": 0, "d": 0}
    }
    assert old.keys() == new.keys()
    for name in old:
        if name not in ("embeddings", "kernel", "bias"):
            np.testing.assert_array_equal(old[name], new[name])
            continue
        for word in words:
            mean = old[name][2:].mean(axis=0)
            expected = old[name][known[word]] if word in known else mean
            np.testing.assert_allclose(new[name][words[word]], expected, rtol=1e-6)
    assert np.abs(old["kernel"]).max() > 0.1
    assert report.covered == 0.5  # a and b, of a, b, e and f
    assert told.messages == ["going on from words: 2 of its 4 tokens are in the text; new tokens: 2"]


@pytest.mark.slow
def test_of_the_same_text_it_expects_the_same(folder: Path) -> None:
    run("old", "tied", network=NetworkConfig(layers=1, units=6, tied=True), text=WORDS)
    run("old", "b", rate=0, transfer=Transfer(model="tied"))
    for text in ("a b c", "b d q"):
        first, again = (LanguageModel.load(name).score([text]) for name in ("tied", "b"))
        assert again.log_probability == pytest.approx(first.log_probability, rel=1e-6)


@pytest.mark.slow
def test_settings_are_those_of_the_model(folder: Path) -> None:
    run("new", "b", transfer=Transfer(model="words"))
    config = Bundle.open("b").manifest.config
    was = Bundle.open("words").manifest.config
    assert (config["network"], config["text"]) == (was["network"], was["text"])
    own = NetworkConfig(layers=2, units=6, embedding_size=4, dropout=0.5, weight_drop=0.2)
    text = TextConfig(tokenizer="whitespace", lowercase=True, min_count=2, lines=True)
    run("new", "c", transfer=Transfer(model="words"), network=own, text=text)
    config = Bundle.open("c").manifest.config
    assert (config["network"]["dropout"], config["text"]["lines"]) == (0.5, True)
    assert LanguageModel.load("c").coding.vocabulary.words == ("<unk>", "<eos>", "a", "b", "e", "c", "d")


@pytest.mark.slow
def test_byte_pairs_stay(folder: Path) -> None:
    run("old", "pairs", network=NETWORK, text=TextConfig(level="bpe", max_vocab=260))
    run("new", "b", rate=0, transfer=Transfer(model="pairs"))
    old, new = (LanguageModel.load(name).coding for name in ("pairs", "b"))
    assert old.pairs
    assert new.pairs
    assert new.pairs.to_json() == old.pairs.to_json()
    assert new.tokens("a b e") == old.tokens("a b e")
    assert set(new.vocabulary) - set(old.vocabulary) == {"e", "f", "Ġ"}


@pytest.mark.slow
def test_labels_that_are_known_stay(folder: Path) -> None:
    labels = TextConfig(tokenizer="whitespace", lines=True, label_column="kind", text_column="text")
    Path("old.tsv").write_text("kind\ttext\n" + "x\ta b\ny\tb a\n" * 30)
    Path("new.tsv").write_text("kind\ttext\n" + "z\ta b\ny\tb b\n" * 30)
    run("old.tsv", "labels", network=NETWORK, text=labels, rate=1.0)
    settings, _ = settings_of("labels")
    assert (settings["lines"], settings["label_column"], settings["validation"]) == (True, None, 0.0)
    run("new.tsv", "b", rate=0, transfer=Transfer(model="labels"), text=labels)
    old, new = tensors("labels")["labels"], tensors("b")["labels"]
    assert LanguageModel.load("b").coding.labels == ("y", "z")
    assert np.abs(old[1]).max() > 0
    np.testing.assert_allclose(new, [old[1], np.zeros(4)], atol=1e-20)
    # and a model of texts without labels begins with one that has them, and the other way round
    run("new", "c", transfer=Transfer(model="labels"))
    assert LanguageModel.load("c").coding.labels == ()
    run("new.tsv", "d", rate=0, transfer=Transfer(model="c"), text=labels)
    np.testing.assert_allclose(tensors("d")["labels"], np.zeros((2, 4)), atol=1e-20)


# --- a run


@pytest.mark.slow
def test_a_run_goes_on_from_the_same_model_alone(folder: Path) -> None:
    from_words = Transfer(model="words")
    Path("more").write_text("a b e c\n" * 400)
    run("more", "whole", epochs=2, transfer=from_words)
    with pytest.raises(RuntimeError, match="enough"):
        run("more", "stopped", epochs=2, transfer=from_words, progress=Failing())
    assert partial_path("stopped").exists()
    run("old", "words-2", network=NETWORK, text=WORDS)
    with pytest.raises(UsageError, match=r"init\.digest was"):
        run("more", "stopped", epochs=2, transfer=Transfer(model="words-2"))
    run("more", "stopped", epochs=2, transfer=from_words)
    whole, stopped = (Path(name, "tensors.safetensors").read_bytes() for name in ("whole", "stopped"))
    assert whole == stopped


@pytest.mark.slow
def test_less_text_is_enough(folder: Path) -> None:
    """A few lines in a row that the earlier model has learned from many."""
    cycle = "one two three four five six seven eight nine ten\n"
    Path("many").write_text(cycle * 300)
    Path("few").write_text("one two three four five\n" * 8)
    text = TextConfig(tokenizer="whitespace")
    network = NetworkConfig(layers=1, units=16)
    adam = OptimizerConfig(name="adam", learning_rate=0.01)
    training = TrainingConfig(batch_size=4, bptt=11, epochs=4, optimizer=adam)
    train(["many"], "first", network, text=text, training=training, run=RUN)
    few = TrainingConfig(batch_size=2, bptt=6, epochs=4, optimizer=adam)
    train(["few"], "anew", network, text=text, training=few, run=RUN)
    train(["few"], "on", training=few, run=RUN, transfer=Transfer(model="first"))
    anew, on = (LanguageModel.load(name).score(["one two three four five"]) for name in ("anew", "on"))
    assert on.perplexity < anew.perplexity / 1.5
    unseen = "six seven eight nine ten"
    assert LanguageModel.load("on").score([unseen]).unknown == 0
    assert LanguageModel.load("anew").score([unseen]).unknown == 5


# --- what is refused


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"network": NetworkConfig(units=7)},
            "words has units 6, not 7: a run that begins with it",
        ),
        ({"network": NetworkConfig(layers=2, units=6, embedding_size=6)}, "embedding_size 4, not 6"),
        ({"network": NetworkConfig(layers=2, units=6, embedding_size=4, cell="gru")}, "cell lstm, not gru"),
        ({"text": TextConfig(level="character")}, "words has level word, not character"),
        ({"text": TextConfig(lowercase=True)}, "words has tokenizer whitespace, not word"),
        ({"text": TextConfig(tokenizer="whitespace")}, "words has lowercase True, not False"),
    ],
)
def test_other_weights_or_tokens(folder: Path, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run("new", "b", transfer=Transfer(model="words"), **changed)
    assert not Path("b").exists()
    assert not partial_path("b").exists()


@pytest.mark.slow
def test_the_length_of_embeddings_may_be_told_in_two_ways(folder: Path) -> None:
    network = NetworkConfig(layers=1, units=6)
    run("old", "a", network=network, text=WORDS)
    network = replace(network, embedding_size=6)
    run("new", "b", transfer=Transfer(model="a"), network=network)
    assert read_members("b")[2].config == network


def test_what_is_no_model(folder: Path) -> None:
    with pytest.raises(MissingInputError):
        run("new", "b", transfer=Transfer(model="nowhere"))
    Path("damaged").mkdir()
    for each in Path("words").iterdir():
        Path("damaged", each.name).write_bytes(each.read_bytes())
    data = bytearray(Path("damaged/tensors.safetensors").read_bytes())
    data[-1] ^= 1
    Path("damaged/tensors.safetensors").write_bytes(data)
    with pytest.raises(BundleError, match="damaged"):
        run("new", "b", transfer=Transfer(model="damaged"))


def test_a_transfer_is_of_one_thing() -> None:
    for both in ({}, {"vectors": "v", "model": "m"}):
        with pytest.raises(UsageError, match="begin with vectors or with a model"):
            Transfer(**both)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="only vectors can be frozen"):
        Transfer(model="m", frozen=True)


def test_settings_of_a_model(folder: Path) -> None:
    settings, fixed = settings_of("words")
    assert (settings["units"], settings["dropout"], settings["tokenizer"]) == (6, 0.1, "whitespace")
    assert fixed == {
        *("cell", "layers", "units", "embedding_size", "tied", "layer_norm"),
        *("level", "tokenizer", "lowercase"),
    }
