"""Functions that are compiled once: for whom they serve, and that they hold nobody's tables."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqkit.training.compiled import compiled, stand_in

CPU = tf.zeros([]).device
BUILT: list[Steps] = []


@dataclass(frozen=True)
class Steps:
    """Adds to chosen rows of a table."""

    columns: int
    factor: float

    def tables(self) -> dict[str, Any]:
        return {"rows": stand_in(self.columns), "bias": stand_in()}

    def plan(self) -> Any:
        return tf.TensorSpec([None], tf.int32)

    def add(self, tables: dict[str, Any], plan: Any, amount: Any) -> Any:
        BUILT.append(self)
        amounts = tf.fill([tf.shape(plan)[0], self.columns], self.factor * amount)
        tf.raw_ops.ResourceScatterAdd(resource=tables["rows"].handle, indices=plan, updates=amounts)
        return tf.reduce_sum(tables["rows"]) + tf.reduce_sum(tables["bias"])


@pytest.fixture(autouse=True)
def nothing_built() -> Iterator[None]:
    BUILT.clear()
    yield
    compiled.cache_clear()


def tables(length: int, columns: int = 2) -> dict[str, Any]:
    return {"rows": tf.Variable(tf.zeros([length, columns])), "bias": tf.Variable(tf.ones([length]))}


def add(steps: Steps, to: dict[str, Any], rows: list[int], amount: float) -> float:
    function = compiled(Steps.add, steps, CPU, tf.float32)
    return float(function(to, tf.constant(rows), tf.constant(amount, tf.float32)))


def test_equal_settings_share_a_function_for_tables_of_any_length() -> None:
    few, many = tables(3), tables(1000)
    # Four numbers of 2 · 5, and as many ones as there are rows.
    assert add(Steps(2, 2.0), few, [0, 2], 5) == 4 * 10 + 3
    assert add(Steps(2, 2.0), many, [999, 1], 5) == 4 * 10 + 1000
    assert add(Steps(2, 2.0), few, [0], 1) == 4 * 10 + 2 * 2 + 3
    assert len(BUILT) == 1
    np.testing.assert_array_equal(few["rows"], [[12, 12], [0, 0], [10, 10]])
    assert np.flatnonzero(many["rows"].numpy().any(axis=1)).tolist() == [1, 999]


def test_other_settings_get_another() -> None:
    assert add(Steps(2, 1.0), tables(1), [0], 1) == 2 + 1
    assert add(Steps(2, 3.0), tables(1), [0], 1) == 6 + 1
    assert add(Steps(4, 3.0), tables(1, 4), [0], 1) == 12 + 1
    assert [Steps(2, 1.0), Steps(2, 3.0), Steps(4, 3.0)] == BUILT


def test_another_device_gets_another() -> None:
    add(Steps(2, 1.0), tables(1), [0], 1)
    compiled(Steps.add, Steps(2, 1.0), "/CPU:0", tf.float32)
    assert len(BUILT) == 2


def test_it_holds_no_tables() -> None:
    used = tables(1000)
    add(Steps(2, 1.0), used, [5], 1)
    variables = [weakref.ref(variable.handle) for variable in used.values()]
    del used
    gc.collect()
    assert [variable() for variable in variables] == [None, None]
    assert add(Steps(2, 1.0), tables(1), [0], 1) == 2 + 1
    assert len(BUILT) == 1


def test_threads_may_use_one_function_at_the_same_time() -> None:
    several = [tables(10) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            list(pool.map(lambda each: add(Steps(2, 1.0), each, [3, 4], 1), several))
    for each in several:
        assert each["rows"].numpy().sum() == 5 * 4
