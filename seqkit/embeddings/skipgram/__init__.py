"""Skip-gram with negative sampling (Mikolov et al. 2013), as matrix products.

To read it: `reference` has the equations, pair by pair; `config` the hyper-parameters; `sampling` and
`chunks` turn ids into blocks of words; `plan` finds the rows that a step touches; `kernel` is the step in
TensorFlow, on `seqkit.embeddings.block_kernel`; `trainer` presents it to the training loop.
"""
