"""Text to ids and back at each level."""

from __future__ import annotations

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.language_model.coding import END, END_ID, SPECIALS, UNKNOWN_ID, Coding
from seqkit.language_model.config import Level
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary


def coding(level: Level, words: str | list[str], *, lines: bool, lowercase: bool = False) -> Coding:
    kind = "character" if level == "character" else "whitespace"
    counts = {word: len(words) - n for n, word in enumerate(words)}
    vocabulary = Vocabulary.from_counts(counts, specials=SPECIALS)
    return Coding(level, vocabulary, Tokenizer(kind, lowercase), lines)


WORDS = coding("word", ["the", "cat", "sat"], lines=False)


def test_words() -> None:
    assert WORDS.tokens("the  cat\tsat !") == ["the", "cat", "sat", "!"]
    assert WORDS.encode("the cat bit the <unk>") == [2, 3, UNKNOWN_ID, 2, UNKNOWN_ID]
    assert WORDS.decode([2, 3, END_ID, UNKNOWN_ID]) == "the cat\n<unk>"
    assert WORDS.decode([END_ID, 2, END_ID]) == "\nthe\n"
    assert WORDS.decode([]) == ""


def test_lines_of_words_end() -> None:
    """A blank line, too, where text is taken as it stands; names and the like have none."""
    encoded = list(WORDS.encode_lines(["the cat", "", "  ", "sat"]))
    assert [line.tolist() for line in encoded] == [[2, 3, END_ID], [END_ID], [END_ID], [4, END_ID]]
    assert {line.dtype for line in encoded} == {np.dtype(np.int32)}
    of_lines = coding("word", ["the", "cat", "sat"], lines=True)
    assert [line.tolist() for line in of_lines.encode_lines(["the", "", "sat"])] == [[2, END_ID], [4, END_ID]]
    prose = Coding("word", WORDS.vocabulary, Tokenizer("word", lowercase=False), lines=False)
    assert [line.tolist() for line in prose.encode_lines(["the", "", "..."])] == [[2, END_ID]]


def test_case() -> None:
    lower = coding("word", ["the"], lines=False, lowercase=True)
    assert lower.encode("The THE the") == [2, 2, 2]
    assert WORDS.encode("The THE the") == [UNKNOWN_ID, UNKNOWN_ID, 2]
    for lines in (False, True):
        characters = coding("character", "ab", lines=lines, lowercase=True)
        assert characters.encode("AaB") == [2, 2, 3]


def test_a_stream_of_characters_has_line_ends_and_no_eos() -> None:
    stream = coding("character", "ab\n ", lines=False)
    assert not stream.has_ends
    assert [ids.tolist() for ids in stream.encode_lines(["ab", "", "b a"])] == [
        [2, 3, 4],
        [4],
        [3, 5, 2, 4],
    ]
    assert stream.encode("a\nb") == [2, 4, 3]
    assert stream.decode([2, 4, 3, 5]) == "a\nb "


def test_lines_of_characters_end_in_eos() -> None:
    names = coding("character", "ab", lines=True)
    assert names.has_ends
    assert [ids.tolist() for ids in names.encode_lines(["ab", "ba", "ac"])] == [
        [2, 3, END_ID],
        [3, 2, END_ID],
        [2, UNKNOWN_ID, END_ID],
    ]
    assert names.decode([2, 3, END_ID, 3]) == "ab\nb"


def test_a_special_is_no_text_of_characters() -> None:
    """A text that holds "<eos>" has five characters there."""
    stream = coding("character", "<eos>", lines=False)
    assert stream.encode(END) == [stream.vocabulary[c] for c in END]
    assert END_ID not in stream.encode(END)


@pytest.mark.parametrize("text", ["the cat sat", "sat the"])
def test_what_is_known_comes_back(text: str) -> None:
    assert WORDS.decode(WORDS.encode(text)) == text


def test_texts_with_labels() -> None:
    """Texts in one line each, those without a token left out with their label; no token ends one."""
    words = Vocabulary.from_counts({"the": 2, "cat": 1}, specials=SPECIALS)
    labelled = Coding("word", words, Tokenizer("whitespace", False), True, labels=("no", "yes"))
    ids, labels = labelled.encode_texts(["the\ncat", " ", "the <eos> cat", "dog"], ["yes", "no", "no", "yes"])
    assert ids.tolist() == [2, 3, END_ID, 2, UNKNOWN_ID, 3, END_ID, UNKNOWN_ID, END_ID]
    assert labels.tolist() == [1, 0, 1]
    with pytest.raises(UsageError, match="the model knows no label 'maybe'; it knows no, yes"):
        labelled.encode_texts(["cat"], ["maybe"])
