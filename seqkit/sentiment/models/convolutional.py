"""Convolutional networks: filters that look for a few words, wherever they stand (Kim 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from seqkit._settings import check_ranges
from seqkit.errors import UsageError
from seqkit.sentiment.models.contract import Fitting
from seqkit.sentiment.models.network_classifier import NetworkClassifier
from seqkit.sentiment.models.network_settings import NetworkSettings


@dataclass(frozen=True, kw_only=True)
class CnnConfig(NetworkSettings):
    """Settings of `Cnn`, beside those of every network.

    Args:
        filters: of each width, 1 to 2048.
        shortest: words that the narrowest filters see, 1 to 10.
        longest: words that the widest filters see, `shortest` to 10; there are filters of all widths between.

    Raises:
        UsageError: a setting outside its bounds.
    """

    filters: int = 100
    shortest: int = 3
    longest: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, filters=(1, 2048))
        if not 1 <= self.shortest <= self.longest <= 10:
            raise UsageError(
                f"shortest {self.shortest} and longest {self.longest} must be 1 to 10, in this order"
            )


class Cnn(NetworkClassifier):
    """A convolutional network."""

    kind: ClassVar[str] = "cnn"

    @staticmethod
    def encoder(config: CnnConfig, seed: int) -> Any:
        """The filters."""
        from seqkit.sentiment.models.convolution import Convolution

        return Convolution(list(range(config.shortest, config.longest + 1)), config.filters, seed)


def fit(config: CnnConfig, fitting: Fitting) -> Cnn:
    """Trains; the epoch with the lowest loss on `fitting.valid` is kept.

    Raises:
        SeqkitError: as `seqkit.sentiment.models.neural_training.trained`.
    """
    from seqkit.sentiment.models.neural_training import trained

    return Cnn(config, trained(config, fitting, Cnn.encoder))
