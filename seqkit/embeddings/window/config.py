"""What decides a run of the window model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from seqkit._settings import check_choices, check_numbers, check_positive, check_ranges
from seqkit.embeddings.skipgram.config import Precision

Context = Literal["left", "around"]
Softmax = Literal["exact", "sampled"]


@dataclass(frozen=True, kw_only=True)
class WindowConfig:
    """The hyper-parameters of the neural language model of Bengio et al. 2003 (JMLR 3).

    Args:
        vector_size: length of a vector, 1 to 4096.
        window: words on a side that the model sees, n; 1 to 64.
        context: "left", the n words before: a language model; "around", n words on each side.
        hidden_units: of the hidden layer, 1 to 4096.
        softmax: "exact", over the whole vocabulary, of at most 30,000 words; "sampled", over the word and
            `negative` others.
        negative: noise words that the predictions of a step share, by count to the power 0.75; 1 to 8192.
            Without meaning for the exact softmax.
        sample: threshold of sub-sampling, as in skip-gram. Not of the paper: the vectors come out better and
            faster with it (docs/window.md). With 0 the model sees the text as it is: a language model.
        epochs: passes over the corpus, 1 to 1000.
        learning_rate: of AdaGrad in the first step; it falls linearly to a ten-thousandth of that.
        seed: of everything random.
        precision: of the matrix products: "float32" or "bfloat16"; tables are always float32.
    """

    vector_size: int = 100
    window: int = 4
    context: Context = "left"
    hidden_units: int = 128
    softmax: Softmax = "sampled"
    negative: int = 256
    sample: float = 1e-3
    epochs: int = 5
    learning_rate: float = 0.05
    seed: int = 0
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        check_numbers(self)
        check_ranges(self, vector_size=(1, 4096), window=(1, 64), hidden_units=(1, 4096), negative=(1, 8192))
        check_ranges(self, epochs=(1, 1000), seed=(0, 2**63 - 1), sample=(0, 1))
        check_positive(self, learning_rate=10)
        check_choices(self, context=("left", "around"), softmax=("exact", "sampled"))
        check_choices(self, precision=("float32", "bfloat16"))

    @property
    def offsets(self) -> list[int]:
        """Where the words that the model sees stand, from the word that it predicts."""
        before, after = range(-self.window, 0), range(1, self.window + 1)
        return [*before, *after] if self.context == "around" else [*before]
