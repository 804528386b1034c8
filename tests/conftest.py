"""Fixtures that every test file may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real corpora and test sets; the test is skipped where there is none."""
    path = Path(os.environ.get("SEQKIT_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}: set SEQKIT_DATA")
    return path
