"""Texts from a model: prompts in, words out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seqkit.errors import DataError, UsageError
from seqkit.language_model.sampling.beams import compiled_beams
from seqkit.language_model.sampling.config import SamplingConfig
from seqkit.language_model.sampling.drawing import key_of
from seqkit.language_model.sampling.loop import DRAW, NOTHING, Progress, beginning, compiled_loop
from seqkit.language_model.sampling.rules import Rules, rules_of
from seqkit.language_model.sampling.text import Decode, TextStream
from seqkit.language_model.steps import EOS, StepModel

STEPS = 128
"""Steps of a call of the compiled loop."""

STREAMED_STEPS = 8
"""The same where somebody waits for each word."""

LOGITS_AT_ONCE = 2**24
"""Texts written side by side have at most so many logits, 64 MiB."""

End = Literal["eos", "stop", "length"]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A text that was written.

    Args:
        ids: its words, without the prompt and without `<eos>`.
        log_probability: log P(ids | prompt) in nats, by the model as it is, whatever options chose the words;
            that of `<eos>` belongs to it where the text ends by it.
        end: what ended it: `<eos>`, a stop string (the ids include what completed it), or its length.
        text: the decoded text after the prompt, where a decoder was given; it never contains a stop string.
    """

    ids: tuple[int, ...]
    log_probability: float
    end: End
    text: str | None = None


class Sampler:
    """Writes texts by a model.

    What is compiled is kept: the next call with the same options, in other strengths, starts at once.

    Args:
        steps: the model.
    """

    def __init__(self, steps: StepModel) -> None:
        self._steps = steps
        self._loop, self._beams = compiled_loop(steps), compiled_beams(steps)

    def sample(
        self,
        config: SamplingConfig,
        prompts: Sequence[Sequence[int]] = ((),),
        *,
        decode: Decode | None = None,
        stop: Sequence[str] = (),
    ) -> list[Sample]:
        """Writes `config.number` texts for each prompt.

        The same seed gives the same texts, and a text does not depend on those beside it, but for one draw in
        a million or so that the rounding of matrix products of another shape changes.

        Args:
            config: how.
            prompts: ids that the texts go on from; an empty one for texts from the start.
            decode: from ids to text; needed for stop strings.
            stop: a text ends before any of these.

        Returns:
            The texts, those of the first prompt first; with beams, the best first, and fewer than `number`
            where there are no more.

        Raises:
            UsageError: for ids that the model lacks, stop strings without a decoder or with beams.
            DataError: if the model's probabilities are not numbers.
        """
        self._check(config, prompts)
        if stop and (decode is None or config.beams is not None):
            raise UsageError("stop strings need a decoder, and end no beams: leave out one of the two")
        if config.beams is not None:
            return [one for prompt in prompts for one in self._search(config, prompt, decode)]
        whole = [prompt for prompt in prompts for _ in range(config.number)]
        at_once = max(LOGITS_AT_ONCE // self._steps.vocabulary_size, 1)
        groups = -(-len(whole) // at_once)
        size = -(-len(whole) // max(groups, 1))
        texts: list[Sample] = []
        for start in range(0, len(whole), max(size, 1)):
            texts += self._write(config, whole[start : start + size], start, size, decode, stop)
        return texts

    def stream(self, config: SamplingConfig, prompt: Sequence[int] = (), *, row: int = 0) -> Iterator[int]:
        """Writes one text, id by id as they come, without `<eos>`.

        It is the text with the number `row` of `sample`.

        Args:
            config: how; `number` does not matter.
            prompt: ids that the text goes on from.
            row: which text.

        Raises:
            UsageError: for ids that the model lacks, and with beams, which are known at their end only.
        """
        self._check(config, [prompt])
        if config.beams is not None:
            raise UsageError("beams know their text only at its end: stream without them")
        return self._streamed(config, prompt, row)

    def _streamed(self, config: SamplingConfig, prompt: Sequence[int], row: int) -> Iterator[int]:
        text = _Text(prompt, row, None)
        for words, log_p in self._pieces(config, [text], 1, STREAMED_STEPS):
            before = len(text.ids)
            text.take(words[0], log_p[0])
            yield from text.ids[before:]

    def _check(self, config: SamplingConfig, prompts: Sequence[Sequence[int]]) -> None:
        size = self._steps.vocabulary_size
        wrong = sorted({one for ids in (*prompts, config.banned) for one in ids if not 0 <= one < size})
        if wrong:
            raise UsageError(f"ids must be from 0 to {size - 1}, the model's words; not {wrong[0]}")

    def _write(
        self,
        config: SamplingConfig,
        prompts: Sequence[Sequence[int]],
        start: int,
        batch: int,
        decode: Decode | None,
        stop: Sequence[str],
    ) -> list[Sample]:
        """Texts side by side, those of the rows from `start` on."""
        texts = []
        for row, prompt in enumerate(prompts, start):
            stream = None if decode is None else TextStream(decode, context=prompt, stop=stop)
            texts.append(_Text(prompt, row, stream))
        for words, log_p in self._pieces(config, texts, batch, STEPS):
            for text, *new in zip(texts, words, log_p, strict=False):
                text.take(*new)
        return [text.sample() for text in texts]

    def _pieces(
        self, config: SamplingConfig, texts: list[_Text], batch: int, steps: int
    ) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32]]]:
        """The words of each call of the loop, until every text has ended."""
        rules = rules_of(config, self._steps.vocabulary_size)
        key, rows = key_of(config.seed), tf.constant(np.resize([text.row for text in texts], batch), tf.int32)
        longest = max(len(text.prompt) for text in texts)
        progress = beginning(self._steps, rules, batch, _places(longest + config.max_length))
        for start in range(0, longest + config.max_length, steps):
            plan = np.full([batch, steps], NOTHING, np.int32)
            for number, text in enumerate(texts):
                text.plan(start, config.max_length, plan[number])
            if (plan == NOTHING).all():
                return
            progress, words, log_p = self._loop(progress, tf.constant(plan), key, rows, rules)
            yield words.numpy(), _numbers(log_p)

    def _search(self, config: SamplingConfig, prompt: Sequence[int], decode: Decode | None) -> list[Sample]:
        """The best texts of a beam search."""
        width = config.beams or 1
        rules = rules_of(config, self._steps.vocabulary_size)
        places = _places(len(prompt) + config.max_length)
        before = self._forced(beginning(self._steps, rules, width, places), [prompt] * width, rules)[0]
        first = tf.nest.map_structure(lambda part: part[:1], before)
        alpha = tf.constant(config.length_normalisation, tf.float32)
        ids, scores = self._beams(first, rules, alpha, config.max_length, width)
        written = [[int(word) for word in row if word >= 0] for row in ids.numpy()]
        _, log_p = self._forced(before, written, rules)
        found = []
        for words, own, score in list(zip(written, log_p, scores.numpy(), strict=True))[: config.number]:
            if score == -np.inf:
                continue
            ended = words[-1] == EOS
            said = tuple(words[:-1] if ended else words)
            text = None
            if decode is not None:
                stream = TextStream(decode, context=prompt)
                text = "".join(map(stream.push, said)) + stream.finish()
            found.append(Sample(ids=said, log_probability=own, end="eos" if ended else "length", text=text))
        return found

    def _forced(
        self, progress: Progress, words: Sequence[Sequence[int]], rules: Rules
    ) -> tuple[Progress, list[float]]:
        """The progress after words that are given, and log P of each row of them."""
        total = np.zeros(len(words))
        for start in range(0, max(map(len, words)), STEPS):
            plan = np.full([len(words), STEPS], NOTHING, np.int32)
            for row, ids in enumerate(words):
                piece = ids[start : start + STEPS]
                plan[row, : len(piece)] = piece
            progress, _, log_p = self._loop(
                progress, tf.constant(plan), key_of(0), tf.zeros([len(words)], tf.int32), rules
            )
            total += _numbers(log_p).sum(axis=1, dtype=np.float64)
        return progress, total.tolist()


