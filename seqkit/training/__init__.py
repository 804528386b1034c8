"""One training loop for every model: checkpoints, exact resume, early stopping, a guard against NaN."""

from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device, choose_device
from seqkit.training.gradient_check import GradientCheck, gradient_check
from seqkit.training.loop import LoopConfig, Trainee, TrainingLoop, UnitReport

__all__ = [
    "CheckpointFile",
    "Device",
    "GradientCheck",
    "LoopConfig",
    "Position",
    "Trainee",
    "TrainingLoop",
    "UnitReport",
    "choose_device",
    "gradient_check",
]
