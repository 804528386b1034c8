"""The one public door: what `import seqkit` offers, loaded when it is asked for."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import seqkit

PUBLIC = [
    "CorpusConfig",
    "EncodedCorpus",
    "EncodingConfig",
    "RunConfig",
    "SeqkitError",
    "SkipGramConfig",
    "Tokenizer",
    "Vectors",
    "Vocabulary",
    "__version__",
    "corpus_names",
    "encode",
    "open_corpus",
]


def test_the_list_is_pinned() -> None:
    assert seqkit.__all__ == PUBLIC == sorted(PUBLIC)
    assert set(PUBLIC) <= set(dir(seqkit))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_there_and_documented(name: str) -> None:
    value = getattr(seqkit, name)
    assert name == "__version__" or (value.__doc__ and value.__name__ == name)


def test_type_checkers_see_the_same_names() -> None:
    source = ast.parse(Path(str(seqkit.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in source.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == seqkit._HOMES
    assert {*seen, "__version__"} == set(PUBLIC)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'seqkit' has no attribute 'nope'"):
        seqkit.nope  # noqa: B018
    assert not hasattr(importlib.import_module("seqkit"), "SkipGrma")


def test_import_loads_nothing_of_it(tmp_path: Path) -> None:
    code = "import seqkit, sys; print(sorted(name for name in sys.modules if name.startswith('seqkit')))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert ast.literal_eval(done.stdout) == ["seqkit", "seqkit.lazy", "seqkit.version"]
