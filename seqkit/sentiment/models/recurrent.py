"""Recurrent networks: many words to one label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from seqkit._settings import check_choices, check_ranges, check_rates
from seqkit.sentiment.models.contract import Fitting
from seqkit.sentiment.models.network_classifier import NetworkClassifier
from seqkit.sentiment.models.network_settings import NetworkSettings

CELLS = ("lstm", "gru", "gru-full", "gru-simplified", "rnn")
POOLINGS = ("last", "mean", "max", "attention")


@dataclass(frozen=True, kw_only=True)
class RnnConfig(NetworkSettings):
    """Settings of `Rnn`, beside those of every network.

    Args:
        cell: "lstm", "gru" (reset-after), "gru-full", "gru-simplified" or "rnn".
        units: of each layer and direction, 1 to 2048.
        layers: one above the other, 1 to 8.
        bidirectional: read each layer in both directions.
        pooling: what of the top layer's outputs goes on: the "last", their "mean", number by number the
            "max", or the mean by "attention".
        layer_dropout: rate at which outputs are dropped between layers, 0 to below 1.
        weight_drop: rate at which recurrent weights are dropped, 0 to below 1 (Merity et al. 2018).
        layer_norm: normalise the products of each gate (Ba et al. 2016).
        unfreezing: with the encoder of a language model, learn the softmax alone in the first epoch, and one
            layer more in each (Howard & Ruder 2018).
        rate_decay: with the encoder of a language model, what the learning rate of each layer is divided by
            to be that of the one below, 1 to 100.

    Raises:
        UsageError: a setting outside its bounds.
    """

    compiled: ClassVar[bool] = True

    max_length: int = 256
    cell: str = "lstm"
    units: int = 100
    layers: int = 1
    bidirectional: bool = True
    pooling: str = "max"
    layer_dropout: float = 0.0
    weight_drop: float = 0.0
    layer_norm: bool = False
    unfreezing: bool = True
    rate_decay: float = 2.6

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choices(self, cell=CELLS, pooling=POOLINGS)
        check_ranges(self, units=(1, 2048), layers=(1, 8), rate_decay=(1, 100))
        check_rates(self, "layer_dropout", "weight_drop")


class Rnn(NetworkClassifier):
    """A recurrent network."""

    kind: ClassVar[str] = "rnn"

    @staticmethod
    def encoder(config: RnnConfig, seed: int) -> Any:
        """The recurrent layers."""
        from seqkit.sentiment.models.recurrence import Recurrence

        return Recurrence(
            config.cell,
            config.units,
            layers=config.layers,
            bidirectional=config.bidirectional,
            pooling=config.pooling,
            dropout=config.layer_dropout,
            weight_drop=config.weight_drop,
            layer_norm=config.layer_norm,
            seed=seed,
        )


def fit(config: RnnConfig, fitting: Fitting) -> Rnn:
    """Trains; the epoch with the lowest loss on `fitting.valid` is kept.

    With `fitting.resources.language_model` the layers are those of the language model.

    Raises:
        SeqkitError: as `seqkit.sentiment.models.neural_training.trained`, and `LanguageEncoder.load`.
    """
    from seqkit.sentiment.models.language_encoder import LanguageEncoder
    from seqkit.sentiment.models.neural_training import trained

    if fitting.resources.language_model is None:
        return Rnn(config, trained(config, fitting, Rnn.encoder))
    language = LanguageEncoder.load(fitting.resources.language_model)
    config = language.configured(config)
    return Rnn(config, trained(config, fitting, Rnn.encoder, language))
