"""Importing TensorFlow without the dozen lines that it writes to standard error while it starts."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

# What TensorFlow 2.21 says before its log is set up (oneDNN, no CUDA drivers, CPU features). No environment
# variable silences it.
_NOISE = re.compile(
    rb"WARNING: All log messages before absl::|[IWE]\d{4} \d\d:\d\d:\d+\.\d|To enable the following instruct"
)


def quieten_tensorflow() -> None:
    """Have the first import of TensorFlow, whoever does it and whenever, pass quietly.

    Its log is silenced by TF_CPP_MIN_LOG_LEVEL; a user who has set that sees everything. The lines that obey
    no variable are taken out of what arrives at file descriptor 2 meanwhile, unless the import fails.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds TensorFlow as it would be found without, and gives it a loader that listens."""

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    """Another loader, with file descriptor 2 filtered while the module runs."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self._loader
        with _without_noise():
            self._loader.exec_module(module)
        logging.getLogger("tensorflow").setLevel(logging.ERROR)  # what is said in Python has a log of its own


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Collect what is written to file descriptor 2, and pass it on; the noise only after an error."""
    try:
        real = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    failed = False
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:  # not Ctrl-C, which says nothing about the import
            failed = True
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)
            held.seek(0)
            with contextlib.suppress(OSError):
                os.write(2, b"".join(line for line in held if failed or not _NOISE.match(line)))
