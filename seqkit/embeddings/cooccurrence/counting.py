"""Counting a text of any length in bounded memory, on several cores, always to the same bits.

The text is cut into stretches that fit into memory. Of each, the rows of one range of words after another
are counted, by several threads (NumPy and SciPy let others run meanwhile), and written in order as a run: a
sparse matrix on disk. Runs are merged range by range. All sums are of whole units, so neither the cuts nor
the number of threads can be seen in them; the division by the units, to float32, is the last step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from seqkit._processors import available_cores, check_threads
from seqkit._settings import check_numbers
from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.cooccurrence.rows import Rows, add_up
from seqkit.embeddings.cooccurrence.runs import Run, RunWriter, mapped
from seqkit.embeddings.cooccurrence.windows import (
    BYTES_PER_CONTEXT,
    BYTES_PER_PLACE,
    Stretch,
    bands,
    stretches,
)
from seqkit.errors import CorpusError, Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import storage_errors
from seqkit.text.corpus import EncodedCorpus

MOST_RUNS = 8
"""So many runs of about a size are merged into one: the disk holds few that say the same twice."""

BYTES_PER_ENTRY = 64
"""Memory that an entry of a run takes while runs are merged."""

MOST_CONTEXTS = 8_000_000
"""Of a band: more would not be faster, but further from the next report and the next signal."""

Band = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class CountingConfig:
    """How a count is executed: nothing here changes the counts.

    Args:
        memory: GiB that counting may take, beside what the vocabulary needs.
        threads: how many count; None for one a core.

    Raises:
        UsageError: a value out of its range.
    """

    memory: float = 2.0
    threads: int | None = None

    def __post_init__(self) -> None:
        check_numbers(self)
        if not self.memory > 0 or self.memory == float("inf"):
            raise UsageError(f"memory must be above 0 GiB, not {self.memory}")
        check_threads(self.threads)


def count(
    corpus: EncodedCorpus,
    folder: Place,
    config: CooccurrenceConfig | None = None,
    *,
    run: CountingConfig | None = None,
    progress: Progress = SILENT,
) -> Cooccurrences:
    """Counts which words of a corpus stand near which.

    Args:
        corpus: the text; a part that is held out is not counted.
        folder: an empty or new directory for what does not fit into memory; the counts are files in it.
        config: what is counted.
        run: how.
        progress: told the words counted, then the entries merged.

    Returns:
        The counts, memory-mapped from the folder.

    Raises:
        CorpusError: no word has another in its window.
        StorageError: reading or writing failed.
    """
    work = Path(folder)
    with storage_errors(work, "write"):
        work.mkdir(parents=True, exist_ok=True)
    with _Counting(
        corpus, work, config or CooccurrenceConfig(), run or CountingConfig(), progress
    ) as counting:
        return counting.result()


class _Counting:
    """One count: a context manager, whose threads end with it."""

    def __init__(
        self,
        corpus: EncodedCorpus,
        folder: Path,
        config: CooccurrenceConfig,
        run: CountingConfig,
        progress: Progress,
    ) -> None:
        self._corpus, self._folder, self._config, self._progress = corpus, folder, config, progress
        threads = run.threads or available_cores()
        memory = run.memory * 2**30
        contexts = config.window * (1 if config.context == "left" else 2) + 1
        # Half for the stretch; half for the bands in work, one for each thread, and one that was just done.
        self._places = max(contexts, min(2**30, int(memory / 2 / BYTES_PER_PLACE)))
        band = min(MOST_CONTEXTS, memory / 2 / BYTES_PER_CONTEXT / (threads + 1))
        self._band_places = max(1, int(band / contexts))
        self._band_entries = max(1, int(min(MOST_CONTEXTS, memory / BYTES_PER_ENTRY / (threads + 1))))
        self._ahead = threads + 1
        self._threads = ThreadPoolExecutor(threads)
        self._runs = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def result(self) -> Cooccurrences:
        path, units = self._folder / "counts", self._config.units
        with RunWriter(path, units) as writer:
            self._count(writer)
        offsets = writer.offsets()
        if not offsets[-1]:
            raise CorpusError("nothing to count: no two words of the vocabulary stand on the same line")
        columns, values = mapped(path, np.dtype(np.float32), int(offsets[-1]))
        return Cooccurrences(self._corpus.vocabulary, offsets, columns, values, total=writer.total / units)

    def _count(self, writer: RunWriter) -> None:
        """Counts the text: in one stretch if it fits into memory, else in runs that are merged."""
        cuts = list(stretches(self._corpus.ids, self._config.window, self._places))
        levels: list[list[Run]] = [[]]
        counted = 0
        with _task(self._progress, "counting", self._corpus.kept_tokens, "words"):
            for cut in cuts:
                if len(cuts) == 1:
                    self._count_stretch(cut, writer, 0)
                    return
                with self._new_run() as run:
                    counted = self._count_stretch(cut, run, counted)
                levels[0].append(run.reader())
                self._compact(levels)
        runs = [run for level in levels for run in level]
        with _task(self._progress, "merging", sum(int(run.offsets[-1]) for run in runs), "entries"):
            self._merge(runs, writer, self._progress)

    def _count_stretch(self, cut: tuple[int, int], writer: RunWriter, counted: int) -> int:
        """Writes the rows of a stretch; returns how many words are counted in all."""
        stretch = Stretch(
            self._corpus.ids,
            *cut,
            vocabulary=len(self._corpus.vocabulary),
            config=self._config,
            band=self._band_places,
        )
        for (_, last), rows in self._in_order(lambda band: stretch.count(*band), stretch.bands()):
            writer.append(rows)
            self._progress.update(counted + int(stretch.offsets[last]))
        return counted + int(stretch.offsets[-1])

    def _compact(self, levels: list[list[Run]]) -> None:
        """Merges the runs of a level once there are `MOST_RUNS`, into one of the next level."""
        for level, runs in enumerate(levels):
            if len(runs) < MOST_RUNS:
                break
            with self._new_run() as merged:
                self._merge(runs, merged, SILENT)
            if level + 1 == len(levels):
                levels.append([])
            levels[level] = []
            levels[level + 1].append(merged.reader())

    def _merge(self, runs: list[Run], writer: RunWriter, progress: Progress) -> None:
        """Writes the sum of runs and deletes them."""
        offsets = np.sum([run.offsets for run in runs], axis=0)

        def merge_band(band: tuple[int, int]) -> Rows:
            return add_up([run.rows(*band) for run in runs], len(self._corpus.vocabulary))

        for (_, last), rows in self._in_order(merge_band, bands(offsets, self._band_entries)):
            writer.append(rows)
            progress.update(int(offsets[last]))
        for run in runs:
            run.delete()

    def _new_run(self) -> RunWriter:
        self._runs += 1
        return RunWriter(self._folder / f"run-{self._runs}")

    def _in_order(
        self, function: Callable[[Band], Rows], tasks: Iterable[Band]
    ) -> Iterator[tuple[Band, Rows]]:
        """Each band and what became of it, in order; few are in work or wait at any time."""
        pending: deque[tuple[Band, Future[Rows]]] = deque()
        for task in tasks:
            pending.append((task, self._threads.submit(function, task)))
            if len(pending) > self._ahead:
                done, future = pending.popleft()
                yield done, future.result()
        while pending:
            done, future = pending.popleft()
            yield done, future.result()


@contextmanager
def _task(progress: Progress, name: str, total: int, unit: str) -> Iterator[None]:
    progress.start(name, total, unit)
    try:
        yield
    finally:
        progress.finish()
