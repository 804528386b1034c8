"""Word vectors from text, on TensorFlow: train, ask, score, exchange.

This page is the tutorial; its examples are run by the tests. The same jobs are on the command line:
`seqkit --help`.

Text comes from files, folders (also compressed), or corpora by name. Three come with seqkit, sampled from
grammars in any size, always the same for the same seed; "kingdom" is made so that its analogies can be
learned:

>>> import seqkit
>>> seqkit.corpus_names()[:3]
['kingdom', 'reviews', 'names']
>>> sum(1 for line in seqkit.open_corpus("kingdom", size=1000, seed=1))
1000

Training goes from text to a bundle, a directory that holds the vectors and how they were made. Whatever
stops it, the same call goes on where it stopped. Verbs live with their job, here `seqkit.embeddings`:

>>> from seqkit.embeddings import evaluate, train
>>> config = seqkit.SkipGramConfig(vector_size=50, window=5, negative=5, epochs=5, seed=0)
>>> report = train(["kingdom:20000"], "my-vectors", config)
>>> report.words > 200_000, report.vocabulary > 900
(True, True)

A bundle is memory-mapped: it opens at once, however large. So does a file of word2vec, GloVe or fastText:

>>> vectors = seqkit.Vectors.load("my-vectors")
>>> vectors["king"].shape
(50,)
>>> [(answer, cosine)] = vectors.analogy("man", "king", "woman", n=1)  # man is to king as woman is to ?
>>> answer
'queen'
>>> vectors.odd_one_out(["king", "queen", "cheese"])
'cheese'
>>> "throne" in [word for word, cosine in vectors.most_similar("king", n=10)]
True

Every error that seqkit raises on purpose is a `seqkit.SeqkitError` and says what to do next:

>>> vectors["qeen"]
Traceback (most recent call last):
    ...
seqkit.errors.UnknownWordError: 'qeen' is not in the vocabulary; nearest spellings: queen

Scores are those of the field: Spearman's correlation with human judgements of similarity, accuracy on
analogies. What could not be scored is counted too:

>>> from seqkit.corpora import corpus_file
>>> scores = evaluate(vectors, analogies=[corpus_file("kingdom-analogies.txt")])
>>> figures = scores["analogies"]["kingdom-analogies"]
>>> figures["accuracy"] > 0.8, figures["missing"]
(True, 0)

Vectors go into any other tool, and come back to the last bit:

>>> vectors.export("my-vectors.bin")
[PosixPath('my-vectors.bin')]
>>> again = seqkit.Vectors.load("my-vectors.bin")
>>> bool((again.matrix == vectors.matrix).all())
True
>>> vectors.to_gensim().most_similar("king", topn=1)[0][0] == vectors.most_similar("king", n=1)[0][0]
True

The pieces can be had one by one, the words of a text for instance, by falling count:

>>> tokens = seqkit.Tokenizer("word").tokenize("The king spoke, and the queen spoke too.")
>>> tokens[:3]
['the', 'king', 'spoke']
>>> from collections import Counter
>>> vocabulary = seqkit.Vocabulary.from_counts(Counter(tokens))
>>> vocabulary.words[:2], vocabulary["spoke"]
(('spoke', 'the'), 0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqkit.lazy import lazy_names
from seqkit.version import __version__

if TYPE_CHECKING:
    from seqkit.corpora import corpus_names, open_corpus
    from seqkit.embeddings.material import CorpusConfig
    from seqkit.embeddings.skipgram.config import SkipGramConfig
    from seqkit.embeddings.training import RunConfig
    from seqkit.embeddings.vectors import Vectors
    from seqkit.errors import SeqkitError
    from seqkit.text.corpus import EncodedCorpus
    from seqkit.text.encoding import encode
    from seqkit.text.encoding_config import EncodingConfig
    from seqkit.text.tokenizers import Tokenizer
    from seqkit.text.vocabulary import Vocabulary

__all__ = [
    "CorpusConfig",
    "EncodedCorpus",
    "EncodingConfig",
    "RunConfig",
    "SeqkitError",
    "SkipGramConfig",
    "Tokenizer",
    "Vectors",
    "Vocabulary",
    "__version__",
    "corpus_names",
    "encode",
    "open_corpus",
]

# Where the public names live; each is imported when it is first asked for: `import seqkit` must cost nothing.
_HOMES = {
    "CorpusConfig": "seqkit.embeddings.material",
    "EncodedCorpus": "seqkit.text.corpus",
    "EncodingConfig": "seqkit.text.encoding_config",
    "RunConfig": "seqkit.embeddings.training",
    "SeqkitError": "seqkit.errors",
    "SkipGramConfig": "seqkit.embeddings.skipgram.config",
    "Tokenizer": "seqkit.text.tokenizers",
    "Vectors": "seqkit.embeddings.vectors",
    "Vocabulary": "seqkit.text.vocabulary",
    "corpus_names": "seqkit.corpora",
    "encode": "seqkit.text.encoding",
    "open_corpus": "seqkit.corpora",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
