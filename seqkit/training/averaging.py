"""The mean of the weights over the last part of training, which fluctuates less than the weights themselves.

Sources: Polyak and Juditsky 1992, Acceleration of stochastic approximation by averaging; Merity et al. 2018,
Regularizing and optimizing LSTM language models, section 4 and algorithm 1 (NT-ASGD).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from seqkit.training.optimizers import OptimizerConfig


def triggered(losses: Sequence[float], nonmono: int) -> bool:
    """Whether NT-ASGD averages after these checks: v_t > min(v_0, …, v_(t-n-1)) for some t > n.

    Args:
        losses: v, on held-out data, one of each check, here one an epoch.
        nonmono: n, checks before the present one that are not compared with.
    """
    return any(losses[t] > min(losses[: t - nonmono]) for t in range(nonmono + 1, len(losses)))


def is_averaging(config: OptimizerConfig, epoch: int, losses: Sequence[float]) -> bool:
    """Whether updates of an epoch are averaged over.

    Args:
        config: which averaging.
        epoch: complete epochs.
        losses: on held-out data, one of each of them.
    """
    if config.averaging == "nt-asgd":
        return triggered(losses, config.nonmono)
    return config.averaging == "asgd" and epoch >= config.average_from


class Averages:
    """The means of weights, w̄ ← w̄ + (w - w̄)/n after the n-th update since they began.

    Args:
        weights: variables of TensorFlow.
    """

    def __init__(self, weights: Sequence[tf.Variable]) -> None:
        self._weights = list(weights)
        self._means = [tf.Variable(tf.zeros_like(weight), trainable=False) for weight in weights]
        self._count = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._add = tf.function(self._added, autograph=False)

    @property
    def variables(self) -> list[tf.Variable]:
        """All that they are."""
        return [self._count, *self._means]

    def add(self) -> None:
        """Takes the weights as they are into the means."""
        self._add()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The weights are their means in the block, once there are any, and as they were after it."""
        if not int(self._count):
            yield
            return
        kept = [tf.identity(weight) for weight in self._weights]
        try:
            _assign(self._weights, self._means)
            yield
        finally:
            _assign(self._weights, kept)

    def _added(self) -> None:
        count = self._count.assign_add(1)
        for mean, weight in zip(self._means, self._weights, strict=True):
            mean.assign_add((weight - mean) / tf.cast(count, weight.dtype))


def _assign(variables: Sequence[tf.Variable], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
