"""Going on with new text: what stays, what is taken, what is refused, and at which learning rate."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Interrupting, Told
from seqkit.corpora import open_corpus
from seqkit.embeddings.cooccurrence.building import count_sources
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.initial import Initial
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.methods import METHODS
from seqkit.embeddings.training import RunConfig, train
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, InterruptedTraining, MissingInputError, UsageError
from seqkit.progress import SILENT
from seqkit.storage import Bundle, read_tensors
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary

RUN = RunConfig(threads=2, precision="float32")
ABSENT, RARE, NEW = "zebra", "farewell", "kaiser"
"""Words of the old text alone; of the new text, but below min_count; of the new text alone."""

LINES = list(open_corpus("kingdom", size=2400))
OLD = [*LINES[:1600], *[f"{ABSENT} and the {RARE} of a {ABSENT}"] * 20]
FRESH = [line for line in LINES[1600:] if RARE not in line.split()]
PLANTED = [line.replace("king", NEW) for line in FRESH if "king" in line.split()] * 2
RECENT = [*FRESH, *PLANTED, f"{RARE} said the king to the {RARE} queen"]


def config(name: str, **settings: Any) -> Any:
    return METHODS[name].configured({"vector_size": 20, "epochs": 2, **settings})


def text(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init")
    text(folder / "old.txt", OLD)
    text(folder / "new.txt", RECENT)
    return folder


@pytest.fixture(scope="module", params=METHODS)
def pair(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Path, list[str]]:
    """A method, its bundle of the old text, one that goes on from it, and what was said."""
    name, told = request.param, Told()
    bundles = tmp_path_factory.mktemp(name)
    old, new = bundles / "old", bundles / "new"
    train([folder / "old.txt"], old, config(name), run=RUN)
    train([folder / "new.txt"], new, config(name), run=RUN, init=old, progress=told)
    return name, old, new, told.messages


Pair = tuple[str, Path, Path, list[str]]


OLD_COUNTS, RECENT_COUNTS = (
    Counter(token for line in lines for token in Tokenizer().tokenize(line)) for lines in (OLD, RECENT)
)


def test_words_and_counts_are_united(pair: Pair) -> None:
    _, old, new, said = pair
    before, after = Vectors.load(old), Vectors.load(new)
    assert set(before.words) | {NEW} <= set(after.words)
    assert RECENT_COUNTS[RARE] == 2  # below min_count, and kept: it was known
    for word in (ABSENT, RARE, NEW, "the", "king"):
        known = OLD_COUNTS[word] if word in before else 0
        assert after.vocabulary.counts[after.vocabulary[word]] == known + RECENT_COUNTS[word]
    rank = sorted(
        zip(after.vocabulary.counts.tolist(), after.words, strict=True), key=lambda pair: (-pair[0], pair[1])
    )
    assert list(after.words) == [word for _, word in rank]
    recurring = sum(RECENT_COUNTS[word] > 0 for word in before.words)
    assert said == [
        f"going on from {old}: {recurring:,} of its {len(before):,} words are in the text; "
        f"new words: {len(after) - len(before):,}"
    ]


def test_a_word_that_the_text_lacks_keeps_its_vector_to_the_bit(pair: Pair) -> None:
    """Skip-gram and the window model read vectors where the text has the word, CBOW where a neighbour has it;
    as noise a word is moved in the other table. Least squares says nothing about words without pairs.
    """
    _, old, new, _ = pair
    before, after = Vectors.load(old), Vectors.load(new)
    assert ABSENT not in RECENT_COUNTS
    np.testing.assert_array_equal(after[ABSENT], before[ABSENT])
    assert not np.array_equal(after["the"], before["the"])
    assert not np.array_equal(after[RARE], before[RARE])  # it was trained
    np.testing.assert_array_equal(np.isfinite(after.matrix), True)


def test_known_words_stay_near(pair: Pair) -> None:
    """The vectors of known words turn little; at random their cosines would be within ±0.7 (20 numbers)."""
    name, old, new, _ = pair
    before, after = Vectors.load(old), Vectors.load(new)
    words = [word for word in before.words[:200] if RECENT_COUNTS[word]]
    a, b = (np.array([vectors[word] for word in words]) for vectors in (before, after))
    cosines = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert np.median(cosines) > (0.6 if name == "glove" else 0.9)


def test_the_learning_rate_is_the_share_of_the_new_text(pair: Pair, folder: Path) -> None:
    name, old, new, _ = pair
    manifest, earlier = Bundle.open(new).manifest, Bundle.open(old).manifest
    tokens = [OLD_COUNTS.total(), RECENT_COUNTS.total()]
    assert [earlier.metrics["words"], manifest.metrics["words"]] == tokens
    rate = METHODS[name].config().learning_rate
    share = 1 if name == "glove" else tokens[1] / sum(tokens)  # two epochs each
    assert manifest.config["learning_rate"] == pytest.approx(rate * share, rel=1e-12)
    assert manifest.config["init"]["work"] == 2 * tokens[0]
    # Going on once more: from the whole rate again, with all that was done before.
    third = Initial.load(new).configured(config(name), 100)
    share = 1 if name == "glove" else 200 / (2 * sum(tokens) + 200)
    assert third.learning_rate == pytest.approx(rate * share, rel=1e-12)
    as_set = replace(Initial.load(old), share_rate=False)
    assert as_set.configured(config(name), 100) == config(name)


@pytest.mark.parametrize("pair", sorted(METHODS.keys() - {"glove"}), indirect=True)
def test_training_begins_with_every_tensor_of_the_old_run(pair: Pair, folder: Path, tmp_path: Path) -> None:
    """On the old text with a tiny rate, nothing moves: all tables were there from the first step on."""
    name, old, _, _ = pair
    train(
        [folder / "old.txt"],
        tmp_path / "b",
        config(name, learning_rate=1e-9, epochs=1),
        run=RUN,
        init=replace(Initial.load(old), share_rate=False),
    )
    before, after = (read_tensors(bundle / "tensors.safetensors")[0] for bundle in (old, tmp_path / "b"))
    assert before.keys() == after.keys()
    for table in before:
        np.testing.assert_allclose(after[table], before[table], atol=1e-5, err_msg=table)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_the_same_bytes_and_only_from_the_same_vectors(
    pair: Pair, folder: Path, tmp_path: Path
) -> None:
    name, old, new, _ = pair
    sources, bundle = [folder / "new.txt"], tmp_path / "b"
    with pytest.raises(InterruptedTraining):
        train(sources, bundle, config(name), run=RUN, init=old, progress=Interrupting())
    with pytest.raises(UsageError, match=r"init\.digest was \w+, is None"):
        train(sources, bundle, config(name), run=RUN)
    with pytest.raises(UsageError, match=r"init\.digest was"):
        train(sources, bundle, config(name), run=RUN, init=new)
    train(sources, bundle, config(name), run=RUN, init=old)
    member = "tensors.safetensors"
    assert (bundle / member).read_bytes() == (new / member).read_bytes()


SETTINGS = {
    "skipgram": {"epochs": 6, "learning_rate": 0.15},
    "skipgram-softmax": {"learning_rate": 0.2},
    "window": {"hidden_units": 64, "epochs": 3, "learning_rate": 0.1},
    "cbow": {"epochs": 5},
    "glove": {"epochs": 5},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_a_new_word_comes_near_its_like(name: str, tmp_path: Path) -> None:
    """NEW stands in every line of the new text that has "king", in its place, 29 times: of some 800 words
    "king" is among its five nearest.
    """
    lines = list(open_corpus("kingdom", size=9000))
    new = [
        " ".join(NEW if word == "king" else word for word in line.split())
        for line in lines[6000:]
        if "king" in line.split()
    ]
    settings = config(name, vector_size=50, **SETTINGS[name])
    train([text(tmp_path / "old.txt", lines[:6000])], tmp_path / "old", settings, run=RUN)
    sources = [text(tmp_path / "new.txt", [*new, *lines[6000:]])]
    train(sources, tmp_path / "new", settings, run=RUN, init=tmp_path / "old")
    near = [word for word, _ in Vectors.load(tmp_path / "new").most_similar(NEW, 5)]
    assert "king" in near


# --- from other vectors


@pytest.mark.parametrize("name", METHODS)
def test_vectors_of_a_file(name: str, folder: Path, tmp_path: Path) -> None:
    """Their vectors are taken, the learning rate is as set, counts are the text's."""
    rng = np.random.default_rng(0)
    words = [ABSENT, "king", "queen", "the"]
    Vectors(words, rng.normal(size=(4, 20)).astype(np.float32)).export(tmp_path / "v.vec")
    told = Told()
    train([folder / "new.txt"], tmp_path / "b", config(name), run=RUN, init=tmp_path / "v.vec", progress=told)
    before, after = Vectors.load(tmp_path / "v.vec"), Vectors.load(tmp_path / "b")
    np.testing.assert_array_equal(after[ABSENT], before[ABSENT])
    assert after.vocabulary.counts[after.vocabulary[ABSENT]] == 0
    assert after.vocabulary.counts[after.vocabulary["king"]] == RECENT_COUNTS["king"]
    config_ = Bundle.open(tmp_path / "b").manifest.config
    assert config_["learning_rate"] == METHODS[name].config().learning_rate
    assert told.messages[1].startswith(f"{tmp_path / 'v.vec'} has no more than vectors: begun anew: ")
    taken = after["king"] @ before["king"] / np.linalg.norm(after["king"]) / np.linalg.norm(before["king"])
    assert taken > 0.5


