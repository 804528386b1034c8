"""The state of a run on disk: arrays and the position, in one file that is replaced atomically."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import FormatError, UsageError
from seqkit.storage import JsonError, atomic_write_tensors, parse_json, read_tensors

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Position:
    """How far a run has come.

    Args:
        epoch: complete epochs.
        unit: complete units of the next one.
        seconds: spent training, over all sittings.
        history: one record an epoch, see `seqkit.training.loop`.
    """

    epoch: int = 0
    unit: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


class CheckpointFile:
    """A checkpoint of one particular run.

    Args:
        path: the file.
        settings: of the run, JSON values; a checkpoint made with others is refused.
        text: fingerprint of its text; likewise.
    """

    def __init__(self, path: Path, settings: Mapping[str, Any], text: str) -> None:
        self.path, self._settings, self._text = path, dict(settings), text

    def write(self, arrays: Arrays, position: Position) -> None:
        """Replaces the checkpoint.

        Raises:
            StorageError: the system refused; the previous checkpoint is still there.
        """
        content = {"settings": self._settings, "text": self._text, "position": vars(position)}
        run = json.dumps(content, allow_nan=False)
        atomic_write_tensors(self.path, arrays, {"run": run, "sha256": _digest(run, arrays)})

    def read(self) -> tuple[dict[str, NDArray[Any]], Position] | None:
        """The arrays, memory-mapped, and the position; None where there is no checkpoint.

        Raises:
            FormatError: the file is damaged.
            UsageError: it is of another run.
        """
        if not self.path.exists():
            return None
        arrays, metadata = self._tensors()
        run = metadata.get("run", "")
        if metadata.get("sha256") != _digest(run, arrays):
            raise self._damaged("damaged, or not a checkpoint of seqkit: its sha256 is not its content's")
        settings, text, position = self._parsed(run)
        self._compare(settings, text)
        return {name: np.asarray(array) for name, array in arrays.items()}, position

    def _tensors(self) -> tuple[Arrays, dict[str, str]]:
        try:
            return read_tensors(self.path)
        except FormatError as error:
            raise self._damaged(error.reason) from error

    def _parsed(self, run: str) -> tuple[dict[str, Any], str, Position]:
        try:
            content = parse_json(run.encode())
            return content["settings"], content["text"], Position(**content["position"])
        except (KeyError, TypeError, JsonError) as error:
            raise self._damaged("a checkpoint of another version of seqkit") from error

    def _damaged(self, reason: str) -> FormatError:
        return FormatError(f"{reason}; delete {self.path.parent} to begin anew", path=self.path)

    def _compare(self, settings: Mapping[str, Any], text: str) -> None:
        mine, other = _flat(self._settings), _flat(settings)
        different = sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))
        listed = [f"{key} was {other.get(key)}, is {mine.get(key)}" for key in different]
        if text != self._text:
            listed.append("the text to train or to validate on has changed")
        if listed:
            raise UsageError(
                f"{self.path.parent} has a run begun with another command ({'; '.join(listed)}): repeat that "
                f"one to go on with it, or delete {self.path.parent} to begin anew"
            )


def _digest(run: str, arrays: Arrays) -> str:
    """SHA-256 of all that a checkpoint says, in hex."""
    digest = hashlib.sha256(run.encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data.cast("B") if array.size else b"")
    return digest.hexdigest()


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
