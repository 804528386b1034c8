"""Bias in word vectors: word sets, directions, removal; NumPy, SciPy and scikit-learn alone, no TensorFlow.

To read it: `word_sets` says which words a bias is about.
"""
