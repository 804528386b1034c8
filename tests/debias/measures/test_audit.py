"""The audit: each figure is that of its measure, and what cannot be measured says why."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqkit.debias.directions import bias_subspace
from seqkit.debias.measures import audit as package_audit
from seqkit.debias.measures import (
    classifier_accuracy,
    cluster_accuracy,
    complete_analogies,
    direct_bias,
    embedding_coherence,
    holm,
    indirect_bias,
    mean_average_cosine,
    most_biased,
    negative_sentiment,
    neighbour_correlation,
    relative_norm_distance,
    ripa,
    weat,
)
from seqkit.debias.measures.audit import FIGURES, RECOVERY, audit
from seqkit.debias.measures.intervals import Figure, exactly
from seqkit.debias.measures.weat import Association
from seqkit.debias.word_sets import WeatTest, WordSets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError

module = sys.modules["seqkit.debias.measures.audit"]  # of the name that the package gives to the function


def changed(vectors: Vectors, matrix: np.ndarray) -> Vectors:
    return Vectors(vectors.words, matrix.astype(np.float32))


def without_first_number(vectors: Vectors) -> Vectors:
    """The bias projected off all words but the four that define it."""
    matrix = vectors.matrix.copy()
    matrix[4:, 0] = 0
    return changed(vectors, matrix)


def test_each_figure_is_that_of_its_measure(gendered: Vectors, sets: WordSets) -> None:
    positive, negative = gendered.words[4:9], gendered.words[40:46]
    sets = replace(sets, positive=(*positive, "absent"), negative=negative)
    found = audit(gendered, sets, seed=3)
    professions = sets.professions[:-1]
    he, she, pairs = ["he", "man"], ["she", "woman"], [("he", "she"), ("man", "woman")]
    subspace = bias_subspace(gendered, pairs)
    words = list(gendered.words[4:])
    chosen = most_biased(gendered, words, subspace.classes, 500)
    assert len(chosen.words) == 28  # half of the sides of 28
    test = sets.weat["sides"]
    lists = (test.targets_x, test.targets_y, test.attributes_a, test.attributes_b)
    expected = {
        "direct_bias": direct_bias(gendered, professions, subspace.basis, seed=3),
        "indirect_bias": indirect_bias(gendered, professions, subspace.basis, seed=3),
        "relative_norm_distance": relative_norm_distance(gendered, professions, he, she, seed=3),
        "embedding_coherence": embedding_coherence(gendered, professions, he, she, seed=3),
        "mean_average_cosine": mean_average_cosine(gendered, he + she, [professions], seed=3),
        "ripa": ripa(gendered, professions, pairs, seed=3).magnitude,
        "negative_sentiment": negative_sentiment(gendered, he + she, positive, negative, seed=3).divergence,
        "unchanged_analogies": complete_analogies(gendered, professions, seed=3).unchanged,
        "weat.sides": weat(gendered, *lists, seed=3).effect_size,
        "weat_difference.sides": weat(gendered, *lists, seed=3).difference,
        "recovery.cluster_accuracy": cluster_accuracy(gendered, chosen, seed=3),
        "recovery.classifier_accuracy": classifier_accuracy(gendered, chosen, seed=3),
        "recovery.linear_classifier_accuracy": classifier_accuracy(gendered, chosen, linear=True, seed=3),
        "recovery.neighbour_correlation": neighbour_correlation(
            gendered,
            gendered,
            professions,
            words,
            subspace.classes,
            k=5,  # a tenth of 56 candidates
            seed=3,
        ),
    }
    flat = found.flat()
    assert {name: flat[name] for name in expected} == expected
    assert set(flat) - set(expected) == {"weat.mixed", "weat_difference.mixed"}
    assert found.skipped == {}
    p = [found.weat[name].p.value for name in ("sides", "mixed")]
    assert [found.corrected[name].value for name in ("sides", "mixed")] == holm(p)


def test_the_planted_bias_is_found(gendered: Vectors, sets: WordSets) -> None:
    found = audit(gendered, sets)
    assert found.weat["sides"].effect_size.value > 1.5
    # 8 and 8 targets without an overlap: one of C(16, 8) = 12,870 partitions, and two tests.
    assert found.weat["sides"].p.value == pytest.approx(1 / 12_870)
    assert found.corrected["sides"].value == pytest.approx(2 / 12_870)
    mixed = found.weat["mixed"].effect_size
    assert mixed.low < 0 < mixed.high
    assert found.recovery["cluster_accuracy"].low > 0.5


def figures_of(value: Any) -> list[dict[str, float]]:
    """The figures anywhere in an answer."""
    if isinstance(value, dict) and set(value) == {"value", "low", "high"}:
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [figure for part in parts for figure in figures_of(part)]


def test_json(gendered: Vectors, sets: WordSets) -> None:
    answer = json.loads(json.dumps(audit(gendered, sets).as_json(), allow_nan=False))
    assert {"direct_bias", "weat", "recovery", "coverage", *FIGURES} <= set(answer)
    assert set(answer["weat"]["sides"]) >= {"effect_size", "p", "p_corrected"}
    assert set(answer["recovery"]) == set(RECOVERY)
    assert answer["coverage"]["professions"]["missing"] == ["absent"]
    assert answer["coverage"]["pairs"] | {"missing": 0} == {
        "words": 6, "found": 4, "missing": 0, "tuples": 3, "complete": 2,
    }  # fmt: skip
    # Seven figures, four of recovery, four of each of two tests.
    found = figures_of(answer)
    assert len(found) == 7 + 4 + 2 * 4
    assert all(figure["low"] <= figure["high"] for figure in found)


def test_the_seed_is_all_that_is_drawn(gendered: Vectors, sets: WordSets) -> None:
    assert audit(gendered, sets, seed=1) == audit(gendered, sets, seed=1)
    assert audit(gendered, sets, seed=1) != audit(gendered, sets, seed=2)
    assert package_audit is audit


def test_the_ends_of_corrected_intervals_are_corrected() -> None:
    def association(*p: float) -> Association:
        return Association(0.0, exactly(0), exactly(0), Figure(*p), False, 9)

    found = module._holm({"a": association(0.01, 0.005, 0.02), "b": association(0.04, 0.03, 0.05)})
    assert found == {"a": Figure(0.02, 0.01, 0.04), "b": Figure(0.04, 0.03, 0.05)}


def test_a_tenth_of_the_candidates_are_neighbours(
    gendered: Vectors, sets: WordSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def record(*_: object, k: int, seed: int) -> Figure:
        asked.append(k)
        return exactly(0)

    monkeypatch.setattr(module, "neighbour_correlation", record)
    audit(gendered, sets)
    assert asked == [5]  # of 56


def test_recovery_goes_by_the_reference(gendered: Vectors, sets: WordSets) -> None:
    clean = without_first_number(gendered)
    found = audit(clean, sets, reference=gendered)
    assert found.figures["direct_bias"].value == pytest.approx(0, abs=1e-6)
    assert found.recovery["cluster_accuracy"].value > 0.9  # the other three numbers still tell
    # By themselves the vectors have no words on either side of their own pairs to choose.
    alone = audit(clean, sets)
    assert "0 of 56 candidates are on the side of class 0" in alone.skipped["recovery.cluster_accuracy"]
    assert alone.as_json()["recovery"]["cluster_accuracy"] is None


def test_neutral_words_win_over_professions(gendered: Vectors, sets: WordSets) -> None:
    neutral = replace(sets, neutral=sets.professions[:3])
    axis = bias_subspace(gendered, sets.pairs).basis
    expected = direct_bias(gendered, sets.professions[:3], axis)
    assert audit(gendered, neutral).figures["direct_bias"] == expected


def test_words_are_spelled_as_the_vectors_do(gendered: Vectors, sets: WordSets) -> None:
    spelled = Vectors([word.capitalize() for word in gendered.words], gendered.matrix)
    found = audit(spelled, sets)
    assert found.flat() == audit(gendered, sets).flat()


def test_protected_words_are_no_candidates(gendered: Vectors, sets: WordSets) -> None:
    spelled = Vectors([word.upper() for word in gendered.words], gendered.matrix)
    found = audit(spelled, replace(sets, specific=tuple(gendered.words[4:54])))
    assert "candidates are on the side of class" in found.skipped["recovery.cluster_accuracy"]


def test_three_classes() -> None:
    rng = np.random.default_rng(1)
    words = [f"{name}{first}{second}" for name in "xyz" for first in "abcde" for second in "abcd"]
    centres = np.repeat(np.eye(3, 8), 20, axis=0)
    vectors = Vectors(words, (centres + 0.2 * rng.normal(size=(60, 8))).astype(np.float32))
    sets = WordSets(
        name="three",
        language="en",
        pairs=(("xaa", "yaa", "zaa"), ("xab", "yab", "zab")),
        professions=tuple(words[5:60:5]),
    )
    found = audit(vectors, sets)
    assert found.classes == 3
    assert set(found.skipped) == {
        "relative_norm_distance", "embedding_coherence", "ripa", "unchanged_analogies",
    }  # fmt: skip
    assert found.skipped["ripa"] == "needs 2 classes; the tuples of 'three' have 3"
    assert found.recovery["cluster_accuracy"].value == 1
    answer = found.as_json()
    assert answer["ripa"] is None
    assert answer["weat"] == {}


def test_what_is_missing_is_skipped_with_a_reason(gendered: Vectors, sets: WordSets) -> None:
    poor = replace(
        sets,
        professions=("absent",),
        weat={"gone": WeatTest(("x", "y"), ("z", "u"), ("he", "man"), ("she", "woman")), **sets.weat},
    )
    found = audit(gendered, poor)
    assert found.skipped["weat.gone"] == "targets_x: 0 of 2 words have a vector, at least 2 must"
    assert found.skipped["direct_bias"] == "neutral words: 0 of 1 words have a vector, at least 2 must"
    assert set(found.weat) == set(found.corrected) == {"sides", "mixed"}
    assert "cluster_accuracy" in found.recovery
    assert "negative_sentiment" not in found.figures | found.skipped  # nobody asked for it
    thin = replace(sets, positive=("absent", gendered.words[4]), negative=gendered.words[40:42])
    reason = "positive: 1 of 2 words have a vector, at least 2 must"
    assert audit(gendered, thin).skipped == {"negative_sentiment": reason}
    none = audit(gendered, replace(sets, professions=()))
    assert none.skipped["ripa"] == "the word sets 'planted' list no neutral words and no professions"


def test_tests_alone_are_enough(gendered: Vectors, sets: WordSets) -> None:
    found = audit(gendered, replace(sets, pairs=()))
    assert set(found.flat()) == {"weat.sides", "weat.mixed", "weat_difference.sides", "weat_difference.mixed"}
    assert found.skipped["direct_bias"] == "the word sets 'planted' have no definitional tuples"


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (
            (("he", "she"),),
            "1 of 1 definitional tuples of 'planted' are in the vocabulary, a direction needs 2 at least$",
        ),
        (
            (("him", "her"), ("boy", "girl")),
            "0 of 2 definitional tuples .* at least; not in it: him, her, boy, girl",
        ),
    ],
)
def test_too_few_pairs(gendered: Vectors, sets: WordSets, pairs: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        audit(gendered, replace(sets, pairs=pairs))


def test_identical_vectors(gendered: Vectors, sets: WordSets) -> None:
    same = changed(gendered, np.ones((60, 5)))
    with pytest.raises(DataError, match="have the same vector"):
        audit(same, sets)
    with pytest.raises(DataError, match=r"'planted' measure nothing: .*all 16 words have the same vector"):
        audit(same, replace(sets, pairs=(), weat={"sides": sets.weat["sides"]}))


def test_nothing_is_known(gendered: Vectors, sets: WordSets) -> None:
    other = Vectors([f"other{n}" for n in range(60)], gendered.matrix)
    with pytest.raises(DataError, match="0 of 3 definitional tuples"):
        audit(other, sets)
    with pytest.raises(DataError, match="'planted' measure nothing"):
        audit(other, replace(sets, pairs=()))
