"""Names of a package that are imported when they are first asked for."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from seqkit.lazy import lazy_names

INIT = """
from seqkit.lazy import lazy_names

here = 1
__getattr__, __dir__ = lazy_names(__name__, {"far": "lazy_sample.home"})
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A package with one name of its own and one that lives in a module of it."""
    (tmp_path / "lazy_sample").mkdir()
    (tmp_path / "lazy_sample" / "__init__.py").write_text(INIT, encoding="utf-8")
    (tmp_path / "lazy_sample" / "home.py").write_text("far = [2]\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("lazy_sample")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lazy_sample"]:
        del sys.modules[name]


def test_a_name_is_imported_when_it_is_asked_for_and_kept(package: ModuleType) -> None:
    assert "lazy_sample.home" not in sys.modules
    assert "far" not in vars(package)
    far = package.far
    assert far == [2]
    assert vars(package)["far"] is far is sys.modules["lazy_sample.home"].far


def test_the_names_are_listed_before_they_are_imported(package: ModuleType) -> None:
    assert {"far", "here", "__name__"} <= set(dir(package))
    assert dir(package) == sorted(dir(package))
    assert "lazy_sample.home" not in sys.modules


def test_an_unknown_name_is_an_attribute_error(package: ModuleType) -> None:
    with pytest.raises(AttributeError, match="module 'lazy_sample' has no attribute 'near'"):
        package.near  # noqa: B018
    assert not hasattr(package, "home")


def test_a_home_that_lacks_the_name_says_so(package: ModuleType) -> None:
    get, _ = lazy_names("lazy_sample", {"gone": "lazy_sample.home"})
    with pytest.raises(AttributeError, match=r"module 'lazy_sample\.home' has no attribute 'gone'"):
        get("gone")