def test_vectors_of_another_method_and_of_another_hidden_layer(folder: Path, tmp_path: Path) -> None:
    sources = [folder / "new.txt"]
    train([folder / "old.txt"], tmp_path / "window", config("window", hidden_units=8, epochs=1), run=RUN)
    told = Told()
    train(
        sources, tmp_path / "a", config("window", epochs=1), run=RUN, init=tmp_path / "window", progress=told
    )
    assert told.messages[1:] == [
        f"{tmp_path / 'window'} has other shapes: begun anew: hidden_kernel, hidden_bias, output_kernel"
    ]
    train(sources, tmp_path / "b", config("skipgram"), run=RUN, init=tmp_path / "window", progress=told)
    assert told.messages[-1] == f"{tmp_path / 'window'} is of method window: begun anew: context"


@pytest.mark.parametrize("pair", ["glove"], indirect=True)
def test_counts_get_rows_for_old_words(pair: Pair, folder: Path, tmp_path: Path) -> None:
    _, old, new, _ = pair
    count_sources([folder / "new.txt"], tmp_path / "counts", config("glove").counting)
    train([tmp_path / "counts"], tmp_path / "b", config("glove"), run=RUN, init=old)
    before, after = Vectors.load(old), Vectors.load(tmp_path / "b")
    assert set(after.words) == set(Vectors.load(new).words)
    np.testing.assert_array_equal(after[ABSENT], before[ABSENT])
    np.testing.assert_array_equal(after[RARE], before[RARE])  # not among the counts: as if it were absent
    assert not np.array_equal(after["the"], before["the"])


