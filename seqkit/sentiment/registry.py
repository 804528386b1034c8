"""The models by name; each is imported when it is first needed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from seqkit.errors import UsageError, name_hint
from seqkit.sentiment.models.contract import Classifier, Fitting, Resources


@dataclass(frozen=True)
class ModelKind:
    """Where a model lives.

    Args:
        name: of the model.
        module: has `fit` and the two classes.
        config: name of the class of its settings.
        classifier: name of its class.
        learns_all: whether it is trained again on training and validation texts together, once the
            validation texts have served to calibrate: it needs none to know when to stop.
        takes_vectors: whether it can begin with word vectors.
        takes_language_model: whether it can begin with the encoder of a language model.
        is_network: whether it is trained by TensorFlow.
    """

    name: str
    module: str
    config: str
    classifier: str
    learns_all: bool = False
    takes_vectors: bool = False
    takes_language_model: bool = False
    is_network: bool = False

    @property
    def config_class(self) -> Any:
        """Of its settings."""
        return getattr(self._module, self.config)

    @property
    def settings(self) -> frozenset[str]:
        """Their names."""
        return frozenset(each.name for each in fields(self.config_class))

    @property
    def classifier_class(self) -> type[Classifier]:
        """Of the trained model."""
        found: type[Classifier] = getattr(self._module, self.classifier)
        return found

    @property
    def fit(self) -> Callable[[Any, Fitting], Classifier]:
        """What trains it."""
        found: Callable[[Any, Fitting], Classifier] = self._module.fit
        return found

    @property
    def _module(self) -> Any:
        return importlib.import_module(f"seqkit.sentiment.models.{self.module}")


MODELS = {
    kind.name: kind
    for kind in (
        ModelKind("average", "average", "AverageConfig", "Average", takes_vectors=True),
        ModelKind("linear", "linear", "LinearConfig", "Linear", learns_all=True),
        ModelKind(
            *("rnn", "recurrent", "RnnConfig", "Rnn"),
            takes_vectors=True,
            takes_language_model=True,
            is_network=True,
        ),
        ModelKind("cnn", "convolutional", "CnnConfig", "Cnn", takes_vectors=True, is_network=True),
        ModelKind("lexicon", "lexicon", "LexiconConfig", "Lexicon", learns_all=True),
    )
}


def model_kind(name: object) -> ModelKind:
    """The model of a name.

    Raises:
        UsageError: there is none.
    """
    if not isinstance(name, str) or name not in MODELS:
        raise UsageError(f"no model {str(name)[:40]!r}; {name_hint(name, MODELS)}")
    return MODELS[name]


def settled(kind: ModelKind, resources: Resources) -> frozenset[str]:
    """The settings of a model that are those of what it begins with."""
    if kind.takes_language_model and resources.language_model is not None:
        return frozenset({"cell", "units", "layers", "layer_norm", "bidirectional", "vector_size"})
    if kind.takes_vectors and resources.vectors is not None:
        return frozenset({"vector_size"})
    return frozenset()


def kind_of(config: object) -> ModelKind:
    """The model that settings are of.

    Raises:
        UsageError: none.
    """
    for kind in MODELS.values():
        if kind.config == type(config).__name__:
            return kind
    raise UsageError(f"{type(config).__name__} has the settings of no model")
