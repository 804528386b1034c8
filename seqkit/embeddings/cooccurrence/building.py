"""From text to a bundle of counts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig
from seqkit.embeddings.cooccurrence.counting import CountingConfig, count
from seqkit.embeddings.cooccurrence.counts import KIND
from seqkit.embeddings.material import CORPUS, COUNTS, SCRATCH, CorpusConfig
from seqkit.errors import Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import BundleWriter
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.streams import resolve
from seqkit.training.signals import StopRequest
from seqkit.training.working import ended_well


@dataclass(frozen=True)
class CountReport:
    """What was counted.

    Args:
        bundle: where the counts are.
        words: tokens of the text.
        vocabulary: words with a row.
        pairs: entries above 0.
        total: their sum.
        seconds: spent, from the first byte read to the bundle.
    """

    bundle: str
    words: int
    vocabulary: int
    pairs: int
    total: float
    seconds: float


def count_sources(
    sources: Sequence[Place],
    bundle: Place,
    config: CooccurrenceConfig | None = None,
    *,
    corpus: CorpusConfig | None = None,
    run: CountingConfig | None = None,
    overwrite: bool = False,
    progress: Progress = SILENT,
) -> CountReport:
    """Counts the co-occurrences of a text and saves them.

    Args:
        sources: files, folders, "-" for stdin, corpus names.
        bundle: the directory to write.
        config: what is counted.
        corpus: how text becomes words; nothing may be held out.
        run: how the count is executed.
        overwrite: replace a bundle that is there.
        progress: told of encoding and counting.

    Returns:
        What was done.

    Raises:
        UsageError: a setting out of range; a bundle is there and is not to be overwritten.
        MissingInputError: a source is not there.
        CorpusError: the text cannot be used.
        InterruptedTraining: Ctrl-C or SIGTERM; nothing is kept.
        StorageError: reading or writing failed.
    """
    config, corpus, run = config or CooccurrenceConfig(), corpus or CorpusConfig(), run or CountingConfig()
    if corpus.validation:
        raise UsageError(f"counting holds no text out: validation must be 0, not {corpus.validation}")
    if corpus.phrases:
        raise UsageError("counting learns no phrases: phrases must be None")
    began = time.perf_counter()
    resolve(sources)  # what is missing is told at once
    writing = BundleWriter(bundle, kind=KIND, overwrite=overwrite, keeps=SCRATCH)
    with writing as writer, ended_well(writer.partial, SCRATCH):
        text = encode(
            sources,
            writer.partial / CORPUS,
            EncodingConfig(
                tokenizer=corpus.tokenizer, min_count=corpus.min_count, max_vocab=corpus.max_vocab
            ),
            processes=run.threads,
            progress=progress,
        )
        shutil.rmtree(writer.partial / COUNTS, ignore_errors=True)  # of a run that was killed
        counts = count(text, writer.partial / COUNTS, config, run=run, progress=progress)
        counts.write_members(writer)
        report = CountReport(
            bundle=str(writer.path),
            words=text.tokens,
            vocabulary=len(counts),
            pairs=counts.pairs,
            total=counts.total,
            seconds=time.perf_counter() - began,
        )
        with StopRequest():  # the work is done: a signal now is one too late
            _commit(writer, config, corpus, text, report)
        return report


def _commit(
    writer: BundleWriter,
    config: CooccurrenceConfig,
    corpus: CorpusConfig,
    text: EncodedCorpus,
    report: CountReport,
) -> None:
    settings = {"method": KIND, **asdict(config), "tokenizer": corpus.tokenizer.to_config()}
    settings |= {"min_count": corpus.min_count, "max_vocab": corpus.max_vocab}
    metrics = {name: value for name, value in asdict(report).items() if name != "bundle"}
    writer.commit(config=settings, metrics=metrics, fingerprint=text.fingerprint)