class _Text:
    """A text that is being written."""

    def __init__(self, prompt: Sequence[int], row: int, stream: TextStream | None) -> None:
        self.prompt, self.row, self.stream = prompt, row, stream
        self.ids: list[int] = []
        self._end: End | None = None
        self._log_p = 0.0
        self._given = 0
        self._said = ""

    def plan(self, start: int, max_length: int, plan: NDArray[np.int32]) -> None:
        """Fills in what is to be done in the steps from `start` on."""
        if self._end is not None:
            return
        given = self.prompt[start : start + len(plan)]
        drawn = start + len(given) - len(self.prompt)  # draws before the first of these steps
        count = max(min(len(plan) - len(given), max_length - drawn), 0)
        plan[: len(given)] = given
        plan[len(given) : len(given) + count] = DRAW

    def take(self, words: NDArray[np.int32], log_p: NDArray[np.float32]) -> None:
        """Takes the words of some steps; those of the prompt come first."""
        given = min(len(self.prompt) - self._given, len(words))
        self._given += given
        for word, own in zip(words[given:].tolist(), log_p[given:].tolist(), strict=True):
            if word == NOTHING or self._end is not None:
                return
            self._log_p += own
            if word == EOS:
                self._end = "eos"
                return
            self.ids.append(word)
            if self.stream is not None:
                self._said += self.stream.push(word)
                if self.stream.stopped:
                    self._end = "stop"

    def sample(self) -> Sample:
        """The text as it stands."""
        said = None if self.stream is None else self._said + self.stream.finish()
        end = self._end or "length"
        return Sample(ids=tuple(self.ids), log_probability=self._log_p, end=end, text=said)


def _places(words: int) -> int:
    """Places of a history: rounded up, so that prompts of other lengths need no other loop."""
    return -(-words // STEPS) * STEPS


def _numbers(log_p: Any) -> NDArray[np.float32]:
    """log P, checked."""
    found: NDArray[np.float32] = log_p.numpy()
    if np.isnan(found).any():
        raise DataError("the model's probabilities are not numbers: its weights are damaged, train it again")
    return found
