"""Word vectors: training, loading, questions, scores, and the files of other tools."""

from seqkit.embeddings.evaluation import evaluate
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.skipgram.softmax import SoftmaxConfig
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
