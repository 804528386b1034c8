"""The ways to learn word vectors, by name: what configures each, and what trains it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.cbow.config import CBOWConfig
from seqkit.embeddings.glove.config import GloVeConfig
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.softmax.skipgram import SoftmaxConfig
from seqkit.embeddings.window.config import WindowConfig
from seqkit.errors import UsageError
from seqkit.training.loop import Trainee


class MethodConfig(Protocol):
    """What the hyper-parameters of every method have; each is a frozen dataclass of its own."""

    @property
    def vector_size(self) -> int:
        """Length of a vector."""

    @property
    def epochs(self) -> int:
        """Passes over the corpus."""

    @property
    def learning_rate(self) -> float:
        """Of the first step."""

    @property
    def seed(self) -> int:
        """Of everything random."""


class VectorTrainer(Trainee, Protocol):
    """What trains word vectors: `state` has them as "vectors", one row a word.

    Tensors of the state whose names begin with `OPTIMIZER` are for the next step only; the bundle keeps all
    others, so that training can go on from it.
    """

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Everything that the next unit depends on, beside the position."""

    def close(self) -> None:
        """Ends what the trainer started."""


OPTIMIZER = "optimizer."


@dataclass(frozen=True)
class Method:
    """A way to learn word vectors.

    Args:
        name: as in `--method`.
        config: its hyper-parameters, a frozen dataclass.
        trainer: "module:class" of what trains it, imported late: it needs TensorFlow.
        loss: what its loss is, for reports.
        work: what its progress counts.
        shared: the tensors of its trainer that all words share; each other one has a row for each word.
        least_squares: whether it solves for rows, in a frame that any sweep may turn, at a rate that stays;
            the others descend, at a rate that falls linearly.
    """

    name: str
    config: type[Any]
    trainer: str
    loss: str
    work: str = "words"
    shared: frozenset[str] = frozenset()
    least_squares: bool = False

    @property
    def parameters(self) -> frozenset[str]:
        """The names of its hyper-parameters."""
        return frozenset(field.name for field in fields(self.config))

    def configured(self, settings: Mapping[str, Any]) -> Any:
        """The configuration with these settings, the defaults for the rest.

        Args:
            settings: hyper-parameters by name; None for the default.

        Raises:
            UsageError: one that this method does not have, or a value out of range.
        """
        given = {name: value for name, value in settings.items() if value is not None}
        surplus = sorted(given.keys() - self.parameters)
        if surplus:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in surplus)
            known = ", ".join(sorted(self.parameters))
            raise UsageError(f"{names}: not a setting of method {self.name}, which has {known}")
        return self.config(**given)

    def trainer_class(self) -> Any:
        """The class that trains it; called with corpus (GloVe: counts), configuration and device."""
        module, name = self.trainer.split(":")
        return getattr(importlib.import_module(module), name)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "skipgram",
            SkipGramConfig,
            "seqkit.embeddings.skipgram.trainer:SkipGramTrainer",
            "of a pair with its noise, in nats",
        ),
        Method(
            "skipgram-softmax",
            SoftmaxConfig,
            "seqkit.embeddings.softmax.skipgram_trainer:SoftmaxSkipGramTrainer",
            "of a pair, in nats",
        ),
        Method(
            "window",
            WindowConfig,
            "seqkit.embeddings.window.trainer:WindowTrainer",
            "of a word, in nats",
            shared=frozenset({"hidden_kernel", "hidden_bias"}),
        ),
        Method(
            "cbow",
            CBOWConfig,
            "seqkit.embeddings.cbow.trainer:CBOWTrainer",
            "of a word with its noise, in nats",
        ),
        Method(
            "glove",
            GloVeConfig,
            "seqkit.embeddings.glove.trainer:GloVeTrainer",
            "½ f(X) (…)² of a pair",
            work="pairs",
            least_squares=True,
        ),
    )
}
"""Every method; the first is the default."""


def method_of(config: MethodConfig) -> Method:
    """The method that a configuration is for.

    Raises:
        UsageError: of none.
    """
    for method in METHODS.values():
        if type(config) is method.config:
            return method
    known = ", ".join(method.config.__name__ for method in METHODS.values())
    raise UsageError(f"{type(config).__name__} configures no method; those that do: {known}")
