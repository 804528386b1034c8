"""One contestant of `recurrent.py`: trains one layer in a process of its own, a round for each line on stdin.

The argument is what to train, as JSON (`Contestant` of `recurrent.py`). The first line on stdout tells the
seconds of the first step and the memory that training takes, each other one the steps and seconds of a round.
A round is asked for by its number of seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np


def main() -> None:
    """Answers until stdin ends."""
    contestant = json.loads(sys.argv[1])
    warm = contestant.pop("warm")
    prepare = prepare_torch if contestant["program"] == "PyTorch" else prepare_tensorflow
    make = prepare(**contestant)
    before, code = resident("VmRSS"), resident("RssFile")
    step = make()
    began = time.perf_counter()
    step()
    first = time.perf_counter() - began
    run_for(step, warm)
    answer(first=first, mib=resident("VmHWM") - before, code=resident("RssFile") - code)
    for line in sys.stdin:
        steps, seconds = run_for(step, float(line))
        answer(steps=steps, seconds=seconds)


def answer(**figures: float) -> None:
    print(json.dumps(figures), flush=True)


def run_for(step: Callable[[], Any], seconds: float) -> tuple[int, float]:
    """Steps in about so many seconds, and how many these were; one step before them is not counted."""
    step()
    steps, began = 0, time.perf_counter()
    while (passed := time.perf_counter() - began) < seconds:
        step()
        steps += 1
    return steps, passed


def resident(field: str) -> float:
    """Memory of this process in MiB: what it has now (VmRSS), files of that (RssFile), its peak (VmHWM)."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field)) / 1024


def arrays(batch: int, steps: int, units: int) -> tuple[Any, Any]:
    """Inputs, and the weights of the outputs in the loss."""
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal((batch, steps, units), dtype=np.float32) for _ in range(2))
    return x, y


def prepare_tensorflow(
    program: str, cell: str, shape: tuple[int, int, int], options: dict[str, Any], training: bool
) -> Callable[[], Any]:
    """What makes a step of a layer of seqkit or Keras; all that it needs is imported."""
    import tensorflow as tf

    from seqkit.cells import GRUCell, LSTMCell, RNNCell
    from seqkit.layers import Recurrent

    units = shape[2]
    x, y = map(tf.constant, arrays(*shape))

    def make_layer() -> Any:
        reset_after = cell == "GRU"
        if cell == "RNN" and program == "Keras":
            return tf.keras.layers.SimpleRNN(units, return_sequences=True, **options)
        if cell == "RNN":
            return Recurrent(RNNCell(units, **options), return_sequences=True)
        if program == "Keras":
            if cell == "LSTM":
                return tf.keras.layers.LSTM(units, return_sequences=True, **options)
            return tf.keras.layers.GRU(units, reset_after=reset_after, return_sequences=True, **options)
        if cell == "LSTM":
            return Recurrent(LSTMCell(units, **options), return_sequences=True)
        variant: Any = "reset-after" if reset_after else "full"
        return Recurrent(GRUCell(units, variant=variant, **options), return_sequences=True)

    def make() -> Callable[[], Any]:
        layer = make_layer()
        layer.build(x.shape)

        @tf.function
        def step(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(tf.cast(layer(x, training=True), tf.float32) * y)
            return tape.gradient(loss, [x, *(weight.value for weight in layer.trainable_variables)])

        if not training:
            run = tf.function(lambda x: layer(x, training=False))
            return lambda: run(x)
        return lambda: step(x, y)

    return make


def prepare_torch(
    program: str, cell: str, shape: tuple[int, int, int], options: dict[str, Any], training: bool
) -> Callable[[], Any]:
    """What makes a step of a layer of PyTorch; all that it needs is imported."""
    import torch

    from seqkit._processors import available_cores

    torch.set_num_threads(available_cores())
    x, y = map(torch.from_numpy, arrays(*shape))
    x.requires_grad_()

    def make() -> Callable[[], Any]:
        layer = getattr(torch.nn, cell)(shape[2], shape[2], batch_first=True, **options)

        def step() -> None:
            layer.zero_grad(set_to_none=True)
            x.grad = None
            outputs, _ = layer(x)
            (outputs * y).sum().backward()

        def run() -> None:
            with torch.inference_mode():
                layer(x)

        return step if training else run

    return make


if __name__ == "__main__":
    main()
