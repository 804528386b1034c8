"""NLTK's corpora: small ones laid by hand in NLTK's formats, and the real ones where they are."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from seqkit.corpora import corpus_names, describe, open_corpus, open_labelled
from seqkit.errors import CorpusError, MissingInputError

Lay = Callable[..., Path]


@pytest.fixture
def nltk_path(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """NLTK's search path, emptied for the test."""
    import nltk.data

    path: list[str] = []
    monkeypatch.setattr(nltk.data, "path", path)
    monkeypatch.delenv("NLTK_DATA", raising=False)
    return path


@pytest.fixture
def lay(nltk_path: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lay:
    """Lays a corpus into a folder that NLTK_DATA names, unpacked or zipped."""

    def lay_corpus(name: str, files: dict[str, bytes], *, zipped: bool = False) -> Path:
        folder = tmp_path / "data" / "corpora"
        folder.mkdir(parents=True)
        if zipped:
            place = folder / f"{name}.zip"
            with zipfile.ZipFile(place, "w") as archive:
                archive.writestr(zipfile.ZipInfo(f"{name}/"), b"")
                for file, content in files.items():
                    archive.writestr(f"{name}/{file}", content)
        else:
            place = folder / name
            for file, content in files.items():
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                (place / file).write_bytes(content)
        # NLTK refuses what others may write to, which a umask of 002 would allow.
        for path in [tmp_path / "data", *(tmp_path / "data").rglob("*")]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        monkeypatch.setenv("NLTK_DATA", str(tmp_path / "data"))
        return place

    return lay_corpus


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("brown", {"ca01": b"The/at jury/nn said/vbd ./.\n\nYes/rb ./.\n"}, ["The jury said .", "Yes ."]),
        (
            "treebank",
            {"combined/wsj_0001.mrg": b"( (S (NP (-NONE- *)) (VP (VB Go) (-LRB- -LRB-) (`` ``)) (. .)) )\n"},
            ['Go ( " .'],
        ),
        (
            "product_reviews_1",
            {"a.txt": b"*****\n[t]a title\nsize[+2]##it fits .\n##no note \n"},
            ["it fits .", "no note"],
        ),
        (
            "inaugural",
            {"1789-W.txt": b"Fellow\r\n\r\n  citizens \n", "2017-T.txt": "it\u2019s".encode()},
            ["Fellow", "citizens", "it\u2019s"],
        ),
        ("webtext", {"README": b"not text", "wine.txt": b"\xa320 \x93fine\x94\n"}, ["£20 “fine”"]),
        ("gutenberg", {"a.txt": b"caf\xe9\n", "b.txt": b"two\n"}, ["café", "two"]),
    ],
)
def test_lines_of_each_format(
    lay: Lay, name: str, files: dict[str, bytes], expected: list[str], zipped: bool
) -> None:
    lay(name, files, zipped=zipped)
    assert list(open_corpus(f"nltk:{name}")) == expected
    assert list(open_corpus(f"nltk:{name}:1")) == expected[:1]


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        (
            "movie_reviews",
            {"neg/cv0.txt": b"dull .\nvery dull .\n", "neg/cv1.txt": b"bad\n", "pos/cv0.txt": b"good !\n"},
            [("negative", "dull . very dull ."), ("negative", "bad"), ("positive", "good !")],
        ),
        (
            "subjectivity",
            {"plot.tok.gt9.5000": b"he walks .\n", "quote.tok.gt9.5000": "très fine .\n".encode()},
            [("objective", "he walks ."), ("subjective", "très fine .")],
        ),
        (
            "names",
            {"male.txt": b"Abe \nBo\n", "female.txt": b"Ada\n"},
            [("female", "Ada"), ("male", "Abe"), ("male", "Bo")],
        ),
    ],
)
def test_labels(lay: Lay, name: str, files: dict[str, bytes], expected: list[tuple[str, str]]) -> None:
    lay(name, files)
    assert list(open_labelled(f"nltk:{name}")) == expected
    assert list(open_corpus(f"nltk:{name}", seed=3)) == [text for _, text in expected]


