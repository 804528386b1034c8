"""Statistics of texts that were made to be counted by hand."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import pytest

from seqkit.corpora import open_corpus
from seqkit.errors import CorpusError, MissingInputError
from seqkit.text import statistics
from seqkit.text.statistics import CorpusStatistics, Coverage, corpus_statistics
from seqkit.text.tokenizers import Tokenizer


@pytest.fixture
def look(tmp_path: Path):
    """The statistics of a file of these bytes."""

    def statistics_of(content: bytes, **options) -> CorpusStatistics:
        path = tmp_path / "text.txt"
        path.write_bytes(content)
        return corpus_statistics(path, **options)

    return statistics_of


def kinds(found: CorpusStatistics) -> set[str]:
    return {warning.kind for warning in found.warnings}


def message(found: CorpusStatistics, kind: str) -> str:
    return next(warning.message for warning in found.warnings if warning.kind == kind)


def test_counts(look) -> None:
    found = look(b"The king and the queen\n\nthe KING rules\n")
    # the 3, king 2, and, queen, rules 1 each: 8 tokens of 5 types.
    assert (found.tokens, found.types) == (8, 5)
    assert (found.lines, found.blank_lines) == (3, 1)
    assert found.characters == len("The king and the queen") + len("the KING rules")
    assert found.longest_line == 22
    assert found.longest_line_at.endswith("text.txt, line 1")
    assert found.coverage[:3] == (Coverage(1, 5, 8, 1.0), Coverage(2, 2, 5, 5 / 8), Coverage(5, 0, 0, 0.0))
    assert [part.min_count for part in found.coverage] == [1, 2, 5, 10, 20]
    assert not found.warnings


def test_the_tokenizer_decides(look) -> None:
    text = b"Ah, ah! Ah,\n"
    assert look(text, tokenizer=Tokenizer("word", lowercase=False)).types == 2
    assert look(text, tokenizer=Tokenizer("whitespace")).types == 2  # "ah," and "ah!"
    found = look(text, tokenizer=Tokenizer("character"))
    assert (found.tokens, found.types) == (11, 5)  # a h , ! and the space


def test_counts_are_those_of_the_tokenizer(tmp_path: Path) -> None:
    lines = list(open_corpus("reviews", size=20_000))  # 1.5 MB: more than one block
    (tmp_path / "reviews.txt.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    found = corpus_statistics([tmp_path / "reviews.txt.gz"])
    counts = Counter(token for line in lines for token in Tokenizer().tokenize(line))
    assert (found.tokens, found.types) == (counts.total(), len(counts))
    assert found.lines == 20_000
    assert found.characters == sum(map(len, lines))
    assert found.longest_line == max(map(len, lines))
    assert found.longest_line_at.endswith(
        f", line {1 + [len(line) for line in lines].index(found.longest_line)}"
    )
    assert found.repeated_lines == pytest.approx(1 - len(set(lines)) / 20_000)
    kept = [count for count in counts.values() if count >= 20]
    assert found.coverage[-1] == Coverage(20, len(kept), sum(kept), sum(kept) / counts.total())


def test_a_source_that_ends_in_a_space_ends_its_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one ")
    (tmp_path / "b").write_text("two ")
    assert corpus_statistics([tmp_path / "a", tmp_path / "b"]).lines == 2


def test_what_looks_wrong_is_seen_where_a_line_is_cut(look) -> None:
    # Without a line end in sight a block ends at its last space, here inside a tag.
    found = look(b"word " * 209_714 + b"<a  href='x'>end</a>")  # 2 ** 20 - 6 bytes before the tag
    assert next(warning for warning in found.warnings if warning.kind == "html").count == 2


def test_several_sources_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one two")
    (tmp_path / "b").write_text("two")
    found = corpus_statistics([tmp_path / "a", tmp_path / "b", "names:5"])
    assert (found.tokens, found.lines) == (8, 7)


def test_a_giant_line(look, monkeypatch: pytest.MonkeyPatch) -> None:
    # 3 MB in one line: three blocks, none of which holds the whole line.
    line = b"word " * 600_000
    found = look(b"first line\n" + line + b"\nlast line\n" + line)
    assert found.tokens == 1_200_004
    assert found.types == 4
    assert found.lines == 4
    assert found.longest_line == 3_000_000
    assert found.longest_line_at.endswith("line 2")
    assert found.repeated_lines == 0.25  # the fourth line is the second again
    assert "3,000,000 characters" in message(found, "giant_line")


@pytest.mark.parametrize(("length", "giant"), [(100_000, False), (100_001, True)])
def test_a_giant_line_has_more_than_100_000_characters(look, length: int, giant: bool) -> None:
    found = look(b"ab " * 33_333 + b"x" * (length - 99_999) + b"\n")
    assert found.longest_line == length
    assert ("giant_line" in kinds(found)) == giant


@pytest.mark.parametrize(
    ("text", "kind", "count", "shown"),
    [
        ("a <br /> b</p>\n&nbsp;x &#8217; &amp;", "html", 5, "<br /> in"),
        ('<a href="x">y</a>', "html", 2, '<a href="x"> in'),
        ("a&hellip; b&rdquo;", "html", 2, "&hellip; in"),
        ("fine\ncafÃ© itâ€™s", "mojibake", 2, "Ã© in"),
        ("lost \ufffd", "mojibake", 1, "U+FFFD in"),
        ("a\x07b\n\x9c", "control_characters", 2, "U+0007 in"),
    ],
)
def test_what_looks_wrong(look, text: str, kind: str, count: int, shown: str) -> None:
    found = look(text.encode())
    warning = next(warning for warning in found.warnings if warning.kind == kind)
    assert warning.count == count
    assert shown in warning.message
    assert f"text.txt, line {2 if text.startswith('fine') else 1}" in warning.message
    assert "\n" not in warning.message


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and c > d then AT&T; R&D",
        "SÃO PAULO, Ângela, â, El Niño, naïve café, “quoted” text…",
        "tab\tand line\nends are no control characters",
        "x <- y <3 <=",
    ],
)
def test_what_does_not_look_wrong(look, text: str) -> None:
    assert not look(text.encode()).warnings


def test_bytes_that_are_not_utf8_are_counted(look) -> None:
    found = look(b"good line\ncaf\xe9 na\xefve\n")
    warning = next(warning for warning in found.warnings if warning.kind == "not_utf8")
    assert warning.count == 2
    assert "0xe9 in" in warning.message
    assert "line 2" in warning.message
    assert found.lines == 2


def test_they_are_with_line_ends_of_windows_too(look) -> None:
    found = look(b"good line\r\ncaf\xe9 na\xefve\r\n")
    assert (found.lines, found.tokens) == (2, 5)  # na, ve
    assert "0xe9 in" in message(found, "not_utf8")
    assert "line 2" in message(found, "not_utf8")
    with pytest.raises(CorpusError, match="NUL"):
        look(b"caf\xe9\r\n\0")


def test_lines_that_end_in_a_carriage_return_are_counted(look, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks are cut at spaces then, and what is looked through goes back over line ends."""
    monkeypatch.setattr("seqkit.text.sources.BLOCK_BYTES", 64)
    found = look(b"a b c d\r" * 100 + b"one <br> more\r" + b"a b c d\r" * 9)
    assert "line 101" in message(found, "html")


