"""Fetching, without a network: NLTK's downloader is given a server that is not there, or stands in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from seqkit.corpora import fetch_nltk, open_corpus
from seqkit.errors import CorpusError, MissingInputError, UnavailableError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that NLTK_DATA names and NLTK trusts."""
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [])
    place = tmp_path / "data"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("NLTK_DATA", str(place))
    return place


def test_without_a_network_it_is_unavailable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nltk.downloader import Downloader

    monkeypatch.setattr(Downloader, "DEFAULT_URL", "http://nowhere.invalid/index.xml")
    with pytest.raises(UnavailableError, match="nltk:names could not be downloaded") as raised:
        fetch_nltk("names")
    assert raised.value.exit_code == 69
    assert "\n" not in str(raised.value)


def test_only_known_corpora_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from nltk.downloader import Downloader

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(Downloader, "incr_download", never)
    with pytest.raises(MissingInputError, match="did you mean 'names'"):
        fetch_nltk("nmes")
    with pytest.raises(MissingInputError):
        fetch_nltk("all")


def pretend(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """A downloader that writes `names` where it was told to."""
    from nltk.downloader import Downloader, ProgressMessage

    def incr_download(self: Downloader, name: str) -> Iterator[object]:
        place = Path(self.download_dir) / "corpora" / name
        place.mkdir(parents=True, mode=0o700)
        place.parent.chmod(0o700)
        for file in ("male.txt", "female.txt"):
            (place / file).write_bytes(content)
            (place / file).chmod(0o600)
        yield ProgressMessage(100)

    monkeypatch.setattr(Downloader, "incr_download", incr_download)


def test_what_was_fetched_can_be_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, b"Kim\n")
    assert fetch_nltk("names") == folder
    assert list(open_corpus("nltk:names")) == ["Kim", "Kim"]


def test_an_empty_download_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, b"\n")
    with pytest.raises(CorpusError, match="holds no text"):
        fetch_nltk("names")
