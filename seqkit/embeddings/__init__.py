"""Word vectors: training, loading, questions, scores, and the files of other tools."""