def test_a_nul_ends_the_reading(look) -> None:
    with pytest.raises(CorpusError, match="NUL"):
        look(b"good\nb\0ad\n")


def test_repeated_lines(look) -> None:
    found = look(b"the same line\n" * 3 + b"another line\n")
    assert found.repeated_lines == 0.5
    warning = next(warning for warning in found.warnings if warning.kind == "repeated_lines")
    assert (warning.count, warning.message[:3]) == (2, "50%")
    assert "repeated_lines" not in kinds(
        look(b"Ada\nAda\nAda\n\n\n\n")
    )  # names and blank lines repeat by nature


def test_repeats_are_a_share_of_the_lines_that_count(look) -> None:
    # Ten lines that count, two of which repeat: blank ones and short words are not among them.
    numbered = b"".join(b"line %d\n" % number for number in (1, 1, 1, *range(2, 9)))
    found = look(b"\n" * 30 + b"x\n" * 30 + numbered)
    warning = next(warning for warning in found.warnings if warning.kind == "repeated_lines")
    assert (found.repeated_lines, warning.count, warning.message[:3]) == (0.2, 2, "20%")


def test_a_tenth_that_repeats_is_exactly_a_tenth(look) -> None:
    assert look(b"".join(b"line %d\n" % number for number in (1, *range(1, 10)))).repeated_lines == 0.1


def test_repeats_are_estimated_beyond_the_sample(look, monkeypatch: pytest.MonkeyPatch) -> None:
    from seqkit.text import inspection

    monkeypatch.setattr(inspection, "_SAMPLE", 1000)
    lines = [f"line number {i % 12_000}\n" for i in range(20_000)]
    found = look("".join(lines).encode())
    # 8,000 of 20,000 repeat. At least 500 distinct lines are sampled, two thirds of them twice: the standard
    # deviation of the estimated share is under 0.01.
    assert found.repeated_lines == pytest.approx(0.4, abs=0.05)


def test_long_tokens(look) -> None:
    found = look(b"short " + b"x" * 150 + b" " + b"y" * 101 + b" " + b"z" * 100)
    warning = next(warning for warning in found.warnings if warning.kind == "long_tokens")
    assert warning.count == 2
    assert "150" in warning.message
    assert len(warning.message) < 200


def test_an_empty_text(look) -> None:
    found = look(b"")
    assert (found.tokens, found.lines, found.longest_line, found.repeated_lines) == (0, 0, 0, 0.0)
    assert found.coverage[0] == Coverage(1, 0, 0, 0.0)
    assert kinds(found) == {"empty"}
    assert kinds(look(b"...\n")) == {"empty"}


def test_a_missing_text() -> None:
    with pytest.raises(MissingInputError):
        corpus_statistics("no such text")


def test_progress_is_told(look) -> None:
    told: list[object] = []

    class Listener:
        def start(self, task: str, total: float | None, unit: str) -> None:
            told.append((total, unit))

        def update(self, completed: float, **metrics: float) -> None:
            told.append(completed)

        def message(self, text: str) -> None:
            raise AssertionError(text)

        def finish(self) -> None:
            told.append("finished")

    look(b"three words here\n", progress=Listener())
    assert told[0] == (17, "bytes")
    assert told[-1] == "finished"


@pytest.mark.slow
@pytest.mark.data
def test_the_film_reviews_show_their_markup(data_dir: Path) -> None:
    found = corpus_statistics(data_dir / "sentiment" / "imdb.test.tsv.xz")
    assert "html" in kinds(found)
    assert found.lines == 25_000


def test_bundled_corpora_look_right() -> None:
    for name in ("kingdom:50000", "reviews:20000", "names"):
        assert not corpus_statistics(name).warnings, name
    assert statistics.REPEATED_SHARE == 0.1
