"""Compiled functions that models share: what was compiled for one serves every other of the same settings.

To compile the steps of a model takes a second or more. The tables that they train are therefore arguments of
the compiled function, not a part of it, and functions are kept for the life of the process: in the second
training with the same settings, or in the second model beside the first, nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

import tensorflow as tf

KEPT = 64
"""Functions that are kept, those used last; they hold no tables."""


class Steps(Protocol):
    """The settings of a function; a frozen dataclass, so that equal settings are found again."""

    def __hash__(self) -> int:
        """Equal settings have the same."""

    def tables(self) -> Any:
        """A structure of variables like those that are trained, made of `stand_in`."""

    def plan(self) -> Any:
        """The structure of types of the tensors that the steps take."""


def stand_in(*columns: int) -> Any:
    """A variable of float32 with one row, in the place of tables of any number of rows.

    Args:
        columns: shape of a row.
    """
    return tf.Variable(tf.zeros([1, *columns]), shape=[None, *columns])


@lru_cache(maxsize=KEPT)
def compiled(function: Callable[..., Any], steps: Steps, device: str, *scalars: Any) -> Callable[..., Any]:
    """`function(steps, tables, plan, *scalars)` as a compiled function of all but the first argument.

    One graph serves tensors and tables of any length: a graph for each would round differently (a division by
    a constant becomes a product), and which one a chunk meets would depend on where its run was interrupted.

    Args:
        function: builds the graph; a method of the class of `steps`, for one.
        steps: the settings, and the types of tables and plan.
        device: where, by TensorFlow's name.
        scalars: types of the further arguments.
    """

    def of_the_rest(*arguments: Any) -> Any:
        return function(steps, *arguments)

    signature = steps.tables(), steps.plan(), *(tf.TensorSpec([], each) for each in scalars)
    with tf.device(device):
        made: Callable[..., Any] = tf.function(of_the_rest, autograph=False).get_concrete_function(*signature)
    return made
