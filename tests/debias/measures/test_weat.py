"""WEAT and its form for single words, by hand, against loops, and on vectors trained on real text."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest

from seqkit.debias.measures.weat import single_category_weat, weat
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError

# Attributes on two axes, so that s(w) is the difference of a word's first two numbers.
ROWS = {
    "a1": [1, 0, 0],
    "a2": [2, 0, 0],
    "b1": [0, 1, 0],
    "b2": [0, 3, 0],
    "x1": [0.6, 0, 0.8],  # s = 0.6
    "x2": [4, 3, 0],  # s = 0.8 - 0.6 = 0.2
    "y1": [0, 0, 1],  # s = 0
    "y2": [0.6, 0.8, 0],  # s = 0.6 - 0.8 = -0.2
}
SETS = (["x1", "x2"], ["y1", "y2"], ["a1", "a2"], ["b1", "b2"])


def test_weat_by_hand(build) -> None:
    found = weat(build(ROWS), *SETS)
    # Sums 0.8 and -0.2. Of 0.6 0.2 0 -0.2 the mean is 0.15, the squares of the deviations are 0.2025 +
    # 0.0025 + 0.0225 + 0.1225 = 0.35, the deviation is sqrt(0.35 / 4) = 0.2958. Means 0.4 and -0.1.
    assert found.statistic == pytest.approx(1.0)
    assert found.difference.value == pytest.approx(0.5)
    assert found.effect_size.value == pytest.approx(0.5 / math.sqrt(0.35 / 4))
    # Of the six ways to choose two of the four only this one sums to 0.8.
    assert (found.p.value, found.exact, found.partitions) == (pytest.approx(1 / 6), True, 6)


def test_json(build) -> None:
    answer = json.loads(json.dumps(weat(build(ROWS), *SETS).as_json()))
    assert set(answer) == {"statistic", "difference", "effect_size", "p", "exact", "partitions"}
    assert (
        set(answer["p"])
        == set(answer["difference"])
        == set(answer["effect_size"])
        == {"value", "low", "high"}
    )


def slow_weat(vectors: Vectors, x: list[str], y: list[str], a: list[str], b: list[str]) -> list[float]:
    """Statistic, effect size and p, word by word and partition by partition."""

    def cos(first: str, second: str) -> float:
        one, other = ([float(n) for n in vectors[word]] for word in (first, second))
        return sum(p * q for p, q in zip(one, other, strict=True)) / math.hypot(*one) / math.hypot(*other)

    def s(w: str) -> float:
        return sum(cos(w, n) for n in a) / len(a) - sum(cos(w, n) for n in b) / len(b)

    values = {w: s(w) for w in x + y}
    mean = sum(values.values()) / len(values)
    std = math.sqrt(sum((value - mean) ** 2 for value in values.values()) / len(values))
    statistic = sum(values[w] for w in x) - sum(values[w] for w in y)
    effect = (sum(values[w] for w in x) / len(x) - sum(values[w] for w in y) / len(y)) / std
    partitions = list(itertools.combinations(x + y, len(x)))
    hits = 0
    for chosen in partitions:
        rest = [w for w in x + y if w not in chosen]
        hits += sum(values[w] for w in chosen) - sum(values[w] for w in rest) >= statistic - 1e-9
    return [statistic, effect, hits / len(partitions)]


@pytest.mark.parametrize(("n", "m"), [(4, 4), (3, 5), (5, 3)])
def test_weat_against_loops(random_vectors, n: int, m: int) -> None:
    vectors = random_vectors(24)
    words = list(vectors.words)
    x, y, a, b = words[:n], words[n : n + m], words[10:16], words[16:24]
    found = weat(vectors, x, y, a, b)
    expected = slow_weat(vectors, x, y, a, b)
    assert [found.statistic, found.effect_size.value, found.p.value] == pytest.approx(expected)


def test_swapping_targets_or_attributes_turns_the_sign(random_vectors) -> None:
    vectors = random_vectors(24)
    words = list(vectors.words)
    x, y, a, b = words[:5], words[5:10], words[10:16], words[16:24]
    found = weat(vectors, x, y, a, b)
    for other in (weat(vectors, y, x, a, b), weat(vectors, x, y, b, a)):
        assert other.effect_size.value == pytest.approx(-found.effect_size.value)
        assert other.statistic == pytest.approx(-found.statistic)
    both = weat(vectors, y, x, b, a)
    assert both.p.value == pytest.approx(found.p.value)


def test_the_effect_size_ends_at_2(build) -> None:
    # s is 1 for all x and -1 for all y: means 1 and -1, deviation 1.
    rows = {"a1": [1, 0], "a2": [2, 0], "b1": [0, 1], "b2": [0, 2]}
    rows |= {"x1": [1, 0], "x2": [3, 0], "y1": [0, 1], "y2": [0, 3]}
    assert weat(build(rows), *SETS).effect_size.value == pytest.approx(2)


def test_missing_words_are_left_out(build) -> None:
    more = [[*words, f"absent {words[0]}"] for words in SETS]
    assert weat(build(ROWS), *more) == weat(build(ROWS), *SETS)


def test_rounding_is_no_association(build) -> None:
    """Words equally near to both attributes but for the last bit of a float32."""
    rng = np.random.default_rng(0)
    rows = {"a1": [0.5, 1, 0], "a2": [0.6, 1, 0], "b1": [0.5, -1, 0], "b2": [0.6, -1, 0]}
    rows |= {f"{side}{n}": [1, 1e-8 * rng.normal(), rng.normal()] for side in "xy" for n in (1, 2)}
    found = weat(build(rows), *SETS)
    assert (found.effect_size.value, found.p.value, found.exact, found.partitions) == (0, 1, True, 6)


def test_a_small_association_is_one(build) -> None:
    rows = {"a1": [0.5, 1, 0], "a2": [0.6, 1, 0], "b1": [0.5, -1, 0], "b2": [0.6, -1, 0]}
    rows |= {f"{side}{n}": [1, sign * 2e-5 * n, 0] for side, sign in (("x", 1), ("y", -1)) for n in (1, 2)}
    assert weat(build(rows), *SETS).effect_size.value > 1.5


def test_rounding_is_no_association_in_a_draw_either(build) -> None:
    # x2 and y1 have s = 0 but for rounding. A draw of them alone, one in 2^4, differs by rounding alone.
    rows = ROWS | {"x2": [0.5, 0.5, 1], "y1": [0.5, 0.5000001, 1]}
    draws = weat(build(rows), *SETS).effect_size.draws
    assert (draws == 0).mean() == pytest.approx(1 / 16, abs=0.03)


def test_single_words_by_hand(build) -> None:
    # The word (1, 0): cosines 0.6 and 0.8 with a, 0 and -0.6 with b. Means 0.7 and -0.3; of 0.6 0.8 0 -0.6
    # the mean is 0.2, the squares of the deviations 0.16 + 0.36 + 0.04 + 0.64 = 1.2, the deviation sqrt(0.3).
    rows = {"w": [1, 0], "a1": [3, 4], "a2": [4, 3], "b1": [0, 1], "b2": [-3, 4], "v": [0, 2]}
    found = single_category_weat(build(rows), ["w", "absent", "v"], ["a1", "a2"], ["b1", "b2"])
    assert list(found) == ["w", "v"]
    assert found["w"].statistic == pytest.approx(1.0)
    assert found["w"].effect_size.value == pytest.approx(1.0 / math.sqrt(0.3))
    assert found["w"].p.value == pytest.approx(1 / 6)
    # v = (0, 1): 0.8 0.6 | 1 0.8, means 0.7 and 0.9. No sum of two is below 0.8 + 0.6: six of six reach it.
    assert found["v"].statistic == pytest.approx(-0.2)
    assert found["v"].p.value == 1


def test_single_words_against_loops(random_vectors) -> None:
    vectors = random_vectors(20)
    unit = vectors.matrix / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    words = list(vectors.words)
    found = single_category_weat(vectors, words[:4], words[4:10], words[10:17])
    for number in range(4):
        a = [float(unit[number] @ unit[other]) for other in range(4, 10)]
        b = [float(unit[number] @ unit[other]) for other in range(10, 17)]
        mean = sum(a + b) / 13
        std = math.sqrt(sum((value - mean) ** 2 for value in a + b) / 13)
        expected = (sum(a) / 6 - sum(b) / 7) / std
        assert found[f"w{number}"].effect_size.value == pytest.approx(expected, abs=1e-5)
        reached = [
            sum(chosen) >= sum(a) - 1e-9 for chosen in itertools.combinations([float(v) for v in a + b], 6)
        ]
        assert found[f"w{number}"].p.value == pytest.approx(sum(reached) / len(reached))


def test_the_interval_is_over_the_targets(random_vectors) -> None:
    """Against a loop that draws targets, each kind among its own, and computes the effect size anew."""
    vectors = random_vectors(40)
    words = list(vectors.words)
    x, y, a, b = words[:12], words[12:22], words[22:30], words[30:40]
    found = weat(vectors, x, y, a, b)
    unit = vectors.matrix.astype(float) / np.linalg.norm(vectors.matrix, axis=1, keepdims=True)
    s = unit[:22] @ (unit[22:30].mean(axis=0) - unit[30:].mean(axis=0))
    rng = np.random.default_rng(1)
    draws = []
    for _ in range(1000):
        one, other = rng.choice(s[:12], 12), rng.choice(s[12:], 10)
        draws.append((one.mean() - other.mean()) / np.std([*one, *other]))
    # Two standard deviations of a thousand draws, each within some percent of its own.
    assert found.effect_size.draws.mean() == pytest.approx(np.mean(draws), abs=0.1)
    assert found.effect_size.draws.std() == pytest.approx(np.std(draws), rel=0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({0: ["x1", "absent"]}, "targets_x: 1 of 2 words have a vector, at least 2 must; missing: absent"),
        ({1: []}, "targets_y: 0 of 0 words"),
        ({2: ["a1", "a1"]}, "attributes_a: 1 of 1 words"),
        ({3: ["b1", "nowhere"]}, "attributes_b: 1 of 2 words"),
        ({1: ["x2", "y1"]}, "targets: 'x2' is in both sets"),
        ({3: ["b1", "a2"]}, "attributes: 'a2' is in both sets"),
        ({0: ["same1", "same2"], 1: ["same3", "same4"]}, "targets: all 4 words have the same vector"),
        ({2: ["same1", "same2"], 3: ["same3", "same4"]}, "attributes: all 4 words have the same vector"),
    ],
)
def test_what_is_refused(build, changes: dict[int, list[str]], message: str) -> None:
    vectors = build(ROWS | {f"same{n}": [1, 2, 2] for n in range(1, 5)})
    sets = [changes.get(number, words) for number, words in enumerate(SETS)]
    with pytest.raises(DataError, match=message):
        weat(vectors, *sets)


def test_what_single_words_refuse(build) -> None:
    vectors = build(ROWS)
    with pytest.raises(DataError, match="words: 0 of 1"):
        single_category_weat(vectors, ["absent"], *SETS[2:])
    with pytest.raises(DataError, match="attributes_b: 0 of 1"):
        single_category_weat(vectors, ["x1"], SETS[2], ["absent"])


@pytest.mark.data
def test_the_data_of_wefe(data_dir: Path) -> None:
    """The file's sets fit the function: every test of random vectors has an effect size within -2 to 2."""
    tests = json.loads((data_dir / "bias" / "weat_wefe.json").read_text())
    words = sorted({word for test in tests.values() for words in test.values() for word in words})
    matrix = np.random.default_rng(0).normal(size=(len(words), 20)).astype(np.float32)
    vectors = Vectors(words, matrix)
    for test in tests.values():
        found = weat(vectors, test["targ1"], test["targ2"], test["attr1"], test["attr2"])
        assert -2 <= found.effect_size.low <= found.effect_size.high <= 2
        assert found.exact == (len(test["targ1"]) <= 18)
