"""The lists that others publish."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqkit.debias.published import read_debiaswe, read_wefe
from seqkit.debias.word_sets import WeatTest
from seqkit.errors import FormatError, MissingInputError

FILES = {
    "definitional_pairs": [["she", "he"], ["woman", "man"]],
    "equalize_pairs": [["she", "he"]],
    "gender_specific_full": ["she", "he", "beard"],
    "professions": [["nurse", -0.1, -0.9], ["pilot", 0.0, 0.5]],
}


def write(folder: Path, **changed: object) -> None:
    for name, content in {**FILES, **changed}.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def test_the_sets_of_bolukbasi(tmp_path: Path) -> None:
    write(tmp_path)
    sets = read_debiaswe(tmp_path)
    assert sets.pairs == (("she", "he"), ("woman", "man"))
    assert sets.equalize == (("she", "he"),)
    assert sets.specific == ("she", "he", "beard")
    assert sets.professions == ("nurse", "pilot")


def test_a_test_of_wefe(tmp_path: Path) -> None:
    file = tmp_path / "weat.json"
    file.write_text('{"6": {"targ1": ["a"], "targ2": ["b"], "attr1": ["c"], "attr2": ["d"]}}')
    assert read_wefe(file) == {"6": WeatTest(("a",), ("b",), ("c",), ("d",))}


def test_files_of_another_form(tmp_path: Path) -> None:
    write(tmp_path, professions=["nurse"])
    with pytest.raises(FormatError, match=r"professions\.json: must be a list of \[word, score, score\]"):
        read_debiaswe(tmp_path)
    write(tmp_path, equalize_pairs=[["she", "he"], ["he", "it"]])
    with pytest.raises(FormatError, match="'he' is in"):
        read_debiaswe(tmp_path)
    (tmp_path / "equalize_pairs.json").write_text("[")
    with pytest.raises(FormatError, match=r"equalize_pairs\.json: not JSON"):
        read_debiaswe(tmp_path)
    (tmp_path / "equalize_pairs.json").unlink()
    with pytest.raises(MissingInputError, match=r"equalize_pairs\.json"):
        read_debiaswe(tmp_path)
    (tmp_path / "weat.json").write_text('{"6": {"targ1": ["a"]}}')
    with pytest.raises(FormatError, match=r"weat\.6\.targets_y: is missing"):
        read_wefe(tmp_path / "weat.json")


@pytest.mark.data
def test_the_files_themselves(data_dir: Path) -> None:
    # The numbers that the paper gives: 10 pairs, 1,441 specific words; WEFE has ten tests.
    sets, tests = read_debiaswe(data_dir / "bias"), read_wefe(data_dir / "bias" / "weat_wefe.json")
    assert (len(sets.pairs), len(sets.specific), len(sets.professions)) == (10, 1441, 320)
    assert list(tests) == [str(number) for number in range(1, 11)]
