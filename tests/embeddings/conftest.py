"""A text to learn from."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkit.corpora import open_corpus


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("".join(f"{line}\n" for line in open_corpus("kingdom", size=1000)))
    return path
