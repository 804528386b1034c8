"""Which words a method may change, and that lengths go with them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seqkit.debias import task as module
from seqkit.debias.task import blocks, to_unit, transform


def test_all_words_but_the_protected_are_neutral(planted: Any) -> None:
    task = planted.task
    protected = {word for word, free in zip(planted.vectors.words, task.neutral, strict=True) if not free}
    assert protected == set(planted.sets.protected)
    assert len(protected) == 2 * 6 + 4


def test_where_neutral_words_are_listed_only_they_are(planted: Any) -> None:
    sets = replace(planted.sets, neutral=("n3", "n5"))
    task = replace(planted.task, sets=sets)
    assert [planted.vectors.words[index] for index in np.flatnonzero(task.neutral)] == sorted(
        ("n3", "n5"), key=planted.vectors.vocabulary.__getitem__
    )


def test_rows_at_length_one(uneven: Any) -> None:
    unit = uneven.task.unit(np.array([4, 2]))
    rows = uneven.vectors.matrix[[4, 2]].astype(np.float64)
    np.testing.assert_allclose(unit, rows / np.sqrt((rows**2).sum(axis=1, keepdims=True)), atol=1e-12)
    rows, lengths = to_unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.tolist() == [[0.6, 0.8], [0, 0]]
    assert lengths.tolist() == [[5], [0]]


@pytest.mark.parametrize("block", [1, 3, 5, 1000])
def test_chosen_rows_are_changed_and_keep_their_length(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    matrix = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    matrix[3] = 0
    chosen = np.array([True, False, True, True, False])
    out = np.empty_like(matrix)
    transform(matrix, chosen, lambda unit: -unit[:, ::-1], out)
    expected = np.where(chosen[:, None], -matrix[:, ::-1], matrix)
    np.testing.assert_allclose(out, expected, rtol=1e-6)
    assert (out[~chosen] == matrix[~chosen]).all()
    again = matrix.copy()
    transform(again, chosen, lambda unit: -unit[:, ::-1], again)  # in place
    assert (again == out).all()
    assert [part.start for part, _ in blocks(matrix)] == list(range(0, 5, block))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_any_number_of_cores(monkeypatch: pytest.MonkeyPatch, dtype: Any) -> None:
    matrix = np.random.default_rng(1).normal(size=(5000, 30)).astype(np.float32)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(30, 30)))[0].astype(dtype)
    results = []
    for cores in (1, 3):
        monkeypatch.setattr(module, "available_cores", lambda cores=cores: cores)
        out = np.empty_like(matrix)
        transform(matrix, np.arange(5000) % 7 > 0, lambda unit: unit @ turn, out, dtype)
        results.append(out.tobytes())
    assert results[0] == results[1]


def test_what_a_block_raises_is_raised() -> None:
    def fails(unit: np.ndarray) -> np.ndarray:
        raise MemoryError("planted")

    matrix = np.ones((3, 2), np.float32)
    with pytest.raises(MemoryError, match="planted"):
        transform(matrix, np.ones(3, np.bool_), fails, matrix.copy())
