"""One contestant of `language_model.py`: a process that answers one line of JSON on stdout for each on stdin.

The arguments are the program, the task, the tokens to train on (0 for all), the seed and the learning rate.
The first answer tells the seconds of the first step; {"seconds": s} asks for steps in about so many seconds,
{"epoch": n} for the n-th epoch and the perplexity after it, {"tokens": n} for so many tokens, with a quarter
of the learning rate after an epoch that did not help, and the perplexities of the texts to validate and to
test on then. Both programs begin with the same weights.
"""

from __future__ import annotations

import gzip
import json
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

DATA = Path(os.environ.get("SEQKIT_DATA", Path(__file__).parents[1] / ".." / "shared" / "data"))
CLIP, DROPOUT = 0.25, 0.2


@dataclass(frozen=True)
class Task:
    """What is trained, or written.

    Args:
        batch: sequences side by side.
        steps: that gradients go back.
        units: of each of two layers.
        tied: whether the softmax has the embeddings as its weights.
    """

    batch: int
    steps: int
    units: int
    tied: bool


TASKS = {
    "word": Task(20, 35, 200, tied=True),
    "character": Task(64, 64, 256, tied=False),
    "dinos": Task(16, 32, 128, tied=False),
}

SAMPLED = {"word": ("word", 33_000), "small": ("word", 10_000), "character": ("character", 65)}
"""The task whose network writes, and of how many words or characters."""


