"""Recurrent language models: train one, score text with it, sample text from it.

To read it: `coding` makes ids of text, `batches` what is read at a time, `network` what is learned;
`task` is the loss, `training` puts them together, and `model` is what a bundle is opened as.

>>> from seqkit.language_model.batches import StreamBatches
>>> import numpy as np
>>> ids = np.arange(2, 10, dtype=np.int32)
>>> batches = StreamBatches(ids, 2, 3, seed=0, random_lengths=False, has_ends=True)
>>> inputs, targets, fresh = batches.batch(epoch=0, step=0)
>>> targets.tolist(), inputs.tolist()
([[2, 3, 4], [6, 7, 8]], [[1, 2, 3], [1, 6, 7]])
"""
