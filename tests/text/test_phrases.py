"""Phrases: as gensim learns and joins them, for any number of processes; their file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from gensim.models.phrases import ENGLISH_CONNECTOR_WORDS
from gensim.models.phrases import Phrases as GensimPhrases

from seqkit.corpora import open_corpus
from seqkit.errors import BundleError, FormatError, MissingInputError, UsageError
from seqkit.text import encoding, merging, phrasing, sources
from seqkit.text.corpus import PHRASES
from seqkit.text.encoding import LINE_END, EncodedCorpus, EncodingConfig, encode
from seqkit.text.phrases import PhraseConfig, Phrases
from seqkit.text.tokenizers import Tokenizer

LINES = list(open_corpus("kingdom", size=3000))


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("phrases") / "kingdom.txt"
    path.write_text("".join(f"{line}\n" for line in LINES))
    return path


def gensim_lines(threshold: float, passes: int, connectors: str | None) -> list[list[str]]:
    lines = [Tokenizer().tokenize(line) for line in LINES]
    for _ in range(passes):
        model = GensimPhrases(
            lines, threshold=threshold, connector_words=ENGLISH_CONNECTOR_WORDS if connectors else frozenset()
        )
        lines = [model[line] for line in lines]
    return lines


def lines_of(corpus: EncodedCorpus) -> list[list[str]]:
    lines: list[list[str]] = [[]]
    for number in corpus.ids.tolist():
        if number == LINE_END:
            lines.append([])
        else:
            lines[-1].append(corpus.vocabulary.word(number))
    return lines[:-1]


@pytest.mark.parametrize("threshold", [1, 10])
@pytest.mark.parametrize("passes", [1, 2, 3])
@pytest.mark.parametrize("connectors", [None, "english"])
def test_the_tokens_are_those_of_gensim(
    text: Path, tmp_path: Path, threshold: float, passes: int, connectors: Literal["english"] | None
) -> None:
    """No word of the corpus has "_" inside, which gensim would confuse with a phrase of its own."""
    config = PhraseConfig(threshold=threshold, passes=passes, connectors=connectors)
    corpus = encode(text, tmp_path / "out", EncodingConfig(tokenizer=Tokenizer(), phrases=config))
    expected = gensim_lines(threshold, passes, connectors)
    assert len(corpus.phrases.passes) == passes
    assert lines_of(corpus) == [line for line in expected if line]
    assert corpus.tokens == sum(map(len, expected))
    # Known, and not learned again, they give the same.
    again = encode(text, tmp_path / "again", EncodingConfig(tokenizer=Tokenizer(), phrases=corpus.phrases))
    assert again.ids.tolist() == corpus.ids.tolist()
    assert EncodedCorpus.open(tmp_path / "again").phrases == corpus.phrases


def test_the_same_bytes_for_any_number_of_processes_and_any_slices(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "SMALL_BLOCKS", 2)
    results = []
    for processes, block, part in (
        (1, 1 << 20, 1 << 22),
        (1, 100, 10_000),
        (2, 20_000, 7000),
        (3, 9000, 5000),
    ):
        monkeypatch.setattr(sources, "BLOCK_BYTES", block)
        monkeypatch.setattr(merging, "SLICE", part)
        monkeypatch.setattr(merging, "DIVIDED_SLICE", part)
        encode(
            text,
            tmp_path / "out",
            EncodingConfig(tokenizer=Tokenizer(), phrases=PhraseConfig(passes=2), min_count=2),
            processes=processes,
        )
        results.append({path.name: path.read_bytes() for path in sorted((tmp_path / "out").iterdir())})
    assert sorted(results[0]) == ["encoding.json", "ids.bin", PHRASES, "vocabulary.tsv"]
    assert all(result == results[0] for result in results)


def test_held_out_lines_teach_no_phrase(tmp_path: Path) -> None:
    """Every pair of one line is found as often as lines with it are trained on, plus min_count 1."""
    pairs = [f"a{n} b{n}" for n in range(200)]
    (tmp_path / "text").write_text("".join(f"{pair}\n" * 2 for pair in pairs))
    config = PhraseConfig(threshold=0.01, min_count=1)  # (2 - 1) · 600 / (2 · 2) is above, (1 - 1) is not
    corpus = encode(
        tmp_path / "text",
        tmp_path / "out",
        EncodingConfig(tokenizer=Tokenizer(), phrases=config, held_out=0.3),
    )
    trained_twice = {
        word.split("_")[0]
        for word, count in zip(corpus.vocabulary, corpus.vocabulary.counts.tolist(), strict=True)
        if count == 2
    }
    assert {parts[0] for parts in corpus.phrases.passes[0]} == trained_twice
    assert 0 < len(trained_twice) < 200


def test_long_lines_are_learned_from_in_pieces(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "line").write_text(" ".join(LINES))
    monkeypatch.setattr(merging, "DIVIDED_SLICE", 3000)
    whole = encode(
        tmp_path / "line", tmp_path / "a", EncodingConfig(tokenizer=Tokenizer(), phrases=PhraseConfig())
    )
    monkeypatch.setattr(phrasing, "SENTENCE_TOKENS", 4000)
    pieces = encode(
        tmp_path / "line", tmp_path / "b", EncodingConfig(tokenizer=Tokenizer(), phrases=PhraseConfig())
    )
    common = whole.phrases.passes[0].keys() & pieces.phrases.passes[0].keys()
    assert len(common) > 0.95 * len(whole.phrases)


def test_a_phrase_that_stands_in_the_text_literally_is_one_word(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("new york new_york\n")
    known = Phrases(({("new", "york"): 12.0, ("not", "there"): 11.0},))
    corpus = encode(tmp_path / "text", tmp_path / "out", EncodingConfig(tokenizer=Tokenizer(), phrases=known))
    assert (corpus.vocabulary.words, corpus.vocabulary.counts.tolist()) == (("new_york",), [2])


def test_text_without_phrases_has_no_file_of_them(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("a b c\n")
    corpus = encode(
        tmp_path / "text", tmp_path / "out", EncodingConfig(tokenizer=Tokenizer(), phrases=PhraseConfig())
    )
    assert corpus.phrases == Phrases()
    assert not (tmp_path / "out" / PHRASES).exists()


# --- their file


def test_round_trip() -> None:
    phrases = Phrases(({("naïve", "\u200dx"): 1e300, ("a", "of", "b"): 0.1 + 0.2}, {("a_b", '"c"'): 12.0}))
    assert Phrases.from_tsv(phrases.to_tsv()) == phrases
    assert phrases.to_tsv().isascii()
    assert (len(phrases), len(Phrases()), Phrases().to_tsv()) == (3, 0, "")


@pytest.mark.parametrize(
    "row",
    [
        '"new york"\t1.0',
        '"new york"\t1.0\t1\t1',
        "new york\t1.0\t1",
        '"york"\t1.0\t1',
        '"new  york"\t1.0\t1',
        '"new york "\t1.0\t1',
        '"new\\u2003x york"\t1.0\t1',
        '"new yo\\u0000rk"\t1.0\t1',
        '["new", "york"]\t1.0\t1',
        '"new york"\tnan\t1',
        '"new york"\tx\t1',
        '"new york"\t1.0\tx',
        '"new york"\t1.0\t2',
        '"new york"\t1.0\t0',
    ],
)
def test_a_bad_row_is_refused(row: str) -> None:
    good = '"a b"\t1.0\t1\n'
    Phrases.from_tsv(good)
    with pytest.raises(FormatError, match="p, line 2: "):
        Phrases.from_tsv(f"{good}{row}\n".replace("\t2\n", "\t3\n"), "p")


def test_rows_twice_backwards_and_cut_short_are_refused() -> None:
    with pytest.raises(FormatError, match="'a b' stands twice"):
        Phrases.from_tsv('"a b"\t1.0\t1\n' * 2)
    with pytest.raises(FormatError, match="pass 1 after pass 2"):
        Phrases.from_tsv('"a b"\t1.0\t1\n"a b"\t1.0\t2\n"c d"\t1.0\t1\n')
    with pytest.raises(FormatError, match="cut short"):
        Phrases.from_tsv('"a b"\t1.0\t1')


def test_a_damaged_file_of_an_encoded_corpus(text: Path, tmp_path: Path) -> None:
    encode(text, tmp_path / "out", EncodingConfig(tokenizer=Tokenizer(), phrases=PhraseConfig()))
    (tmp_path / "out" / PHRASES).write_text('"a b"\t1.0\t1\n')
    with pytest.raises(BundleError, match=r"phrases\.tsv: damaged"):
        EncodedCorpus.open(tmp_path / "out")
    (tmp_path / "out" / PHRASES).unlink()
    with pytest.raises(MissingInputError, match=r"phrases\.tsv"):
        EncodedCorpus.open(tmp_path / "out")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 0}, "threshold of phrases must be above 0"),
        ({"threshold": np.inf}, "threshold of phrases"),
        ({"min_count": 0}, "min_count of phrases must be at least 1"),
        ({"passes": 6}, "passes of phrases must be from 1 to 5, not 6"),
        ({"connectors": "german"}, "connectors must be english or None"),
    ],
)
def test_settings_out_of_range(settings: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PhraseConfig(**settings)  # type: ignore[arg-type]


def test_characters_have_no_phrases(text: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="tokenizer character has none"):
        encode(
            text, tmp_path / "out", EncodingConfig(tokenizer=Tokenizer("character"), phrases=PhraseConfig())
        )
