"""Where TensorFlow computes, on how many threads, and how precisely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from seqkit._processors import available_cores, check_threads
from seqkit.errors import UnavailableError, UsageError

DeviceName = Literal["auto", "cpu", "gpu"]
Precision = Literal["float32", "bfloat16"]

# Processors without one of these emulate bfloat16 products, several times slower than float32 ones.
_BFLOAT16_FLAGS = {"amx_bf16", "avx512_bf16"}


@dataclass(frozen=True)
class Device:
    """A place to compute.

    Args:
        name: as TensorFlow calls it, "/CPU:0" or "/GPU:0".
        threads: that work at the same time; 1 on a GPU, which is one queue.
    """

    name: str
    threads: int

    @property
    def is_gpu(self) -> bool:
        """Whether this is a GPU."""
        return "GPU" in self.name

    @contextmanager
    def scope(self) -> Iterator[Any]:
        """Places what TensorFlow builds in the block on this device."""
        import tensorflow as tf

        with tf.device(self.name):
            yield

    def precision(self, asked: Literal["auto"] | Precision) -> Precision:
        """Of the products: as asked for, or for "auto" what is faster here."""
        if asked != "auto":
            return asked
        return "bfloat16" if self.has_bfloat16() else "float32"

    def has_bfloat16(self) -> bool:
        """Whether bfloat16 products are faster here than float32 ones."""
        if self.is_gpu:
            return True
        cpuinfo = Path("/proc/cpuinfo")
        if not cpuinfo.is_file():
            return False
        flags = next((line for line in cpuinfo.read_text().splitlines() if line.startswith("flags")), "")
        return not _BFLOAT16_FLAGS.isdisjoint(flags.split())


def choose_device(name: DeviceName = "auto", threads: int | None = None) -> Device:
    """The device of a name.

    Args:
        name: "cpu", "gpu", or "auto" for a GPU where there is one.
        threads: of the CPU; None for one on each core that this process may use.

    Raises:
        UnavailableError: a GPU is asked for and TensorFlow sees none.
        UsageError: an unknown name, or threads that are not 1 to 512.
    """
    if name not in ("auto", "cpu", "gpu"):
        raise UsageError(f"device must be auto, cpu or gpu, not {name!r}")
    check_threads(threads)
    if name != "cpu":
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            return Device("/GPU:0", 1)
    if name == "gpu":
        raise UnavailableError(
            "no GPU: TensorFlow sees none; pip install 'seqkit[gpu]' brings the CUDA libraries, "
            "--device cpu does without"
        )
    return Device("/CPU:0", threads or available_cores())


def set_threads(device: Device, *, one_per_operation: bool = False) -> None:
    """Tells TensorFlow what its operations do with the threads of a CPU.

    It holds for the whole process and only before TensorFlow first computes; after that it changes nothing.

    Args:
        device: whose threads; on a GPU nothing is told.
        one_per_operation: for models of many small operations, which get slower when a single one is spread
            over threads: as many run at the same time as there are threads. Each uses all of them otherwise.
    """
    import tensorflow as tf

    if device.is_gpu:
        return
    threading = tf.config.threading
    with suppress(RuntimeError):  # TensorFlow has started
        threading.set_intra_op_parallelism_threads(1 if one_per_operation else device.threads)
        if one_per_operation:
            threading.set_inter_op_parallelism_threads(device.threads)
