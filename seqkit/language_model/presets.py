"""Recipes by name, each with the figure that it is known for.

Zaremba's and PyTorch's programs differ in the loss: the first sums over the steps of a piece, this one takes
the mean, so the learning rate is multiplied, and the norm of clipping divided, by the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """Settings that are not given otherwise.

    Args:
        settings: of `NetworkConfig`, `TextConfig`, `TrainingConfig` and `OptimizerConfig`, by their names;
            that of the optimizer itself is "optimizer".
        expected: what it is known to reach, and from where.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    expected: str = ""


_ZAREMBA = {"cell": "lstm", "layers": 2, "optimizer": "sgd", "batch_size": 20, "min_count": 1}

_ADAM = {"optimizer": "adam", "learning_rate": 0.003, "clip_norm": 1.0, "schedule": "cosine:warmup=0.02"}

PRESETS = {
    "small": Preset(
        {
            **_ZAREMBA,
            **{"units": 200, "bptt": 20, "learning_rate": 20.0, "clip_norm": 5 / 20, "epochs": 13},
            "schedule": "staircase:factor=0.5,after=4",
        },
        "perplexity 114.5 on the test set of the Penn Treebank (Zaremba et al. 2014, as released)",
    ),
    "medium": Preset(
        {
            **_ZAREMBA,
            **{"units": 650, "bptt": 35, "learning_rate": 35.0, "clip_norm": 5 / 35, "epochs": 39},
            **{"dropout": 0.5, "schedule": f"staircase:factor={1 / 1.2:.6f},after=6"},
        },
        "perplexity 82.7 on the test set of the Penn Treebank (Zaremba et al. 2014, table 1)",
    ),
    "large": Preset(
        {
            **_ZAREMBA,
            **{"units": 1500, "bptt": 35, "learning_rate": 35.0, "clip_norm": 10 / 35, "epochs": 55},
            **{"dropout": 0.65, "schedule": f"staircase:factor={1 / 1.15:.6f},after=14"},
        },
        "perplexity 78.4 on the test set of the Penn Treebank (Zaremba et al. 2014, table 1)",
    ),
    "awd": Preset(
        {
            **{"cell": "lstm", "layers": 3, "units": 1150, "embedding_size": 400, "tied": True},
            **{"dropout_input": 0.4, "dropout_hidden": 0.25, "dropout_output": 0.4, "dropout_embedding": 0.1},
            **{"locked": True, "weight_drop": 0.5, "activation": 2.0, "slowness": 1.0},
            **{"optimizer": "sgd", "learning_rate": 30.0, "l2": 1.2e-6, "clip_norm": 0.25},
            **{"averaging": "nt-asgd", "batch_size": 40, "bptt": 70, "random_bptt": True, "epochs": 750},
        },
        "perplexity 57.3 on the test set of the Penn Treebank (Merity et al. 2018, table 1)",
    ),
    "words": Preset(
        {
            **{"cell": "lstm", "layers": 2, "units": 200, "tied": True, "dropout": 0.3},
            **{"sampled_softmax": 4096, "batch_size": 64, "bptt": 35, "epochs": 6, **_ADAM},
        },
        "perplexity 186 on the test set of a Wikipedia text of two million words (docs/language-models.md)",
    ),
    "char": Preset(
        {
            **{"level": "character", "cell": "lstm", "layers": 2, "units": 256, "dropout": 0.1},
            **{"batch_size": 64, "bptt": 64, "epochs": 20, **_ADAM},
        },
    ),
}
"""By name."""
