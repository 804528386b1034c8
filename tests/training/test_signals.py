"""Signals: taken over for a block, given back after it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqkit.training.signals import StopAtOnce, Stopped, StopRequest

NUMBERS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def unchanged() -> Iterator[None]:
    before = [signal.getsignal(number) for number in NUMBERS]
    yield
    after = [signal.getsignal(number) for number in NUMBERS]
    for number, handler in zip(NUMBERS, before, strict=True):
        signal.signal(number, handler)
    assert after == before


@pytest.mark.parametrize("number", NUMBERS)
def test_a_request_is_noted(number: int) -> None:
    with StopRequest() as stop:
        assert stop.signal_number is None
        os.kill(os.getpid(), number)
        assert stop.signal_number == number


def send(*numbers: int) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)
    pytest.fail("went on")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_block_is_ended_at_once(number: int) -> None:
    with pytest.raises(Stopped) as caught, StopAtOnce():
        send(number)
    assert caught.value.signal_number == number
    assert not isinstance(caught.value, Exception)  # no handler of errors swallows it


def test_within_a_block_that_ends_at_once_the_second_signal_does() -> None:
    with pytest.raises(Stopped) as caught, StopAtOnce(), StopRequest() as stop:
        send(signal.SIGINT, signal.SIGTERM)
    assert (stop.signal_number, caught.value.signal_number) == (signal.SIGINT, signal.SIGTERM)


def test_handlers_come_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), StopRequest():
        raise ZeroDivisionError


@pytest.mark.parametrize("block", ["StopRequest", "StopAtOnce"])
def test_an_ignored_signal_stays_ignored(tmp_path: Path, block: str) -> None:
    """As under nohup, or in the background of a script."""
    code = f"""
import os, signal
from seqkit.training.signals import {block}
signal.signal(signal.SIGINT, signal.SIG_IGN)
with {block}() as block:
    os.kill(os.getpid(), signal.SIGINT)
    assert getattr(block, "signal_number", None) is None
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
print("through")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "through\n", "")


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_while_a_class_is_made_is_none_of_its_faults(number: int) -> None:
    """Python 3.11 says RuntimeError of it, while a library is loaded."""

    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            send(number)

    with pytest.raises(Stopped) as caught, StopAtOnce():
        type("Made", (), {"field": Named()})
    assert caught.value.signal_number == number
