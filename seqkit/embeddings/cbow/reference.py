"""CBOW with negative sampling, word by word in NumPy float64: the definition the kernel is held to.

A block is L consecutive words w_1 … w_L with reaches, cut into spans; they share K noise words n_1 … n_K.
y_j is the row of w_j in the table of vectors, o_i the row of w_i in the table of contexts, z_k that of n_k in
the latter.

    context          C_i = {j: j ≠ i, -left_i ≤ j - i ≤ right_i}, within the span of i
    its mean         h_i = 1/|C_i| Σ_(j∈C_i) y_j
    loss             J_i = - log σ(h_i·o_i)  -  (negative / K) Σ_k log σ(-h_i·z_k),   for words with a context

With K = negative noise words for each word by itself this is CBOW as Mikolov et al. 2013 train it (NeurIPS,
equation 4, with the mean of a context in the place of a word). Noise is shared as in skip-gram, weighted so
that each word has `negative` noise words in sum. A word near the end of a span has a smaller context, as one
near the end of a line has; where blocks begin is random.

    ε_i = - ∂J_i/∂h_i = (1 - σ(h_i·o_i)) o_i  -  (negative / K) Σ_k σ(h_i·z_k) z_k

word2vec.c gives each word of the context the whole error ε_i, not its share ε_i / |C_i|, and so do gensim
(`cbow_mean=1`) and this: vectors descend along Σ_i |C_i| J_i, contexts along Σ_i J_i,

    y_j ← y_j + η Σ_(i: j∈C_i) ε_i            o_i ← o_i + η (1 - σ(h_i·o_i)) h_i
                                              z_k ← z_k - η Σ_i (negative / K) σ(h_i·z_k) h_i

A step adds all this up over its blocks at one state of the tables. With m_r the mass of row r in the step
(`config.py`), the rate of that row is min(η, 1 / m_r).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqkit.embeddings.negative_sampling.plan import Masses
from seqkit.embeddings.skipgram.reference import limited_rates, sigmoid

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class StepResult:
    """A step's outcome.

    Args:
        vectors: the table of vectors after the step, shape (vocabulary, vector_size).
        contexts: the table of contexts after the step.
        loss: Σ J_i over the blocks.
        vector_loss: Σ |C_i| J_i, along which the vectors descend.
        words: words with a context, over which the loss sums.
    """

    vectors: Floats
    contexts: Floats
    loss: float
    vector_loss: float
    words: int


def step(
    vectors: Floats,
    contexts: Floats,
    words: Ints,
    reaches: tuple[NDArray[np.float32], NDArray[np.float32]],
    noise: Ints,
    *,
    masses: Masses,
    negative: int,
    learning_rate: float,
    span: int | None = None,
) -> StepResult:
    """One step, by the equations at the top of this module.

    Args:
        vectors: shape (vocabulary, vector_size).
        contexts: the same shape.
        words: ids, shape (N, L).
        reaches: left and right, each of shape (N, L).
        noise: ids, shape (N, K).
        masses: of the places of the step.
        negative: noise words for each word.
        learning_rate: η.
        span: words of a span; None for a block's.
    """
    vector_descent, context_descent = np.zeros_like(vectors), np.zeros_like(contexts)
    loss = vector_loss = 0.0
    predicted, length, share = 0, span or words.shape[1], negative / noise.shape[1]
    for block, noise_words, left, right in zip(words, noise, *reaches, strict=True):
        for i, word in enumerate(block):
            begin = i - i % length
            within = range(max(begin, i - int(left[i])), min(begin + length, i + int(right[i]) + 1))
            context = [block[j] for j in within if j != i]
            if not context:
                continue
            h, o = vectors[context].mean(axis=0), contexts[word]
            probability = sigmoid(h @ o)
            word_loss = -float(np.log(probability))
            error = (1 - probability) * o
            context_descent[word] += (1 - probability) * h
            for noise_word in noise_words:
                z = contexts[noise_word]
                probability = sigmoid(h @ z)
                word_loss -= share * float(np.log(1 - probability))
                error -= share * probability * z
                context_descent[noise_word] -= share * probability * h
            for neighbour in context:
                vector_descent[neighbour] += error
            loss, vector_loss = loss + word_loss, vector_loss + len(context) * word_loss
            predicted += 1
    context_places = np.concatenate([words.ravel(), noise.ravel()])
    return StepResult(
        vectors + limited_rates(words, masses.vectors, len(vectors), learning_rate) * vector_descent,
        contexts
        + limited_rates(context_places, masses.contexts, len(contexts), learning_rate) * context_descent,
        loss,
        vector_loss,
        predicted,
    )
