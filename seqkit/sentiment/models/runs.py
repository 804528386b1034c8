"""One run of a model under the training loop, in a folder of its own or in that of a bundle."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqkit.sentiment.models.contract import Fitting
from seqkit.training.checkpoint import CheckpointFile
from seqkit.training.loop import LoopConfig, Trainee, TrainingLoop
from seqkit.training.working import BEST, CHECKPOINT
from seqkit.version import __version__


def run(trainee: Trainee, settings: Mapping[str, Any], patience: int | None, fitting: Fitting) -> None:
    """Trains to the end, from the checkpoint in `fitting.partial` if there is one; keeps the best epoch.

    Args:
        trainee: the model.
        settings: JSON values; a checkpoint of others is refused.
        patience: epochs without a better validation loss after which training ends.
        fitting: texts, seed, folder and progress.

    Raises:
        SeqkitError: as `TrainingLoop.run`.
    """
    settings = {**settings, **fitting.run_settings, "seed": fitting.seed, "seqkit": __version__}
    with _folder(fitting.partial) as folder:
        checkpoint, best = (
            CheckpointFile(folder / f"{fitting.name}.{name}", settings, fitting.fingerprint)
            for name in (CHECKPOINT, BEST)
        )
        loop = TrainingLoop(trainee, checkpoint, best, LoopConfig(patience=patience), fitting.progress)
        loop.run(f"training {fitting.name}", "texts")


@contextmanager
def _folder(partial: Path | None) -> Iterator[Path]:
    if partial is not None:
        yield partial
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
