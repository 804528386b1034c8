"""What is wrong with labelled texts, before a model learns it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from os import PathLike, fspath

import numpy as np
from numpy.typing import NDArray

from seqkit.errors import CorpusError
from seqkit.progress import SILENT, Progress
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.dataset import MANY_LABELS, Dataset
from seqkit.sentiment.division import key_of
from seqkit.sentiment.encoder import TextEncoder, vocabulary_of
from seqkit.sentiment.findings import Finding, Report, finding, label_of, samples
from seqkit.sentiment.label_noise import FOLDS, SURE, suspects
from seqkit.text.columns import Columns, fault_of_label
from seqkit.text.labelled import Example, read_examples
from seqkit.text.streams import Sources

IMBALANCE = 3.0
"""Times as many texts of the most frequent label as of the rarest."""

RARE = 10
"""Texts of a label."""

LONG = 10
"""Times the median of tokens."""

CONTEXT = 10
"""Characters that are shown on both sides of a damaged one."""

_DAMAGE = {
    "characters of a wrong encoding (as in Ã© for é)": re.compile(
        "Ã[\x80-\xbf\u0152-\u2122]|Â[\xa0-\xbf]|â€|ðŸ|[\x80-\x9f]"  # the last: Windows-1252 read as Latin-1
    ),
    "U+FFFD, what decoders put for broken characters": re.compile("\ufffd"),
    "HTML entities (as in &amp;)": re.compile(r"&(?:[a-z]{2,6}|#\d{1,6}|#x[0-9a-f]{1,5});", re.IGNORECASE),
    "control characters": re.compile("[\x00-\x08\x0e-\x1f\x7f]"),
}


def check(
    sources: Sources,
    columns: Columns | None = None,
    *,
    against: Sequence[str] = (),
    noise: int = 20,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Report:
    """Looks for what would spoil a model or its evaluation.

    Args:
        sources: texts to learn, as `read_examples` takes them.
        columns: which columns are read; None to guess them.
        against: sources of texts to test on, of which none should be among those to learn.
        noise: wrong labels to show; 0 not to look for them.
        seed: of the folds by which wrong labels are found.
        progress: told what is done.

    Raises:
        SeqkitError: as `read_examples`.
        CorpusError: there is no text.
    """
    places = [sources] if isinstance(sources, str | PathLike) else list(sources)
    examples = [example for place in places for example in read_examples(place, columns, progress=progress)]
    if not examples:
        raise CorpusError("there is no text in it", path=", ".join(fspath(place) for place in places))
    lengths = _lengths(examples)
    counts = Counter(label for example in examples if (label := label_of(example)) is not None)
    keys = [key_of(example.text) for example in examples]
    findings = [
        *_of_labels(examples, counts),
        *_of_lengths(examples, lengths),
        *_of_characters(examples),
        *_of_equal_texts(examples, keys, lengths),
    ]
    for place in against:
        others = list(read_examples(place, columns, progress=progress))
        findings += _of_splits(place, others, examples, keys, counts)
    if noise:
        findings += _of_noise(examples, lengths, noise, seed, progress)
    middle, high = (int(value) for value in np.quantile(lengths, [0.5, 0.95], method="higher"))
    tokens = {"median": middle, "p95": high, "longest": int(lengths.max())}
    return Report(len(examples), dict(counts.most_common()), tokens, findings)


def _lengths(examples: list[Example]) -> NDArray[np.int64]:
    """Tokens of each text, (texts,)."""
    encoder = TextEncoder(Cutter(), vocabulary_of(Cutter(), ()))
    return encoder.encode([example.text for example in examples]).lengths


def _of_labels(examples: list[Example], counts: Counter[str]) -> Iterator[Finding]:
    missing = [example for example in examples if label_of(example) is None]
    if missing:
        yield finding("missing label", missing, "texts have no label")
    faults = {label: fault for label in counts if (fault := fault_of_label(label))}
    if faults:
        found = [example for example in examples if label_of(example) in faults]
        details = [faults[str(label_of(example))] for example in found]
        yield finding("unusable label", found, "texts have a label that is none", details)
    if len(counts) < 2:
        told = f"every text has the label {next(iter(counts))!r:.40}" if counts else "no text has a label"
        yield Finding("one label", len(counts), f"{told}: there is nothing to tell apart")
        return
    if len(counts) > max(MANY_LABELS, counts.total() // 2):
        told = f"{len(counts):,} labels on {counts.total():,} texts: is it the right column?"
        yield Finding("many labels", len(counts), told)
        return
    alike = Counter(" ".join(label.casefold().split()) for label in counts)
    if doubled := [label for label in counts if alike[" ".join(label.casefold().split())] > 1]:
        told = f"labels differ in case or white space only: {', '.join(sorted(doubled)[:10])}"
        yield Finding("labels alike", len(doubled), told)
    (most, many), (least, few) = counts.most_common()[0], counts.most_common()[-1]
    if many >= IMBALANCE * few:
        advice = "weigh the labels in training, and judge by macro F1"
        yield Finding("imbalance", many, f"{most} has {many / few:.1f} times the texts of {least}; {advice}")
    if rare := sorted(label for label, count in counts.items() if count < RARE):
        listed = ", ".join(f"{label} ({counts[label]})" for label in rare[:10])
        yield Finding("rare label", len(rare), f"labels of fewer than {RARE} texts: {listed}")


def _of_lengths(examples: list[Example], lengths: NDArray[np.int64]) -> Iterator[Finding]:
    if len(empty := np.flatnonzero(lengths == 0)):
        yield finding("empty", [examples[number] for number in empty], "texts have no word and no mark")
    median = float(np.median(lengths))
    long = np.flatnonzero(lengths > max(1, LONG * median))
    if len(long):
        long = long[np.argsort(-lengths[long], kind="stable")]
        details = [f"{lengths[number]:,} tokens" for number in long]
        told = f"texts have over {LONG} times the median of {median:g} tokens"
        yield finding("long", [examples[number] for number in long], told, details)


def _of_characters(examples: list[Example]) -> Iterator[Finding]:
    for what, pattern in _DAMAGE.items():
        found = [(example, match) for example in examples if (match := pattern.search(example.text))]
        if found:
            damaged, details = [example for example, _ in found], [_around(match) for _, match in found]
            yield finding("encoding", damaged, f"texts have {what}", details)


def _around(match: re.Match[str]) -> str:
    return match.string[max(0, match.start() - CONTEXT) : match.end() + CONTEXT]


def _same_as(example: Example, other: Example) -> str:
    place = "" if example.path == other.path else f" of {other.path}"
    return f"as line {other.line}{place}"


def _of_equal_texts(
    examples: list[Example], keys: list[bytes], lengths: NDArray[np.int64]
) -> Iterator[Finding]:
    first: dict[bytes, Example] = {}
    labels: dict[bytes, set[str | None]] = {}
    again, details = [], []
    for example, key, length in zip(examples, keys, lengths.tolist(), strict=True):
        if not length:
            continue
        labels.setdefault(key, set()).add(label_of(example))
        if first.setdefault(key, example) is not example:
            again.append(example)
            details.append(_same_as(example, first[key]))
    if again:
        told = "texts are there before, but for case and white space; splits and folds keep them together"
        yield finding("duplicates", again, told, details)
    torn = {key for key, found in labels.items() if len(found - {None}) > 1}
    if torn:
        told = "texts stand among those of two labels or more"
        shown = [example for example, key in zip(examples, keys, strict=True) if key in torn]
        yield Finding("two labels", len(torn), f"{len(torn):,} {told}", samples(shown))


def _of_splits(
    place: str, others: list[Example], examples: list[Example], keys: list[bytes], counts: Counter[str]
) -> Iterator[Finding]:
    own = dict(zip(reversed(keys), reversed(examples), strict=True))
    both = [(example, own[key]) for example in others if (key := key_of(example.text)) in own]
    if both:
        torn = sum(label_of(there) != label_of(here) for there, here in both)
        share = f"of the {len(others):,} texts of {place} ({len(both) / len(others):.2%})"
        told = f"{share} are in the texts to learn, too, {torn:,} with another label"
        details = [f"{_same_as(there, here)}, {label_of(here)}" for there, here in both]
        yield finding("in two splits", [there for there, _ in both], told, details)
    unknown = [example for example in others if label_of(example) not in counts]
    if unknown:
        names = ", ".join(sorted({str(label_of(example)) for example in unknown})[:10])
        told = f"texts of {place} have labels that no text to learn has: {names}"
        yield finding("unknown label", unknown, told)


def _of_noise(
    examples: list[Example], lengths: NDArray[np.int64], shown: int, seed: int, progress: Progress
) -> Iterator[Finding]:
    usable = [
        example
        for example, length in zip(examples, lengths.tolist(), strict=True)
        if length and label_of(example) is not None
    ]
    names = [str(label_of(example)) for example in usable]
    labels = len(set(names))
    if labels < 2 or labels > max(MANY_LABELS, len(names) // 2):
        return
    dataset = Dataset.of([example.text for example in usable], names)
    if len(np.unique(dataset.groups)) < FOLDS * labels:
        progress.message("too few texts to look for wrong labels")
        return
    found = suspects(dataset, seed=seed, progress=progress)
    if found:
        details = [f"{suspect.likely} {suspect.probability:.3f}" for suspect in found]
        told = (
            f"texts may have a wrong label: a linear model of the other texts is sure of another by {SURE:g}"
        )
        doubtful = [usable[suspect.number] for suspect in found]
        yield finding("doubtful label", doubtful, told, details, shown)
