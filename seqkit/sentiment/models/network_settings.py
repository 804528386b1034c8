"""What all networks over sequences of words can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seqkit._settings import check_numbers, check_ranges, check_rates
from seqkit.errors import UsageError
from seqkit.training.optimizers import OptimizerConfig
from seqkit.training.schedules import ScheduleConfig


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """Settings of every network.

    Args:
        vector_size: numbers of a vector, 1 to 2000; with initial vectors theirs.
        frozen: leave the vectors of all words as they begin, those of words without an initial one, too.
        max_length: tokens of a text that are read, 10 to 10,000: of a longer one its first quarter of them
            and its last three quarters (Sun et al. 2019, How to fine-tune BERT, section 5.3.1).
        vector_dropout: rate at which numbers of vectors are dropped, 0 to below 1.
        dropout: rate at which what is pooled is dropped before the softmax, 0 to below 1.
        batch_norm: normalise what is pooled over the batch (Ioffe & Szegedy 2015).
        word_dropout: rate at which words become unknown in training, 0 to below 1.
        swaps: rate at which neighbouring words change places in training, 0 to below 1.
        neighbours: rate at which words are replaced in training by one of the five words with the nearest
            initial vectors, 0 to below 1.
        balanced: whether a label counts the same however many texts it has.
        label_smoothing: share of each target that is spread over all labels, 0 to below 1.
        optimizer: "sgd", "momentum", "nesterov", "rmsprop", "adam" or "adamw".
        learning_rate: above 0, at most 1000.
        schedule: of the learning rate, as `seqkit.training.schedules.ScheduleConfig.parse` reads it.
        clip_norm: greatest norm of a gradient; None for any.
        weight_decay: of adamw, 0 to 1.
        l2: weight of ½Σw² in the objective, 0 to 1.
        batch_size: texts of an update, 1 to 10,000.
        epochs: over the texts, 1 to 1000; the best on the validation texts is kept.
        patience: epochs without a better validation loss after which training ends, from 1; None for never.

    Raises:
        UsageError: a setting outside its bounds.
    """

    compiled: ClassVar[bool] = False
    """Whether each shape of batches is compiled."""

    vector_size: int = 100
    frozen: bool = False
    max_length: int = 400
    vector_dropout: float = 0.0
    dropout: float = 0.5
    batch_norm: bool = False
    word_dropout: float = 0.1
    swaps: float = 0.0
    neighbours: float = 0.0
    balanced: bool = False
    label_smoothing: float = 0.0
    optimizer: str = "adam"
    learning_rate: float = 0.0005
    schedule: str = "constant"
    clip_norm: float | None = 1.0
    weight_decay: float = 0.0
    l2: float = 0.0
    batch_size: int = 50
    epochs: int = 10
    patience: int | None = 2

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, vector_size=(1, 2000), max_length=(10, 10_000))
        check_ranges(self, batch_size=(1, 10_000), epochs=(1, 1000))
        check_rates(
            self, "vector_dropout", "dropout", "word_dropout", "swaps", "neighbours", "label_smoothing"
        )
        if self.patience is not None and self.patience < 1:
            raise UsageError(f"patience must be at least 1, not {self.patience}")
        _ = self.optimizer_config

    @property
    def optimizer_config(self) -> OptimizerConfig:
        """How gradients become updates."""
        return OptimizerConfig(
            name=self.optimizer,  # type: ignore[arg-type]
            learning_rate=self.learning_rate,
            schedule=ScheduleConfig.parse(self.schedule),
            clip_norm=self.clip_norm,
            weight_decay=self.weight_decay,
            l2=self.l2,
        )
