"""TensorFlow's own lines on standard error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqkit.cli import startup


def run(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=clean | environment, capture_output=True, text=True
    )


def test_tensorflow_starts_without_a_word(tmp_path: Path) -> None:
    code = (
        "from seqkit.cli import main, startup; main.main(['--version']); startup.start_tensorflow(); "
        "import sys; assert 'tensorflow' in sys.modules; print('after', file=sys.stderr)"
    )
    done = run(tmp_path, code)
    assert (done.returncode, done.stderr) == (0, "after\n")


def test_what_was_held_back_is_shown_when_the_start_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with startup._held_back_errors():
            os.write(2, b"the reason\n")
            raise ImportError

    with pytest.raises(ImportError):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "the reason\nafter\n"


def test_a_user_who_asks_for_the_log_gets_it(tmp_path: Path) -> None:
    # Nothing is held back, so the import is left to whoever needs it first.
    code = (
        "import sys; from seqkit.cli import startup; startup.start_tensorflow(); "
        "print('tensorflow' in sys.modules)"
    )
    assert run(tmp_path, code, TF_CPP_MIN_LOG_LEVEL="0").stdout == "False\n"


def test_a_closed_standard_error(tmp_path: Path) -> None:
    code = (
        "import os\nfrom seqkit.cli import startup\nos.close(2)\n"
        "with startup._held_back_errors():\n    print('ran')"
    )
    assert run(tmp_path, code).stdout == "ran\n"
