"""Analogies generated and completed, by hand and against loops."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from seqkit.debias.measures import analogies
from seqkit.debias.measures.analogies import Completion, analogy_pairs, complete_analogies
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError


def test_pairs_by_hand(build) -> None:
    # a - b is along the first axis. doctor - nurse = (0.6, 0.8) - (0, 1) = (0.6, -0.2), of length
    # sqrt(0.4) = 0.632: cosine 0.949. doctor - lamp has a length of sqrt(2 - 1.2) = 0.894 > 0.7: not near.
    rows = {"he": [1, 0], "she": [-1, 0], "doctor": [3, 4], "nurse": [0, 2], "lamp": [1, 0]}
    found = analogy_pairs(build(rows), candidates=["doctor", "nurse", "lamp", "absent"], delta=0.7)
    assert [(pair.x, pair.y) for pair in found] == [("doctor", "nurse")]
    assert found[0].score == pytest.approx(0.6 / math.sqrt(0.4))
    # With a delta of 1 lamp takes part; each x keeps its best. lamp - doctor = (0.4, -0.8) of length 0.894
    # has 0.447; lamp - nurse has a length of sqrt(2).
    found = analogy_pairs(build(rows), candidates=["doctor", "nurse", "lamp"])
    assert [(pair.x, pair.y) for pair in found] == [("doctor", "nurse"), ("lamp", "doctor")]
    assert found[1].score == pytest.approx(0.4 / math.sqrt(0.8))
    assert analogy_pairs(build(rows), candidates=["doctor", "nurse", "lamp"], n=1) == found[:1]


@pytest.mark.parametrize("held", [1, 100, 1 << 23])
def test_pairs_against_a_loop(random_vectors, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(analogies, "_SCORES", held)
    vectors = random_vectors(40, 5)
    unit = vectors.matrix.astype(float) / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    relation = unit[0] - unit[1]
    expected = []
    for x in range(40):
        scores = []
        for y in range(40):
            rest = unit[x] - unit[y]
            if x != y and math.hypot(*rest) <= 0.9:
                scores.append((sum(rest * relation) / math.hypot(*rest) / math.hypot(*relation), f"w{y}"))
        if scores and max(scores)[0] > 0:
            expected.append((max(scores)[0], f"w{x}", max(scores)[1]))
    expected.sort(reverse=True)
    found = analogy_pairs(vectors, ("w0", "w1"), candidates=vectors.words, delta=0.9, n=40)
    assert [(pair.x, pair.y) for pair in found] == [(x, y) for _, x, y in expected]
    assert [pair.score for pair in found] == pytest.approx([score for score, _, _ in expected], abs=1e-5)


def test_candidates_are_the_frequent_words_of_letters(build) -> None:
    rows = {"he": [1, 0.1], "she": [-1, 0.1], "3d": [0.6, 0.8], "nurse": [0, 1], "boss": [0.7, 1]}
    found = analogy_pairs(build(rows))
    assert {word for pair in found for word in (pair.x, pair.y)} == {"he", "nurse", "boss"}


def test_candidates_are_among_ten_thousand_words() -> None:
    letters = str.maketrans("0123456789", "abcdefghij")
    others = [f"w{n:05d}".translate(letters) for n in range(9_996)]
    words = ["he", "she", *others, "boss", "nurse", "chief", "maid"]
    matrix = np.tile(np.array([0, 0, 1], np.float32), (len(words), 1))
    matrix[:2] = [[1, 0, 0], [-1, 0, 0]]
    matrix[-4:] = [[0.2, 1, 0], [-0.2, 1, 0], [0.25, 1, 0], [-0.25, 1, 0]]
    found = analogy_pairs(Vectors(words, matrix))
    assert [(pair.x, pair.y) for pair in found] == [("boss", "nurse")]  # chief and maid are too rare


def test_equal_vectors_are_no_pair(build) -> None:
    rows = {"he": [1, 0], "she": [-1, 0], "a": [1, 1], "b": [2, 2], "c": [0, 1]}
    found = analogy_pairs(build(rows), candidates=["a", "b", "c"])
    assert [(pair.x, pair.y) for pair in found] == [("a", "c"), ("b", "c")]


def test_completions_by_hand(build) -> None:
    # he - she is about (0.2, 0, 0); a word moved so little stays nearest to itself, unless another is there.
    rows = {
        "he": [0.1, 1, 0],
        "she": [-0.1, 1, 0],
        "doctor": [0.1, 0, 1],
        "nurse": [-0.5, 0, 1],
        "actor": [0.1, 1, 1],
        "actress": [-0.15, 1, 1],
    }
    found = complete_analogies(build(rows), ["doctor", "actor", "absent"])
    # doctor: (-0.1, 0, 1), at 0.98 to doctor and at 0.93 to nurse. actor: (-0.13, 0.7, 0.7), at actress.
    assert found.answers == (
        Completion("doctor", restricted="nurse", unrestricted="doctor"),
        Completion("actor", restricted="actress", unrestricted="actress"),
    )
    assert found.unchanged.value == 0.5
    answer = json.loads(json.dumps(found.as_json()))
    assert answer["answers"][0] == {"word": "doctor", "restricted": "nurse", "unrestricted": "doctor"}


@pytest.mark.parametrize("held", [1, 1 << 23])
def test_completions_against_a_loop(random_vectors, monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(analogies, "_SCORES", held)
    vectors = random_vectors(50, 6)
    unit = vectors.matrix.astype(float) / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    asked = [3, 17, 45, 49, 0]
    # Answers are among the first twenty and the words of the questions.
    allowed = [*range(20), 40, 41, 45, 49]
    found = complete_analogies(vectors, [f"w{n}" for n in asked], ("w40", "w41"), most_frequent=20)
    for word, answer in zip(asked, found.answers, strict=True):
        target = unit[word] - unit[40] + unit[41]
        ranked = sorted(allowed, key=lambda n: -sum(unit[n] * target))
        assert answer.unrestricted == f"w{ranked[0]}"
        assert answer.restricted == next(f"w{n}" for n in ranked if n not in (word, 40, 41))


def test_what_is_refused(build) -> None:
    vectors = build({"he": [1, 0], "him": [2, 0], "she": [-1, 0], "doctor": [3, 4]})
    with pytest.raises(DataError, match="'he' and 'him' have the same direction"):
        analogy_pairs(vectors, ("he", "him"))
    with pytest.raises(DataError, match="relation: 1 of 2"):
        complete_analogies(vectors, ["doctor", "him"], ("he", "her"))
    with pytest.raises(DataError, match="candidates: 1 of 1"):
        analogy_pairs(vectors, candidates=["doctor"])
    with pytest.raises(DataError, match="words: 1 of 2"):
        complete_analogies(vectors, ["doctor", "absent"])
    for options in ({"delta": 0.0}, {"delta": math.nan}, {"n": 0}):
        with pytest.raises(UsageError, match="delta must be above 0 and n at least 1"):
            analogy_pairs(vectors, **options)
    with pytest.raises(UsageError, match="most_frequent is 0"):
        complete_analogies(vectors, ["doctor", "him"], most_frequent=0)
    three = Vectors(["he", "she", "doctor"], np.eye(3, dtype=np.float32))
    with pytest.raises(DataError, match="3 words to answer with"):
        complete_analogies(three, ["doctor", "he"])
