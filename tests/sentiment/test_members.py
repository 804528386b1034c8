"""Bundles: what is damaged, foreign or hostile is refused by one clear line."""

from __future__ import annotations

import copy
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import bundle_refused
from seqkit._manifest import TENSORS
from seqkit.sentiment.members import read_members
from seqkit.storage import Bundle, BundleWriter
from seqkit.text.vocabulary import VOCABULARY

refused = partial(bundle_refused, read_members)


@pytest.fixture(scope="module")
def bundle(toy_bundle: Path) -> Bundle:
    return Bundle.open(toy_bundle)


def write(
    path: Path, bundle: Bundle, *, config: Any = None, tensors: Any = None, words: str | None = None
) -> Path:
    """A bundle with all its hashes right, whatever it holds."""
    with BundleWriter(path, kind="sentiment", overwrite=True) as writer:
        writer.write_text(VOCABULARY, bundle.text(VOCABULARY) if words is None else words)
        writer.write_tensors(TENSORS, dict(bundle.tensors(TENSORS)) if tensors is None else tensors)
        writer.commit(config=bundle.manifest.config if config is None else config)
    return path


def changed(bundle: Bundle, *path: Any, to: Any) -> Any:
    config = copy.deepcopy(bundle.manifest.config)
    part: Any = config
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = to
    return config


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        (("labels",), "ab", "labels are not a list of texts"),
        (("labels",), ["a"], "two labels or more"),
        (("labels",), ["a", "a"], "a label stands twice"),
        (("labels",), ["a", 1], "labels are not a list of texts"),
        (("labels",), ["a", "b", "c"], "member 0: .*shape"),
        (("cutter",), {}, "a cutter is lowercase"),
        (("cutter",), {"lowercase": "yes"}, "a cutter is lowercase"),
        (("members",), [], "expected 1 to 100 members"),
        (("members",), {}, "expected 1 to 100 members"),
        (("members",), [{}], "member 0 needs model, group and settings"),
        (("members", 0, "model"), "transformer", "no model 'transformer'"),
        (("members", 0, "model"), ["linear"], "no model"),
        (("members", 0, "model"), "../linear", "no model"),
        (("members", 0, "group"), 1, "the groups of members are not numbered from 0"),
        (("members", 0, "group"), "0", "the groups of members are not numbered from 0"),
        (("members", 0, "settings"), {}, "expected the settings"),
        (("members", 0, "settings", "ngrams"), 99, "ngrams must be"),
        (("members", 0, "settings", "alpha"), "1", "alpha is '1'"),
        (("weights",), [], "expected 1 weights from 0 to 100"),
        (("weights",), [-1.0], "expected 1 weights from 0 to 100"),
        (("weights",), [1.0, 1.0], "expected 1 weights from 0 to 100"),
        (("weights",), ["1"], "expected 1 weights from 0 to 100"),
    ],
)
def test_settings_that_cannot_be(
    tmp_path: Path, bundle: Bundle, path: tuple[Any, ...], to: Any, message: str
) -> None:
    refused(write(tmp_path / "b", bundle, config=changed(bundle, *path, to=to)), message)


def test_tensors_that_cannot_be(tmp_path: Path, bundle: Bundle) -> None:
    tensors = dict(bundle.tensors(TENSORS))
    infinite = {**tensors, "0.bias": np.full(1, np.inf, np.float32)}
    refused(write(tmp_path / "b", bundle, tensors=infinite), "0.bias has numbers that are not finite")
    foreign = {**tensors, "1.bias": np.zeros(1, np.float32)}
    refused(write(tmp_path / "b", bundle, tensors=foreign), "1.bias is of no member")
    without = {name: each for name, each in tensors.items() if name != "0.bias"}
    refused(write(tmp_path / "b", bundle, tensors=without), "member 0: ")


@pytest.mark.parametrize("words", ["", "a\tb", '"good"\t1\n', '"<unk>"\t0\n"<pad>"\t0\n'])
def test_vocabularies_that_are_none(tmp_path: Path, bundle: Bundle, words: str) -> None:
    refused(write(tmp_path / "b", bundle, words=words), "vocabulary.tsv")


@pytest.mark.parametrize("member", [VOCABULARY, TENSORS, "manifest.json"])
def test_a_byte_that_was_changed(tmp_path: Path, bundle: Bundle, member: str) -> None:
    path = write(tmp_path / "b", bundle)
    content = bytearray((path / member).read_bytes())
    content[-9] ^= 1
    (path / member).write_bytes(content)
    refused(path, member)
