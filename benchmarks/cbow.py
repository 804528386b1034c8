"""CBOW against gensim: the same tokens, the same settings, in turns; speed, quality and memory.

    python benchmarks/cbow.py                      # simplewiki, 3 seeds
    python benchmarks/cbow.py --epochs 3 --seeds 1

`_word2vec.py` says what is compared.
"""

from __future__ import annotations

from _word2vec import Contest, main

if __name__ == "__main__":
    main(Contest("cbow", sg=0, learning_rate=0.05), __doc__)
