"""Two models together: the mean of what they expect, and the weight that is best."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.errors import BundleError, UsageError
from seqkit.language_model.coding import Coding
from seqkit.language_model.mixture import Mixture, MixtureConfig, fitted_weight, mixed
from seqkit.language_model.ngram import NGram, count, to_tensors
from seqkit.storage import BundleWriter
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary

WORDS = ("<unk>", "<eos>", "a", "b")
TEXT = np.array([2, 3, 2, 3, 1, 2, 2, 1], np.int32)


def coding(words: tuple[str, ...] = WORDS, **options: Any) -> Coding:
    options = {"level": "word", "lines": False, "tokenizer": Tokenizer("word", False)} | options
    return Coding(vocabulary=Vocabulary(words, np.ones(len(words), np.int64)), **options)


def saved(path: Path, config: dict[str, Any] | None = None, tensors: Any = None) -> Path:
    tables = count(TEXT, len(WORDS), 2)
    known = MixtureConfig.of(coding(), 2, 0.25)
    with BundleWriter(path, kind="ngram") as writer:
        writer.write_text("vocabulary.tsv", coding().vocabulary.to_tsv())
        writer.write_tensors("tensors.safetensors", tensors or to_tensors(tables))
        writer.commit(config=vars(known) | (config or {}))
    return path


def test_a_mean_by_hand() -> None:
    """3/4 · 1/2 + 1/4 · 1/4 = 7/16; alone either is itself."""
    surprisal, other = [math.log(2)], [1 / 4]
    assert mixed(surprisal, other, 0.25)[0] == pytest.approx(-math.log(7 / 16))
    assert mixed(surprisal, other, 0.0)[0] == pytest.approx(math.log(2))
    assert mixed(surprisal, other, 1.0)[0] == pytest.approx(math.log(4))


def test_the_best_weight() -> None:
    """Two tokens, ŷ = 1/2 and 1/10, P = 1/10 and 1/2: by symmetry 1/2. And against a grid."""
    assert fitted_weight([-math.log(0.5), -math.log(0.1)], [0.1, 0.5]) == pytest.approx(0.5, abs=1e-9)
    rng = np.random.default_rng(0)
    own, other = rng.uniform(0.01, 1, 500), rng.uniform(0.01, 1, 500) ** 1.3
    grid = np.linspace(0, 1, 2001)
    best = grid[np.argmax([np.log((1 - w) * own + w * other).sum() for w in grid])]
    assert 0.05 < best < 0.95
    assert fitted_weight(-np.log(own), other) == pytest.approx(best, abs=1e-3)


def test_a_model_that_is_better_everywhere_has_all_the_weight() -> None:
    assert fitted_weight([math.log(2)], [0.3]) == pytest.approx(0, abs=1e-9)
    assert fitted_weight([math.log(2)], [0.7]) == pytest.approx(1, abs=1e-9)


def test_saved_and_loaded(tmp_path: Path) -> None:
    mixture = Mixture.load(saved(tmp_path / "n"))
    mixture.check(coding())
    surprisal = np.linspace(0.5, 3, len(TEXT))
    expected = mixed(surprisal, NGram(count(TEXT, 4, 2)).probabilities(TEXT), 0.25)
    np.testing.assert_array_equal(mixture.surprisals(TEXT, surprisal), expected)


@pytest.mark.parametrize(
    "other",
    [
        {"words": (*WORDS[:3], "c")},
        {"level": "character"},
        {"lines": True},
        {"tokenizer": Tokenizer("whitespace", False)},
        {"tokenizer": Tokenizer("word", True)},
    ],
    ids=str,
)
def test_tokens_of_another_model(tmp_path: Path, other: dict[str, Any]) -> None:
    mixture = Mixture.load(saved(tmp_path / "n"))
    with pytest.raises(UsageError, match="counted for another model"):
        mixture.check(coding(**other))


@pytest.mark.parametrize(
    "config", [{"weight": 1.5}, {"weight": "much"}, {"order": 3}, {"order": 99}, {"surplus": 1}], ids=str
)
def test_settings_that_cannot_be(tmp_path: Path, config: dict[str, Any]) -> None:
    with pytest.raises(BundleError):
        Mixture.load(saved(tmp_path / "n", config))


def test_damage_is_found(tmp_path: Path) -> None:
    tensors = to_tensors(count(TEXT, len(WORDS), 2))
    with pytest.raises(BundleError, match=r"tensors.safetensors: order_2.words are not of a vocabulary of 4"):
        Mixture.load(saved(tmp_path / "n", tensors=tensors | {"order_2.words": tensors["order_2.words"] + 9}))
    path = saved(tmp_path / "m")
    content = bytearray((path / "tensors.safetensors").read_bytes())
    content[-1] ^= 1
    (path / "tensors.safetensors").write_bytes(content)
    with pytest.raises(BundleError, match="damaged or replaced"):
        Mixture.load(path)
    manifest = json.loads((saved(tmp_path / "o") / "manifest.json").read_text())
    assert manifest["kind"] == "ngram"
