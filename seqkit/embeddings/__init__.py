"""Word vectors: training, loading, questions, scores, and the files of other tools.

To read it: `training` goes from text to a bundle, on `material` (text or counts) by one of `methods`, from
`initial` vectors where there are any. The methods: `skipgram` and `cbow`, on `negative_sampling`; `glove`, on
`cooccurrence`; `window`, on `softmax`; all but GloVe go chunk by chunk (`chunk_trainer`). What they give is
`vectors`; `queries` asks them, `evaluation` scores them on `testsets`, `comparison` compares two; `formats`
reads and writes the files of other tools.
"""

from seqkit.embeddings.evaluation import evaluate
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.softmax.skipgram import SoftmaxConfig
from seqkit.embeddings.training import RunConfig, TrainingReport, train
from seqkit.embeddings.vectors import Vectors
from seqkit.embeddings.window.config import WindowConfig

__all__ = [
    "CorpusConfig",
    "RunConfig",
    "SkipGramConfig",
    "SoftmaxConfig",
    "TrainingReport",
    "Vectors",
    "WindowConfig",
    "evaluate",
    "train",
]
