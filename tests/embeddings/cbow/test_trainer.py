"""The CBOW trainer as the loop uses it: exact continuation, schedule; it learns what is planted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from helpers import bits
from seqkit.embeddings.cbow import trainer as module
from seqkit.embeddings.cbow.config import CBOWConfig
from seqkit.embeddings.cbow.kernel import CBOWKernel
from seqkit.embeddings.cbow.trainer import GAIN, CBOWTrainer
from seqkit.embeddings.negative_sampling import chunks
from seqkit.embeddings.skipgram.config import Geometry
from seqkit.errors import CorpusError
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.tokenizers import Tokenizer
from seqkit.training.device import Device

CONFIG = CBOWConfig(vector_size=12, window=4, negative=5, sample=0.0, epochs=3, learning_rate=0.1, seed=3)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> EncodedCorpus:
    """Each line is of one topic, a0 … a9 or b0 … b9: no word of one ever meets one of the other."""
    folder, rng = tmp_path_factory.mktemp("topics"), np.random.default_rng(0)
    lines = (
        " ".join(f"{topic}{word}" for word in rng.integers(0, 10, 8))
        for topic in rng.choice(["a", "b"], 1500)
    )
    (folder / "text.txt").write_text("".join(f"{line}\n" for line in lines))
    return encode(
        folder / "text.txt",
        folder / "corpus",
        EncodingConfig(tokenizer=Tokenizer("whitespace"), held_out=0.1),
    )


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of about 4000 ids, in steps of four blocks."""
    monkeypatch.setattr(chunks, "CHUNK_IDS", 4000)
    monkeypatch.setattr(module, "choose_geometry", lambda window, negative, words: Geometry(4, 32, 16))


@pytest.fixture
def pair(corpus: EncodedCorpus) -> Iterator[tuple[CBOWTrainer, CBOWTrainer]]:
    """Two trainers of the same run, on one thread and on four."""
    trainers = tuple(CBOWTrainer(corpus, CONFIG, Device("/CPU:0", threads)) for threads in (1, 4))
    yield trainers[0], trainers[1]
    for trainer in trainers:
        trainer.close()


def test_a_run_goes_on_from_its_state_to_the_same_bytes(pair: tuple[CBOWTrainer, CBOWTrainer]) -> None:
    whole, other = pair
    assert set(whole.state()) == {"vectors", "context"}
    assert whole.units == 3  # 1500 lines of 9 ids, nine tenths of them, by 4000
    whole.train_unit(0, 0)
    state = whole.state()
    other.restore(state)
    assert bits(other) == bits(whole)
    for trainer in pair:
        for position in ((0, 1), (0, 2), (1, 0)):
            trainer.train_unit(*position)
    assert bits(other) == bits(whole)


def test_the_rate_of_a_step(pair: tuple[CBOWTrainer, CBOWTrainer], monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[tuple[float, float]] = []
    monkeypatch.setattr(CBOWKernel, "train", lambda self, chunk, learning_rates: rates.append(learning_rates))
    assert pair[0].train_unit(1, 1).learning_rate == pytest.approx(0.1 * 4 / 9)
    # of 9 units 4 are done
    np.testing.assert_allclose(rates, [(GAIN * 0.1 * 5 / 9, GAIN * 0.1 * 4 / 9)])


def test_words_that_meet_become_alike(pair: tuple[CBOWTrainer, CBOWTrainer], corpus: EncodedCorpus) -> None:
    trainer, _ = pair
    before = trainer.validation_loss()
    assert before == pytest.approx(6 * np.log(2), rel=1e-6)  # contexts are 0: σ = 1/2
    losses = [trainer.train_unit(epoch, unit).loss for epoch in range(3) for unit in range(3)]
    after = trainer.validation_loss()
    assert after is not None
    assert after < before - 0.3
    assert after == pytest.approx(losses[-1], abs=0.2)  # the same topics
    vectors = trainer.state()["vectors"]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    topic = np.array([word[0] for word in corpus.vocabulary.words])
    same, cosines = topic[:, None] == topic, vectors @ vectors.T
    assert cosines[same & ~np.eye(20, dtype=bool)].min() > cosines[~same].max()


def test_lines_of_one_word_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("word\nother\n" * 300)
    lonely = encode(
        tmp_path / "text.txt", tmp_path / "corpus", EncodingConfig(tokenizer=Tokenizer("whitespace"))
    )
    with pytest.raises(CorpusError, match="no line has two words"):
        CBOWTrainer(lonely, CONFIG, Device("/CPU:0", 1))
