"""Vectors: from bundles without TensorFlow, from files, and the answers of queries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gensim.models import KeyedVectors

from helpers import Told
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import (
    BundleError,
    DataError,
    FormatError,
    MissingInputError,
    StorageError,
    UnknownWordError,
    UsageError,
)
from seqkit.storage import Bundle, BundleWriter
from seqkit.text.vocabulary import Vocabulary

WORDS = ["man", "woman", "king", "queen", "apple"]
# gender, royalty, fruit: king - man + woman = queen exactly
MATRIX = np.array([[1, 0, 0.1], [-1, 0, 0.1], [1, 2, 0.1], [-1, 2, 0.1], [0, 0, -3]], np.float32)
COUNTS = [9, 8, 7, 6, 5]


@pytest.fixture
def vectors() -> Vectors:
    return Vectors(WORDS, MATRIX, COUNTS, output_matrix=-MATRIX)


def test_what_it_holds(vectors: Vectors) -> None:
    assert (len(vectors), vectors.vector_size, repr(vectors)) == (5, 3, "<Vectors: 5 words, 3 numbers each>")
    assert "king" in vectors
    assert "prince" not in vectors
    assert vectors["queen"].tolist() == MATRIX[3].tolist()
    assert list(vectors.words) == WORDS
    assert vectors.counts is not None
    assert vectors.counts.tolist() == COUNTS
    assert Vectors(WORDS, MATRIX).counts is None
    assert Vectors(WORDS, MATRIX).output_matrix is None
    with pytest.raises(UnknownWordError) as caught:
        vectors["kng"]
    assert caught.value.suggestions[0] == "king"


def test_it_cannot_be_changed(vectors: Vectors) -> None:
    with pytest.raises(ValueError, match="read-only"):
        vectors["king"][0] = 5
    with pytest.raises(AttributeError):
        vectors.matrix = MATRIX  # type: ignore[misc]
    assert MATRIX.flags.writeable  # the caller's own array stays as it was


@pytest.mark.parametrize(
    ("words", "matrix", "reason"),
    [
        (WORDS[:2], MATRIX, r"matrix is \(5, 3\); it must be .* 2 words"),
        (WORDS, MATRIX[:, 0], r"matrix is \(5,\)"),
        (WORDS, MATRIX[:, :0], r"matrix is \(5, 0\)"),
        ([], MATRIX[:0], r"matrix is \(0, 3\)"),
        (WORDS, MATRIX.astype(np.float64), "matrix is float64"),
    ],
)
def test_shapes_that_do_not_fit(words: list[str], matrix: np.ndarray, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        Vectors(words, matrix)


def test_other_arguments_that_do_not_fit() -> None:
    with pytest.raises(DataError, match="'man'"):
        Vectors(["man", "man"], MATRIX[:2])
    with pytest.raises(UsageError, match="output_matrix"):
        Vectors(WORDS, MATRIX, output_matrix=MATRIX[:, :2].copy())


# --- bundles


def test_a_bundle_is_read_back(tmp_path: Path, vectors: Vectors) -> None:
    vectors.save(tmp_path / "b", config={"method": "skipgram"}, seed=4, metrics={"x": 0.5})
    loaded = Vectors.load(tmp_path / "b")
    assert loaded.vocabulary == vectors.vocabulary
    assert np.array_equal(loaded.matrix, MATRIX)
    assert loaded.output_matrix is not None
    assert np.array_equal(loaded.output_matrix, -MATRIX)
    assert isinstance(loaded.matrix, np.memmap)
    manifest = Bundle.open(tmp_path / "b", kind="vectors").manifest
    assert (manifest.config, manifest.seed, manifest.metrics) == ({"method": "skipgram"}, 4, {"x": 0.5})
    with pytest.raises(UsageError, match="--overwrite"):
        vectors.save(tmp_path / "b")
    Vectors(WORDS, MATRIX).save(tmp_path / "b", overwrite=True)
    loaded = Vectors.load(tmp_path / "b")
    assert loaded.output_matrix is None
    assert loaded.counts is None


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_vectors_that_are_not_finite_replace_nothing(tmp_path: Path, vectors: Vectors, value: float) -> None:
    vectors.save(tmp_path / "b")
    matrix = MATRIX.copy()
    matrix[2, 1] = value
    for bad in (Vectors(WORDS, matrix), Vectors(WORDS, MATRIX, output_matrix=matrix)):
        with pytest.raises(UsageError, match="'king' is not finite"):
            bad.save(tmp_path / "b", overwrite=True)
    assert np.array_equal(Vectors.load(tmp_path / "b").matrix, MATRIX)


def test_any_word_fits_into_a_bundle(tmp_path: Path) -> None:
    words = ["a b", "a\tb", "a\nb", "", "\0", "\u2028", '"\\', "\ufeff", "\x85", "😀"]
    Vectors(words, np.ones((len(words), 1), np.float32)).save(tmp_path / "b")
    assert list(Vectors.load(tmp_path / "b").words) == words


def test_loading_and_looking_up_imports_nothing_heavy(tmp_path: Path, vectors: Vectors) -> None:
    vectors.save(tmp_path / "b")
    program = (
        "import sys; from seqkit.embeddings.vectors import Vectors; v = Vectors.load('b'); v['king'];"
        "print([m for m in ('tensorflow', 'keras', 'gensim', 'nltk', 'scipy', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


@pytest.mark.parametrize(
    ("vocabulary", "tensors", "member"),
    [
        ("", {"vectors": MATRIX}, "tensors.safetensors"),
        ('"a"\t1\n', {"vectors": MATRIX}, "tensors.safetensors"),
        ('"a"\t1\n', {"vectors": np.ones((1, 3))}, "tensors.safetensors"),  # float64
        ('"a"\t1\n', {"vectors": np.ones(1, np.float32)}, "tensors.safetensors"),
        ('"a"\t1\n', {"matrix": np.ones((1, 3), np.float32)}, "tensors.safetensors"),
        (
            '"a"\t1\n',
            {"vectors": np.ones((1, 3), np.float32), "context": np.ones((1, 4), np.float32)},
            "tensors.safetensors",
        ),
        ('"a"\t1\n"a"\t1\n', {"vectors": np.ones((2, 3), np.float32)}, "vocabulary.tsv"),
        ('"a"\t-1\n', {"vectors": np.ones((1, 3), np.float32)}, "vocabulary.tsv"),
        ("a\t1\n", {"vectors": np.ones((1, 3), np.float32)}, "vocabulary.tsv"),
    ],
)
def test_bundles_whose_members_do_not_fit(
    tmp_path: Path, vocabulary: str, tensors: dict[str, np.ndarray], member: str
) -> None:
    with BundleWriter(tmp_path / "b", kind="vectors") as writer:
        writer.write_text("vocabulary.tsv", vocabulary)
        writer.write_tensors("tensors.safetensors", tensors)
        writer.commit(config={})
    with pytest.raises(BundleError) as caught:
        Vectors.load(tmp_path / "b")
    assert caught.value.member == member


def test_places_without_vectors(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        Vectors.load(tmp_path / "absent")
    with pytest.raises(BundleError):
        Vectors.load(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(FormatError):
        Vectors.load(tmp_path / "empty")
    with pytest.raises(StorageError):
        Vectors(WORDS, MATRIX).save(tmp_path / "no" / "b")


# --- files


@pytest.mark.parametrize("name", ["v.txt", "v.bin", "v.vec", "v.glove", "v.tsv"])
def test_files_are_read_like_bundles(tmp_path: Path, vectors: Vectors, name: str) -> None:
    files = vectors.export(tmp_path / name)
    assert files[0] == tmp_path / name
    loaded = Vectors.load(tmp_path / name)
    assert list(loaded.words) == WORDS
    assert np.array_equal(loaded.matrix, MATRIX)


def test_skipped_rows_are_reported(tmp_path: Path) -> None:
    (tmp_path / "v").write_text("a 1 2\nb 1\nc 3 4\n")
    with pytest.raises(FormatError, match="line 2"):
        Vectors.load(tmp_path / "v")
    told = Told()
    assert list(Vectors.load(tmp_path / "v", on_bad="skip", progress=told).words) == ["a", "c"]
    (message,) = told.messages
    assert message.startswith(f"1 bad rows skipped; the first: {tmp_path}/v, line 2: 1 numbers instead of 2")


# --- gensim and queries


def test_gensim_gets_a_copy_with_counts(vectors: Vectors) -> None:
    keyed = vectors.to_gensim()
    assert isinstance(keyed, KeyedVectors)
    assert keyed.index_to_key == WORDS
    assert [keyed.get_vecattr(word, "count") for word in WORDS] == COUNTS
    keyed.vectors[0] = 7
    assert vectors["man"].tolist() == MATRIX[0].tolist()
    keyed.add_vectors(["new"], [np.ones(3, np.float32)])
    assert keyed.similarity("new", "new") == pytest.approx(1)


def test_queries_agree_with_gensim_on_random_vectors() -> None:
    matrix = np.random.default_rng(5).normal(size=(200, 10)).astype(np.float32)
    words = [f"w{index}" for index in range(200)]
    keyed = KeyedVectors(10)
    keyed.add_vectors(words, matrix)
    ours = Vectors(words, matrix)
    for got, expected in [
        (ours.most_similar("w7", 5), keyed.most_similar("w7", topn=5)),
        (ours.most_similar(["w7", "w8"], 5), keyed.most_similar(["w7", "w8"], topn=5)),
        (ours.analogy("w1", "w2", "w3", 5), keyed.most_similar(["w2", "w3"], ["w1"], topn=5)),
    ]:
        assert [word for word, _ in got] == [word for word, _ in expected]
        assert [cosine for _, cosine in got] == pytest.approx([cosine for _, cosine in expected], abs=1e-6)
    assert ours.odd_one_out(words[:6]) == keyed.doesnt_match(words[:6])


def test_answers_by_hand(vectors: Vectors) -> None:
    (best, cosine), *_ = vectors.analogy("man", "king", "woman")
    assert best == "queen"
    # unit: king - man + woman = (.447 - .995 - .995, .894, .045) = (-1.543, .894, .045), of length 1.784;
    # its product with queen (-.447, .894, .045) is 1.490, and 1.490 / 1.784 = 0.835
    assert cosine == pytest.approx(0.835, abs=1e-3)
    assert {word for word, _ in vectors.analogy("man", "king", "woman", n=99)} == {"queen", "apple"}
    assert vectors.odd_one_out(["king", "queen", "woman", "apple"]) == "apple"
    # cos(king, man) = (1 + 0.01) / (sqrt(5.01) sqrt(1.01)) = 0.449
    # cos(king, queen) = (-1 + 4 + 0.01) / 5.01 = 0.601
    assert vectors.most_similar("king", 2) == [
        ("queen", pytest.approx(0.6008, abs=1e-4)),
        ("man", pytest.approx(0.4490, abs=1e-4)),
    ]


def test_a_zero_vector_is_similar_to_nothing() -> None:
    vectors = Vectors(["a", "b", "zero"], np.array([[1, 0], [1, 1], [0, 0]], np.float32))
    assert vectors.most_similar("a", 5) == [("b", pytest.approx(0.7071, abs=1e-4)), ("zero", 0.0)]
    assert [cosine for _, cosine in vectors.most_similar("zero")] == [0.0, 0.0]


def test_queries_from_a_mapped_bundle(tmp_path: Path, vectors: Vectors) -> None:
    vectors.save(tmp_path / "b")
    assert Vectors.load(tmp_path / "b").analogy("man", "king", "woman") == vectors.analogy(
        "man", "king", "woman"
    )


def test_questions_that_cannot_be_answered(vectors: Vectors) -> None:
    with pytest.raises(UsageError, match="at least one word"):
        vectors.most_similar([])
    with pytest.raises(UsageError, match="n is 0"):
        vectors.most_similar("king", 0)
    with pytest.raises(UsageError, match="three distinct words, not 2"):
        vectors.odd_one_out(["king", "king", "queen"])
    for ask in (
        lambda: vectors.most_similar(["king", "prince"]),
        lambda: vectors.analogy("king", "prince", "man"),
        lambda: vectors.odd_one_out(["king", "man", "prince", "queen"]),
    ):
        with pytest.raises(UnknownWordError, match="'prince'"):
            ask()


def test_a_vocabulary_can_be_given(vectors: Vectors) -> None:
    vocabulary = Vocabulary(tuple(WORDS), np.array(COUNTS))
    assert Vectors(vocabulary, MATRIX).vocabulary is vocabulary


@pytest.mark.parametrize(
    ("words", "counts", "reason"),
    [
        ([101, 102], None, r"a word must be a str, not 101; str\(\) makes one of a number"),
        (["a", None], None, "a word must be a str, not None"),
        (["a", "b"], [-1, 2], "counts must be from 0 to 999,999,999,999,999,999"),
        (["a", "b"], [10**18, 2], "counts must be from 0 to"),
        (["a", "b"], [1.5, 2.0], "counts are float64; they must be whole numbers"),
    ],
)
def test_what_could_not_be_read_back_is_refused(words: Any, counts: Any, reason: str) -> None:
    with pytest.raises((DataError, UsageError), match=reason):
        Vectors(words, MATRIX[:2], counts)


def test_similarity_of_two_words() -> None:
    vectors = Vectors(["a", "b", "zero"], np.array([[3, 0], [1, 1], [0, 0]], np.float32))
    assert vectors.similarity("a", "b") == pytest.approx(np.sqrt(0.5), rel=1e-6)
    assert (vectors.similarity("a", "a"), vectors.similarity("a", "zero")) == (1, 0)
    with pytest.raises(UnknownWordError):
        vectors.similarity("a", "c")
