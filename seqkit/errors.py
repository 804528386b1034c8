"""Every error that seqkit raises on purpose, with its data and its exit code.

    SeqkitError                     70   something inside seqkit is wrong
    ├── UsageError                   2   an argument, an option or a configuration file
    ├── DataError                   65   the input was read and is not acceptable
    │   ├── CorpusError                  text: names file, line and byte
    │   ├── FormatError                  any other file that breaks its format: names file and line
    │   ├── BundleError                  a saved model: names bundle and member
    │   └── UnknownWordError             a word outside the vocabulary, with the nearest spellings
    ├── MissingInputError           66   a file, bundle or corpus that is not there
    ├── UnavailableError            69   an extra that is not installed, or no network
    ├── StorageError                74   reading or writing failed: disk full, no permission
    ├── DivergedError               76   the loss or a weight became NaN or infinite
    └── InterruptedTraining    130/143   Ctrl-C or SIGTERM; where anything was learned, it is kept

Each message is one line that names the thing, the rule, the value received and the next step.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from os import PathLike, fspath

Place = str | PathLike[str]


class SeqkitError(Exception):
    """Base of all errors that seqkit raises on purpose.

    Attributes:
        exit_code: what the command line exits with (sysexits.h where it has a name for it).
    """

    exit_code = 70


class UsageError(SeqkitError, ValueError):
    """An argument, an option or a configuration key is wrong."""

    exit_code = 2


class DataError(SeqkitError, ValueError):
    """The input could be read, but is not acceptable."""

    exit_code = 65


class _LocatedError(DataError):
    """Something wrong at a place in a file.

    Args:
        reason: what is wrong and what to do about it.
        path: the file; None for a stream without a name.
        line: 1-based line number, where known.
        byte: 0-based offset in the uncompressed file, where known.
    """

    def __init__(
        self, reason: str, *, path: Place | None = None, line: int | None = None, byte: int | None = None
    ) -> None:
        self.reason, self.path, self.line, self.byte = reason, path, line, byte
        where = [] if path is None else [fspath(path)]
        where += [] if line is None else [f"line {line}"]
        where += [] if byte is None else [f"byte {byte}"]
        super().__init__(f"{', '.join(where)}: {reason}" if where else reason)


class CorpusError(_LocatedError):
    """Text that cannot be used: not UTF-8, empty, nothing frequent enough."""


class FormatError(_LocatedError):
    """A file other than text that breaks its format: vectors, vocabularies, checkpoints, lists of words."""


class BundleError(DataError):
    """A saved model that is damaged, foreign or of another kind.

    Args:
        bundle: the bundle's directory.
        reason: what is wrong and what to do about it.
        member: the member at fault, where there is one.
    """

    def __init__(self, bundle: Place, reason: str, *, member: str | None = None) -> None:
        self.bundle, self.reason, self.member = bundle, reason, member
        super().__init__(f"{fspath(bundle)}{f', {member}' if member else ''}: {reason}")


class UnknownWordError(DataError, KeyError):
    """A word that is not in the vocabulary.

    Args:
        word: the word asked for.
        suggestions: the nearest spellings that are in the vocabulary, best first.
    """

    def __init__(self, word: str, suggestions: Sequence[str] = ()) -> None:
        self.word, self.suggestions = word, tuple(suggestions)
        hint = f"; nearest spellings: {', '.join(suggestions)}" if suggestions else ""
        super().__init__(f"{word!r} is not in the vocabulary{hint}")

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError's own __str__ would quote the whole message


class MissingInputError(SeqkitError, FileNotFoundError):
    """A file, bundle or corpus that does not exist."""

    exit_code = 66


class UnavailableError(SeqkitError):
    """Something optional that is not here: an extra, a GPU, the network."""

    exit_code = 69


class StorageError(SeqkitError, OSError):
    """The operating system refused to read or write."""

    exit_code = 74


class DivergedError(SeqkitError, ArithmeticError):
    """The loss or a weight became NaN or infinite.

    Args:
        step: the training step at which it was seen.
        learning_rate: the learning rate of that step.
        advice: what to try.
    """

    exit_code = 76

    def __init__(self, step: int, learning_rate: float, advice: str) -> None:
        self.step, self.learning_rate, self.advice = step, learning_rate, advice
        super().__init__(
            f"training diverged at step {step:,} (learning rate {learning_rate:g}): "
            f"the loss is not finite; {advice}"
        )


class InterruptedTraining(SeqkitError):
    """Training stopped on a signal.

    Args:
        signal_number: SIGINT or SIGTERM.
        checkpoint: where the state lies; None if the signal came before there was any.
        outcome: what there is then, where no state lies anywhere, and what to do.
    """

    def __init__(
        self,
        signal_number: int,
        checkpoint: Place | None,
        outcome: str = "nothing was learned yet, the same command begins anew",
    ) -> None:
        self.signal_number, self.checkpoint = signal_number, checkpoint
        self.exit_code = 128 + signal_number
        if checkpoint is not None:
            outcome = f"the state is in {fspath(checkpoint)}, the same command goes on from there"
        super().__init__(f"stopped by {signal.Signals(signal_number).name}; {outcome}")


def did_you_mean(name: object, known: Collection[str], most: int = 1) -> str:
    """The next step after a name that is not known: "did you mean 'cosine'?"; empty where none is like it."""
    near = get_close_matches(str(name), known, most)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def name_hint(name: object, known: Collection[str], most: int = 1) -> str:
    """As `did_you_mean`, or "known: constant, cosine": all there are."""
    return did_you_mean(name, known, most) or f"known: {', '.join(known)}"
