"""Word vectors: training, loading, questions, scores, and the files of other tools."""

from seqkit.embeddings.evaluation import evaluate
from seqkit.embeddings.skipgram.config import SkipGramConfig
from seqkit.embeddings.training import CorpusConfig, RunConfig, TrainingReport, train
from seqkit.embeddings.vectors import Vectors

__all__ = ["CorpusConfig", "RunConfig", "SkipGramConfig", "TrainingReport", "Vectors", "evaluate", "train"]
