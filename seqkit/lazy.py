"""Public names that are imported when they are first asked for, so that importing a package costs nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The two functions of a module that resolve names late (PEP 562).

    In the package's `__init__`: `__getattr__, __dir__ = lazy_names(__name__, _HOMES)`. Type checkers and
    readers see the same names by imports under `TYPE_CHECKING`.

    Args:
        package: the name of the package.
        homes: public name to the module that defines it.

    Returns:
        `__getattr__`, which imports a name, keeps it in the package, and raises AttributeError for one that
        is not in `homes`; and `__dir__`.
    """

    def getattr_(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(homes[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return getattr_, dir_