class Tables:
    """A trainer of three words that has nothing but its tables."""

    def __init__(self) -> None:
        self.tables = {name: np.zeros((3, 2), np.float32) for name in ("vectors", "words", "contexts")}
        self.tables |= {name: np.zeros(3, np.float32) for name in ("word_bias", "context_bias")}

    def state(self) -> dict[str, np.ndarray]:
        return self.tables

    def restore(self, state: dict[str, np.ndarray]) -> None:
        self.tables = state


@pytest.mark.parametrize("output", ["sum", "words", "contexts"])
def test_glove_begins_with_vectors_of_unknown_origin_as_its_output(output: str) -> None:
    rows = np.array([[1, 2], [3, 4]], np.float32)
    initial, trainer = Initial("v", Vectors(["a", "b"], rows), "0"), Tables()
    words = Vocabulary(("a", "b", "c"), np.array([3, 2, 1]))
    initial.begin(trainer, words, GloVeConfig(vector_size=2, output=output), SILENT)  # type: ignore[arg-type]
    found = trainer.tables
    chosen = found["words"] + found["contexts"] if output == "sum" else found[output]
    np.testing.assert_array_equal(chosen[:2], rows)
    np.testing.assert_array_equal(found["vectors"][:2], rows)


def test_a_word_that_recurs_once_has_what_it_learned() -> None:
    rng = np.random.default_rng(0)
    old = rng.normal(size=(3, 2)).astype(np.float32)
    initial = Initial("v", Vectors(["a", "b", "z"], old), "0")
    tables = {name: rng.normal(size=(3, 2)).astype(np.float32) for name in ("vectors", "words", "contexts")}
    vocabulary = Vocabulary(("a", "b", "z"), np.array([1, 5, 0]))
    united, found = initial.finished(vocabulary, tables, GloVeConfig(vector_size=2))
    lengths = np.linalg.norm(found["vectors"], axis=1)
    for word, kept in (("a", tables["vectors"][0]), ("b", tables["vectors"][1]), ("z", old[2])):
        assert lengths[united[word]] == pytest.approx(np.linalg.norm(kept), rel=1e-5)


# --- what is refused


def test_what_does_not_fit_is_refused(pair: Pair, folder: Path, tmp_path: Path) -> None:
    name, old, _, _ = pair
    sources, bundle = [folder / "new.txt"], tmp_path / "b"
    with pytest.raises(UsageError, match=r"has vectors of 20 numbers, not 21.*--vector-size 20"):
        train(sources, bundle, config(name, vector_size=21), run=RUN, init=old)
    cased = CorpusConfig(tokenizer=Tokenizer("word", lowercase=False))
    with pytest.raises(UsageError, match="were cut by the tokenizer"):
        train(sources, bundle, config(name), run=RUN, init=old, corpus=cased)
    with pytest.raises(MissingInputError):
        train(sources, bundle, config(name), run=RUN, init=tmp_path / "missing")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("pair", ["glove"], indirect=True)
def test_a_damaged_bundle_is_refused(pair: Pair, folder: Path, tmp_path: Path) -> None:
    name, old, _, _ = pair
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for path in old.iterdir():
        (damaged / path.name).write_bytes(path.read_bytes())
    content = bytearray((damaged / "tensors.safetensors").read_bytes())
    content[-1] ^= 1
    (damaged / "tensors.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match="sha256"):
        train([folder / "new.txt"], tmp_path / "b", config(name), run=RUN, init=damaged)
