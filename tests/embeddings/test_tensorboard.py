"""Exports for the projector, opened by TensorBoard's own plugin."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.embeddings.vectors import Vectors
from seqkit.errors import FormatError

A = Vectors(["a", "<b>", "слово"], np.array([[1.5, -2], [1e-30, 3], [0.1, 1 / 3]], np.float32), [3, 2, 1])
B = Vectors(["only", "words"], np.eye(2, dtype=np.float32))


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks the plugin, as the browser does, for a path of the folder's projector."""
    projector_plugin = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
    from tensorboard.plugins.base_plugin import TBContext
    from werkzeug.test import Client

    def ask(path: str, **query: str) -> bytes:
        multiplexer = EventMultiplexer()
        provider = MultiplexerDataProvider(multiplexer, str(tmp_path))
        context = TBContext(logdir=str(tmp_path), data_provider=provider, multiplexer=multiplexer)
        plugin = projector_plugin.ProjectorPlugin(context)
        plugin._determine_is_active()
        assert plugin.is_active()
        answer = Client(plugin.get_plugin_apps()[path]).get("/", query_string=query)
        assert answer.status_code == 200
        return bytes(answer.get_data())

    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    return ask


def test_tensorboard_opens_an_export(tmp_path: Path, served: Any) -> None:
    files = A.export(tmp_path / "my vectors é.tsv")
    assert [path.name for path in files] == [
        "my vectors é.tsv",
        "my metadata é.tsv",
        "projector_config.pbtxt",
    ]
    assert json.loads(served("/runs")) == ["."]
    [embedding] = json.loads(served("/info", run="."))["embeddings"]
    assert embedding["tensorShape"] == [3, 2]
    name = embedding["tensorName"]
    matrix = np.frombuffer(served("/tensor", run=".", name=name), np.float32).reshape(3, 2)
    assert np.array_equal(matrix, A.matrix)
    rows = served("/metadata", run=".", name=name).decode().splitlines()
    assert rows == ["word\tcount", "a\t3", "<b>\t2", "слово\t1"]


def test_several_exports_in_a_folder(tmp_path: Path, served: Any) -> None:
    A.export(tmp_path / "a.tsv")
    B.export(tmp_path / "b.tsv")
    A.export(tmp_path / "a.tsv", overwrite=True)
    embeddings = json.loads(served("/info", run="."))["embeddings"]
    assert [(entry["tensorName"], entry["tensorShape"]) for entry in embeddings] == [
        ("a.tsv", [3, 2]),
        ("b.tsv", [2, 2]),
    ]
    # A single column has no line of titles.
    assert served("/metadata", run=".", name="b.tsv") == b"only\nwords\n"
    assert served("/metadata", run=".", name="a.tsv").startswith(b"word\tcount\n")
    assert np.array_equal(
        np.frombuffer(served("/tensor", run=".", name="b.tsv"), np.float32), np.eye(2).ravel()
    )


def test_a_configuration_that_is_there_stays(tmp_path: Path) -> None:
    config = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2").ProjectorConfig()
    from google.protobuf import text_format

    place = tmp_path / "projector_config.pbtxt"
    place.write_bytes(b'# mine: \xff\nembeddings { tensor_name: "x" tensor_path: "x.tsv" }')
    names = ['quote".tsv', "back\\slash.tsv"]
    for name in names:
        B.export(tmp_path / name)
    assert place.read_bytes().startswith(b"# mine: \xff\n")
    text_format.Parse(place.read_bytes().partition(b"\n")[2], config)
    assert [entry.tensor_path for entry in config.embeddings] == ["x.tsv", *names]
    assert config.embeddings[1].metadata_path == 'quote"_metadata.tsv'


def test_a_configuration_that_ends_in_a_comment(tmp_path: Path) -> None:
    config = pytest.importorskip("tensorboard.plugins.projector.projector_config_pb2").ProjectorConfig()
    from google.protobuf import text_format

    place = tmp_path / "projector_config.pbtxt"
    place.write_bytes(b"# mine")
    B.export(tmp_path / "b.tsv")
    text_format.Parse(place.read_bytes(), config)
    assert [entry.tensor_path for entry in config.embeddings] == ["b.tsv"]


def test_a_configuration_too_large_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "projector_config.pbtxt"
    place.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(FormatError, match=r"projector_config\.pbtxt: more than 1,048,576 bytes"):
        B.export(tmp_path / "b.tsv")
    assert place.stat().st_size == (1 << 20) + 1