def test_a_missing_corpus_says_how_to_get_it(nltk_path: list[str]) -> None:
    with pytest.raises(MissingInputError, match=r"seqkit corpus fetch nltk:brown.*NLTK_DATA") as raised:
        open_corpus("nltk:brown")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("zipped", [False, True])
def test_what_others_may_write_to_is_refused(lay: Lay, zipped: bool) -> None:
    place = lay("names", {"male.txt": b"Abe\n", "female.txt": b"Ada\n"}, zipped=zipped)
    place.chmod(0o666 if zipped else 0o777)
    with pytest.raises(MissingInputError, match="chmod go-w"):
        open_corpus("nltk:names")


def test_a_damaged_archive_is_a_corpus_error(lay: Lay) -> None:
    place = lay("names", {"male.txt": b"Abe\n" * 500, "female.txt": b"Ada\n"}, zipped=True)
    damaged = bytearray(place.read_bytes())
    damaged[damaged.find(b"Abe") + 1] ^= 1
    place.write_bytes(bytes(damaged))
    with pytest.raises(CorpusError, match="nltk:names cannot be read"):
        list(open_corpus("nltk:names"))


def test_half_an_archive_is_a_corpus_error(lay: Lay) -> None:
    place = lay("names", {"male.txt": b"Abe\n" * 500, "female.txt": b"Ada\n"}, zipped=True)
    place.write_bytes(place.read_bytes()[:700])
    with pytest.raises(CorpusError, match="nltk:names cannot be read"):
        list(open_corpus("nltk:names"))


def test_bytes_of_another_encoding_are_a_corpus_error(lay: Lay) -> None:
    lay("names", {"male.txt": b"Ren\xe9\n", "female.txt": b"Ada\n"})
    with pytest.raises(CorpusError, match="nltk:names cannot be read"):
        list(open_corpus("nltk:names"))


STATED_LABELS = {
    "nltk:movie_reviews": {"positive": 1000, "negative": 1000},
    "nltk:subjectivity": {"subjective": 5000, "objective": 5000},
}
STATED_TOKENS = {"nltk:brown": 1_161_192}
"""What the corpora say of themselves; of Brown, Francis and Kučera's manual, as NLTK counts it."""

LARGE = ("nltk:brown", "nltk:movie_reviews")
NLTK_CORPORA = [
    pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE))
    for name in corpus_names()
    if name.startswith("nltk:")
]


@pytest.mark.data
@pytest.mark.parametrize("name", NLTK_CORPORA)
def test_the_real_corpora(
    data_dir: Path, nltk_path: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    short = name.removeprefix("nltk:")
    if not (data_dir / "nltk_data" / "corpora" / f"{short}.zip").exists():
        pytest.skip(f"no {short}.zip in {data_dir / 'nltk_data'}")
    monkeypatch.setenv("NLTK_DATA", str(data_dir / "nltk_data"))
    info = describe(name)
    lines = list(open_corpus(name))
    assert len(lines) == info.lines
    assert all(line.strip() == line != "" and "\n" not in line for line in lines)
    if name in STATED_TOKENS:
        assert sum(len(line.split()) for line in lines) == STATED_TOKENS[name]
    if info.labels:
        labels = Counter(label for label, _ in open_labelled(name))
        assert len(labels) == 2
        assert labels.total() == len(lines)
        assert name not in STATED_LABELS or labels == STATED_LABELS[name]


@pytest.mark.data
def test_corpora_that_state_their_size_are_there(data_dir: Path) -> None:
    for name in [*STATED_LABELS, *STATED_TOKENS]:
        assert name in corpus_names()
        assert (data_dir / "nltk_data" / "corpora" / f"{name.removeprefix('nltk:')}.zip").exists()
