"""The measures on vectors trained on real text: the biases that the papers report are there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from seqkit.debias.measures import audit, read_sembias, sembias, weat
from seqkit.debias.word_sets import word_sets
from seqkit.embeddings.vectors import Vectors

pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Vectors:
    """An epoch of skip-gram on simplewiki, names in capitals; half a minute."""
    folder = tmp_path_factory.mktemp("trained")
    corpus = data_dir / "corpora" / "simplewiki.txt.xz"
    options = ["--epochs", "1", "--keep-case", "--seed", "1", "--quiet"]
    command = [sys.executable, "-m", "seqkit.cli", "embed", "train", str(corpus), "-o", "wiki", *options]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return Vectors.load(folder / "wiki")


# Caliskan et al. 2017 have 1.81, 1.06 and 1.24 of GloVe's vectors, 1.89, 0.97 and 1.24 of word2vec's.
@pytest.mark.parametrize(("number", "low", "high"), [("6", 1.5, 2), ("7", 0.6, 1.7), ("8", 0.7, 1.7)])
def test_published_effects(trained: Vectors, data_dir: Path, number: str, low: float, high: float) -> None:
    test = json.loads((data_dir / "bias" / "weat_wefe.json").read_text())[number]
    found = weat(trained, test["targ1"], test["targ2"], test["attr1"], test["attr2"])
    assert low < found.effect_size.value < high
    assert found.exact
    assert found.p.value < 0.05


def test_sembias(trained: Vectors, data_dir: Path) -> None:
    """Stereotypes far above what is neither, as in Zhao et al. 2018; chance would have half of it."""
    found = sembias(trained, read_sembias(data_dir / "bias" / "sembias.tsv"))
    assert found.lines > 250
    assert found.definition.value > found.stereotype.value > 1.5 * found.neither.value


def test_the_audit_finds_gender(trained: Vectors) -> None:
    found = audit(trained, word_sets("gender"))
    assert found.skipped == {}
    assert found.weat["career-family"].effect_size.low > 0.5
    assert found.corrected["career-family"].value < 0.05
    for name in ("cluster_accuracy", "classifier_accuracy", "linear_classifier_accuracy"):
        assert found.recovery[name].low > 0.9
    # Gonen and Goldberg 2019, §4, have 0.747 of the original vectors.
    assert 0.6 < found.recovery["neighbour_correlation"].value < 0.95
