"""Bundles: what is written is read; what is damaged, foreign or hostile is refused by one clear line."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import bundle_refused
from seqkit._manifest import TENSORS
from seqkit.errors import DataError, MissingInputError
from seqkit.language_model.coding import SPECIALS, Coding
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.members import PAIRS, read_members, write_members
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.pairs import BytePairs
from seqkit.storage import BundleWriter
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

NETWORK = NetworkConfig(units=3, layers=2, embedding_size=2)
TEXT = TextConfig(level="word", tokenizer="whitespace", lines=True)
WORDS = Vocabulary.from_counts({"a": 3, "b": 2}, specials=SPECIALS)
CONFIG = {"network": asdict(NETWORK), "text": asdict(TEXT)}
OF = LanguageNetwork(NETWORK, len(WORDS), seed=5)
TENSORS_OF = {name: weight.value.numpy() for name, weight in OF.weights.items()}

refused = partial(bundle_refused, read_members)


def write(
    path: Path,
    *,
    config: Any = CONFIG,
    tensors: Any = TENSORS_OF,
    words: str = WORDS.to_tsv(),
    pairs: str = "",
) -> Path:
    """A bundle with all its hashes right, whatever it holds."""
    with BundleWriter(path, kind="language_model", overwrite=True) as writer:
        writer.write_text(VOCABULARY, words)
        if pairs:
            writer.write_text(PAIRS, pairs)
        writer.write_tensors(TENSORS, tensors)
        writer.commit(config=config, seed=0, metrics={}, fingerprint=None, history=[])
    return path


def changed(part: str, **values: Any) -> Any:
    return {**CONFIG, part: {**CONFIG[part], **values}}


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "gru-full", "gru-simplified", "rnn"])
def test_what_is_written_is_read(tmp_path: Path, cell: str, tied: bool) -> None:
    config = NetworkConfig(cell=cell, units=3, layers=2, embedding_size=2, tied=tied, layer_norm=tied)
    network = LanguageNetwork(config, len(WORDS), labels=2 if tied else 0, seed=5)
    text = replace(TEXT, label_column="kind", lines=True) if tied else TEXT
    with BundleWriter(tmp_path / "b", kind="language_model") as writer:
        write_members(writer, Coding("word", WORDS, TEXT.cutter, True), network)
        writer.commit(
            config={"network": asdict(config), "text": asdict(text), "labels": ["b", "a"] if tied else []},
            seed=5,
            metrics={},
            fingerprint=None,
            history=[],
        )
    bundle, coding, again = read_members(tmp_path / "b")
    assert bundle.manifest.seed == 5
    assert (again.config, coding.vocabulary, coding.lines, coding.level) == (config, WORDS, True, "word")
    assert coding.tokenizer == TEXT.cutter
    assert coding.labels == (("b", "a") if tied else ())
    assert again.weights.keys() == network.weights.keys()
    for name, weight in network.weights.items():
        np.testing.assert_array_equal(again.weights[name], weight)


def test_byte_pairs_are_a_member(tmp_path: Path) -> None:
    pairs = BytePairs.learned(["ab ab"], 257)
    config = changed("text", level="bpe")
    _, coding, _ = read_members(write(tmp_path / "b", config=config, pairs=pairs.to_json()))
    assert coding.tokens("ab") == ["ab"]
    refused(write(tmp_path / "b", config=config), "pairs.json")
    with pytest.raises(DataError, match=r"pairs\.json: no byte pairs"):
        read_members(write(tmp_path / "b", config=config, pairs="{}"))


def test_what_is_not_there_or_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_members(tmp_path / "b")
    with BundleWriter(tmp_path / "b", kind="vectors") as writer:
        writer.write_text(VOCABULARY, WORDS.to_tsv())
        writer.write_tensors(TENSORS, TENSORS_OF)
        writer.commit(config={}, seed=0, metrics={}, fingerprint=None, history=[])
    refused(tmp_path / "b", "vectors")


@pytest.mark.parametrize("member", [VOCABULARY, TENSORS, "manifest.json"])
def test_a_byte_that_was_changed(tmp_path: Path, member: str) -> None:
    path = write(tmp_path / "b")
    content = bytearray((path / member).read_bytes())
    content[-9] ^= 1
    (path / member).write_bytes(content)
    refused(path, member)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in TENSORS_OF.items() if key != name}


def shaped(name: str, *shape: int) -> dict[str, Any]:
    return {**TENSORS_OF, name: np.zeros(shape, np.float32)}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (without("embeddings"), "embeddings of shape None"),
        (without("bias"), r"bias of shape None, not \(4,\)"),
        (without("layer_2.kernel"), r"layer_2.kernel of shape None, not \(3, 12\)"),
        (shaped("embeddings", 4, 9), r"embeddings of shape \(4, 9\)"),
        (shaped("kernel", 5, 3), r"kernel of shape \(5, 3\), not \(4, 3\)"),
        (shaped("layer_1.bias", 13), r"layer_1.bias of shape \(13,\), not \(12,\)"),
        (shaped("further", 1), r"further of shape \(1,\), not None"),
        (shaped("labels", 2, 7), r"labels of shape \(2, 7\), not None"),
        ({**TENSORS_OF, "bias": np.zeros(4)}, "bias is not of finite numbers in float32"),
        ({**TENSORS_OF, "embeddings": np.zeros((4, 2), np.int64)}, "embeddings is not of finite numbers"),
        ({**TENSORS_OF, "kernel": np.full((4, 3), np.nan, np.float32)}, "kernel is not of finite numbers"),
        ({**TENSORS_OF, "kernel": np.full((4, 3), np.inf, np.float32)}, "kernel is not of finite numbers"),
    ],
)
def test_weights_that_are_not_those_of_the_network(tmp_path: Path, tensors: Any, message: str) -> None:
    refused(write(tmp_path / "b", tensors=tensors), f"tensors.safetensors: {message}")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "expected the settings "),
        ({"text": 3, "network": []}, "expected the settings "),
        (changed("network", further=1), "expected the settings .*cell.*"),
        (changed("network", cell="transformer"), "cell must be one of"),
        (changed("network", units="3"), "units is '3'"),
        (changed("network", units=3.0), r"units is 3\.0"),
        (changed("network", layers=True), "layers is True"),
        (changed("network", layers=0), "layers must be from 1 to 32, not 0"),
        (changed("network", weight_drop=2.0), "weight_drop must be"),
        (changed("network", dropout="x" * 1000), "dropout is 'xxx"),
        (changed("network", tied="yes"), "tied is 'yes'"),
        (changed("text", level=["word"]), r"level is \['word'\]"),
        (changed("text", level="sentence"), "level must be one of"),
        (changed("text", lines=None), "lines is None"),
        (changed("network", units=65_536), "too few weights"),
        (changed("network", embedding_size=65_536), "too few weights"),
        (changed("network", layers=32), "too few weights"),
        (changed("network", embedding_size=10**12), "embedding_size must be from 1 to 65,536"),
        (changed("network", layers=10**15), "layers must be from 1 to 32"),
        (changed("network", units=10**30), "units must be from 1 to 65,536"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, config: Any, message: str) -> None:
    refused(write(tmp_path / "b", config=config), f"manifest.json: {message}")


def test_weights_without_numbers_ask_for_nothing(tmp_path: Path) -> None:
    """A shape with a 0 in it takes no byte, whatever else stands there."""
    units = 65_536
    tensors = {**TENSORS_OF, "layer_1.recurrent_kernel": np.zeros((units, 0), np.float32)}
    refused(write(tmp_path / "b", tensors=tensors, config=changed("network", units=units)), "too few weights")


@pytest.mark.parametrize("words", ["a\tb", '"a"\t1\n"b"\t1\n"c"\t1\n"d"\t1\n', ""])
def test_vocabularies_that_are_none(tmp_path: Path, words: str) -> None:
    refused(write(tmp_path / "b", words=words), "vocabulary.tsv")


@pytest.mark.parametrize("column", ["kind", None])
@pytest.mark.parametrize("labels", [[], "ab", [1, 2], ["a", "a"], ["a"], None])
def test_labels_that_cannot_be(tmp_path: Path, column: str | None, labels: Any) -> None:
    """A model has labels where its text had a column of them; of the weights, one row for each."""
    config = changed("text", label_column=column, lines=True)
    path = write(tmp_path / "b", config=config | {"labels": labels})
    if column is None and labels == []:
        assert read_members(path)[1].labels == ()
    elif labels == ["a"] and column:
        refused(path, r"labels of shape None, not \(1, 2\)")
    else:
        refused(path, "labels are")
