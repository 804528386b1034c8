"""What decides a GloVe run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqkit._settings import check_choices, check_numbers, check_positive, check_ranges
from seqkit.embeddings.cooccurrence.config import CooccurrenceConfig

Output = Literal["sum", "words", "contexts"]


@dataclass(frozen=True, kw_only=True)
class GloVeConfig:
    """The hyper-parameters of GloVe (Pennington et al. 2014, EMNLP).

    Args:
        vector_size: length of a vector, 1 to 4096.
        window: greatest distance between a word and its context, 1 to 100.
        context: "symmetric" counts words on both sides, "left" those before the word.
        weighting: "harmonic" counts a word at distance d as 1/d, "uniform" as 1.
        x_max: from this count on a pair has its full weight; 1e-6 to 1e12.
        alpha: exponent of the weight below it, f(x) = (x / x_max)^alpha; 0.01 to 1.
        epochs: sweeps over both tables, 1 to 1000.
        learning_rate: how much of the way to its least-squares solution a row goes, above 0 to 1; below 1 the
            cost falls more slowly.
        ridge: weight of the squared length of each vector, 0 to 1e6: without it, words with few contexts
            would be fitted to them exactly.
        output: which vectors are kept: of words, of contexts, or their sum.
        seed: of everything random.
        precision: of the matrix products, "float32" or "bfloat16"; the tables themselves are always float32.
    """

    vector_size: int = 100
    window: int = 10
    context: Literal["symmetric", "left"] = "symmetric"
    weighting: Literal["harmonic", "uniform"] = "harmonic"
    x_max: float = 100.0
    alpha: float = 0.75
    epochs: int = 6
    learning_rate: float = 1.0
    ridge: float = 0.1
    output: Output = "sum"
    seed: int = 0
    precision: Literal["float32", "bfloat16"] = "float32"

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, vector_size=(1, 4096), epochs=(1, 1000), seed=(0, 2**63 - 1), alpha=(0.01, 1))
        check_ranges(self, x_max=(1e-6, 1e12), ridge=(0, 1e6))  # float32 has to hold X / x_max and its powers
        check_positive(self, learning_rate=1)
        check_choices(self, output=("sum", "words", "contexts"), precision=("float32", "bfloat16"))
        _ = self.counting  # checks window, context and weighting

    @property
    def counting(self) -> CooccurrenceConfig:
        """What is counted."""
        return CooccurrenceConfig(window=self.window, context=self.context, weighting=self.weighting)
