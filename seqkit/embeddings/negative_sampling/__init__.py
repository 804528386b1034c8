"""What skip-gram and CBOW share: text in blocks of words, noise, steps that move each row of a table once.

To read it: `draws` has the distributions of sub-sampling and noise; `chunks` turns ids into blocks of words;
`plan` finds the rows that a step touches; `rows` reads and writes them; `kernel` runs the steps of a chunk in
TensorFlow; `trainer` presents a kernel to the training loop.
"""
