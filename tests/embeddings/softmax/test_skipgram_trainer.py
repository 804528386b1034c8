"""The compiled steps against the reference; against negative sampling; the trainer at its limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqkit.embeddings.softmax import skipgram_reference
from seqkit.embeddings.softmax.skipgram import Centres, SoftmaxConfig
from seqkit.embeddings.softmax.skipgram_trainer import (
    VECTOR_RANGE,
    SoftmaxKernel,
    SoftmaxSkipGramTrainer,
    initial_tables,
)
from seqkit.embeddings.window.reference import adagrad
from seqkit.errors import UsageError
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.tokenizers import Tokenizer
from seqkit.training.device import Device

CPU = Device("/CPU:0", 2)
VOCABULARY, SIZE, STEP, STEPS = 12, 6, 8, 3
RATES = (0.3, 0.1)
SQUARES = 0.5  # not 0, or the first step of AdaGrad would be the gradient's sign, whatever its size


def random_tables() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(VOCABULARY, SIZE)).astype(np.float32) for name in ("vectors", "context")}


def random_centres(window: int = 2) -> Centres:
    rng = np.random.default_rng(1)
    shape = (STEPS, STEP, 2 * window)
    weights = (rng.random(shape) < 0.7).astype(np.float32)
    weights[-1, STEP // 2 :] = 0
    words = rng.integers(0, VOCABULARY, shape[:2], dtype=np.int32)
    return Centres(words, rng.integers(0, 5, shape, dtype=np.int32), weights)


def kernel(precision: str = "float32") -> SoftmaxKernel:
    config = SoftmaxConfig(vector_size=SIZE, window=2, precision=precision)  # type: ignore[arg-type]
    made = SoftmaxKernel(random_tables(), config, STEP)
    for table in made.tables.values():
        table.squares.assign(np.full(table.squares.shape, SQUARES))
    return made


# bfloat16 rounds with a relative error up to 2^-8: two products in a row, of rounded factors each, and errors
# of scores that add up over 6 columns: not above eight roundings together.
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 8 * 2**-8)])
def test_steps_are_those_of_the_reference(precision: str, tolerance: float) -> None:
    centres, before = random_centres(), random_tables()
    model = kernel(precision)
    planned = model.plan(centres)
    now = {name: table.astype(np.float64) for name, table in before.items()}
    squares = {name: np.full(table.shape, SQUARES) for name, table in now.items()}
    untrained = trained = 0.0
    for step in range(STEPS):
        batch = centres.words[step], centres.contexts[step], centres.weights[step]
        untrained += skipgram_reference.gradients(*before.values(), *batch)[0]
        loss, *found = skipgram_reference.gradients(*now.values(), *batch)
        rate = RATES[0] + (RATES[1] - RATES[0]) * step / STEPS
        now, squares = adagrad(now, squares, dict(zip(now, found, strict=True)), rate)
        trained += loss
    pairs = centres.weights.sum()
    assert model.loss(planned) == pytest.approx((untrained, pairs), rel=tolerance)
    assert model.loss(planned) == model.loss(planned)
    assert model.train(planned, RATES) == pytest.approx((trained, pairs), rel=tolerance)
    for name, table in model.tables.items():
        moved = np.linalg.norm(now[name] - before[name])
        assert moved > 0.1
        assert np.linalg.norm(table.value - now[name]) <= tolerance * moved


def test_centres_without_contexts_learn_nothing() -> None:
    centres, model = random_centres(), kernel()
    empty = Centres(centres.words, centres.contexts, 0 * centres.weights)
    assert model.train(model.plan(empty), RATES) == (0, 0)
    for name, table in model.tables.items():
        assert table.value.numpy().tobytes() == random_tables()[name].tobytes()


def encoded(text: str, folder: Path) -> EncodedCorpus:
    (folder / "text").write_text(text)
    return encode(
        folder / "text", folder / "corpus", EncodingConfig(tokenizer=Tokenizer("whitespace"), min_count=1)
    )


def test_a_pair_that_always_meets_is_learnt_to_its_entropy(tmp_path: Path) -> None:
    # a is beside x three times of four, beside y once; x and y are beside a: the loss of a pair comes down to
    # half the entropy of (3/4, 1/4), as half of the pairs have centre a.
    corpus = encoded("a x\na x\na x\na y\n" * 500, tmp_path)
    config = SoftmaxConfig(vector_size=4, window=1, sample=0, epochs=4, learning_rate=0.3)
    trainer = SoftmaxSkipGramTrainer(corpus, config, CPU)
    for epoch in range(config.epochs):
        loss = trainer.train_unit(epoch, 0).loss
    trainer.close()
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert loss == pytest.approx(entropy / 2, abs=0.01)
    state = trainer.state()
    words = list(corpus.vocabulary.words)
    scores = np.exp(state["context"] @ state["vectors"][words.index("a")])
    probabilities = dict(zip(words, scores / scores.sum(), strict=True))
    assert probabilities["x"] == pytest.approx(0.75, abs=0.02)
    assert probabilities["y"] == pytest.approx(0.25, abs=0.02)


def test_first_vectors_are_uniform_and_contexts_0() -> None:
    tables = initial_tables(500, SoftmaxConfig(vector_size=20))
    assert 0.99 * VECTOR_RANGE < np.abs(tables["vectors"]).max() <= VECTOR_RANGE * (1 + 1e-6)
    assert tables["vectors"].std() == pytest.approx(VECTOR_RANGE / np.sqrt(3), rel=0.05)
    assert not tables["context"].any()


def test_a_large_vocabulary_is_refused(tmp_path: Path) -> None:
    corpus = encoded(" ".join(f"w{number}" for number in range(30_001)), tmp_path)
    with pytest.raises(UsageError, match=r"30,000 words, not 30,001.*--max-vocab 30000.*negative sampling"):
        SoftmaxSkipGramTrainer(corpus, SoftmaxConfig(), CPU)
