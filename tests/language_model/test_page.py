"""docs/language-models.md is held to the program: every option, every preset and its figure."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from seqkit.cli import lm_score, lm_train
from seqkit.language_model.config import CELLS, LEVELS
from seqkit.language_model.presets import PRESETS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "language-models.md").read_text(encoding="utf-8")
SHARED = (DOCS / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [lm_train.train, lm_score.score, lm_score.rank, lm_score.info])
def test_every_option_is_described(command: click.Command) -> None:
    names = [
        name
        for param in command.params
        if isinstance(param, click.Option) and not param.hidden
        for name in param.opts
        if name.startswith("--")
    ]
    assert "--json" in names
    missing = [name for name in names if not re.search(rf"{name}(?![\w-])", PAGE + SHARED)]
    assert not missing


def test_presets_levels_and_cells() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)\|$", PAGE, flags=re.MULTILINE))
    assert {*PRESETS, *LEVELS} <= set(rows)
    for name, preset in PRESETS.items():
        for figure in re.findall(r"perplexity ([\d.]+)", preset.expected):
            assert figure in rows[name], name
    assert f"`--cell {'|'.join(CELLS)}`" in PAGE
