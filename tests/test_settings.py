"""Settings that were saved are settings again: those of every classifier."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from seqkit._settings import checked_settings
from seqkit.sentiment.registry import MODELS, model_kind


@pytest.mark.parametrize("name", MODELS)
def test_settings_of_classifiers_go_through_json(name: str) -> None:
    config_class = model_kind(name).config_class
    saved = json.loads(json.dumps(asdict(config_class())))
    assert checked_settings(Path("bundle"), config_class, saved) == config_class()
