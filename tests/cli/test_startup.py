"""TensorFlow's own lines on standard error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqkit.cli import startup

NOISE = (
    b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    b"I0000 00:00:1795244771.927234    4236 port.cc:153] oneDNN custom operations are on.\n"
)


def run(folder: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=clean | environment, capture_output=True, text=True
    )


@pytest.mark.slow
def test_tensorflow_starts_without_a_word(tmp_path: Path) -> None:
    code = """
import sys
from seqkit.cli import main
main.main(["--version"])
import tensorflow as tf
tf.config.list_physical_devices()
float(tf.constant(1.0) + 1)
assert type(tf.__spec__.loader).__module__ != "seqkit.cli.startup"
print("after", file=sys.stderr)
"""
    done = run(tmp_path, code)
    assert (done.returncode, done.stderr) == (0, "after\n")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package named tensorflow that says what TensorFlow says, and more."""
    (tmp_path / "tensorflow").mkdir()
    code = f"import os, sys\nos.write(2, {NOISE!r})\nprint('a warning', file=sys.stderr)\n"
    (tmp_path / "tensorflow" / "__init__.py").write_text(code, encoding="utf-8")
    return tmp_path


MAIN = "from seqkit.cli import main; main.main(['--version']); import sys; sys.path.insert(0, '.'); "


def test_only_the_noise_is_left_out(package: Path) -> None:
    assert run(package, MAIN + "import tensorflow").stderr == "a warning\n"


def test_the_log_of_its_python_is_silent(package: Path) -> None:
    code = MAIN + "import tensorflow, logging; logging.getLogger('tensorflow').warning('retracing')"
    assert run(package, code).stderr == "a warning\n"


def test_everything_is_shown_if_the_import_fails(package: Path) -> None:
    with (package / "tensorflow" / "__init__.py").open("a", encoding="utf-8") as file:
        file.write("raise ImportError('no such library')\n")
    err = run(package, MAIN + "import tensorflow").stderr
    assert err.startswith(NOISE.decode() + "a warning\n")
    assert "no such library" in err


def test_a_user_who_asks_for_the_log_gets_it(package: Path) -> None:
    err = run(package, MAIN + "import tensorflow", TF_CPP_MIN_LOG_LEVEL="0").stderr
    assert err == NOISE.decode() + "a warning\n"


def test_a_closed_standard_error(package: Path) -> None:
    (package / "tensorflow" / "__init__.py").write_text("")
    done = run(package, MAIN + "import os; os.close(2); import tensorflow; print('imported')")
    assert done.stdout.endswith("imported\n")


def test_the_level_is_set_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "meta_path", before := list(sys.meta_path))
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "1")
    startup.quieten_tensorflow()
    assert (os.environ["TF_CPP_MIN_LOG_LEVEL"], len(sys.meta_path)) == ("1", len(before))
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    count = len(sys.meta_path)
    startup.quieten_tensorflow()
    startup.quieten_tensorflow()
    assert (os.environ["TF_CPP_MIN_LOG_LEVEL"], len(sys.meta_path)) == ("3", count + 1)