def text(task: str, tokens: int) -> tuple[Any, Any, int]:
    """Ids to train on and to validate on, int32, and how many there are."""
    train, valid, _ = parts(task)
    train, valid = train[: tokens or None], valid[: tokens // 4 or None]
    encode, vocabulary = _encoder(task, train)
    return encode(train), encode(valid), vocabulary


def test_text(task: str) -> Any:
    """Ids of the text that no program has seen, int32."""
    train, _, test = parts(task)
    return _encoder(task, train)[0](test)


def parts(task: str) -> tuple[list[str], list[str], list[str]]:
    """Tokens to train on, to validate on and to test on."""
    if task == "word":
        train, valid, test = (
            _words(DATA / "lm" / f"wiki.{part}.txt.gz") for part in ("train", "valid", "test")
        )
        return train, valid, test
    if task == "dinos":
        names = (DATA / "char" / "dinos.txt").read_text().lower().split()
        whole = list("".join(f"{name}\n" for name in np.random.default_rng(0).permutation(names)))
    else:
        whole = list((DATA / "char" / "tinyshakespeare.txt").read_text())
    cuts = [whole.index("\n", len(whole) * percent // 100) + 1 for percent in (90, 95)]
    return whole[: cuts[0]], whole[cuts[0] : cuts[1]], whole[cuts[1] :]


def _encoder(task: str, train: list[str]) -> tuple[Callable[[list[str]], Any], int]:
    counts = Counter(train)
    kept = [
        word for word, count in counts.most_common() if (count >= 3 or task != "word") and word != "<eos>"
    ]
    ids = {word: number for number, word in enumerate(["<unk>", "<eos>", *kept])}
    return lambda words: np.array([ids.get(word, 0) for word in words], np.int32), len(ids)


def first_weights(task: Task, vocabulary: int, seed: int) -> tuple[Any, Any, list[list[Any]]]:
    """Embeddings, the softmax's weights, and of each layer kernel, recurrent kernel and bias.

    Drawn as PyTorch's example does: embeddings and softmax uniformly from ± 0.1, layers from ± 1/√units.
    Gates are in PyTorch's order, side by side: update (input), forget, candidate, output.
    """
    rng, units = np.random.default_rng(seed), task.units

    def drawn(bound: float, *shape: int) -> Any:
        return rng.uniform(-bound, bound, shape).astype(np.float32)

    embeddings = drawn(0.1, vocabulary, units)
    kernel = embeddings if task.tied else drawn(0.1, vocabulary, units)
    shapes = ((units, 4 * units), (units, 4 * units), (4 * units,))
    return embeddings, kernel, [[drawn(units**-0.5, *shape) for shape in shapes] for _ in range(2)]


def _words(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [word for line in file for word in [*line.split(), "<eos>"]]


class Seqkit:
    """The network and trainer of seqkit."""

    def __init__(self, task: Task, text: tuple[Any, Any, int], seed: int, rate: float) -> None:
        from seqkit.language_model.batches import StreamBatches
        from seqkit.language_model.config import NetworkConfig
        from seqkit.language_model.network import LanguageNetwork
        from seqkit.language_model.scoring import Scorer
        from seqkit.language_model.task import LanguageTask
        from seqkit.training.device import choose_device
        from seqkit.training.network import NetworkTrainer
        from seqkit.training.optimizers import OptimizerConfig

        train, valid, vocabulary = text
        config = NetworkConfig(units=task.units, tied=task.tied, dropout=DROPOUT)
        self.network = LanguageNetwork(
            config, vocabulary, bfloat16=choose_device("cpu").has_bfloat16(), seed=seed
        )
        self._begin(*first_weights(task, vocabulary, seed))
        batches = StreamBatches(train, task.batch, task.steps, 0, random_lengths=False, has_ends=True)
        optimizer = OptimizerConfig(name="sgd", learning_rate=rate, clip_norm=CLIP)
        trained = LanguageTask(self.network, task.batch)
        self.trainer = NetworkTrainer(trained, batches, optimizer, epochs=40, unit_batches=1)
        self._valid, self._scorer, self._unit = valid, Scorer(self.network), 0

    def _begin(self, embeddings: Any, kernel: Any, layers: list[list[Any]]) -> None:
        self.network.embeddings.assign(embeddings)
        self.network.kernel.assign(kernel)
        for layer, (inputs, recurrent, bias) in zip(self.network.layers, layers, strict=True):
            joined = np.concatenate([recurrent, inputs])
            parts = zip("ufco", np.split(joined, 4, axis=1), np.split(bias, 4), strict=True)
            layer.cell.set_equation_weights(
                {
                    name: value
                    for gate, weights, offsets in parts
                    for name, value in ((f"W_{gate}", weights), (f"b_{gate}", offsets))
                }
            )

    def step(self) -> None:
        self.trainer.train_unit(0, self._unit % self.trainer.units)
        self._unit += 1

    def epoch(self, number: int) -> None:
        for unit in range(self.trainer.units):
            self.trainer.train_unit(number - 1, unit)

    def perplexity(self) -> float:
        return float(np.exp(self._scorer.mean_of_stream(self._valid)))


class PyTorch:
    """The same model, as PyTorch's example has it."""

    def __init__(self, task: Task, text: tuple[Any, Any, int], seed: int, rate: float) -> None:
        import torch

        from seqkit._processors import available_cores

        torch.set_num_threads(available_cores())
        torch.manual_seed(seed)
        train, valid, vocabulary = text
        self._torch, self._task, self._vocabulary, self._rate = torch, task, vocabulary, rate
        self._embedding = torch.nn.Embedding(vocabulary, task.units)
        self._lstm = torch.nn.LSTM(task.units, task.units, 2, dropout=DROPOUT)
        self._decoder = torch.nn.Linear(task.units, vocabulary)
        if task.tied:
            self._decoder.weight = self._embedding.weight
        self._start(*first_weights(task, vocabulary, seed))
        self._modules = torch.nn.ModuleList([self._embedding, self._lstm, self._decoder])
        self._dropout = torch.nn.Dropout(DROPOUT)
        self._train, self._valid = self._columns(train, task.batch), self._columns(valid, 10)
        self._begin, self._state = 0, None

    def _start(self, embeddings: Any, kernel: Any, layers: list[list[Any]]) -> None:
        with self._torch.no_grad():
            self._embedding.weight.copy_(self._torch.from_numpy(embeddings))
            self._decoder.weight.copy_(self._torch.from_numpy(kernel))
            self._decoder.bias.zero_()
            for number, (inputs, recurrent, bias) in enumerate(layers):
                weights = (inputs.T, recurrent.T, bias, np.zeros_like(bias))
                for own, value in zip(self._lstm.all_weights[number], weights, strict=True):
                    own.copy_(self._torch.from_numpy(value))

    def _columns(self, ids: Any, batch: int) -> Any:
        length = len(ids) // batch
        return (
            self._torch.from_numpy(ids[: length * batch].astype(np.int64))
            .view(batch, length)
            .t()
            .contiguous()
        )

    def _losses(self, data: Any, begin: int, state: Any) -> tuple[Any, Any]:
        steps = min(self._task.steps, len(data) - 1 - begin)
        outputs, state = self._lstm(self._dropout(self._embedding(data[begin : begin + steps])), state)
        scores = self._decoder(self._dropout(outputs)).view(-1, self._vocabulary)
        log = self._torch.nn.functional.log_softmax(scores, dim=1)
        targets = data[begin + 1 : begin + 1 + steps].reshape(-1)
        return self._torch.nn.functional.nll_loss(log, targets), state

    def step(self) -> None:
        if self._begin == 0:
            self._state = None
        state = None if self._state is None else tuple(part.detach() for part in self._state)
        self._modules.zero_grad()
        loss, self._state = self._losses(self._train, self._begin, state)
        loss.backward()
        self._torch.nn.utils.clip_grad_norm_(self._modules.parameters(), CLIP)
        for parameter in self._modules.parameters():
            parameter.data.add_(parameter.grad, alpha=-self._rate)
        self._begin += self._task.steps
        if self._begin >= len(self._train) - 1:
            self._begin = 0

    def epoch(self, number: int) -> None:
        self._begin = 0
        self.step()
        while self._begin:
            self.step()

    def train(self, tokens: int) -> None:
        best = math.inf
        for _ in range(tokens // (self._task.batch * self._task.steps)):
            self.step()
            if self._begin == 0:
                found = self.perplexity()
                self._rate, best = self._rate if found < best else self._rate / 4, min(best, found)

    def perplexity(self, ids: Any = None) -> float:
        data = self._valid if ids is None else self._columns(ids, 10)
        self._modules.eval()
        self._dropout.eval()
        total, count, state = 0.0, 0, None
        with self._torch.no_grad():
            for begin in range(0, len(data) - 1, self._task.steps):
                steps = min(self._task.steps, len(data) - 1 - begin)
                loss, state = self._losses(data, begin, state)
                total, count = total + float(loss) * steps, count + steps
        self._modules.train()
        self._dropout.train()
        return float(np.exp(total / count))

    def writer(self, number: int) -> Callable[[int], None]:
        """What writes so many words of `number` texts: the draw is fed back with the state."""
        self._modules.eval()

        def write(words: int) -> None:
            last, state = self._torch.ones((1, number), dtype=self._torch.long), None
            with self._torch.no_grad():
                for _ in range(words):
                    outputs, state = self._lstm(self._embedding(last), state)
                    shares = self._decoder(outputs[0]).softmax(dim=1)
                    last = self._torch.multinomial(shares, 1).t()

        return write


def seqkit_writer(task: Task, vocabulary: int, number: int) -> Callable[[int], None]:
    """`seqkit.language_model.sampling`; `<eos>` is banned, so that no text ends early."""
    from seqkit.language_model.config import NetworkConfig
    from seqkit.language_model.network import LanguageNetwork
    from seqkit.language_model.network_steps import NetworkSteps
    from seqkit.language_model.sampling import Sampler, SamplingConfig

    network = LanguageNetwork(NetworkConfig(units=task.units, tied=task.tied), vocabulary)
    sampler = Sampler(NetworkSteps(network))

    def write(words: int) -> None:
        sampler.sample(SamplingConfig(number=number, max_length=words, banned=(1,)))

    return write


def keras_writer(task: Task, vocabulary: int, number: int) -> Callable[[int], None]:
    """`predict` once a word, the state in and out, and a draw by NumPy."""
    import keras

    units, rng = task.units, np.random.default_rng(0)
    word = keras.Input((1,), batch_size=number, dtype="int32")
    before = [keras.Input((units,), batch_size=number) for _ in range(4)]
    values, after = keras.layers.Embedding(vocabulary, units)(word), []
    for layer in range(2):
        lstm = keras.layers.LSTM(units, return_sequences=True, return_state=True)
        values, *states = lstm(values, initial_state=before[2 * layer : 2 * layer + 2])
        after += states
    shares = keras.layers.Dense(vocabulary, activation="softmax")(values[:, 0])
    model = keras.Model([word, *before], [shares, *after])

    def write(words: int) -> None:
        last, state = np.ones((number, 1), np.int32), [np.zeros((number, units), np.float32)] * 4
        for _ in range(words):
            shares, *state = model.predict([last, *state], batch_size=number, verbose=0)
            below = shares.cumsum(axis=1)
            last = (below > rng.random((number, 1)) * below[:, -1:]).argmax(axis=1)[:, None].astype(np.int32)

    return write


def answer(**figures: float) -> None:
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Answers until stdin ends."""
    program, name, tokens = sys.argv[1], sys.argv[2], int(sys.argv[3])
    seed, rate = int(sys.argv[4]), float(sys.argv[5])
    sampling = name.startswith("sample-")
    kind, vocabulary = SAMPLED[name.split("-")[1]] if sampling else (name, 0)
    task = TASKS[kind]
    contestant: Any = None
    if sampling:
        number = int(name.split("-")[2])
        if program == "PyTorch":
            empty = np.ones(1000, np.int32)
            write = PyTorch(task, (empty, empty, vocabulary), seed, rate).writer(number)
        else:
            write = (seqkit_writer if program == "seqkit" else keras_writer)(task, vocabulary, number)
        words = {"Keras": 10}.get(program, 100)
        step, size = (lambda: write(words)), words * number
    else:
        contestant = {"seqkit": Seqkit, "PyTorch": PyTorch}[program](task, text(kind, tokens), seed, rate)
        step, size = contestant.step, task.batch * task.steps
    began = time.perf_counter()
    if tokens == 0:
        step()
    answer(first=time.perf_counter() - began)
    for line in sys.stdin:
        order = json.loads(line)
        began = time.perf_counter()
        if "tokens" in order:
            contestant.train(int(order["tokens"]))
            seconds = time.perf_counter() - began
            valid, test = contestant.perplexity(), contestant.perplexity(test_text(kind))
            answer(seconds=seconds, valid=valid, perplexity=test)
            continue
        if "epoch" in order:
            contestant.epoch(int(order["epoch"]))
            seconds = time.perf_counter() - began
            answer(seconds=seconds, perplexity=contestant.perplexity())
            continue
        steps = 0
        while (passed := time.perf_counter() - began) < order["seconds"]:
            step()
            steps += 1
        answer(tokens=steps * size, seconds=passed)


if __name__ == "__main__":
    main()
