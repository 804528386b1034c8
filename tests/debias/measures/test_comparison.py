"""Before and after: the same vectors, a planted removal, a planted loss."""

from __future__ import annotations

import json

import numpy as np
import pytest

from seqkit.debias.measures import comparison
from seqkit.debias.measures.audit import Audit
from seqkit.debias.measures.comparison import compare, neutral_values
from seqkit.debias.measures.intervals import exactly
from seqkit.debias.word_sets import WordSets
from seqkit.embeddings.evaluation import EvaluationSets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError


@pytest.fixture
def tests(gendered: Vectors) -> EvaluationSets:
    """Judgements of the vectors without their first number, and analogies that hold by chance."""
    unit = gendered.matrix[:, 1:] / np.linalg.norm(gendered.matrix[:, 1:], axis=1, keepdims=True)
    ids = np.random.default_rng(0).integers(4, 60, size=(120, 2)).tolist()
    words = gendered.words
    pairs = [(words[a], words[b], float(unit[a] @ unit[b])) for a, b in ids if a != b]
    questions = [("he", "she", words[n], words[n + 28]) for n in range(4, 32)]
    return EvaluationSets({"pairs": pairs}, {"questions": {"all": questions}})


def projected(vectors: Vectors) -> Vectors:
    matrix = vectors.matrix.copy()
    matrix[4:, 0] = 0
    return Vectors(vectors.words, matrix)


