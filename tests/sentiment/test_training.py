"""Training: to a bundle, in memory, gone on with, refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers import Told
from seqkit.errors import DataError, InterruptedTraining, UsageError
from seqkit.sentiment import training
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.model import SentimentModel
from seqkit.sentiment.models.linear import LinearConfig
from seqkit.sentiment.registry import MODELS, kind_of, model_kind
from seqkit.sentiment.training import FitConfig, fit_model, train

TWO = FitConfig(models=(LinearConfig(ngrams=1), LinearConfig(ngrams=2, l2=1e-3)))


def tensors(bundle: Path) -> bytes:
    return (bundle / "tensors.safetensors").read_bytes()


def test_the_report_and_the_bundle(toy_file: Path, tmp_path: Path) -> None:
    report = train([toy_file], tmp_path / "b", TWO)
    assert (report.texts, report.validation_texts) == (72, 8)
    assert report.labels == ["negative", "positive"]
    assert [each["model"] for each in report.members] == ["linear", "linear"]
    assert report.validation_accuracy == report.validation_macro_f1 == 1
    assert report.validation_loss < 0.3
    manifest = SentimentModel.load(tmp_path / "b").manifest
    assert manifest is not None
    assert manifest.metrics["validation_accuracy"] == 1
    assert [each["settings"]["ngrams"] for each in manifest.config["members"]] == [1, 2]
    assert not (tmp_path / "b.partial").exists()


def test_the_same_seed_gives_the_same_bytes(toy_file: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        train([toy_file], tmp_path / name, TWO)
    assert tensors(tmp_path / "a") == tensors(tmp_path / "b")


def test_what_is_loaded_predicts_what_was_trained(toy_file: Path, tmp_path: Path) -> None:
    texts = ["the film was lovely", "a dull room there", "xyz"]
    fitted = fit_model(Dataset.load([toy_file]), TWO)
    train([toy_file], tmp_path / "b", TWO)
    loaded = SentimentModel.load(tmp_path / "b")
    assert (loaded.predict(texts) == fitted.model.predict(texts)).all()


def test_linear_models_learn_what_was_held_out_in_the_end(toy_file: Path) -> None:
    """Every word is known either way; but weights come from all 80 texts, or from those given alone."""
    dataset = Dataset.load([toy_file])
    config = FitConfig(models=(LinearConfig(ngrams=1),))
    rest, held = dataset.split(0.25, config.seed)
    everything = fit_model(dataset, config, valid=0.25).model
    part = fit_model(rest, config, valid=held).model
    assert everything.ensemble.weights == part.ensemble.weights
    texts = ["lovely", "awful"]
    assert (everything.predict(texts) != part.predict(texts)).all()
    again = fit_model(dataset, config, valid=held).model  # learns all 80 from the start
    documents = [model.encoder.encode(texts) for model in (everything, again)]
    first, second = (
        model.ensemble.members[0].classifier.logits(each)
        for model, each in zip((everything, again), documents, strict=True)
    )
    assert first == pytest.approx(second, rel=1e-4)


def test_a_run_that_was_stopped_goes_on_with_the_next_member(
    toy_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train([toy_file], tmp_path / "whole", TWO)
    fits = []
    kind = MODELS["linear"]

    def fit(config: LinearConfig, fitting: Any) -> Any:
        if not fits:
            fits.append(config)
            return original(config, fitting)
        raise InterruptedTraining(2, tmp_path / "b.partial")

    original = kind.fit
    module = kind._module
    with monkeypatch.context() as patch:
        patch.setattr(module, "fit", fit)
        with pytest.raises(InterruptedTraining):
            train([toy_file], tmp_path / "b", TWO)
    assert (tmp_path / "b.partial").is_dir()
    with pytest.raises(UsageError, match=r"begun with another command .*alpha was 1\.0, is 2\.0"):
        train([toy_file], tmp_path / "b", replace(TWO, models=(LinearConfig(ngrams=1, alpha=2.0),)))
    counted = []

    def count(config: LinearConfig, fitting: Any) -> Any:
        counted.append(config.ngrams)
        return original(config, fitting)

    monkeypatch.setattr(module, "fit", count)
    train([toy_file], tmp_path / "b", TWO)
    assert counted == [2, 1, 2]  # the second member, then both on all texts
    assert tensors(tmp_path / "b") == tensors(tmp_path / "whole")


def test_a_failed_run_leaves_nothing(toy_file: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError):
        train([toy_file], tmp_path / "b", valid=[__file__])
    assert not (tmp_path / "b").exists()
    assert not (tmp_path / "b.partial").exists()


def test_validation_texts_that_are_learned_are_counted(toy_file: Path, tmp_path: Path) -> None:
    told = Told()
    lines = toy_file.read_text().splitlines()
    valid = tmp_path / "v.tsv"
    valid.write_text("".join(f"{line}\n" for line in [*lines[:2], "positive\tan unheard delight"]))
    train([toy_file], tmp_path / "b", valid=[valid], progress=told)
    assert [text for text in told.messages if text.startswith("2 of 3 texts to validate on are learned, too")]


def test_validation_labels_are_those_of_training(toy_file: Path, tmp_path: Path) -> None:
    (tmp_path / "v.tsv").write_text("mixed\tso so\npositive\tgood\n")
    with pytest.raises(DataError, match=r"v\.tsv, line 1: 'mixed' is no label of the model"):
        train([toy_file], tmp_path / "b", valid=[tmp_path / "v.tsv"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": ()}, "there is no model to train"),
        ({"models": ("linear",)}, "str has the settings of no model"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"seeds": 101}, "members at most 100"),
        ({"seed": -1}, "seed must be from 0 to"),
    ],
)
def test_settings_out_of_range(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        FitConfig(**change)


def test_what_another_model_has_begun_is_kept(toy_file: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "b.partial" / "cnn-0.checkpoint.safetensors"
    checkpoint.parent.mkdir()
    checkpoint.write_text("state")
    with pytest.raises(UsageError, match=r"holds cnn-0\.checkpoint\.safetensors, which is not of"):
        train([toy_file], tmp_path / "b")
    assert checkpoint.read_text() == "state"


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.5, float("nan")])
def test_fractions_out_of_range(toy_file: Path, fraction: float) -> None:
    with pytest.raises((UsageError, DataError)):
        fit_model(Dataset.load([toy_file]), valid=fraction)


def test_the_registry() -> None:
    with pytest.raises(UsageError, match="no model 'linnear'; did you mean 'linear'"):
        model_kind("linnear")
    with pytest.raises(UsageError, match="FitConfig has the settings of no model"):
        kind_of(FitConfig())
    assert kind_of(LinearConfig()) is MODELS["linear"]
    assert training.VALID == 0.1
