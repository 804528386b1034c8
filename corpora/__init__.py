"""Corpora by name: bundled grammars that are sampled, and NLTK's corpora on the disk.

>>> from seqkit.corpora import open_corpus, open_labelled
>>> for line in open_corpus("kingdom", size=3, seed=1):
...     assert line == line.lower()
>>> {label for label, text in open_labelled("reviews", size=50)} == {"positive", "negative", "neutral"}
True
"""

from seqkit.corpora.bundled import corpus_file
from seqkit.corpora.catalogue import (
    CorpusInfo,
    corpus_names,
    describe,
    is_corpus_name,
    open_corpus,
    open_labelled,
)
from seqkit.corpora.fetch import fetch_nltk
from seqkit.corpora.grammar import Grammar

__all__ = [
    "CorpusInfo",
    "Grammar",
    "corpus_file",
    "corpus_names",
    "describe",
    "fetch_nltk",
    "is_corpus_name",
    "open_corpus",
    "open_labelled",
]
