"""`import seqkit` and every --help stay light: each heavy library costs a second or more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

HEAVY = {"gensim", "keras", "matplotlib", "nltk", "numpy", "pandas", "rich", "scipy", "sklearn", "tensorflow"}

# TensorFlow code through and through; functions import them when there is something to train.
TENSORFLOW_PACKAGES = ("seqkit.cells", "seqkit.layers")
TENSORFLOW_CODE = {
    f"seqkit.embeddings.{name}"
    for name in (
        "cbow.kernel",
        "cbow.trainer",
        "glove.kernel",
        "glove.trainer",
        "negative_sampling.kernel",
        "negative_sampling.rows",
        "negative_sampling.trainer",
        "skipgram.kernel",
        "skipgram.trainer",
        "softmax.adagrad",
        "softmax.exact",
        "softmax.kernel",
        "softmax.skipgram_trainer",
        "softmax.trainer",
        "window.kernel",
        "window.trainer",
    )
}
TENSORFLOW_CODE |= {
    f"seqkit.language_model.{name}"
    for name in (
        "counting",
        "dynamic",
        "estimate",
        "initial",
        "members",
        "model",
        "network",
        "network_steps",
        "sampling.beams",
        "sampling.drawing",
        "sampling.loop",
        "sampling.rules",
        "sampling.sampler",
        "sampling.transforms",
        "scoring",
        "search",
        "softmax",
        "task",
        "trainer",
        "training",
    )
}
TENSORFLOW_CODE |= {
    f"seqkit.sentiment.models.{name}"
    for name in ("convolution", "language_encoder", "network", "neural_training", "pooling", "recurrence")
}
TENSORFLOW_CODE |= {f"seqkit.training.{name}" for name in ("averaging", "compiled", "gradients", "network")}

WALK = """
import contextlib, io, json, sys
import click
import seqkit
from seqkit.cli import main

helps = {}

def walk(command, path):
    out = io.StringIO()
    before = set(sys.modules)
    with contextlib.redirect_stdout(out):
        code = main.main([*path, "--help"])
    loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before})
    helps[" ".join(path)] = [code, len(out.getvalue()), loaded]
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            walk(command.get_command(context, name), [*path, name])

walk(main.seqkit, [])
json.dump({"helps": helps, "loaded": sorted({name.partition(".")[0] for name in sys.modules})}, sys.stdout)
"""


def test_no_help_imports_a_heavy_library(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WALK], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    answer = json.loads(done.stdout)
    assert {"", "demo", "embed", "embed train", "embed evaluate", "corpus"} <= set(answer["helps"])
    for path, (code, length, loaded) in answer["helps"].items():
        assert code == 0, path
        assert length > 80, path
        assert not HEAVY & set(loaded), path
    assert not HEAVY & set(answer["loaded"])


def test_the_library_imports_lightly(tmp_path: Path) -> None:
    """Every module, command modules included: what needs a heavy library imports it when it works."""
    code = f"""
import importlib, pkgutil, sys

def load(package):
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__, package + "."):
        if module.name in {TENSORFLOW_PACKAGES} or module.name in {TENSORFLOW_CODE}:
            continue
        if module.ispkg:
            load(module.name)
        elif not module.name.endswith("__main__"):
            importlib.import_module(module.name)

for package in ("seqkit", "seqkit.cli", "seqkit.corpora"):
    load(package)
print(*sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert {"seqkit.embeddings.glove.config", "seqkit.cli.main", "seqkit.corpora.fetch"} <= loaded
    assert not (HEAVY - {"numpy"}) & {name.partition(".")[0] for name in loaded}
