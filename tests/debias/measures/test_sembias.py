"""SemBias, by hand, against a loop, and the file as it was published."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from seqkit.debias.measures.sembias import SemBiasLine, held_out, read_sembias, sembias
from seqkit.errors import DataError, FormatError, MissingInputError

LINE = SemBiasLine(("waiter", "waitress"), (("cup", "lid"), ("pen", "ink")), ("doctor", "nurse"))
ROWS = {
    "he": [1, 0, 0],
    "she": [-1, 0, 0],
    "waiter": [1, 1, 0],
    "waitress": [0, 1, 0],  # the unit vectors differ by (0.707, -0.293): cosine 0.924
    "cup": [0, 1, 0],
    "lid": [0, 0, 1],  # orthogonal: 0
    "pen": [0, 1, 1],
    "ink": [0, 1, 1],  # equal: no direction
    "doctor": [1, 0, 0],
    "nurse": [0, 1, 0],  # (1, -1): 0.707
}


def test_by_hand(build) -> None:
    other = SemBiasLine(("nurse", "doctor"), (("cup", "lid"), ("pen", "ink")), ("doctor", "nurse"))
    absent = SemBiasLine(("waiter", "waitress"), (("cup", "lid"), ("pen", "absent")), ("doctor", "nurse"))
    found = sembias(build(ROWS), [LINE, other, absent])
    # The first line finds the definition at 0.924; the second has -0.707, 0, nothing and 0.707.
    shares = (found.definition.value, found.stereotype.value, found.neither.value)
    assert shares == (0.5, 0.5, 0)
    assert (found.lines, found.missing) == (2, 1)
    # The other way round, he and she exchanged, cosines turn: 0 of the first pair that is neither is highest,
    # before the pair without a direction; in the second line it is nurse and doctor.
    found = sembias(build(ROWS), [LINE, other], relation=("she", "he"))
    assert (found.definition.value, found.stereotype.value, found.neither.value) == (0.5, 0, 0.5)
    assert set(json.loads(json.dumps(found.as_json()))) == {
        "definition", "stereotype", "neither", "lines", "missing",
    }  # fmt: skip


def lines_of(words: list[str], definitions: int, stereotypes: int) -> list[SemBiasLine]:
    pairs = [(words[n], words[n + 1]) for n in range(0, len(words), 2)]
    rest = pairs[definitions + stereotypes :]
    return [
        SemBiasLine(
            pairs[d], (rest[(d + s) % len(rest)], rest[(d + 2 * s + 1) % len(rest)]), pairs[definitions + s]
        )
        for d in range(definitions)
        for s in range(stereotypes)
    ]


def test_against_a_loop(random_vectors) -> None:
    vectors = random_vectors(62)
    lines = lines_of(list(vectors.words[2:]), 8, 6)
    unit = {
        word: [float(x) / math.hypot(*vectors[word].astype(float)) for x in vectors[word]]
        for word in vectors.words
    }

    def difference(pair: tuple[str, str]) -> list[float]:
        return [x - y for x, y in zip(unit[pair[0]], unit[pair[1]], strict=True)]

    relation = difference(("w0", "w1"))
    counts = [0, 0, 0, 0]
    for line in lines:
        best, where = -2.0, 0
        for number, pair in enumerate(line.pairs):
            rest = difference(pair)
            cosine = sum(x * y for x, y in zip(rest, relation, strict=True)) / math.hypot(*rest)
            if cosine > best:
                best, where = cosine, number
        counts[where] += 1
    found = sembias(vectors, lines, relation=("w0", "w1"))
    assert found.definition.value == pytest.approx(counts[0] / 48)
    assert found.stereotype.value == pytest.approx(counts[3] / 48)
    assert found.neither.value == pytest.approx((counts[1] + counts[2]) / 48)
    assert min(counts) > 0


def test_lines_of_one_definition_are_no_independent_lines(build) -> None:
    """Ten definitions, half of them found whatever the stereotype: as sure as ten answers, not as 100."""
    rows = dict(ROWS)
    lines = []
    for d in range(10):
        rows |= {f"x{d}": [0.1 if d < 5 else -0.1, 0.1 * d, 1], f"y{d}": [0, 0.1 * d, 1]}
        for s in range(10):
            rows |= {f"p{s}": [3.0, 1, 0.1 * s], f"q{s}": [0, 1, 0.1 * s]}
            lines.append(SemBiasLine((f"x{d}", f"y{d}"), LINE.neither, (f"p{s}", f"q{s}")))
    found = sembias(build(rows), lines)
    assert found.definition.value == 0.5
    # The standard error of a share of 10 is sqrt(0.25 / 10) = 0.158, of 100 it would be 0.05.
    assert found.definition.draws.std() == pytest.approx(0.158, rel=0.1)


@pytest.mark.data
def test_the_file(data_dir: Path) -> None:
    lines = read_sembias(data_dir / "bias" / "sembias.tsv")
    assert len(lines) == 440
    assert lines[0] == SemBiasLine(
        ("priest", "nun"), (("dog", "bitch"), ("book", "magazine")), ("doctor", "nurse")
    )
    subset = held_out(lines)
    assert subset == lines[400:]
    # Twenty stereotypes with each of 22 definitions.
    assert len({line.stereotype for line in lines}) == 20
    assert len({line.definition for line in lines}) == 22


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no lines in the file"),
        ("a:b\tc:d\te:f\tg:h\n\na:b\tc:d\te:f\n", "line 3: expected four pairs"),
        ("a:b\tc:d\te:f\tg\n", "line 1: expected four pairs"),
        ("a:b\tc:d\te:f\tg:\n", "line 1: expected four pairs"),
        ("a:b:c\tc:d\te:f\tg:h\n", "line 1: expected four pairs"),
    ],
)
def test_files_that_break_the_format(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "lines.tsv"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        read_sembias(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_sembias(tmp_path / "absent.tsv")


def test_what_is_refused(build) -> None:
    vectors = build(ROWS | {"him": [2, 0, 0]})
    with pytest.raises(DataError, match="none of 1 lines has vectors"):
        sembias(vectors, [SemBiasLine(("king", "queen"), LINE.neither, LINE.stereotype)])
    with pytest.raises(DataError, match="none of 0 lines"):
        sembias(vectors, [])
    with pytest.raises(
        DataError, match="relation: 1 of 2 words have a vector, at least 2 must; missing: her"
    ):
        sembias(vectors, [LINE], relation=("he", "her"))
    with pytest.raises(DataError, match="'he' and 'him' have the same direction"):
        sembias(vectors, [LINE], relation=("he", "him"))


def test_vectors_that_know_nothing_choose_by_chance() -> None:
    from seqkit.embeddings.vectors import Vectors

    words = [f"w{n}" for n in range(202)]
    matrix = np.random.default_rng(0).normal(size=(202, 50)).astype(np.float32)
    found = sembias(Vectors(words, matrix), lines_of(words[2:], 20, 20), relation=("w0", "w1"))
    for figure, chance in ((found.definition, 0.25), (found.stereotype, 0.25), (found.neither, 0.5)):
        assert figure.low < chance < figure.high
