"""The examples in docstrings are run on the installed modules.

pytest's own collection (--doctest-modules) would import the mapped packages a second time, as `cli` and
`corpora`, with a second set of classes.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import seqkit

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(seqkit.__path__, "seqkit.")]
    # In an editable install the mapped packages are not below seqkit's own folder.
    for name in ("seqkit.cli", "seqkit.corpora"):
        package = importlib.import_module(name)
        found += [name, *(module.name for module in pkgutil.walk_packages(package.__path__, f"{name}."))]
    return sorted({"seqkit", *found} - {"seqkit.cli.__main__"})


def test_the_examples_in_docstrings(tmp_path_factory: pytest.TempPathFactory) -> None:
    attempted, failed = 0, []
    for name in modules():
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path_factory.mktemp("doctest"))
            result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
        attempted += result.attempted
        failed += [name] * bool(result.failed)
    assert not failed
    assert attempted > 0
