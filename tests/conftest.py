"""Fixtures that every test file may use."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

pytest.register_assert_rewrite("helpers")

ROOT = Path(__file__).parents[1]

# In the background of a script SIGINT is ignored: by tests, and by the processes that they start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def keras_draws_the_same() -> None:
    """Keras takes a seed that is not given from here: a test has the same weights in every run."""
    random.seed(0)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real corpora and test sets; the test is skipped where there is none."""
    path = Path(os.environ.get("SEQKIT_DATA", ROOT.parent / "shared" / "data"))
    if not path.is_dir():
        pytest.skip(f"no real data at {path}: set SEQKIT_DATA")
    return path
