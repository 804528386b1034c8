"""`seqkit debias` from end to end on the corpus `kingdom`, which holds a planted stereotype."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.cli import debias_apply
from seqkit.cli.main import main
from seqkit.debias.measures import weat
from seqkit.debias.removal import METHODS
from seqkit.debias.word_sets import word_sets
from seqkit.embeddings.vectors import Vectors
from seqkit.storage import Bundle

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def kingdom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Vectors of 20,000 lines, trained by the command; few numbers and epochs, which find it already."""
    bundle = tmp_path_factory.mktemp("kingdom") / "kingdom"
    quick = ["--epochs", "3", "--vector-size", "50", "--quiet"]
    assert main(["embed", "train", "kingdom:20000", "-o", str(bundle), *quick]) == 0
    return bundle


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def figures(answer: Any) -> list[dict[str, float]]:
    """Every figure of an answer, wherever it stands."""
    if isinstance(answer, dict) and {"value", "low", "high"} <= set(answer):
        return [answer]
    parts = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else []
    return [figure for part in parts for figure in figures(part)]


def contains(figure: dict[str, float], value: float) -> bool:
    return figure["low"] <= value <= figure["high"]


def run(arguments: list[str], capsys: Capture) -> Any:
    """The JSON answer of a command."""
    capsys.readouterr()
    assert main([*arguments, "--json", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return json.loads(captured.out)


def self_contained(page: Path) -> str:
    """A report, checked to ask for nothing and to run nothing."""
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert '<meta charset="utf-8">' in text
    assert "default-src 'none'" in text
    assert not re.search(r"<(script|link|img|iframe|object|embed)\b|@import|url\((?!#)|\bon\w+=", text)
    assert not re.search(r'(?:src|href)="(?!#)', text)
    names = re.findall(r'\bid="([^"]+)"', text)
    assert len(names) == len(set(names))
    return text


@pytest.mark.slow
def test_the_planted_stereotype_is_found_and_removed(kingdom: Path, here: Path, capsys: Capture) -> None:
    words = ["--words", "kingdom"]
    audit = run(["debias", "audit", str(kingdom), *words, "-o", "audit.html"], capsys)
    assert {"direct_bias", "weat", "recovery", "coverage"} <= set(audit)
    assert {"cluster_accuracy", "classifier_accuracy"} <= set(audit["recovery"])
    assert {"value", "low", "high"} == set(audit["direct_bias"])
    assert all(part["low"] <= part["value"] <= part["high"] for part in figures(audit))
    assert audit["coverage"]["pairs"]["found"] == audit["coverage"]["pairs"]["words"] == 20
    trades, courts = audit["weat"]["trades"], audit["weat"]["courts-trades"]
    assert trades["effect_size"]["low"] > 1  # of 2 at most
    assert trades["p_corrected"]["value"] < 0.01
    assert contains(courts["effect_size"], 0)  # nothing was planted there

    applied = run(["debias", "apply", str(kingdom), "-o", "clean", "--method", "hard", *words], capsys)
    assert (applied["method"], applied["vocabulary"]) == ("hard", audit["vocabulary"])
    assert len(applied["equalized"]) == 24
    assert Bundle.open("clean").manifest.config["debias"]["word_sets"]["name"] == "kingdom"

    answer = run(["debias", "compare", str(kingdom), "clean", *words, "-o", "compare.html"], capsys)
    assert answer["measures"]["direct_bias"]["after"]["high"] < 1e-6
    effect = answer["measures"]["weat.trades"]
    assert effect["before"] == trades["effect_size"]
    assert contains(effect["after"], 0)
    assert effect["change"]["high"] < 0
    assert {"direct_bias", "weat.trades"} <= set(answer["verdict"]["improved"])
    assert "weat.trades" not in answer["verdict"]["associated"]
    assert answer["utility"]["analogies.questions-words"]["change"]["low"] > -0.05
    assert answer["verdict"]["text"][0].startswith("Improved, nearer to neutral: direct_bias")

    for name, parts in (
        ("audit.html", ["Bias in kingdom", "carpenter", "What strength λ trades", "Coverage"]),
        ("compare.html", ["Still recoverable", "What was done", "from the manifest", "she–he", "carpenter"]),
    ):
        text = self_contained(Path(name))
        assert all(part in text for part in parts), name
        assert text.count("<svg") == 4  # axis, tests, recovery, trade-off


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("lines", [20_000, 100_000])
def test_removal_holds_for_every_size_and_seed(lines: int, seed: int, here: Path, capsys: Capture) -> None:
    """The sides of `trades` are pairs, all of them equalized: neutral words are equally near to both."""
    words = ["--words", "kingdom"]
    run(["embed", "train", f"kingdom:{lines}", "-o", "plain", "--seed", str(seed)], capsys)
    run(["debias", "apply", "plain", "-o", "fair", *words], capsys)
    before, after = (
        run(["debias", "audit", name, *words], capsys)["weat"]["trades"] for name in ("plain", "fair")
    )
    assert before["p_corrected"]["value"] < 0.001
    assert before["effect_size"]["low"] > 1
    assert after["p_corrected"]["value"] > 0.5
    assert abs(after["effect_size"]["value"]) < 0.1
    assert abs(after["difference"]["value"]) < 1e-6

    # The partner of "him" is "her", which is that of "his": it is not equalized and keeps what it knows.
    test = word_sets("kingdom").weat["trades"]
    sides = [(*test.attributes_a, "him"), test.attributes_b]
    plain, fair = (
        weat(Vectors.load(name), test.targets_x, test.targets_y, *sides).difference.value
        for name in ("plain", "fair")
    )
    assert abs(fair) < 0.15 * plain


def test_the_tables_and_the_verdict_for_people(kingdom: Path, here: Path, capsys: Capture) -> None:
    words = ["--words", "kingdom"]
    assert main(["debias", "audit", str(kingdom), *words]) == 0
    captured = capsys.readouterr()
    assert "measuring: 13 measures" in captured.err  # 7 figures, 2 tests, 4 of recovery
    measures, tests, known = captured.out.split("\n\n")
    rows = {line.split("\t")[0]: line.split("\t") for line in measures.splitlines()}
    assert rows["cluster_accuracy"][4] == "0.5000"
    assert rows["direct_bias"][4:] == ["0.0000", "share along the bias axis"]
    assert tests.startswith("trades\t")
    assert known.startswith("pairs\t20\t20\t")
    assert (
        main(["debias", "apply", str(kingdom), "-o", "soft", "--method", "soft", "--strength", "9", *words])
        == 0
    )
    assert "strength\t9\n" in capsys.readouterr().out
    assert main(["debias", "compare", str(kingdom), "soft", *words, "-q"]) == 0
    table, known, verdict = capsys.readouterr().out.split("\n\n")
    assert table.splitlines()[0].startswith("direct_bias\t")
    assert table.splitlines()[-1].startswith("analogies.questions-words\t")
    assert verdict.startswith("Improved, nearer to neutral: direct_bias")


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_and_its_record(method: str, kingdom: Path, here: Path, capsys: Capture) -> None:
    command = ["debias", "apply", str(kingdom), "-o", "clean", "--method", method, "--words", "kingdom"]
    answer = run(command, capsys)
    assert answer["method"] == method
    assert Vectors.load("clean").words == Vectors.load(kingdom).words
    assert main(command) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert f"method\t{method}\n" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["bin", "txt", "vec", "glove", "txt.gz"])
def test_vectors_of_every_format(ending: str, kingdom: Path, here: Path, capsys: Capture) -> None:
    vectors = Vectors.load(kingdom)
    vectors.export("v." + ending.removesuffix(".gz"))
    if ending.endswith(".gz"):
        Path("v.txt.gz").write_bytes(gzip.compress(Path("v.txt").read_bytes()))
    answer = run(["debias", "apply", f"v.{ending}", "-o", "clean", "--words", "kingdom"], capsys)
    assert answer["vocabulary"] == len(vectors)
    run(["debias", "apply", str(kingdom), "-o", "same", "--words", "kingdom"], capsys)
    np.testing.assert_allclose(Vectors.load("clean").matrix, Vectors.load("same").matrix, atol=1e-6)
    assert main(["embed", "export", "clean", "out.vec"]) == 0


def test_specific_words_are_learned(kingdom: Path, here: Path, capsys: Capture) -> None:
    command = ["debias", "apply", str(kingdom), "-o", "clean", "--words", "kingdom", "--learn-specific"]
    assert main(command) == 0
    captured = capsys.readouterr()
    found = re.search(r"seqkit: (\d+) more words are protected \(F1 0\.\d\d\): ", captured.err)
    assert found
    neutralized = re.search(r"^neutralized\t(\d+)$", captured.out, re.MULTILINE)
    assert neutralized
    # of 911 words the set itself protects 48 to equalize, her and his among them, and 4 specific ones
    assert int(neutralized[1]) == 911 - 48 - 4 - int(found[1])


def test_what_is_learned_is_protected_and_recorded(here: Path, capsys: Capture) -> None:
    """Of words that are listed as neutral, too; and in a vocabulary of capitals."""
    specific = [f"SPEC{letter}" for letter in "ABCDEFGHIJKLMNOP"]
    words = ["SHE", "HE", "WOMAN", "MAN", "GIRL", "BOY", *specific, *(f"OTHER{n}" for n in range(60))]
    matrix = np.random.default_rng(0).normal(size=(len(words), 8))
    matrix[:22, 0] += 6  # pairs and specific words lie apart
    vectors = Vectors(words, matrix.astype(np.float32))
    vectors.save("in")
    listed = ", ".join(f'"{word.lower()}"' for word in specific[:8])
    Path("sets.toml").write_text(
        'name = "t"\nlanguage = "en"\npairs = [["she", "he"], ["woman", "man"], ["girl", "boy"]]\n'
        f'specific = [{listed}]\nneutral = ["specp", "speci", "other1"]\n'
    )
    done = run(["debias", "apply", "in", "-o", "out", "--words", "sets.toml", "--learn-specific"], capsys)
    assert {"SPECI", "SPECP"} <= set(done["learned_specific"])
    assert "OTHER1" not in done["learned_specific"]
    assert done["neutralized"] == 1
    changed = (Vectors.load("out").matrix != vectors.matrix).any(axis=1)
    assert not changed[[vectors.vocabulary[word] for word in done["learned_specific"]]].any()
    assert changed[vectors.vocabulary["OTHER1"]]
    record = Bundle.open("out").manifest.config["debias"]
    assert record["learned_specific"] == done["learned_specific"]
    assert 0 < record["learned_f1"] <= 1
    Path("sets.toml").write_text(Path("sets.toml").read_text().replace(', "other1"', ""))
    assert main(["debias", "apply", "in", "-o", "no", "--words", "sets.toml", "--learn-specific"]) == 65
    assert "all neutral words are like the specific ones" in capsys.readouterr().err


def test_few_known_words_are_told_and_other_sets_named(kingdom: Path, here: Path, capsys: Capture) -> None:
    assert main(["debias", "apply", str(kingdom), "-o", "clean"]) == 0
    told = capsys.readouterr().err
    assert told.startswith("seqkit: few words of 'gender' are in the vocabulary (")
    assert "--words names others: gender, gender-de, kingdom, race, religion, or a TOML file" in told


PAIRS = 'name = "few"\nlanguage = "en"\npairs = [["she", "he"], ["xa", "xb"]]\n'


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["audit", "absent"], 66, "absent"),
        (["apply", "absent", "-o", "new"], 66, "absent"),
        (["compare", "toy", "absent"], 66, "absent"),
        (["audit", "toy", "--words", "absent.toml"], 66, "absent.toml: no such file"),
        (["audit", "toy", "--words", "gendre"], 66, "did you mean 'gender'?"),
        (["audit", "toy", "--words", "bad.toml"], 65, "bad.toml: not a TOML file"),
        (["audit", "toy", "--words", "key.toml"], 65, "key.toml: unknown key 'pair'; did you mean 'pairs'?"),
        (["apply", "toy", "-o", "new", "--method", "firm"], 2, "'firm' is not one of"),
        (["apply", "toy", "-o", "new", "--strength", "2"], 2, "hard has no strength"),
        (["apply", "toy", "-o", "new", "--method", "soft", "--strength", "-1"], 2, "from 0 up, not -1.0"),
        (["apply", "toy"], 2, "--output"),
        (["apply", "toy", "-o", "toy"], 2, "--overwrite"),
        (["audit", "toy", "--words", "gender-de"], 65, "no word of 'gender-de' is in the vocabulary"),
        (["apply", "toy", "-o", "new", "--words", "gender-de"], 65, "--words names others"),
        (["audit", "toy", "--words", "few.toml"], 65, "1 of 2 definitional tuples of 'few'"),
        (["apply", "toy", "-o", "new", "--words", "few.toml"], 65, "a direction needs 2 at least"),
        (["apply", "same", "-o", "new", "--words", "two.toml"], 65, "the same vector"),
        (["audit", "toy", "-o", "r.pdf"], 2, "a report ends in .html, not in '.pdf'"),
        (["audit", "absent", "-o", "there.html"], 2, "--overwrite"),
        (["audit", "absent", "-o", "no/r.html"], 74, "no/r.html: could not write: No such file or directory"),
        (["words", "gendre"], 66, "did you mean 'gender'?"),
    ],
)
def test_exit_codes(arguments: list[str], code: int, message: str, here: Path, capsys: Capture) -> None:
    Vectors(["she", "he", "pilot"], np.eye(3, dtype=np.float32)).save("toy")
    Vectors(["she", "he", "woman", "man", "pilot"], np.ones((5, 3), np.float32)).save("same")
    Path("bad.toml").write_text("pairs = [")
    Path("key.toml").write_text('name = "k"\nlanguage = "en"\npair = []\n')
    Path("few.toml").write_text(PAIRS)
    Path("two.toml").write_text(PAIRS.replace('"xa", "xb"', '"woman", "man"'))
    Path("there.html").write_text("mine")
    assert main(["debias", *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.splitlines()[-1].startswith("seqkit: error: ")
    assert not Path("new").exists()
    assert not list(here.glob("*.partial"))


def test_words(capsys: Capture) -> None:
    assert main(["debias", "words"]) == 0
    names = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["gender", "gender-de", "kingdom", "race", "religion"]
    assert main(["debias", "words", "kingdom"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["pairs"][0] == ["she", "he"]


def test_a_missing_extra(here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    Vectors(["she", "he", "pilot"], np.eye(3, dtype=np.float32)).save("toy")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["debias", "audit", "toy", "-o", "r.html"]) == 69
    assert "pip install 'seqkit[plot]'" in capsys.readouterr().err


def test_the_methods_are_those_of_the_library() -> None:
    assert list(METHODS) == debias_apply.METHODS


@pytest.mark.slow
def test_nothing_of_it_imports_tensorflow(kingdom: Path, here: Path) -> None:
    code = f"""
import sys
from seqkit.cli.main import main
loaded = lambda: {{"tensorflow", "keras", "sklearn"}} & set(sys.modules)
assert main(["debias", "--help"]) == 0 and not loaded()
words = ["--words", "kingdom", "-q"]
for method in ("soft", "hard", "leace"):
    command = ["debias", "apply", {str(kingdom)!r}, "-o", "clean", "--overwrite", *words, "--method", method]
    assert main(command) == 0 and not loaded()
for method in ("double-hard", "inlp"):
    assert main(["debias", "apply", {str(kingdom)!r}, "-o", method, *words, "--method", method]) == 0
assert main(["debias", "apply", {str(kingdom)!r}, "-o", "learned", *words, "--learn-specific"]) == 0
assert main(["debias", "audit", "clean", *words]) == 0
assert main(["debias", "compare", {str(kingdom)!r}, "clean", *words, "-o", "r.html"]) == 0
assert loaded() == {{"sklearn"}}, loaded()
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=here, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
