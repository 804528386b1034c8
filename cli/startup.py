"""Importing TensorFlow without the dozen lines that it writes to standard error while it starts."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

# What `main` sets unless the user asked for another level.
SILENT_LEVEL = "3"


def start_tensorflow() -> None:
    """Import TensorFlow and look for its devices, quietly; commands that train call it first.

    The lines that TensorFlow 2.21 writes before its log is set up (oneDNN, CUDA drivers not found, CPU
    features) obey no environment variable, so file descriptor 2 points elsewhere meanwhile. If the
    import fails, they are shown after all. A user who sets TF_CPP_MIN_LOG_LEVEL to anything but 3 sees
    everything.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != SILENT_LEVEL:
        return
    with _held_back_errors():
        import tensorflow as tf

        tf.config.list_physical_devices()


@contextlib.contextmanager
def _held_back_errors() -> Iterator[None]:
    """Collect what is written to file descriptor 2; pass it on only if the block raises."""
    try:
        real = os.dup(2)
    except OSError:  # standard error is closed: there is nothing to hold back
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            with contextlib.suppress(OSError):
                os.write(real, held.read())
            raise
        finally:
            os.dup2(real, 2)
            os.close(real)
