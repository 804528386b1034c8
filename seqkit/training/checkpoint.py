"""The state of a run on disk: arrays and the position, in one file that is replaced atomically."""

from __future__ import annotations

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
        identity: settings and data of the run, JSON values; a checkpoint of another run is refused.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        self.path, self._identity = path, dict(identity)

    def write(self, arrays: Arrays, position: Position) -> None:
        """Replaces the checkpoint.

        Raises:
            StorageError: the system refused; the previous checkpoint is still there.
        """
        metadata = {"identity": self._identity, "position": vars(position)}
        atomic_write_tensors(self.path, arrays, {"run": json.dumps(metadata)})

    def read(self) -> tuple[dict[str, NDArray[Any]], Position] | None:
        """The arrays, memory-mapped, and the position; None where there is no checkpoint.

        Raises:
            FormatError: the file is damaged.
            UsageError: it is of another run.
        """
        if not self.path.exists():
            return None
        arrays, metadata = read_tensors(self.path)
        try:
            run = parse_json(metadata["run"].encode())
            position = Position(**run["position"])
        except (KeyError, TypeError, JsonError) as error:
            raise FormatError("not a seqkit checkpoint; delete it to begin anew", path=self.path) from error
        self._check(run["identity"])
        return {name: np.asarray(array) for name, array in arrays.items()}, position

    def _check(self, identity: Mapping[str, Any]) -> None:
        mine, other = _flat(self._identity), _flat(identity)
        different = sorted(key for key in mine.keys() | other.keys() if mine.get(key) != other.get(key))
        if not different:
            return
        listed = ", ".join(f"{key} was {other.get(key)}, is {mine.get(key)}" for key in different)
        raise UsageError(
            f"{self.path} is of another run ({listed}): go on with the old settings, or delete "
            f"{self.path.parent} to begin anew"
        )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
