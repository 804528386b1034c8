"""Evaluation: gensim's numbers, the file's total, and files that break their format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from seqkit.embeddings import evaluation
from seqkit.embeddings.evaluation import EvaluationSets, default_sets, evaluate
from seqkit.embeddings.testsets import read_analogies, read_similarity
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import FormatError, MissingInputError, UnavailableError, UsageError

VECTORS = Vectors(
    ["man", "woman", "king", "queen", "King", "apple"],
    np.array([[1, 0, 0.1], [-1, 0, 0.1], [1, 2, 0.1], [-1, 2, 0.1], [1, 2, 0.2], [0, 0, -3]], np.float32),
)


def file(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_similarity_by_hand(tmp_path: Path) -> None:
    # cosines, falling: king-queen .60, king-man .45, man-woman -.98; woman-prince is missing.
    # Human ranks 2, 3, 1 against 3, 2, 1: rho = 1 - 6 (1 + 1 + 0) / (3 (9 - 1)) = 0.5
    path = file(
        tmp_path / "set.tsv", "# title\n\nKING\tqueen\t5\nking\tman\t9.5\r\nman\twoman\t1\nwoman\tprince\t2\n"
    )
    expected = {
        "similarity": {"set": {"spearman": pytest.approx(0.5), "pairs": 3, "missing": 1}},
        "analogies": {},
    }
    assert evaluate(VECTORS, similarity=[path]) == expected


def test_a_word_with_itself_is_as_near_as_can_be(tmp_path: Path) -> None:
    """Rounding would put such pairs in an order of their own."""
    words = [f"w{number}" for number in range(30)]
    vectors = Vectors(words, np.random.default_rng(2).normal(size=(30, 7)).astype(np.float32))
    pairs = "".join(f"{word}\t{word}\t10\n" for word in words) + "w0\tw1\t1\nw2\tw3\t2\n"
    found = evaluate(vectors, similarity=[file(tmp_path / "set.tsv", pairs)])["similarity"]["set"]
    near = [
        float(np.dot(*(vectors[w] / np.linalg.norm(vectors[w]) for w in pair)))
        for pair in (("w0", "w1"), ("w2", "w3"))
    ]
    expected = spearmanr([10.0] * 30 + [1, 2], [1.0] * 30 + near).statistic
    assert found["spearman"] == pytest.approx(expected, abs=1e-12)


def test_analogies_by_hand(tmp_path: Path) -> None:
    path = file(
        tmp_path / "a.txt",
        ": royal\nman king woman queen\nMan King Woman Queen\nman king woman prince\n"
        ": odd\nking queen man apple\n: none\nx y z w\n",
    )
    royal = {"accuracy": 1.0, "questions": 2, "missing": 1}
    odd = {"accuracy": 0.0, "questions": 1, "missing": 0}
    none = {"accuracy": None, "questions": 0, "missing": 1}
    assert evaluate(VECTORS, analogies=[path]) == {
        "similarity": {},
        "analogies": {
            "a": {
                "accuracy": pytest.approx(2 / 3),
                "questions": 3,
                "missing": 2,
                "sections": {"royal": royal, "odd": odd, "none": none},
            }
        },
    }


def test_answers_lie_behind_the_scores(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors = Vectors([f"w{n}" for n in range(20)], rng.normal(size=(20, 4)).astype(np.float32))
    pairs, questions = tmp_path / "pairs.tsv", tmp_path / "questions.txt"
    rows = rng.integers(0, 22, size=(30, 2)).tolist()
    pairs.write_text("".join(f"w{a}\tW{b}\t{a - b}\n" for a, b in rows))
    questions.write_text(": one\nw1 w2 w3 w4\nw1 w2 w3 w99\n: two\nw5 w5 w7 w7\nw8 w8 w6 w9\n")
    sets = EvaluationSets.read([pairs], [questions])
    scores, answers = sets.score(vectors), sets.answers(vectors)
    human, cosines = answers.similarity["pairs"]
    known = [(a, b) for a, b in rows if max(a, b) < 20]
    assert human.tolist() == [a - b for a, b in known]
    for (a, b), cosine in zip(known, cosines, strict=True):
        one, other = (vectors[f"w{n}"].astype(float) for n in (a, b))
        assert cosine == pytest.approx(one @ other / np.linalg.norm(one) / np.linalg.norm(other), abs=1e-6)
    assert spearmanr(human, cosines).statistic == pytest.approx(scores["similarity"]["pairs"]["spearman"])
    # Three questions have only known words.
    assert len(answers.analogies["questions"]) == 3
    assert answers.analogies["questions"].mean() == scores["analogies"]["questions"]["accuracy"]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        # b - a + c is nearest to King, another spelling of b; the answer is the next word, in any spelling.
        (["King", "QUEEN", "queen"], [[0, 1.01], [0.1, 1], [-1, 0]]),
        # The answer has a spelling that is far away and comes first.
        (["QUEEN", "queen"], [[-1, 0], [0.1, 1]]),
    ],
)
def test_spellings_of_the_question_are_no_answers_those_of_the_answer_are(
    tmp_path: Path, words: list[str], rows: list[list[float]]
) -> None:
    matrix = np.array([[1, 0], [0, 1], [1, 0.1], *rows], np.float32)
    vectors = Vectors(["a", "king", "c", *words], matrix)
    path = file(tmp_path / "a.txt", ": s\na king c queen\n")
    assert evaluate(vectors, analogies=[path])["analogies"]["a"]["accuracy"] == 1.0
    assert vectors.to_gensim().evaluate_word_analogies(str(path))[0] == 1.0


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("x\ty\t1\n", 0),
        ("king\tman\t1\n", 1),
        ("king\tman\t1\nman\twoman\t1\n", 2),  # human scores that do not differ
        ("man\tman\t1\nking\tking\t2\n", 2),  # cosines that do not differ
    ],
)
def test_a_correlation_that_is_not_defined_is_none(tmp_path: Path, text: str, pairs: int) -> None:
    vectors = Vectors(VECTORS.words[:3], np.array([[1, 0], [0, 1], [1, 0]], np.float32))
    result = evaluate(vectors, similarity=[file(tmp_path / "s.tsv", text)])["similarity"]["s"]
    assert (result["spearman"], result["pairs"]) == (None, pairs)


def test_every_set_inside_gensim_adds_up() -> None:
    result = evaluate(VECTORS)
    assert list(result["similarity"]) == ["wordsim353", "simlex999"]
    totals = [row["pairs"] + row["missing"] for row in result["similarity"].values()]
    assert totals == [353, 999]
    analogies = result["analogies"]["questions-words"]
    assert analogies["questions"] + analogies["missing"] == 19_544
    assert len(analogies["sections"]) == 14
    for key in ("questions", "missing"):
        assert sum(section[key] for section in analogies["sections"].values()) == analogies[key]


def random_vectors(words: list[str], seed: int) -> Vectors:
    return Vectors(words, np.random.default_rng(seed).normal(size=(len(words), 20)).astype(np.float32))


def assert_as_gensim(vectors: Vectors) -> None:
    similarity, analogies = default_sets()
    result = evaluate(vectors)
    keyed = vectors.to_gensim()
    for path in similarity:
        _, spearman, missing = keyed.evaluate_word_pairs(str(path), restrict_vocab=None)
        ours = result["similarity"][path.stem]
        assert ours["spearman"] == pytest.approx(
            spearman.statistic, abs=1e-4
        )  # ties within float32's rounding
        assert 100 * ours["missing"] / (ours["pairs"] + ours["missing"]) == pytest.approx(missing)
    _, sections = keyed.evaluate_word_analogies(str(analogies[0]), restrict_vocab=len(vectors))
    ours = result["analogies"][analogies[0].stem]
    for section in sections[:-1]:
        scored = len(section["correct"]) + len(section["incorrect"])
        mine = ours["sections"][section["section"]]
        assert mine["questions"] == scored
        assert mine["accuracy"] == (pytest.approx(len(section["correct"]) / scored) if scored else None)


def test_gensim_gives_the_same_numbers(tmp_path: Path) -> None:
    similarity, analogies = default_sets()
    sections = list(read_analogies(analogies[0]).values())
    words = {word.lower() for rows in sections[:1] + sections[4:6] for row in rows for word in row}
    words |= {word for path in similarity for a, b, _ in read_similarity(path)[::2] for word in (a, b)}
    # Offsets that analogies find: each pair of a section differs by nearly the same vector.
    ordered = [*sorted(words), "Paris", "ATHENS"]
    vectors = random_vectors(ordered, seed=1)
    matrix = np.array(vectors.matrix)
    offset = np.random.default_rng(2).normal(size=20)
    for row in sections[0]:
        if row[0].lower() in words and row[1].lower() in words:
            matrix[ordered.index(row[1].lower())] = matrix[ordered.index(row[0].lower())] + offset
    assert_as_gensim(Vectors(ordered, matrix))


@pytest.mark.data
def test_gensim_gives_the_same_numbers_on_trained_vectors(data_dir: Path, tmp_path: Path) -> None:
    import lzma
    from itertools import islice

    from gensim.models import Word2Vec

    with lzma.open(data_dir / "corpora" / "simplewiki.txt.xz", "rt", encoding="utf-8") as lines:
        sentences = [line.lower().split() for line in islice(lines, 10_000)]
    trained = Word2Vec(sentences, vector_size=20, min_count=10, workers=1, epochs=1, seed=1).wv
    assert_as_gensim(Vectors(trained.index_to_key, trained.vectors))


def test_batches_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    analogies = default_sets()[1]
    words = sorted(
        {word for rows in list(read_analogies(analogies[0]).values())[:1] for row in rows for word in row}
    )
    vectors = random_vectors(words, seed=3)
    whole = evaluate(vectors, analogies=analogies)
    monkeypatch.setattr(evaluation, "_SCORES", 7 * len(words))
    assert evaluate(vectors, analogies=analogies) == whole


# --- files


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a\tb\t1\na\tb\n", 2, "found 2 fields"),
        ("a\tb\t1\t2\n", 1, "found 4 fields"),
        ("a b 1\n", 1, "found 1 fields"),
        ("a\t\t1\n", 1, "found 3 fields"),
        ("Word 1\tWord 2\tHuman (mean)\n", 1, "titles must begin with #"),
        ("a\tb\tnan\n", 1, "'nan' is not a number"),
        ("a\tb\t1_0\n", 1, "'1_0' is not a number"),
        ("a\tb\t\u0663\n", 1, "is not a number"),
        ("# nothing\n", None, "no pairs"),
        ("", None, "no pairs"),
        ("\ufeffa\tb\t1\n", 1, "byte order mark"),
        ("a\tb\t1\n\udcff\tb\t1\n", 2, "not UTF-8"),
    ],
)
def test_similarity_files_that_break_the_format(
    tmp_path: Path, text: str, line: int | None, reason: str
) -> None:
    path = tmp_path / "s.tsv"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(FormatError, match=reason) as caught:
        read_similarity(path)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a b c d\n", 1, "`: section` must come first"),
        (": s\na b c\n", 2, "found 3"),
        (": s\na b c d\n\na b c d e\n", 4, "found 5"),
        (": s\na b c d\n: s\n", 3, "'s' is there already"),
        (":\na b c d\n", 1, "without a name"),
        (": s\n", None, "no questions"),
        ("", None, "no questions"),
    ],
)
def test_analogy_files_that_break_the_format(
    tmp_path: Path, text: str, line: int | None, reason: str
) -> None:
    with pytest.raises(FormatError, match=reason) as caught:
        read_analogies(file(tmp_path / "a.txt", text))
    assert caught.value.line == line


def test_sets_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingInputError):
        evaluate(VECTORS, similarity=[tmp_path / "absent.tsv"])
    (tmp_path / "x").mkdir()
    twins = [file(tmp_path / "s.tsv", "king\tman\t1\n"), file(tmp_path / "x" / "s.txt", "king\tman\t1\n")]
    with pytest.raises(UsageError, match="have the same name"):
        evaluate(VECTORS, similarity=twins)
    assert evaluate(VECTORS, similarity=str(twins[0])) == evaluate(VECTORS, similarity=twins[:1])
    monkeypatch.setattr(evaluation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError):
        evaluate(VECTORS)
