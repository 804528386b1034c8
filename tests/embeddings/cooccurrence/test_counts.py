"""Counts in a bundle: they come back, and every kind of damage is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from seqkit._manifest import TENSORS
from seqkit.embeddings.cooccurrence import counts as module
from seqkit.embeddings.cooccurrence.counts import KIND, Cooccurrences, is_counts
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, MissingInputError, UnknownWordError
from seqkit.storage import BundleWriter, Tensors
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

WORDS = Vocabulary(("a", "b", "c", "d"), np.array([9, 5, 3, 2]))


def tensors() -> Tensors:
    """Rows: a to b, c, d; b to a; c to none; d to a."""
    return {
        "offsets": np.array([0, 3, 4, 4, 5]),
        "columns": np.array([1, 2, 3, 0, 0], np.int32),
        "values": np.array([2.5, 0.5, 1, 2.5, 1], np.float32),
    }


def save(path: Path, members: Tensors, *, total: object = 7.5, words: Vocabulary = WORDS) -> Path:
    with BundleWriter(path, kind=KIND, overwrite=True) as writer:
        writer.write_text(VOCABULARY, words.to_tsv())
        writer.write_tensors(TENSORS, members)
        writer.commit(config={"window": 3}, metrics={"total": total}, fingerprint="0" * 64)
    return path


def test_they_come_back(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "b", kind=KIND) as writer:
        Cooccurrences(WORDS, **tensors(), total=7.5).write_members(writer)
        writer.commit(config={"window": 3}, metrics={"total": 7.5}, fingerprint="0" * 64)
    counts = Cooccurrences.load(tmp_path / "b")
    assert counts.vocabulary == WORDS
    assert counts.row("a") == {"b": 2.5, "c": 0.5, "d": 1.0}
    assert counts.row("c") == {}
    assert (len(counts), counts.pairs, counts.total) == (4, 5, 7.5)
    assert (counts.settings, counts.fingerprint) == ({"window": 3}, "0" * 64)
    assert repr(counts) == "<Cooccurrences: 4 words, 5 pairs>"
    assert not counts.values.flags.writeable
    base = counts.values
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)
    counts.check(tmp_path / "b")
    with pytest.raises(UnknownWordError):
        counts.row("e")


def test_which_paths_are_counts(tmp_path: Path) -> None:
    assert is_counts(save(tmp_path / "counts", tensors()))
    Vectors(["a"], np.ones((1, 2), np.float32)).save(tmp_path / "vectors")
    (tmp_path / "text").write_text("a b")
    for name in ("vectors", "text", "absent", "."):
        assert not is_counts(tmp_path / name)
    with pytest.raises(BundleError, match="is a vectors bundle; a cooccurrence bundle is needed here"):
        Cooccurrences.load(tmp_path / "vectors")
    with pytest.raises(MissingInputError):
        Cooccurrences.load(tmp_path / "absent")
    (tmp_path / "counts" / "manifest.json").write_text("{}")
    with pytest.raises(BundleError):
        is_counts(tmp_path / "counts")


def changed(**arrays: np.ndarray) -> Tensors:
    return tensors() | arrays


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"offsets": np.zeros(5, np.int64)}, "holds .'offsets'.; it must hold"),
        (changed(more=np.zeros(1)), "it must hold"),
        (changed(offsets=np.array([0, 3, 4, 4, 5], np.int32)), "offsets is int32 .5,.; it must be int64"),
        (changed(values=np.ones(5)), "values is float64"),
        (changed(columns=np.ones((5, 1), np.int32)), r"columns is int32 \(5, 1\)"),
        (changed(offsets=np.array([0, 3, 4, 5])), "4 offsets, 5 columns and 5 values for 4 words"),
        (changed(values=np.ones(4, np.float32)), "5 offsets, 5 columns and 4 values"),
        (changed(offsets=np.array([0, 4, 3, 4, 5])), "offsets must rise from 0 to 5"),
        (changed(offsets=np.array([1, 3, 4, 4, 5])), "offsets must rise from 0 to 5"),
        (changed(offsets=np.array([0, 3, 4, 4, 6])), "offsets must rise from 0 to 5"),
        (
            {
                "offsets": np.zeros(5, np.int64),
                "columns": np.empty(0, np.int32),
                "values": np.empty(0, np.float32),
            },
            "0 columns",
        ),
    ],
)
def test_members_that_do_not_fit(tmp_path: Path, members: Tensors, message: str) -> None:
    save(tmp_path / "b", members)
    with pytest.raises(BundleError, match=message) as caught:
        Cooccurrences.load(tmp_path / "b")
    assert caught.value.member == TENSORS


@pytest.mark.parametrize("total", [None, 0.0, -1.0, "7", 7, True])
def test_a_total_that_cannot_be(tmp_path: Path, total: object) -> None:
    save(tmp_path / "b", tensors(), total=total)
    with pytest.raises(BundleError, match="the total of the counts is"):
        Cooccurrences.load(tmp_path / "b")


def test_a_damaged_vocabulary(tmp_path: Path) -> None:
    save(tmp_path / "b", tensors(), words=Vocabulary(("a", "b", "c", "c"), np.ones(4, np.int64)))
    with pytest.raises(BundleError, match="'c' stands twice"):
        Cooccurrences.load(tmp_path / "b")


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
@pytest.mark.parametrize(
    ("fault", "entry", "word"),
    [
        (lambda t: t["columns"].__setitem__(2, 4), 2, "a"),
        (lambda t: t["columns"].__setitem__(0, -1), 0, "a"),
        (lambda t: t["columns"].__setitem__(1, 1), 1, "a"),
        (lambda t: t["columns"].__setitem__(2, 0), 2, "a"),
        (lambda t: t["values"].__setitem__(3, 0), 3, "b"),
        (lambda t: t["values"].__setitem__(4, np.nan), 4, "d"),
        (lambda t: t["values"].__setitem__(0, np.inf), 0, "a"),
        (lambda t: t["values"].__setitem__(1, -1), 1, "a"),
    ],
)
def test_a_bad_entry_is_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    fault: Callable[[Tensors], None],
    entry: int,
    word: str,
) -> None:
    """Wherever the pieces end in which entries are read."""
    monkeypatch.setattr(module, "CHECKED_AT_ONCE", at_once)
    members = tensors()
    fault(members)
    counts = Cooccurrences.load(save(tmp_path / "b", members))
    with pytest.raises(BundleError, match=f"entry {entry}, in the row of '{word}'") as caught:
        counts.check("b")
    assert (caught.value.bundle, caught.value.member) == ("b", TENSORS)


@pytest.mark.parametrize("at_once", [1, 2, 3, 100])
def test_entries_and_the_transposed(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Whatever the pieces; rows of more entries than a piece and rows without any come through."""
    monkeypatch.setattr(module, "CHECKED_AT_ONCE", at_once)
    counts = Cooccurrences(WORDS, **tensors(), total=7.5)
    pieces = list(counts.entries())
    assert len(pieces) == {1: 3, 2: 3, 3: 2, 100: 1}[at_once]
    rows, columns, values = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
    assert rows.tolist() == [0, 0, 0, 1, 3]
    np.testing.assert_array_equal(columns, counts.columns)
    np.testing.assert_array_equal(values, counts.values)

    changed = tensors() | {"columns": np.array([1, 2, 3, 0, 1], np.int32)}  # now d is near b, not a
    turned = Cooccurrences(WORDS, **changed, total=7.5).transposed()
    # By columns: a from b; b from a and d; c from a; d from a.
    assert turned.offsets.tolist() == [0, 1, 3, 4, 5]
    assert turned.columns.tolist() == [1, 0, 3, 0, 0]
    assert turned.values.tolist() == [2.5, 2.5, 1, 0.5, 1]
    assert [array.dtype for array in (turned.offsets, turned.columns, turned.values)] == [
        *(np.int64, np.int32, np.float32)
    ]
    assert (turned.vocabulary, turned.total) == (WORDS, 7.5)
