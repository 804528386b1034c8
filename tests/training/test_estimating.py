"""Speed and memory of some work."""

from __future__ import annotations

import time

import numpy as np
import pytest

from seqkit.training.estimating import rate_of, resident, watched


def test_the_rate_and_its_error_by_hand() -> None:
    rate, error = rate_of([1, 1, 4], [0.5, 1.5, 1.0])
    assert rate == 6 / 3
    # Rates 2, 2/3 and 4: their standard deviation, over √3, twice, by the rate of 2.
    assert error == pytest.approx(2 * np.std([2, 2 / 3, 4]) / np.sqrt(3) / 2)
    assert rate_of([2, 2, 2], [1, 1, 1]) == (2, 0.2)  # never less


def test_what_the_process_has_in_memory() -> None:
    before = resident()
    block = np.ones(100 << 20, np.uint8)
    assert 90 << 20 < resident() - before < 200 << 20
    assert block[0]


def test_the_most_that_it_had() -> None:
    with watched() as most:
        before = most[0]
        block = np.ones(100 << 20, np.uint8)
        while most[0] < before + (90 << 20):  # the watcher looks now and then
            time.sleep(0.01)
        del block
    assert most[0] - before < 200 << 20
