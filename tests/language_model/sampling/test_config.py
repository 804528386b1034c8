"""What a configuration refuses, in one line that says why."""

from __future__ import annotations

from typing import Any

import pytest

from seqkit.errors import UsageError
from seqkit.language_model.sampling import SamplingConfig


def test_the_defaults_are_the_textbook_s() -> None:
    config = SamplingConfig()
    assert (config.temperature, config.max_length, config.number, config.seed) == (1.0, 100, 1, 0)
    assert config.beams is config.top_k is config.top_p is config.min_p is config.typical is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -0.1}, "temperature must be 0 or above, not -0.1"),
        ({"temperature": float("nan")}, "temperature must be 0 or above, not nan"),
        ({"temperature": float("inf")}, "temperature must be 0 or above, not inf"),
        ({"top_k": 0}, "top_k must be a whole number above 0, not 0"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1, not 0.0"),
        ({"top_p": 1.01}, "top_p must be above 0 and at most 1, not 1.01"),
        ({"typical": -1.0}, "typical must be above 0 and at most 1, not -1.0"),
        ({"min_p": 1.5}, "min_p must be from 0 to 1, not 1.5"),
        ({"repetition_penalty": 0.0}, "repetition_penalty must be above 0, not 0.0"),
        ({"no_repeat_ngram": 0}, "no_repeat_ngram must be a whole number above 0, not 0"),
        ({"banned": (3, -1)}, "banned must be ids, 0 or above, not (3, -1)"),
        ({"eos_threshold": 1.0}, "eos_threshold must be from 0 to below 1, not 1.0"),
        ({"max_length": 0}, "max_length must be a whole number above 0, not 0"),
        ({"max_length": 2**20 + 1}, "max_length must be at most 1048576, not 1048577"),
        ({"number": True}, "number must be a whole number, not True"),
        ({"beams": 0}, "beams must be a whole number above 0, not 0"),
        ({"length_normalisation": 1.1}, "length_normalisation must be from 0 to 1, not 1.1"),
        ({"seed": -1}, "seed must be from 0 to 2⁶⁴-1, not -1"),
        ({"seed": 2**64}, f"seed must be from 0 to 2⁶⁴-1, not {2**64}"),
        (
            {"eos_threshold": 0.5, "banned": (1,)},
            "eos_threshold ends a text at <eos>, which is banned: leave out one of the two",
        ),
        (
            {"beams": 3, "top_p": 0.9, "temperature": 0.5},
            "beams search for the likeliest text and draw nothing: leave out top_p, temperature",
        ),
        ({"beams": 3, "number": 4}, "number must be at most beams, which is 3, not 4"),
    ],
)
def test_a_wrong_value_is_said_in_one_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        SamplingConfig(**options)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0.0, "top_k": 1, "top_p": 1.0, "min_p": 0.0, "typical": 1.0},
        {"beams": 3, "number": 3, "repetition_penalty": 1.2, "no_repeat_ngram": 2, "banned": (0,)},
        {"seed": 2**64 - 1, "eos_threshold": 0.0, "max_length": 2**20},
    ],
)
def test_the_bounds_themselves_are_right(options: dict[str, Any]) -> None:
    SamplingConfig(**options)
