"""What a run would take: the text is encoded, some updates are made, nothing is kept."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqkit.errors import Place
from seqkit.language_model.config import NetworkConfig, TextConfig
from seqkit.language_model.material import CORPUS
from seqkit.language_model.training import RunConfig, TrainingConfig, prepare
from seqkit.language_model.transfer import Transfer
from seqkit.progress import SILENT, Progress
from seqkit.training.estimating import SAMPLE_SECONDS, rate_of, watched
from seqkit.training.network import NetworkTrainer
from seqkit.training.working import ended_well


@dataclass(frozen=True)
class Estimate:
    """What a run would take.

    Args:
        vocabulary: tokens that the model would know.
        tokens: of the training text.
        parameters: numbers that are learned.
        updates: of the weights, in an epoch.
        memory_bytes: of the process while it trained (Python, TensorFlow, weights, text), and a copy of the
            weights and the optimizer's memory for a checkpoint. Reading comes before and is not in it; on a
            GPU, nor is the memory of that.
        seconds: of training all epochs; without reading, checkpoints, validation and saving.
        seconds_error: what they may be off by.
    """

    vocabulary: int
    tokens: int
    parameters: int
    updates: int
    memory_bytes: int
    seconds: float
    seconds_error: float


def estimate(
    sources: Sequence[Place],
    network: NetworkConfig | None = None,
    *,
    text: TextConfig | None = None,
    training: TrainingConfig | None = None,
    run: RunConfig | None = None,
    valid: Sequence[Place] = (),
    transfer: Transfer | None = None,
    progress: Progress = SILENT,
) -> Estimate:
    """What `seqkit.language_model.training.train` would take with the same arguments.

    The encoded text, 4 bytes a token, lies in a temporary folder (`TMPDIR`) meanwhile. Neither `patience` nor
    `max_minutes` is thought of.

    Raises:
        SeqkitError: as `train`, what has to do with writing excepted.
    """
    run = run or RunConfig()
    with tempfile.TemporaryDirectory(prefix="seqkit-") as folder, ended_well(Path(folder), [CORPUS]):
        prepared = prepare(
            sources, Path(folder), network, text, training, run, valid, transfer, progress=progress
        )
        beginning = prepared.begin(progress)
        trainer, material = beginning.trainer, prepared.material
        with watched() as peak:
            seconds, error = _timed(trainer)
        return Estimate(
            vocabulary=beginning.network.vocabulary_size,
            tokens=len(material.ids),
            parameters=beginning.parameters,
            updates=trainer.groups(0),
            memory_bytes=max(peak) + sum(array.nbytes for array in trainer.state().values()),
            seconds=seconds,
            seconds_error=seconds * error,
        )


def _timed(trainer: NetworkTrainer) -> tuple[float, float]:
    """Seconds that all epochs take, from some updates, and the relative error.

    Each shape of batches is compiled once. An update that compiles takes part with what it takes beyond its
    work; shapes that have not come yet will compile, too, and are not thought of.
    """
    shapes = set[tuple[int, ...]]()
    warm: list[tuple[int, float]] = []
    cold: list[tuple[int, float]] = []
    number = 0
    while sum(seconds for _, seconds in warm) < SAMPLE_SECONDS:
        group = number % trainer.groups(0)
        new = {trainer.batches.batch(0, step)[0].shape for step in trainer.steps(0, group)} - shapes
        began = time.perf_counter()
        losses, sizes = trainer.train_group(0, group, trainer.rate(0, group))
        np.array(losses)  # that of a GPU is waited for
        (cold if new else warm).append((sum(sizes), time.perf_counter() - began))
        shapes |= new
        number += 1
    rate, error = rate_of(*zip(*warm, strict=True))
    compiling = sum(max(0.0, seconds - work / rate) for work, seconds in cold)
    return compiling + trainer.work(trainer.epochs, 0) / rate, error
