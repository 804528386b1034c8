"""The file that a run goes on from: exact, of one run only, and never wrong without a word."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.errors import FormatError, StorageError, UsageError
from seqkit.storage import atomic_write_tensors, read_tensors
from seqkit.training.checkpoint import CheckpointFile, Position

ARRAYS = {
    "vectors": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    "context": np.full((3, 4), -0.5, np.float32),
    "step": np.array(7, np.int64),
    "none": np.zeros((0, 2), np.float32),
}
POSITION = Position(
    epoch=2, unit=5, seconds=1.25, history=[{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.1}]
)
SETTINGS: dict[str, Any] = {"learning_rate": 0.025, "tokenizer": {"kind": "word"}, "max_vocab": None}


def checkpoint(folder: Path, *, text: str = "abc", **settings: Any) -> CheckpointFile:
    return CheckpointFile(folder / "checkpoint.safetensors", SETTINGS | settings, text)


def same(found: Any) -> bool:
    arrays, position = found
    return bool(
        position == POSITION
        and arrays.keys() == ARRAYS.keys()
        and all(arrays[name].dtype == array.dtype for name, array in ARRAYS.items())
        and all(np.array_equal(arrays[name], array) for name, array in ARRAYS.items())
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    file = checkpoint(tmp_path)
    assert file.read() is None
    file.write({"vectors": np.zeros(1)}, Position())
    file.write(ARRAYS, POSITION)
    assert same(checkpoint(tmp_path).read())
    assert os.listdir(tmp_path) == ["checkpoint.safetensors"]


@pytest.mark.parametrize(
    ("changes", "listed"),
    [
        ({"learning_rate": 0.05}, "(learning_rate was 0.025, is 0.05)"),
        ({"tokenizer": {"kind": "character"}}, "(tokenizer.kind was word, is character)"),
        ({"max_vocab": 10, "learning_rate": 1}, "(learning_rate was 0.025, is 1; max_vocab was None, is 10)"),
        ({"window": 5}, "(window was None, is 5)"),
        ({"text": "abd"}, "(the text to train or to validate on has changed)"),
        (
            {"text": "abd", "max_vocab": 1},
            "(max_vocab was None, is 1; the text to train or to validate on has changed)",
        ),
    ],
)
def test_another_run_is_refused_with_what_differs(
    tmp_path: Path, changes: dict[str, Any], listed: str
) -> None:
    checkpoint(tmp_path).write(ARRAYS, POSITION)
    before = (tmp_path / "checkpoint.safetensors").read_bytes()
    with pytest.raises(UsageError) as caught:
        checkpoint(tmp_path, **changes).read()
    assert listed in str(caught.value)
    assert f"delete {tmp_path} to begin anew" in str(caught.value)
    assert (tmp_path / "checkpoint.safetensors").read_bytes() == before


def test_no_damage_passes_without_a_word(tmp_path: Path) -> None:
    file = checkpoint(tmp_path)
    file.write(ARRAYS, POSITION)
    whole = file.path.read_bytes()
    rng = random.Random(0)
    damaged = [whole[:length] for length in range(0, len(whole), 7)]
    damaged += [whole + b"\0", whole + whole, b"\0" * len(whole)]
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << rng.randrange(8)
        damaged.append(bytes(flipped))
    messages = []
    for data in damaged:
        file.path.write_bytes(data)
        try:
            assert same(file.read())  # in the padding of the header, say
        except FormatError as error:
            messages.append(str(error))
    assert len(messages) > 0.9 * len(damaged)
    for message in messages:
        assert re.fullmatch(rf"{file.path}: .*; delete {tmp_path} to begin anew", message)


def test_another_shape_of_the_same_bytes_is_damage(tmp_path: Path) -> None:
    file = checkpoint(tmp_path)
    file.write(ARRAYS, POSITION)
    _, metadata = read_tensors(file.path)
    atomic_write_tensors(file.path, ARRAYS | {"vectors": ARRAYS["vectors"].reshape(4, 3)}, metadata)
    with pytest.raises(FormatError, match="damaged"):
        file.read()


@pytest.mark.parametrize(
    "run", ["", "{}", "[]", "3", '{"settings": {}, "text": "abc", "position": {"era": 1}}']
)
def test_a_foreign_tensor_file_is_refused(tmp_path: Path, run: str) -> None:
    file = checkpoint(tmp_path)
    atomic_write_tensors(file.path, ARRAYS, {"run": run})
    with pytest.raises(FormatError, match="not a checkpoint of seqkit"):
        file.read()


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = checkpoint(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr("seqkit.training.checkpoint.vars", lambda position: {"era": 1}, raising=False)
        file.write(ARRAYS, POSITION)
    with pytest.raises(FormatError, match="another version of seqkit"):
        file.read()


def test_a_position_that_json_cannot_hold_replaces_nothing(tmp_path: Path) -> None:
    file = checkpoint(tmp_path)
    file.write(ARRAYS, POSITION)
    with pytest.raises(ValueError, match="JSON"):
        file.write(ARRAYS, Position(history=[{"loss": float("nan")}]))
    assert same(file.read())


def test_a_full_disk_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = checkpoint(tmp_path)
    file.write(ARRAYS, POSITION)

    def full(descriptor: int, data: Any) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(StorageError, match=r"checkpoint\.safetensors: could not write: No space left"):
            file.write({"vectors": np.zeros(4)}, Position())
    assert same(file.read())
    assert os.listdir(tmp_path) == ["checkpoint.safetensors"]
