"""The settings of sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seqkit._settings import check_numbers
from seqkit.errors import UsageError
from seqkit.language_model.steps import EOS

_DRAWING = ("top_k", "top_p", "min_p", "typical", "eos_threshold")


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """How texts are written.

    Each option changes the logits before a word is drawn, in this order: `repetition_penalty`,
    `no_repeat_ngram`, `banned`, `temperature`, `top_k`, `top_p`, `min_p`, `typical`. Each sees what those
    before it have left. `seqkit.language_model.sampling.transforms` has their equations and sources.

    Args:
        temperature: divides the logits; 0 takes the likeliest of what the other options leave, and draws
            nothing.
        top_k: how many words are left, at least 1.
        top_p: the fewest words that have this probability together are left; above 0, at most 1.
        min_p: words are left whose probability is at least this share of the likeliest's; 0 to 1.
        typical: words whose surprisal is closest to the entropy are left, the fewest that have this
            probability together; above 0, at most 1.
        repetition_penalty: makes the words of prompt and text less likely; 1 changes nothing, below 1
            they become likelier.
        no_repeat_ngram: no sequence of so many words occurs twice in prompt and text, except in the prompt.
        banned: ids that are never drawn.
        eos_threshold: the text ends when P(<eos>) exceeds this; 0 to below 1.
        max_length: number of draws, that of `<eos>` among them, 1 to 2²⁰.
        number: how many texts are written for each prompt.
        beams: search for the likeliest text with so many beginnings at once, instead of drawing.
        length_normalisation: α; beams are compared by log P / lengthᵅ, from 0 (log P of the text) to 1 (log P
            of a word on average).
        seed: what all draws follow from, 0 to 2⁶⁴-1.

    Raises:
        UsageError: for a value out of its range, and for options that exclude each other.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical: float | None = None
    repetition_penalty: float = 1.0
    no_repeat_ngram: int | None = None
    banned: tuple[int, ...] = ()
    eos_threshold: float | None = None
    max_length: int = 100
    number: int = 1
    beams: int | None = None
    length_normalisation: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_numbers(self)
        for name in ("max_length", "number", "top_k", "no_repeat_ngram", "beams"):
            value = getattr(self, name)
            _check(name, "a whole number above 0", value, value is None or _is_count(value))
        for name in ("top_p", "typical"):
            value = getattr(self, name)
            _check(name, "above 0 and at most 1", value, value is None or 0 < value <= 1)
        _check("min_p", "from 0 to 1", self.min_p, self.min_p is None or 0 <= self.min_p <= 1)
        _check("temperature", "0 or above", self.temperature, 0 <= self.temperature < math.inf)
        penalty, threshold = self.repetition_penalty, self.eos_threshold
        _check("repetition_penalty", "above 0", penalty, 0 < penalty < math.inf)
        _check("eos_threshold", "from 0 to below 1", threshold, threshold is None or 0 <= threshold < 1)
        _check("length_normalisation", "from 0 to 1", self.length_normalisation, self._alpha_is_right())
        _check("seed", "from 0 to 2⁶⁴-1", self.seed, 0 <= self.seed < 2**64)
        _check("max_length", "at most 1048576", self.max_length, self.max_length <= 2**20)
        _check("banned", "ids, 0 or above", self.banned, all(one >= 0 for one in self.banned))
        if threshold is not None and EOS in self.banned:
            raise UsageError("eos_threshold ends a text at <eos>, which is banned: leave out one of the two")
        if self.beams is not None:
            self._check_beams(self.beams)

    def _alpha_is_right(self) -> bool:
        return 0 <= self.length_normalisation <= 1

    def _check_beams(self, beams: int) -> None:
        drawing = [name for name in _DRAWING if getattr(self, name) is not None]
        drawing += ["temperature"] if self.temperature != 1 else []
        if drawing:
            raise UsageError(
                f"beams search for the likeliest text and draw nothing: leave out {', '.join(drawing)}"
            )
        if self.number > beams:
            raise UsageError(f"number must be at most beams, which is {beams}, not {self.number}")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _check(name: str, rule: str, value: object, holds: bool) -> None:
    if not holds:
        raise UsageError(f"{name} must be {rule}, not {value}")
