"""The neural language model over a fixed window (Bengio et al. 2003), for the vectors that it learns.

To read it: `reference` has the equations; `config` the hyper-parameters; `batches` turns ids into windows;
`kernel` is the step in TensorFlow; `trainer` presents it to the training loop.
"""
