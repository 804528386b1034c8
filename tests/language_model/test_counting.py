"""N-grams beside a model that was trained: counted by its tokens, weighed on what it held out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.errors import CorpusError, UsageError
from seqkit.language_model.cache import Cache, CacheConfig
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.counting import count_ngrams
from seqkit.language_model.material import encoded, material
from seqkit.language_model.members import write_members
from seqkit.language_model.mixture import Mixture
from seqkit.language_model.model import LanguageModel
from seqkit.language_model.network import LanguageNetwork
from seqkit.language_model.scoring import Scorer
from seqkit.progress import SILENT
from seqkit.storage import BundleWriter
from seqkit.text.splitting import Split

KINDS: dict[str, dict[str, Any]] = {
    "lines": {"level": "character", "lines": True},
    "stream": {"level": "word", "tokenizer": "whitespace"},
    "characters": {"level": "character"},
}


WORDS = ("the", "cat", "sat", "on", "a", "mat", "and", "saw", "dogs", "run")


def written(lines: int, seed: int, *, order: bool = True) -> list[str]:
    """Sentences of few words, each followed by one of two, or by any."""
    rng = np.random.default_rng(seed)

    def sentence() -> str:
        length = rng.integers(3, 9)
        return " ".join(
            WORDS[int(n * n + rng.integers(2) if order else rng.integers(10)) % 10] for n in range(length)
        )

    return [sentence() for _ in range(lines)]


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two texts, and a model for the first that expects all tokens alike."""
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "text").write_text("\n".join(written(300, 0)) + "\n")
    (folder / "other").write_text("\n".join([*written(30, 1), *written(30, 2, order=False)]) + "\n")
    text, config = TextConfig(validation=0.2, **KINDS[request.param]), NetworkConfig(layers=1, units=4)
    found = material([folder / "text"], text, 0, folder, (), SILENT)
    with BundleWriter(folder / "model", kind="language_model") as writer:
        write_members(writer, found.coding, LanguageNetwork(config, len(found.coding.vocabulary)))
        settings = {"text": asdict(text), "network": asdict(config)}
        writer.commit(config=settings, seed=0, fingerprint=found.fingerprint)
    return folder


def test_the_weight_is_fitted_on_what_the_model_held_out(folder: Path) -> None:
    report = count_ngrams(folder / "model", [folder / "text"], folder / "held", order=3)
    model, mixture = LanguageModel.load(folder / "model"), Mixture.load(folder / "held")
    lines = written(300, 0)
    held = Split(0.2, 0).chosen(np.arange(300, dtype=np.uint64))
    kept = [line for line, out in zip(lines, held, strict=True) if out]
    if model.coding.level == "character" and not model.coding.lines:
        text = "\n".join(lines) + "\n"
        kept = text[len(text) - round(len(text) * 0.2) :].removesuffix("\n").split("\n")
    assert model.score(kept).perplexity == pytest.approx(report.perplexity_of_model, rel=1e-5)
    assert model.score(kept, mixture=mixture).perplexity == pytest.approx(report.perplexity, rel=1e-5)
    assert report.perplexity_of_ngrams < report.perplexity_of_model / 1.5
    assert report.tokens == sum(model.coding.vocabulary.counts)  # what is held out is not counted


def test_held_out_text_of_its_own(folder: Path) -> None:
    report = count_ngrams(
        folder / "model", [folder / "text"], folder / "own", order=2, valid=[folder / "other"]
    )
    model, mixture = LanguageModel.load(folder / "model"), Mixture.load(folder / "own")
    score = model.score((folder / "other").read_text().split("\n")[:-1], mixture=mixture)
    assert score.perplexity == pytest.approx(report.perplexity, rel=1e-5)
    # half of it is not in the order that was counted: both are needed
    assert 0.2 < report.weight < 0.99
    assert report.perplexity < min(report.perplexity_of_model, report.perplexity_of_ngrams)
    assert len(report.ngrams) == 2


def test_together_with_the_cache(folder: Path) -> None:
    """ŷ of the cache is mixed, not that of the network alone."""
    model = LanguageModel.load(folder / "model")
    if model.coding.lines:
        return
    count_ngrams(folder / "model", [folder / "text"], folder / "three", order=2, valid=[folder / "other"])
    mixture, lines = Mixture.load(folder / "three"), written(9, 2)
    ids = encoded(model.coding, lines)
    pieces = Cache(CacheConfig()).over(Scorer(model.network).pieces(ids[None]))
    cached = np.concatenate([piece.surprisal[targets >= 0] for targets, piece in pieces])
    expected = -mixture.surprisals(ids, cached).sum()
    found = model.score(lines, mixture=mixture, cache=CacheConfig()).log_probability
    assert found == pytest.approx(expected, rel=1e-6)
    assert model.score(lines, mixture=mixture).log_probability != pytest.approx(expected, rel=1e-4)


def test_what_is_refused(folder: Path, tmp_path: Path) -> None:
    model = folder / "model"
    with pytest.raises(UsageError, match="not the text that the model was trained on"):
        count_ngrams(model, [folder / "other"], tmp_path / "n")
    with pytest.raises(UsageError, match="order of an n-gram model must be 1 to 10, not 11"):
        count_ngrams(model, [folder / "text"], tmp_path / "n", order=11)
    (tmp_path / "empty").write_text("")
    with pytest.raises(CorpusError, match="no token"):
        count_ngrams(model, [folder / "text"], tmp_path / "n", valid=[tmp_path / "empty"])
    assert not list(tmp_path.glob("n*"))
