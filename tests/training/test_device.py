"""Where TensorFlow computes; a stand-in with the names that are used takes TensorFlow's place."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seqkit._processors import available_cores
from seqkit.errors import UnavailableError, UsageError
from seqkit.training import device
from seqkit.training.device import Device, choose_device, set_threads


class FakeTensorFlow:
    """What TensorFlow is asked and told."""

    def __init__(self, gpus: int, *, started: bool = False) -> None:
        self.told: list[Any] = []
        self._started = started
        self.config = SimpleNamespace(
            list_physical_devices=lambda kind: [kind] * gpus,
            threading=SimpleNamespace(
                set_intra_op_parallelism_threads=lambda count: self._tell("intra", count),
                set_inter_op_parallelism_threads=lambda count: self._tell("inter", count),
            ),
        )

    def _tell(self, *what: Any) -> None:
        if self._started:
            raise RuntimeError("Intra op parallelism cannot be modified after initialization.")
        self.told.append(what)

    @contextmanager
    def device(self, name: str) -> Iterator[None]:
        self.told.append(("begin", name))
        yield
        self.told.append(("end", name))


def use(monkeypatch: pytest.MonkeyPatch, gpus: int, **options: Any) -> FakeTensorFlow:
    fake = FakeTensorFlow(gpus, **options)
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    return fake


@pytest.mark.parametrize(
    ("name", "gpus", "expected"),
    [
        ("auto", 0, Device("/CPU:0", 3)),
        ("auto", 1, Device("/GPU:0", 1)),
        ("gpu", 2, Device("/GPU:0", 1)),
        ("cpu", 1, Device("/CPU:0", 3)),
    ],
)
def test_the_device_of_a_name(
    monkeypatch: pytest.MonkeyPatch, name: Any, gpus: int, expected: Device
) -> None:
    use(monkeypatch, gpus)
    found = choose_device(name, 3)
    assert found == expected
    assert found.is_gpu == ("GPU" in expected.name)


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, 0)
    with pytest.raises(UnavailableError, match=r"seqkit\[gpu\].*--device cpu"):
        choose_device("gpu")


def test_all_cores_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu").threads == available_cores() >= 1
    if sys.platform == "linux":
        assert available_cores() == len(os.sched_getaffinity(0))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert available_cores() == os.cpu_count()


@pytest.mark.parametrize(("name", "threads"), [("tpu", None), ("cpu", 0), ("auto", -1), ("cpu", 100_000)])
def test_arguments_out_of_range(name: Any, threads: int | None) -> None:
    with pytest.raises(UsageError, match=r"(device|threads) must be"):
        choose_device(name, threads)


def test_the_scope_is_tensorflows(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = use(monkeypatch, 0)
    with Device("/CPU:0", 1).scope():
        fake.told.append("work")
    assert fake.told == [("begin", "/CPU:0"), "work", ("end", "/CPU:0")]


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        ("processor : 0\nflags\t\t: fpu avx512f avx512_bf16\n", True),
        ("flags\t\t: fpu amx_bf16 amx_tile\n", True),
        ("flags\t\t: fpu avx512f\n", False),
        ("Features\t: asimd bf16\n", False),  # another architecture
        (None, False),  # another system
    ],
)
def test_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cpuinfo: str | None, expected: bool
) -> None:
    place = tmp_path / "cpuinfo"
    if cpuinfo is not None:
        place.write_text(cpuinfo)
    monkeypatch.setattr(device, "Path", lambda name: place)
    assert Device("/CPU:0", 1).has_bfloat16() is expected
    assert Device("/GPU:0", 1).has_bfloat16() is True


def test_threads_before_and_after_tensorflow_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = Device("/CPU:0", 5)
    fresh = use(monkeypatch, 0)
    set_threads(cpu, one_per_operation=True)
    assert fresh.told == [("intra", 1), ("inter", 5)]
    fresh = use(monkeypatch, 0)
    set_threads(cpu)
    assert fresh.told == [("intra", 5)]
    for where, started in ((cpu, True), (Device("/GPU:0", 1), False)):
        fake = use(monkeypatch, 1, started=started)
        set_threads(where, one_per_operation=True)
        set_threads(where)
        assert fake.told == []
