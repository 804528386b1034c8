"""NLTK module by module: `import nltk` takes two seconds, most of them for SciPy, which few modules need."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

PACKAGES = ("nltk", "nltk.corpus", "nltk.corpus.reader", "nltk.sentiment")
"""Packages whose own code imports all that is in them."""


@contextmanager
def light_nltk() -> Iterator[None]:
    """Within it, an import of a module of NLTK does not run the code of `PACKAGES`.

    So names come from modules, not from packages: `from nltk.corpus.reader.plaintext import …`. What was
    imported is forgotten at the end, and a later `import nltk` is of the whole, with modules of its own.
    Where NLTK was imported before, or is not installed, this changes nothing. Other threads should not import
    NLTK meanwhile.
    """
    spec = None if "nltk" in sys.modules else find_spec("nltk")
    if spec is None or spec.origin is None:
        yield
        return
    above = Path(spec.origin).parents[1]
    for name in PACKAGES:
        package = ModuleType(name)
        package.__path__ = [str(above.joinpath(*name.split(".")))]
        sys.modules[name] = package
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "nltk"]:
            del sys.modules[name]
