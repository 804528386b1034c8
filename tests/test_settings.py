"""Settings: which numbers they take, and that those of every classifier come back from JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit._settings import check_numbers, checked_settings
from seqkit.errors import UsageError
from seqkit.sentiment.registry import MODELS, model_kind


@pytest.mark.parametrize("name", MODELS)
def test_settings_of_classifiers_go_through_json(name: str) -> None:
    config_class = model_kind(name).config_class
    saved = json.loads(json.dumps(asdict(config_class())))
    assert checked_settings(Path("bundle"), config_class, saved) == config_class()


@dataclass(frozen=True)
class Numbers:
    """One field of each kind."""

    whole: int = 1
    any: float = 0.5
    maybe: int | None = None
    flag: bool = False
    pair: tuple[int, ...] = ()
    text: str = ""

    def __post_init__(self) -> None:
        check_numbers(self)


def test_numbers_become_those_of_python() -> None:
    given = Numbers(np.int64(3), np.float32(0.25), np.uint8(7), np.bool_(True), (np.int64(1),))  # type: ignore[arg-type]
    assert given == Numbers(3, 0.25, 7, True, (1,))
    kinds = [type(value) for value in (given.whole, given.any, given.maybe, given.flag)]
    assert kinds == [int, float, int, bool]
    assert type(Numbers(any=2).any) is int


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"whole": 2.0}, "whole must be a whole number, not 2.0"),
        ({"whole": True}, "whole must be a whole number, not True"),
        ({"whole": None}, "whole must be a whole number, not None"),
        ({"maybe": "3"}, "maybe must be a whole number, not '3'"),
        ({"any": "x"}, "any must be a number, not 'x'"),
        ({"any": False}, "any must be a number, not False"),
        ({"flag": 1}, "flag must be True or False, not 1"),
    ],
)
def test_what_is_no_number_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Numbers(**values)


def test_a_run_may_be_set_by_numbers_of_numpy(tmp_path: Path) -> None:
    from seqkit.embeddings.skipgram.config import SkipGramConfig
    from seqkit.embeddings.training import train

    config = SkipGramConfig(vector_size=np.int64(4), epochs=np.int64(1), sample=np.float64(0.1))  # type: ignore[arg-type]
    report = train("kingdom:50", tmp_path / "b", config)
    assert report.vocabulary > 0
