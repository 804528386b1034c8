from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.errors import DataError, UsageError
from seqkit.sentiment.models.contract import Fitting, Resources
from seqkit.sentiment.models.recurrent import Rnn, RnnConfig, fit

SMALL: dict[str, Any] = {
    "cell": "rnn",
    "units": 6,
    "vector_size": 4,
    "batch_size": 16,
    "max_length": 16,
    "learning_rate": 0.05,
    "epochs": 1,
}


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of lines about films, two layers; it does not know "bad"."""
    from seqkit.language_model.config import NetworkConfig, TextConfig
    from seqkit.language_model.training import TrainingConfig, train

    folder = tmp_path_factory.mktemp("lm")
    (folder / "text.txt").write_text("the film was good\na film was the good film\n" * 8)
    train(
        [folder / "text.txt"],
        folder / "lm",
        NetworkConfig(cell="rnn", units=5, layers=2, embedding_size=3),
        text=TextConfig(lines=True),
        training=TrainingConfig(epochs=1, batch_size=8, bptt=8),
    )
    return folder / "lm"


def test_layers_begin_as_those_of_the_language_model(language_model: Path, toy: Fitting) -> None:
    from seqkit.language_model.members import read_members

    given = replace(toy, resources=Resources(language_model=language_model))
    # Nothing but the softmax learns in the first epoch.
    model = fit(RnnConfig(**SMALL, pooling="last", dropout=0.0), given)
    assert (model.config.cell, model.config.units, model.config.layers) == ("rnn", 5, 2)
    _, coding, network = read_members(language_model)
    found = model.tensors()
    known = network.embeddings.numpy()
    rows = [coding.vocabulary["good"], 0, coding.vocabulary["film"]]  # "bad" is <unk>, the id 0
    np.testing.assert_array_equal(found["embeddings"][2:5], known[rows])

    # What it makes of a text is what the language model has after it, times V.
    documents = toy.train.documents.take(np.array([0]))
    ids = np.array([[coding.vocabulary[word] for word in documents.texts[0].split()]], np.int32)
    hidden = network.run(ids, network.initial_state(1))[0].numpy()[0, -1]
    np.testing.assert_allclose(
        model.logits(documents)[0], hidden @ found["kernel"] + found["bias"], rtol=1e-4, atol=1e-5
    )


@pytest.mark.slow
def test_one_layer_more_learns_in_each_epoch(language_model: Path, toy: Fitting) -> None:
    given = replace(toy, resources=Resources(language_model=language_model))
    config = RnnConfig(**{**SMALL, "epochs": 2}, patience=None)
    one, two = (fit(replace(config, epochs=epochs), given).tensors() for epochs in (1, 2))
    changed = {name for name in two if not np.array_equal(one[name], two[name])}
    # encoder_0 to encoder_2 are kernels and bias of the lower layer, encoder_3 to encoder_5 of the upper one
    upper = {name for name in two if name.startswith(("encoder_3", "encoder_4", "encoder_5"))}
    assert changed == {"kernel", "bias", *upper}


def test_a_language_model_of_characters_is_refused(tmp_path: Path, toy: Fitting) -> None:
    from seqkit.language_model.config import NetworkConfig, TextConfig
    from seqkit.language_model.training import TrainingConfig, train

    (tmp_path / "text.txt").write_text("the film was good\n" * 8)
    train(
        [tmp_path / "text.txt"],
        tmp_path / "lm",
        NetworkConfig(cell="rnn", units=4, layers=1),
        text=TextConfig(level="character"),
        training=TrainingConfig(epochs=1, batch_size=2, bptt=8),
    )
    given = replace(toy, resources=Resources(language_model=tmp_path / "lm"))
    with pytest.raises(UsageError, match="is a language model of characters"):
        fit(RnnConfig(**SMALL), given)


@pytest.mark.slow
def test_products_in_bfloat16_learn_too(toy: Fitting) -> None:
    given = replace(toy, resources=Resources(precision="bfloat16"))
    config = RnnConfig(**{**SMALL, "epochs": 5})
    model = fit(config, given)
    assert model.logits(toy.train.documents).dtype == np.float32
    assert np.mean(model.logits(toy.train.documents).argmax(axis=1) == toy.train.main.targets) > 0.9
    assert not np.array_equal(model.tensors()["kernel"], fit(config, toy).tensors()["kernel"])


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
def test_every_pooling_reads_a_text_whatever_is_beside_it(pooling: str, toy: Fitting) -> None:
    model = Rnn(RnnConfig(**SMALL, pooling=pooling), _network(RnnConfig(**SMALL, pooling=pooling), toy))
    documents = toy.train.documents
    together = model.logits(documents)
    alone = [model.logits(documents.take(np.array([number])))[0] for number in (0, 3, 40)]
    np.testing.assert_allclose(together[[0, 3, 40]], alone, atol=1e-6)


def _network(config: RnnConfig, toy: Fitting) -> Any:
    from seqkit.sentiment.models.network import TextNetwork

    vectors = np.random.default_rng(0).normal(size=(len(toy.vocabulary), 4)).astype(np.float32)
    return TextNetwork(config, Rnn.encoder(config, 1), vectors, [np.ones(2, np.float32)])


@pytest.mark.parametrize("name", ["kernel", "embeddings", "encoder_0.kernel"])
def test_damaged_tensors_are_refused(name: str, toy: Fitting) -> None:
    config = RnnConfig(**SMALL)
    tensors = Rnn(config, _network(config, toy)).tensors()
    labels = toy.train.main.labels
    with pytest.raises(DataError, match=name.partition(".")[0]):
        Rnn.from_tensors(config, tensors | {name: tensors[name][:-1]}, toy.vocabulary, labels)
    fewer = {key: value for key, value in tensors.items() if key != name}
    with pytest.raises(DataError, match=name.partition(".")[0]):
        Rnn.from_tensors(config, fewer, toy.vocabulary, labels)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cell", "lstn"),
        ("pooling", "min"),
        ("units", 0),
        ("layers", 9),
        ("layer_dropout", 1.0),
        ("weight_drop", -0.1),
        ("rate_decay", 0.5),
        ("vector_size", 0),
        ("max_length", 5),
        ("dropout", 1.0),
        ("swaps", -1.0),
        ("label_smoothing", float("nan")),
        ("batch_size", 0),
        ("epochs", 0),
        ("patience", 0),
        ("optimizer", "adan"),
        ("learning_rate", 0.0),
        ("schedule", "cosin"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=name):
        RnnConfig(**{name: value})
