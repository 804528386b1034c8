"""CBOW with negative sampling (Mikolov et al. 2013), as matrix products: a word from the mean of its context.

To read it: `reference` has the equations, word by word; `config` the hyper-parameters and the shape of a
step; `kernel` is the step in TensorFlow; `trainer` presents it to the training loop. Blocks, noise and
rows are those of `seqkit.embeddings.negative_sampling`.
"""
