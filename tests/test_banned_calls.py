"""Nothing in the package deserialises code, evaluates text, prints, or touches the network unasked.

Every one of these has had holes through which a file ran code or read other files. The scan resolves
import aliases (`import numpy as np`, `from keras import models as m`), so a name cannot hide behind one.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted(path for home in ("seqkit", "cli", "corpora") for path in (ROOT / home).rglob("*.py"))

BANNED_MODULES = {
    "pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml",
    "gensim.downloader", "urllib", "http", "requests", "socket", "ftplib",
}  # fmt: skip
BANNED_BUILTINS = {"eval", "exec", "compile", "__import__"}
# Dotted names, matched from the left after aliases are resolved; * stands for one or more characters.
BANNED_CALLS = [
    "os.system", "os.popen", "os.exec*", "os.spawn*",
    "keras.*load_model", "*.models.load_model", "*model_from_json", "*model_from_config", "*model_from_yaml",
    "*enable_unsafe_deserialization", "*deserialize_keras_object", "keras.*get_file",
    "tensorflow.saved_model.*", "tensorflow.io.gfile.*",
    "gensim.*.load", "gensim.*.load_word2vec_format", "gensim.*.load_facebook_*", "gensim.utils.unpickle",
    "nltk.download", "nltk.downloader.*", "nltk.data.load",
]  # fmt: skip
# The only door to the network: `seqkit corpus fetch`.
ALLOWED = {("corpora/fetch.py", "nltk.downloader")}


def aliases(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`np.load` as `numpy.load`; the value of anything but a chain of names is `?`."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, names)}.{node.attr}"
    return "?"


def matches(name: str, patterns: list[str]) -> bool:
    return any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) for pattern in patterns)


def is_banned_module(name: str) -> bool:
    return any(f"{name}.".startswith(f"{banned}.") for banned in BANNED_MODULES)


def banned_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (
            (node.lineno, name) for name in names if is_banned_module(name) or matches(name, BANNED_CALLS)
        )


def banned_uses(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """References, not only calls: `loader = np.load` is caught where the allow_pickle is hidden."""
    names = aliases(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BANNED_BUILTINS and node.id not in names:
            yield node.lineno, node.id
        if isinstance(node, ast.Attribute) and matches(name := dotted(node, names), BANNED_CALLS):
            yield node.lineno, name
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func, names)
        if name == "print" or name.endswith(("sys.stdout.write", "sys.stderr.write")):
            yield node.lineno, name
        if name == "numpy.load" and not any(keyword.arg == "allow_pickle" for keyword in node.keywords):
            yield node.lineno, f"{name} without allow_pickle=False"
        if any(keyword.arg == "allow_pickle" and not _is_false(keyword.value) for keyword in node.keywords):
            yield node.lineno, f"{name}(allow_pickle=...)"
        if any(keyword.arg == "shell" and not _is_false(keyword.value) for keyword in node.keywords):
            yield node.lineno, f"{name}(shell=...)"


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def complaints(source: str, path: str = "seqkit/x.py") -> list[str]:
    """What a source file does that it must not."""
    tree = ast.parse(source)
    found = sorted({*banned_imports(tree), *banned_uses(tree)})
    return [
        f"{path}:{line}: {name}"
        for line, name in found
        if not any(path == place and name.startswith(allowed) for place, allowed in ALLOWED)
    ]


@pytest.mark.parametrize("path", FILES, ids=[str(path.relative_to(ROOT)) for path in FILES])
def test_no_banned_call(path: Path) -> None:
    assert not complaints(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "def f():\n    import joblib.numpy_pickle",
        "from shelve import open as o",
        "import marshal as m",
        "import cloudpickle",
        "from urllib.request import urlopen",
        "import gensim.downloader",
        "from gensim import downloader",
        "eval('1')",
        "run = exec",
        "__import__('os')",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "from numpy import load as read\nread('x', allow_pickle=flag)",
        "import keras\nkeras.models.load_model('x')",
        "import keras\nkeras.saving.load_model('x')",
        "from keras import models as m\nm.load_model('x')",
        "from keras.models import model_from_json",
        "import tensorflow as tf\ntf.saved_model.load('x')",
        "import tensorflow as tf\ntf.keras.models.load_model('x')",
        "from tensorflow import keras as k\nk.models.load_model('x')",
        "from gensim.models import KeyedVectors\nKeyedVectors.load('x')",
        "from gensim.models import Word2Vec as W\nload = W.load",
        "from gensim.models import KeyedVectors\nKeyedVectors.load_word2vec_format('x')",
        "import nltk\nnltk.download('brown')",
        "import nltk\nnltk.data.load('x')",
        "from nltk import download",
        "print('x')",
        "import sys\nsys.stdout.write('x')",
        "import subprocess\nsubprocess.run('x', shell=True)",
        "import os\nos.system('x')",
    ],
)
def test_the_scan_sees_a_planted_fault(source: str) -> None:
    assert complaints(source)


@pytest.mark.parametrize(
    "source",
    [
        "import re\nre.compile('x')",
        "import numpy as np\nnp.load('x', allow_pickle=False)",
        "import numpy as np\nnp.memmap('x')",
        "from seqkit.embeddings.vectors import Vectors\nVectors.load('x')",
        "import json\njson.load(open('x'))",
        "from gensim.models import KeyedVectors\nKeyedVectors(3)",
        "from gensim.test.utils import datapath",
        "'pickle.loads'  # pickle",
        "model.eval()",
    ],
)
def test_the_scan_lets_pass_what_is_harmless(source: str) -> None:
    assert not complaints(source)


def test_the_network_is_for_one_command_only() -> None:
    source = "from nltk.downloader import Downloader"
    assert complaints(source, "seqkit/text/sources.py")
    assert not complaints(source, "corpora/fetch.py")
