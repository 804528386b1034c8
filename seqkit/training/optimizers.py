"""Which optimizer, at which learning rate, with which clipping and regularisation; the updates are Keras'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from seqkit._settings import check_numbers, check_positive, check_ranges, check_rates
from seqkit.errors import UsageError, name_hint
from seqkit.training.schedules import Moment, ScheduleConfig

OptimizerName = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
OPTIMIZERS: tuple[str, ...] = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")

Averaging = Literal["none", "asgd", "nt-asgd"]
AVERAGING: tuple[str, ...] = ("none", "asgd", "nt-asgd")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """How gradients become updates; `asdict` makes JSON of it, `OptimizerConfig(**json)` reads it.

    Of a group of `accumulation` batches the mean gradient is taken; l1·sign(w) + l2·w is added to it; it is
    clipped by value, then by norm; and the optimizer updates w. With α the learning rate, g that gradient and
    k the number of the update, from 1:

        sgd         w ← w - α g
        momentum    v ← momentum · v - α g;  w ← w + v
        nesterov    v ← momentum · v - α g;  w ← w + momentum · v - α g
        rmsprop     s ← rho s + (1 - rho) g²;  w ← w - α g/√(s + epsilon)
        adam        m ← β₁m + (1 - β₁)g;  s ← β₂s + (1 - β₂)g²;
                    w ← w - α √(1 - β₂ᵏ)/(1 - β₁ᵏ) · m/(√s + epsilon)
        adamw       w ← w - α · weight_decay · w, then adam

    l1, l2 and weight decay act on weights of rank two or more: matrices and tables, not biases and gains.

    Args:
        name: of the optimizer.
        learning_rate: α₀, above 0, at most 1000.
        momentum: of momentum and nesterov, 0 to below 1.
        rho: of rmsprop, 0 to below 1.
        beta_1: of adam and adamw, 0 to below 1.
        beta_2: of adam and adamw, 0 to below 1.
        epsilon: of rmsprop, adam and adamw, 1e-12 to 1.
        weight_decay: of adamw alone, 0 to 1.
        l1: weight of Σ|w| in the objective, 0 to 1.
        l2: weight of ½Σw² in the objective, 0 to 1.
        clip_norm: greatest norm of all gradients taken together; None for any.
        clip_value: greatest absolute value of an entry of a gradient; None for any.
        accumulation: batches that one update is made of, 1 to 10,000.
        schedule: of the learning rate; a text is parsed (`ScheduleConfig.parse`).
        rate_by_size: multiply the learning rate by the size of a batch over the mean size, where sizes vary
            (Merity et al. 2018, section 5, for sequences of random length).
        averaging: "asgd" averages the weights after each update, from `average_from` on; "nt-asgd" from where
            the validation loss stops to fall; see `seqkit.training.averaging`.
        average_from: complete epochs before "asgd" begins.
        nonmono: of nt-asgd, the n last checks that are not compared with, 1 to 1000.

    Raises:
        UsageError: a value out of range, or one that the optimizer does not have.
    """

    name: OptimizerName = "adam"
    learning_rate: float = 0.001
    momentum: float = 0.9
    rho: float = 0.9
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-7
    weight_decay: float = 0.0
    l1: float = 0.0
    l2: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    accumulation: int = 1
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    rate_by_size: bool = False
    averaging: Averaging = "none"
    average_from: int = 0
    nonmono: int = 5

    def __post_init__(self) -> None:
        check_numbers(self)
        object.__setattr__(self, "schedule", _schedule(self.schedule))
        for name, known in (("name", OPTIMIZERS), ("averaging", AVERAGING)):
            value = getattr(self, name)
            if value not in known:
                what = "optimizer" if name == "name" else name
                raise UsageError(f"no {what} {value!r}; {name_hint(value, known)}")
        check_rates(self, "momentum", "rho", "beta_1", "beta_2")
        check_ranges(self, epsilon=(1e-12, 1), weight_decay=(0, 1), l1=(0, 1), l2=(0, 1))
        check_ranges(self, accumulation=(1, 10_000), average_from=(0, 1_000_000), nonmono=(1, 1000))
        check_positive(self, learning_rate=1000, clip_norm=1_000_000_000, clip_value=1_000_000_000)
        if self.weight_decay and self.name != "adamw":
            raise UsageError(f"weight_decay is of adamw, not of {self.name}: set l2, or take adamw")

    @property
    def needs_validation(self) -> bool:
        """Whether training goes by the losses on held-out data."""
        return self.averaging == "nt-asgd" or self.schedule.needs_validation

    def rate(self, moment: Moment) -> float:
        """The learning rate, α."""
        return self.learning_rate * self.schedule.factor(moment)


def _schedule(given: Any) -> ScheduleConfig:
    if isinstance(given, str):
        return ScheduleConfig.parse(given)
    return ScheduleConfig(**given) if isinstance(given, Mapping) else given


def make_optimizer(config: OptimizerConfig, variables: Sequence[Any]) -> Any:
    """The Keras optimizer of a configuration, built for these variables.

    Clipping, regularisation and accumulation come before it (`seqkit.training.gradients`): Keras' clip only
    one way at a time, drop the gradients of an incomplete group, and know no coupled L1 and L2.

    Args:
        config: name and settings.
        variables: that it is to update; of Keras.
    """
    import keras

    rate = float(config.learning_rate)  # Keras takes no whole number
    betas = {"beta_1": config.beta_1, "beta_2": config.beta_2, "epsilon": config.epsilon}
    optimizer: Any
    match config.name:
        case "sgd":
            optimizer = keras.optimizers.SGD(rate)
        case "momentum" | "nesterov":
            nesterov = config.name == "nesterov"
            optimizer = keras.optimizers.SGD(rate, momentum=float(config.momentum), nesterov=nesterov)
        case "rmsprop":
            optimizer = keras.optimizers.RMSprop(rate, rho=config.rho, epsilon=config.epsilon)
        case "adam":
            optimizer = keras.optimizers.Adam(rate, **betas)
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, **betas)
            optimizer.exclude_from_weight_decay([each for each in variables if len(each.shape) < 2])
    optimizer.build(variables)
    return optimizer
