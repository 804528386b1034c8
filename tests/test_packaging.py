"""The package map in setup.cfg matches the tree, and imports point one way (docs/architecture.md)."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import seqkit
from seqkit.version import __version__

ROOT = Path(__file__).parents[1]
HOMES = {"seqkit": ROOT / "seqkit", "seqkit.cli": ROOT / "cli", "seqkit.corpora": ROOT / "corpora"}

# Each layer may import itself and those before it. A name covers the modules below it.
LAYERS: list[set[str]] = [
    {"seqkit.errors", "seqkit.lazy", "seqkit.progress", "seqkit.resampling", "seqkit.version"},
    {"seqkit.storage"},
    {"seqkit.corpora"},
    {"seqkit.text"},
    {"seqkit.cells"},
    {"seqkit.layers"},
    {"seqkit.training"},
    {"seqkit.embeddings"},
    {"seqkit.language_model"},
    {"seqkit.sentiment"},
    {"seqkit.debias"},
    {"seqkit.plots"},
    {"seqkit"},  # the package itself: its public names, imported when they are asked for
    {"seqkit.cli"},
]
ONLY = {"seqkit.corpora": {"seqkit.corpora", "seqkit.errors"}}
NOT = {"seqkit.sentiment": {"seqkit.debias"}, "seqkit.debias": {"seqkit.language_model", "seqkit.sentiment"}}


def modules() -> Iterator[tuple[str, Path]]:
    for home, folder in HOMES.items():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join((home, *(part for part in parts if part != "__init__"))), path


MODULES = sorted(modules())


def layer_of(name: str) -> int:
    """The layer of a module: that of the longest name that covers it; `seqkit` covers only itself."""
    if name.startswith("seqkit._"):
        name = "seqkit.storage"  # its private halves
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        prefix = ".".join(parts[:length])
        if prefix == "seqkit" and length < len(parts):
            break
        for number, names in enumerate(LAYERS):
            if prefix in names:
                return number
    raise AssertionError(f"{name} is in no layer: place it in LAYERS")


def imported(source: str, module: str, *, is_package: bool) -> Iterator[str]:
    """The full names that a module imports, inside functions too; `from a import b` gives a.b and a."""
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{full}.{alias.name}" for alias in node.names)


def known(name: str) -> str | None:
    """The module of seqkit that an imported name belongs to; None for somebody else's."""
    names = {module for module, _ in MODULES}
    while name.startswith("seqkit"):
        if name in names:
            return name
        name = name.rpartition(".")[0]
    return None


def complaints(source: str, module: str, *, is_package: bool = False) -> list[str]:
    """What is wrong with the imports of one module."""
    wrong = []
    mine = next((home for home in ONLY | NOT if f"{module}.".startswith(f"{home}.")), "")
    for name in imported(source, module, is_package=is_package):
        if name.split(".")[0] in {"cli", "corpora", "tests", "benchmarks"}:
            wrong.append(f"{name}: has another name once installed")
        target = known(name)
        if target is None:
            continue
        if layer_of(target) > layer_of(module):
            wrong.append(f"{name}: is above {module}")
        area = ".".join(target.split(".")[:2])
        if area not in ONLY.get(mine, {area}) or area in NOT.get(mine, set()):
            wrong.append(f"{name}: not from {mine}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level > 1:
            wrong.append(f"line {node.lineno}: an import out of the package must be absolute")
    return wrong


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[module for module, _ in MODULES])
def test_imports_point_one_way(module: str, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert not complaints(source, module, is_package=path.name == "__init__.py")


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("seqkit.errors", "import seqkit.text"),
        ("seqkit.storage", "from seqkit import text"),
        ("seqkit.text.sources", "def f():\n    from seqkit.embeddings import vectors"),
        ("seqkit.text.sources", "if x:\n    from seqkit.cli.main import main"),
        ("seqkit.corpora", "from seqkit.storage import Bundle"),
        ("seqkit.corpora", "import seqkit.progress"),
        ("seqkit.training", "from ..embeddings import x"),
        ("seqkit.embeddings.vectors", "from seqkit import __version__"),
        ("seqkit.cli.demo", "import corpora"),
        ("seqkit.cli.demo", "from cli.main import main"),
        ("seqkit.cli.demo", "from ..errors import SeqkitError"),
    ],
)
def test_the_guard_sees_a_planted_fault(module: str, source: str) -> None:
    assert complaints(source, module)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "seqkit.text.sources",
            "from seqkit.corpora import open_corpus\nfrom seqkit.errors import CorpusError",
        ),
        ("seqkit.cli.demo", "import click\nimport clipboard\nfrom seqkit.text.sources import read_text"),
        ("seqkit.text.sources", "from . import tokenizers\nfrom .vocabulary import Vocabulary"),
    ],
)
def test_the_guard_lets_pass_what_is_right(module: str, source: str) -> None:
    assert not complaints(source, module)


def test_every_package_is_listed() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    on_disk = {module for module, path in MODULES if path.name == "__init__.py"}
    assert set(config["options"]["packages"].split()) == on_disk


def test_tests_mirror_the_sources() -> None:
    """A file of tests is named after the module that it tests, in a folder of the same path."""
    stray = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests")
        if folder == Path():
            continue  # about the project as a whole
        home = ROOT / folder if folder.parts[0] in {"cli", "corpora"} else ROOT / "seqkit" / folder
        if not home.is_dir():
            stray.append(str(path))
    assert not stray
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_the_version_has_one_source(tmp_path: Path) -> None:
    code = "from importlib.metadata import version; print(version('seqkit'))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == __version__ == seqkit.__version__


def test_types_are_declared() -> None:
    assert (Path(seqkit.__file__).parent / "py.typed").exists()
