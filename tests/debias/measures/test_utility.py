"""Scores with intervals, against those of the evaluation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqkit.debias.measures.utility import utility
from seqkit.embeddings.evaluation import EvaluationSets
from seqkit.embeddings.vectors import Vectors


@pytest.fixture
def tests(tmp_path: Path) -> EvaluationSets:
    rng = np.random.default_rng(0)
    pairs = [f"w{a}\tW{b}\t{rng.uniform():.2f}" for a, b in rng.integers(0, 33, size=(40, 2))]
    (tmp_path / "pairs.tsv").write_text("\n".join(pairs))
    (tmp_path / "few.tsv").write_text("w1\tw2\t3\nw1\tabsent\t3\n")
    (tmp_path / "flat.tsv").write_text("w1\tw2\t3\nw1\tw3\t3\nw1\tw4\t3\n")
    questions = [f"w{a} w{b} w{c} w{d}" for a, b, c, d in rng.integers(0, 33, size=(60, 4))]
    right = ["w0 w1 w2 w3"] * 20
    (tmp_path / "questions.txt").write_text("\n".join([": one", *questions, ": two", *right]))
    return EvaluationSets.read(
        [tmp_path / name for name in ("pairs.tsv", "few.tsv", "flat.tsv")], [tmp_path / "questions.txt"]
    )


@pytest.fixture
def vectors() -> Vectors:
    matrix = np.random.default_rng(1).normal(size=(30, 40))
    matrix[3] = matrix[2] + matrix[1] - matrix[0]
    return Vectors([f"w{n}" for n in range(30)], matrix.astype(np.float32))


def test_the_scores_are_those_of_the_evaluation(vectors: Vectors, tests: EvaluationSets) -> None:
    scores = tests.score(vectors)
    found = utility(vectors, tests)
    assert found.similarity["pairs"].value == pytest.approx(scores["similarity"]["pairs"]["spearman"])
    assert found.analogies["questions"].value == scores["analogies"]["questions"]["accuracy"]
    assert 0.2 < found.analogies["questions"].value < 0.5
    for figure in (found.similarity["pairs"], found.analogies["questions"]):
        assert figure.low < figure.value < figure.high
    # What has no correlation is left out.
    assert list(found.similarity) == ["pairs"]
    assert set(json.loads(json.dumps(found.as_json()))) == {"similarity", "analogies"}


def test_analogies_of_frequent_words(vectors: Vectors, tests: EvaluationSets) -> None:
    found = utility(vectors, tests, most_frequent=20)
    frequent = Vectors(vectors.words[:20], vectors.matrix[:20])
    assert found.analogies["questions"].value == tests.score(frequent)["analogies"]["questions"]["accuracy"]
    assert found.similarity == utility(vectors, tests).similarity


def test_of_several_spellings_the_first_counts(tests: EvaluationSets) -> None:
    rng = np.random.default_rng(2)
    words = [f"{letter}{n}" for n in range(30) for letter in ("W", "w")]
    both = Vectors(["other", *words], rng.normal(size=(61, 4)).astype(np.float32))
    expected = tests.score(both)["similarity"]["pairs"]["spearman"]
    assert utility(both, tests).similarity["pairs"].value == pytest.approx(expected)


def test_no_questions_known(tests: EvaluationSets) -> None:
    found = utility(Vectors(["a", "b"], np.eye(2, dtype=np.float32)), tests)
    assert (found.similarity, found.analogies) == ({}, {})


def test_one_question_has_no_interval(vectors: Vectors, tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(": one\nw0 w1 w2 w3\n")
    assert utility(vectors, EvaluationSets.read([], [tmp_path / "one.txt"])).analogies == {}
