"""Word sets: what a file may say, what comes with seqkit, what a vocabulary knows of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqkit.corpora import open_corpus
from seqkit.debias.word_sets import (
    WeatTest,
    WordSets,
    built_in_names,
    coverage,
    parse_word_sets,
    word_sets,
)
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import FormatError, MissingInputError, StorageError

GOOD = """
name = "size"
language = "en"
description = "big and small"
source = "this test"
pairs = [["big", "small"], ["giant", "dwarf"]]
equalize = [["big", "small"], ["one", "two", "three"]]
specific = ["inch"]
neutral = ["bread"]
professions = ["baker"]
[weat.bread]
targets_x = ["bread", "cake"]
targets_y = ["stone", "rock"]
attributes_a = ["big", "giant"]
attributes_b = ["small", "dwarf"]
"""


def test_every_key_is_read() -> None:
    assert parse_word_sets(GOOD) == WordSets(
        name="size",
        language="en",
        description="big and small",
        source="this test",
        pairs=(("big", "small"), ("giant", "dwarf")),
        equalize=(("big", "small"), ("one", "two", "three")),
        specific=("inch",),
        neutral=("bread",),
        professions=("baker",),
        weat={"bread": WeatTest(("bread", "cake"), ("stone", "rock"), ("big", "giant"), ("small", "dwarf"))},
    )


def test_little_is_required() -> None:
    sets = parse_word_sets('name = "x"\nlanguage = "en"\npairs = [["a", "b"]]')
    assert sets == WordSets(name="x", language="en", pairs=(("a", "b"),))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "size"', 'nmae = "size"', r"unknown key 'nmae'; did you mean 'name'\?"),
        ('name = "size"', "zzz = 1", "unknown key 'zzz'; known: name, language, "),
        ('name = "size"', "", "name: is missing"),
        ('language = "en"', "", "language: is missing"),
        ('name = "size"', "name = 7", "name: must be a text, not 7"),
        ('name = "size"', 'name = " "', "name: must be a text, not ' '"),
        ('specific = ["inch"]', 'specific = "inch"', "specific: must be a list of words, not 'inch'"),
        ('specific = ["inch"]', "specific = [1]", "specific: 1 is no word"),
        ('specific = ["inch"]', "specific = [true]", "specific: true is no word"),
        ('specific = ["inch"]', 'specific = [" inch"]', "specific: ' inch' is no word"),
        ('specific = ["inch"]', 'specific = [""]', "specific: '' is no word"),
        ('specific = ["inch"]', 'specific = ["a", "b", "a"]', "specific: 'a' stands twice"),
        ('specific = ["inch"]', 'specific = [["a"]]', "specific: a list is no word"),
        ('["giant", "dwarf"]]', '["giant"]]', r"pairs\[1\]: needs at least two words, has 1"),
        ('["giant", "dwarf"]]', '["giant", "giant"]]', r"pairs\[1\]: 'giant' stands twice"),
        ('["giant", "dwarf"]]', '["big", "small"]]', r"pairs: \['big', 'small'\] stands twice"),
        ('["giant", "dwarf"]]', '["a", "b", "c"]]', r"pairs\[1\]: has 3 words, pairs\[0\] has 2"),
        ('["giant", "dwarf"]]', '"giant"]', r"pairs\[1\]: must be a list of words, not 'giant'"),
        ('pairs = [["big", "small"], ["giant", "dwarf"]]', "pairs = {}", "pairs: must be a list of lists"),
        ('"three"]', '"big"]', r"equalize\[1\]: 'big' is in equalize\[0\] too"),
        (
            '["bread"]',
            '["bread"]\npositive = ["a"]\nnegative = ["b", "a"]',
            "negative: 'a' is in positive too",
        ),
        ('["bread"]', '["inch"]', "neutral: 'inch' is in pairs, equalize or specific too"),
        ('["bread"]', '["dwarf"]', "neutral: 'dwarf' is in pairs, equalize or specific too"),
        ("[weat.bread]", "[weat]", r"weat.targets_x: must be a table, not a list"),
        ("[weat.bread]", "[wheat.bread]", r"unknown key 'wheat'; did you mean 'weat'\?"),
        ("targets_y", "target_y", r"unknown key 'weat.bread.target_y'; did you mean 'targets_y'\?"),
        ('targets_y = ["stone", "rock"]', "", "weat.bread.targets_y: is missing or empty"),
        ('["stone", "rock"]', "[]", "weat.bread.targets_y: is missing or empty"),
        ('["stone", "rock"]', '["stone", "bread"]', "weat.bread.targets_y: 'bread' is in targets_x too"),
        ('["small", "dwarf"]\n', '["small", "big"]\n', "attributes_b: 'big' is in attributes_a too"),
        ('name = "size"', "name = ", r"not a TOML file: .* \(at line 2"),
        ('name = "size"', 'name = "size"\nname = "size"', "not a TOML file: Cannot overwrite a value"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert GOOD.count(old) >= 1
    file = tmp_path / "sets.toml"
    file.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(FormatError, match=rf"sets\.toml: .*{message}") as caught:
        word_sets(file)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 65


def test_nothing_to_measure_is_refused() -> None:
    with pytest.raises(FormatError, match="neither pairs nor a table"):
        parse_word_sets('name = "x"\nlanguage = "en"\nspecific = ["a"]')
    with pytest.raises(FormatError, match=r"weat: must hold tables \[weat.NAME\], not 3"):
        parse_word_sets('name = "x"\nlanguage = "en"\nweat = 3')


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b'name = "\xe4"')
    with pytest.raises(FormatError, match="byte 8 is not UTF-8"):
        word_sets(tmp_path / "latin.toml")
    (tmp_path / "folder.toml").mkdir()
    with pytest.raises(StorageError):
        word_sets(tmp_path / "folder.toml")


def test_names_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingInputError, match=r"gendr: no such file.*did you mean 'gender'\?"):
        word_sets("gendr")
    assert word_sets("gender").name == "gender"
    (tmp_path / "gender").mkdir()
    assert word_sets("gender").name == "gender"  # a folder is no file of that name
    (tmp_path / "gender").rmdir()
    (tmp_path / "gender").write_text(GOOD, encoding="utf-8")
    assert word_sets("gender").name == "size"  # a file wins


@pytest.mark.parametrize("name", built_in_names())
def test_what_comes_with_seqkit(name: str) -> None:
    sets = word_sets(name)
    assert sets.name == name
    assert sets.language in ("en", "de")
    assert sets.description
    assert sets.source
    assert len(sets.pairs) >= 5
    assert sets.equalize
    assert len(sets.specific) >= 4
    assert len(sets.professions) >= 20
    assert sets.weat
    for test in sets.weat.values():
        assert len(test.targets_x) == len(test.targets_y) >= 8
        assert len(test.attributes_a) == len(test.attributes_b) >= 8
    # What is looked at must not be what is kept, and every word of a lower-cased vocabulary is lower case.
    assert not set(sets.professions) & sets.protected
    assert len(sets.positive) == len(sets.negative) == (25 if name in ("gender", "race", "religion") else 0)
    assert not {*sets.positive, *sets.negative} & sets.protected
    assert all(word == word.lower() for word in sets.protected | set(sets.professions))


def test_which_come_with_seqkit() -> None:
    assert built_in_names() == ["gender", "gender-de", "kingdom", "race", "religion"]
    assert {len(word_sets(name).pairs[0]) for name in ("race", "religion")} == {3}
    assert word_sets("gender-de").language == "de"
    assert {"career-family", "math-arts", "science-arts"} <= set(word_sets("gender").weat)


@pytest.mark.parametrize("name", ["gender", "kingdom"])
def test_pairs_that_define_a_bias_are_equalized(name: str) -> None:
    """A pair that is not keeps all differences but the one that is removed, and neutral words see them."""
    sets = word_sets(name)
    assert set(sets.pairs) <= set(sets.equalize)


def test_the_sides_of_kingdoms_tests_are_pairs() -> None:
    sets = word_sets("kingdom")
    for test in sets.weat.values():
        sides = set(test.attributes_a), set(test.attributes_b)
        hers = {she for she, he in sets.pairs if he in sides[0]}
        assert hers == sides[1]
        assert len(sides[0]) == len(hers) == 8


def test_kingdom_knows_every_word_of_its_set() -> None:
    words = {word for line in open_corpus("kingdom", size=20_000) for word in line.split()}
    assert all(not part.missing for part in coverage(word_sets("kingdom"), words).values())


def vectors(*words: str) -> Vectors:
    return Vectors(words, np.eye(len(words), dtype=np.float32))


def test_coverage_counts_words_and_tuples() -> None:
    report = coverage(parse_word_sets(GOOD), vectors("big", "small", "giant", "one", "three", "Bread"))
    pairs, equalize = report["pairs"], report["equalize"]
    assert (pairs.words, pairs.found, pairs.missing) == (4, 3, ("dwarf",))
    assert (pairs.tuples, pairs.complete) == (2, 1)
    assert (equalize.words, equalize.found, equalize.missing) == (5, 4, ("two",))
    assert (equalize.tuples, equalize.complete) == (2, 1)
    assert (report["specific"].found, report["specific"].tuples) == (0, None)
    assert report["neutral"].found == 1  # as Bread
    assert report["weat.bread"].words == 8
    assert report["weat.bread"].missing == ("cake", "stone", "rock", "dwarf")
    assert "professions" in report
    assert "professions" not in coverage(parse_word_sets(GOOD.replace('["baker"]', "[]")), vectors("big"))


def test_what_a_vocabulary_lacks_is_left_out() -> None:
    known = parse_word_sets(GOOD).known_to(vectors("big", "small", "giant", "one", "three", "cake"))
    assert known.pairs == (("big", "small"),)
    assert known.equalize == (("big", "small"), ("one", "three"))  # two of three can still be made alike
    assert known.specific == known.neutral == known.professions == ()
    assert known.weat["bread"] == WeatTest(("cake",), (), ("big", "giant"), ("small",))
    assert known.name == "size"
    assert known.language == "en"


def test_spellings_of_a_vocabulary_with_capitals() -> None:
    known = parse_word_sets(GOOD).known_to(
        vectors(
            "big", "small", "Big", "Small", "BIG", "Inch", "INCH", "Giant", "dwarf", "Bread", "Rock", "rock"
        )
    )
    assert known.pairs == (("big", "small"), ("Giant", "dwarf"))  # the first known spelling
    assert known.equalize == (("big", "small"), ("Big", "Small"))  # all that are whole; BIG has no SMALL
    assert known.specific == ("Inch", "INCH")
    assert known.neutral == ("Bread",)
    assert known.weat["bread"].targets_y == ("rock",)


def test_protected_words_are_all_that_define_the_bias() -> None:
    sets = parse_word_sets(GOOD)
    assert sets.protected == {"big", "small", "giant", "dwarf", "one", "two", "three", "inch"}


def test_the_stereotype_of_kingdom_is_that_of_its_set() -> None:
    """Of the callings of `trades`, nine sentences in ten have the pronoun of their side."""
    test = word_sets("kingdom").weat["trades"]
    lines = [line.split() for line in open_corpus("kingdom", size=40_000, seed=1)]
    for callings, usual in ((test.targets_x, "his"), (test.targets_y, "her")):
        seen = {"his": 0, "her": 0}
        for words in lines:
            for place, word in enumerate(words):
                # "the baker took her ..." to "the baker says she misses her ..."
                if word in callings and words[place - 1] == "the":
                    for pronoun in {"his", "her"}.intersection(words[place + 1 : place + 5]):
                        seen[pronoun] += 1
        total = sum(seen.values())
        assert total > 500
        # Five standard deviations about .9, and room for a neighbouring clause with a pronoun of its own.
        assert abs(seen[usual] / total - 0.9) < 5 * (0.09 / total) ** 0.5 + 0.02
