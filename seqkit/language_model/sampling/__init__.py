"""Texts from a language model: drawn, searched for, streamed.

`Sampler` writes texts by any `StepModel`, as a `SamplingConfig` says; `TextStream` makes text of ids as they
come. `transforms` has what is done to logits, a pure function for each option.

| module | |
|---|---|
| `config` | the options, and which of them exclude each other |
| `transforms` | temperature, top-k, top-p, min-p, typical, repetition penalty, n-grams, bans |
| `rules` | the order of the transforms, and what they remember of a text |
| `drawing` | random numbers by seed, row and step; the word that a number stands for |
| `loop` | the compiled loop |
| `beams` | search for the likeliest text |
| `text` | UTF-8 that is never broken, and stop strings |
| `sampler` | prompts in, texts out |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkit.lazy import lazy_names

if TYPE_CHECKING:
    from seqkit.language_model.sampling.config import SamplingConfig
    from seqkit.language_model.sampling.sampler import Sample, Sampler
    from seqkit.language_model.sampling.text import TextStream

__all__ = ["Sample", "Sampler", "SamplingConfig", "TextStream"]

_HOMES = {
    "Sample": "seqkit.language_model.sampling.sampler",
    "Sampler": "seqkit.language_model.sampling.sampler",
    "SamplingConfig": "seqkit.language_model.sampling.config",
    "TextStream": "seqkit.language_model.sampling.text",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
