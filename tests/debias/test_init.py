"""What `seqkit.debias` offers, loaded when it is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import seqkit.debias


@pytest.mark.parametrize("name", seqkit.debias.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(seqkit.debias, name)
    assert name in dir(seqkit.debias)
    assert name == "METHODS" or (value.__doc__ and value.__name__ == name)


def test_the_list_is_that_of_the_homes() -> None:
    assert set(seqkit.debias.__all__) == set(seqkit.debias._HOMES)


def test_import_loads_nothing_of_it(tmp_path: Path) -> None:
    code = "import sys, seqkit.debias; print(*(name for name in sys.modules if 'seqkit.debias' in name))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["seqkit.debias"]
