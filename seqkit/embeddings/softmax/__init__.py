"""The softmax over a vocabulary, and skip-gram trained by it (`--objective softmax`).

To read it: `exact` has the softmax with its gradients in TensorFlow; `adagrad` the tables that it trains;
`steps` cuts it to size; `trainer` presents a model to the training loop. Of skip-gram `skipgram_reference`
has the equations, `skipgram` the hyper-parameters and the pairs, `skipgram_trainer` the steps.
"""
