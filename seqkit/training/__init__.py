"""One training loop for every model: checkpoints, exact resume, early stopping, a guard against NaN."""

from seqkit.training.checkpoint import CheckpointFile, Position
from seqkit.training.device import Device, choose_device
from seqkit.training.gradient_check import GradientCheck, gradient_check
from seqkit.training.loop import LoopConfig, Trainee, TrainingLoop, UnitReport
from seqkit.training.optimizers import OptimizerConfig
from seqkit.training.schedules import ScheduleConfig

__all__ = [
    "CheckpointFile",
    "Device",
    "GradientCheck",
    "LoopConfig",
    "OptimizerConfig",
    "Position",
    "ScheduleConfig",
    "Trainee",
    "TrainingLoop",
    "UnitReport",
    "choose_device",
    "gradient_check",
]
