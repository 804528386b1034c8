"""What a run would take: the text is encoded, a few units are trained, nothing is kept."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqkit.embeddings.initial import Initial
from seqkit.embeddings.material import SCRATCH, CorpusConfig
from seqkit.embeddings.methods import MethodConfig, VectorTrainer
from seqkit.embeddings.negative_sampling.draws import keep_probabilities
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.training import RunConfig, initial_of, prepare
from seqkit.errors import Place
from seqkit.progress import SILENT, Progress
from seqkit.text.vocabulary import Vocabulary
from seqkit.training.estimating import SAMPLE_SECONDS, rate_of, watched
from seqkit.training.working import ended_well


@dataclass(frozen=True)
class Estimate:
    """What a run would take.

    Args:
        vocabulary: words with a vector.
        tokens: of the text.
        tokens_after_subsampling: that an epoch trains on, expected: without rare words and held-out text.
        memory_bytes: of the process while it trained (Python, TensorFlow, tables, counts, plans, and what of
            the encoded text is in memory), and a copy of the tables for a checkpoint. Counting and encoding
            come before and are not in it; on a GPU, nor is the memory of that.
        seconds: of training all epochs; without reading, counting, checkpoints, validation and saving.
        seconds_error: what they may be off by.
    """

    vocabulary: int
    tokens: int
    tokens_after_subsampling: int
    memory_bytes: int
    seconds: float
    seconds_error: float


def estimate(
    sources: Sequence[Place],
    config: MethodConfig | None = None,
    *,
    corpus: CorpusConfig | None = None,
    run: RunConfig | None = None,
    init: Initial | Place | None = None,
    progress: Progress = SILENT,
) -> Estimate:
    """What `seqkit.embeddings.training.train` would take with the same arguments.

    The encoded text, 4 bytes a token, and counts lie in a temporary folder (`TMPDIR`) meanwhile.

    Raises:
        SeqkitError: as `train`, what has to do with writing excepted.
    """
    config, corpus, run = config or SkipGramConfig(), corpus or CorpusConfig(), run or RunConfig()
    initial = initial_of(init, config, progress)
    with tempfile.TemporaryDirectory(prefix="seqkit-") as folder, ended_well(Path(folder), SCRATCH):
        prepared = prepare(sources, config, corpus, run, initial, Path(folder), progress)
        trainer = prepared.trainer(progress)
        try:
            with watched() as peak:
                seconds, error = _timed(trainer)
            tables = sum(table.nbytes for table in trainer.state().values())
        finally:
            trainer.close()
        vocabulary = prepared.material.vocabulary
        return Estimate(
            vocabulary=len(vocabulary),
            tokens=prepared.material.tokens,
            tokens_after_subsampling=_surviving(vocabulary, getattr(config, "sample", 0.0)),
            memory_bytes=max(peak) + tables,
            seconds=seconds,
            seconds_error=seconds * error,
        )


def _surviving(vocabulary: Vocabulary, sample: float) -> int:
    counts = vocabulary.counts
    return round(float(counts @ keep_probabilities(counts, sample).astype(np.float64)))


def _timed(trainer: VectorTrainer) -> tuple[float, float]:
    """Seconds that all epochs take, from some units, and the relative error.

    What the first unit takes beyond its work, compiling, comes once.
    """
    units, total = trainer.units, trainer.units * trainer.epochs
    work: list[float] = []
    seconds: list[float] = []
    while sum(seconds[1:]) < SAMPLE_SECONDS:
        epoch, unit = divmod(len(work) % total, units)
        began = time.perf_counter()
        trainer.train_unit(epoch, unit)
        seconds.append(time.perf_counter() - began)
        work.append(trainer.work(epoch, unit + 1) - trainer.work(epoch, unit))
    rate, error = rate_of(work[1:], seconds[1:])
    compiling = max(0.0, seconds[0] - work[0] / rate)
    return compiling + trainer.work(trainer.epochs, 0) / rate, error
