"""Skip-gram against gensim: the same tokens, the same settings, in turns; speed, quality and memory.

    python benchmarks/skipgram.py                      # simplewiki, 3 seeds
    python benchmarks/skipgram.py --vector-size 300 --window 10 --negative 15 --seeds 1

`_word2vec.py` says what is compared.
"""

from __future__ import annotations

from _word2vec import Contest, main

if __name__ == "__main__":
    main(Contest("skipgram", sg=1, learning_rate=0.025), __doc__)
