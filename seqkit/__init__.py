"""seqkit: word vectors from text, on TensorFlow."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from seqkit.version import __version__

if TYPE_CHECKING:
    from seqkit.corpora import corpus_names, open_corpus
    from seqkit.embeddings.evaluation import evaluate
    from seqkit.embeddings.vectors import Vectors
    from seqkit.errors import SeqkitError
    from seqkit.text.corpus import EncodedCorpus
    from seqkit.text.encoding import encode
    from seqkit.text.tokenizers import Tokenizer
    from seqkit.text.vocabulary import Vocabulary

__all__ = [
    "EncodedCorpus",
    "SeqkitError",
    "Tokenizer",
    "Vectors",
    "Vocabulary",
    "__version__",
    "corpus_names",
    "encode",
    "evaluate",
    "open_corpus",
]

# Where the public names live; each is imported when it is first asked for: `import seqkit` must cost nothing.
_HOMES = {
    "EncodedCorpus": "seqkit.text.corpus",
    "SeqkitError": "seqkit.errors",
    "Tokenizer": "seqkit.text.tokenizers",
    "Vectors": "seqkit.embeddings.vectors",
    "Vocabulary": "seqkit.text.vocabulary",
    "corpus_names": "seqkit.corpora",
    "encode": "seqkit.text.encoding",
    "evaluate": "seqkit.embeddings.evaluation",
    "open_corpus": "seqkit.corpora",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seqkit' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
