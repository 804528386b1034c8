"""Text to ids: sources, tokenizers, the vocabulary, and encoded corpora on disk.

>>> from seqkit.text import Tokenizer, Vocabulary
>>> tokens = Tokenizer("word").tokenize("The king spoke; the queen smiled.")
>>> tokens
['the', 'king', 'spoke', 'the', 'queen', 'smiled']
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkit.lazy import lazy_names

if TYPE_CHECKING:
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

# Whoever wants a tokenizer alone, such as each process that classifies, should not wait for the rest.
_HOMES = {
    **dict.fromkeys(
        ("LINE_END", "EncodedCorpus", "EncodingConfig", "encode", "fingerprint"), "seqkit.text.encoding"
    ),
    **dict.fromkeys(("iter_chunks", "iter_lines"), "seqkit.text.sources"),
    **dict.fromkeys(("WORD_PATTERN", "Tokenizer"), "seqkit.text.tokenizers"),
    "Vocabulary": "seqkit.text.vocabulary",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
