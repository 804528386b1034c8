"""Text to ids: sources, tokenizers, the vocabulary, and encoded corpora on disk.

>>> from seqkit.text import Tokenizer, Vocabulary
>>> tokens = Tokenizer("word").tokenize("The king spoke; the queen smiled.")
>>> tokens
['the', 'king', 'spoke', 'the', 'queen', 'smiled']
"""

from seqkit.text.encoding import LINE_END, EncodedCorpus, EncodingConfig, encode, fingerprint
from seqkit.text.sources import iter_chunks, iter_lines
from seqkit.text.tokenizers import WORD_PATTERN, Tokenizer
from seqkit.text.vocabulary import Vocabulary

__all__ = [
    "LINE_END",
    "WORD_PATTERN",
    "EncodedCorpus",
    "EncodingConfig",
    "Tokenizer",
    "Vocabulary",
    "encode",
    "fingerprint",
    "iter_chunks",
    "iter_lines",
]