def test_the_same_vectors(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    found = compare(gendered, gendered, sets, tests=tests)
    for change in [*found.measures.values(), *found.utility.values()]:
        assert change.change is not None
        assert change.before == change.after
        assert (change.change.value, change.change.low, change.change.high) == (0, 0, 0)
    verdict = found.verdict
    assert (verdict.improved, verdict.worse, verdict.costs, verdict.gains) == ((), (), (), ())
    assert "weat.sides" in verdict.associated
    assert "weat.mixed" not in verdict.associated
    assert "recovery.cluster_accuracy" in verdict.recoverable


def test_lipstick(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    """The direction is projected off and the measures along it are satisfied; the rest still tells."""
    found = compare(gendered, projected(gendered), sets, tests=tests)
    assert found.measures["direct_bias"].after is not None
    assert found.measures["direct_bias"].after.value == pytest.approx(0, abs=1e-6)
    assert {"direct_bias", "weat_difference.sides"} <= set(found.verdict.improved)
    assert {"recovery.cluster_accuracy", "recovery.classifier_accuracy"} <= set(found.verdict.recoverable)
    # Judgements were made of what is left, so similarity gains.
    assert found.verdict.gains[0] == "similarity.pairs"
    assert found.verdict.costs == ()
    text = " ".join(found.verdict.text)
    assert "Improved, nearer to neutral: direct_bias" in text
    assert "Still recoverable: the bias is there, by k-means" in text


def test_the_distance_from_neutral(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    found = compare(gendered, projected(gendered), sets, tests=tests)
    for name, change in found.measures.items():
        if change.neutral is None:
            assert name in ("mean_average_cosine", "ripa")
            assert change.distance is None
            continue
        assert change.before is not None
        assert change.after is not None
        assert change.distance is not None
        expected = abs(change.after.value - change.neutral) - abs(change.before.value - change.neutral)
        assert change.distance.value == pytest.approx(expected)
    neutral = {name: change.neutral for name, change in found.measures.items()}
    assert neutral["recovery.classifier_accuracy"] == 0.5
    assert neutral["recovery.neighbour_correlation"] == 0
    assert neutral["embedding_coherence"] == neutral["unchanged_analogies"] == 1


def test_chance_is_one_of_the_classes() -> None:
    found = neutral_values(Audit("s", 0, 3, recovery={"cluster_accuracy": exactly(1.0)}))
    assert found["recovery.cluster_accuracy"] == pytest.approx(1 / 3)


def test_noise_costs_and_hides(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    noise = np.random.default_rng(9).normal(size=(56, 12))
    matrix = np.concatenate([gendered.matrix[:4], noise]).astype(np.float32)
    found = compare(gendered, Vectors(gendered.words, matrix), sets, tests=tests)
    assert "similarity.pairs" in found.verdict.costs
    assert {"recovery.cluster_accuracy", "recovery.classifier_accuracy"} <= set(found.verdict.hidden)
    assert "weat.sides" not in found.verdict.associated
    text = " ".join(found.verdict.text)
    assert "Cost: similarity.pairs" in text
    assert "Not recovered, no better than chance: by k-means" in text


def test_json(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    answer = json.loads(json.dumps(compare(gendered, projected(gendered), sets, tests=tests).as_json()))
    assert set(answer) == {"sets", "seed", "measures", "utility", "verdict", "coverage", "skipped"}
    assert set(answer["measures"]["direct_bias"]) == {"before", "after", "change", "neutral", "distance"}
    assert set(answer["measures"]["direct_bias"]["change"]) == {"value", "low", "high"}
    assert answer["measures"]["ripa"]["neutral"] is None
    assert set(answer["utility"]) == {"similarity.pairs", "analogies.questions"}
    assert isinstance(answer["verdict"]["text"], list)


def test_words_of_one_set_only_are_left_out_of_both(
    gendered: Vectors, sets: WordSets, tests: EvaluationSets
) -> None:
    after = projected(gendered)
    lost = sets.professions[0]
    keep = [n for n, word in enumerate(gendered.words) if word != lost][::-1]
    smaller = Vectors(
        [*(after.words[n] for n in keep), "new"], np.vstack([after.matrix[keep], np.ones(12)]).astype("f4")
    )
    found = compare(gendered, smaller, sets, tests=tests)
    both = Vectors([word for word in gendered.words if word != lost], gendered.matrix[sorted(keep)])
    same = compare(both, projected(both), sets, tests=tests)
    assert found.before.flat() == same.before.flat()
    assert found.after.flat() == same.after.flat()
    assert found.utility == same.utility


def test_a_measure_that_after_lacks(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    """Where the pairs became equal there is no relation, and everything else is still measured."""
    matrix = gendered.matrix.copy()
    matrix[[1, 3]] = matrix[[0, 2]]
    found = compare(gendered, Vectors(gendered.words, matrix), sets, tests=tests)
    change = found.measures["unchanged_analogies"]
    assert change.before is not None
    assert (change.after, change.change, change.distance) == (None, None, None)
    assert "unchanged_analogies" in found.verdict.unclear
    assert "'he' and 'she' have the same direction" in found.as_json()["skipped"]["unchanged_analogies"]
    assert any("unchanged_analogies" in line and "to unmeasured" in line for line in found.verdict.text)
    assert found.measures["recovery.cluster_accuracy"].after is not None


def test_direct_bias_is_along_the_direction_before(
    gendered: Vectors, sets: WordSets, tests: EvaluationSets
) -> None:
    """What shrinks all words along the direction, the pairs too, has less of it."""
    found = compare(
        gendered, Vectors(gendered.words, gendered.matrix * np.float32([0.5] + 11 * [1])), sets, tests=tests
    )
    assert "direct_bias" in found.verdict.improved
    # Vectors of another size have no such direction, so it is their own.
    wider = Vectors(gendered.words, np.hstack([np.zeros((60, 2)), gendered.matrix]).astype(np.float32))
    same = compare(gendered, wider, sets, tests=tests).measures["direct_bias"]
    assert same.change is not None
    assert same.change.value == pytest.approx(0, abs=1e-6)


def test_analogies_are_among_frequent_words(
    gendered: Vectors, sets: WordSets, tests: EvaluationSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compare(gendered, gendered, sets, tests=tests)
    monkeypatch.setattr(comparison, "SCORED", 40)
    part = compare(gendered, gendered, sets, tests=tests)
    assert part.utility["similarity.pairs"] == whole.utility["similarity.pairs"]
    figures = [found.utility["analogies.questions"].before for found in (whole, part)]
    # Questions whose answers are beyond the first forty words are not asked: 28 and, of words 32 to 39, 8.
    assert [figure.sizes for figure in figures if figure] == [(28,), (8,)]


def test_nothing_in_common(gendered: Vectors, sets: WordSets, tests: EvaluationSets) -> None:
    other = Vectors([f"other{n}" for n in range(60)], gendered.matrix)
    with pytest.raises(DataError, match="no word in common"):
        compare(gendered, other, sets, tests=tests)


def test_without_test_words_there_is_no_cost(gendered: Vectors, sets: WordSets) -> None:
    found = compare(gendered, gendered, sets, tests=EvaluationSets({}, {}))
    assert found.utility == {}
    assert found.verdict.text[-1].startswith("Cost: not measured")


def test_the_default_sets_are_those_of_gensim(gendered: Vectors, sets: WordSets) -> None:
    # Of their words only he, she, man and woman are known here: one analogy, asked both ways.
    found = compare(gendered, gendered, sets).utility
    assert [(name, change.before.sizes) for name, change in found.items() if change.before] == [
        ("analogies.questions-words", (2,))
    ]
