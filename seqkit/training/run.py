"""How a run is executed, whatever it trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqkit._settings import check_choices, check_numbers
from seqkit.training.device import DeviceName

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a run is executed.

    Args:
        device: "cpu", "gpu", or "auto" for a GPU where there is one.
        threads: of the CPU; None for one a core.
        precision: of the products in training: "float32", "bfloat16", or "auto" for what is faster on the
            device.
        patience: epochs without a better validation loss after which the run ends; None for never.
        checkpoint_seconds: time between two checkpoints.
        overwrite: replace a bundle that is there.

    Raises:
        UsageError: another precision, or no number where one belongs.
    """

    device: DeviceName = "auto"
    threads: int | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    patience: int | None = None
    checkpoint_seconds: float = 120.0
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_numbers(self)
        check_choices(self, precision=PRECISIONS)
