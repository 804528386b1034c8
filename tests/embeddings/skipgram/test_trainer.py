"""The trainer as the loop uses it: exact continuation, schedule, validation; it learns what is planted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers import bits
from seqkit.corpora import corpus_file
from seqkit.embeddings.evaluation import evaluate
from seqkit.embeddings.negative_sampling import chunks
from seqkit.embeddings.negative_sampling.chunks import ChunkMaker
from seqkit.embeddings.skipgram.config import Geometry, SkipGramConfig
from seqkit.embeddings.skipgram.kernel import SkipGramKernel
from seqkit.embeddings.skipgram.trainer import SkipGramTrainer, initial_tables
from seqkit.embeddings.training import train
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import CorpusError
from seqkit.text.corpus import LINE_END, EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.tokenizers import Tokenizer
from seqkit.training.device import Device

CPU = Device("/CPU:0", 2)
CONFIG = SkipGramConfig(
    vector_size=12, window=4, negative=5, sample=0.0, epochs=3, learning_rate=0.05, seed=3
)

Make = Callable[..., SkipGramTrainer]


def text_of_two_topics(lines: int) -> str:
    """Each line is of one topic, a0 … a9 or b0 … b9: no word of one ever meets one of the other."""
    rng = np.random.default_rng(0)
    return "".join(
        " ".join(f"{topic}{word}" for word in rng.integers(0, 10, 8)) + "\n"
        for topic in rng.choice(["a", "b"], lines)
    )


def encoded(text: str, folder: Path, held_out: float) -> EncodedCorpus:
    (folder / "text.txt").write_text(text)
    return encode(
        folder / "text.txt",
        folder / "corpus",
        EncodingConfig(tokenizer=Tokenizer("whitespace"), held_out=held_out),
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> EncodedCorpus:
    return encoded(text_of_two_topics(1500), tmp_path_factory.mktemp("topics"), held_out=0.1)


@pytest.fixture
def make(corpus: EncodedCorpus, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Trainers with chunks of about 4000 ids, in steps of four blocks; they are closed at the end."""
    monkeypatch.setattr(chunks, "CHUNK_IDS", 4000)
    monkeypatch.setattr(Geometry, "choose", lambda window, negative, words: Geometry(4, 32, 16))
    made = []

    def trainer(of: EncodedCorpus = corpus, device: Device = CPU) -> SkipGramTrainer:
        made.append(SkipGramTrainer(of, CONFIG, device))
        return made[-1]

    yield trainer
    for each in made:
        each.close()


def run(trainer: SkipGramTrainer) -> Iterator[tuple[int, int, float, float]]:
    for epoch in range(trainer.epochs):
        for unit in range(trainer.units):
            report = trainer.train_unit(epoch, unit)
            yield epoch, unit, report.loss, report.learning_rate


def test_initial_tables_are_word2vecs() -> None:
    tables = initial_tables(1000, CONFIG)
    assert {name: (table.shape, table.dtype) for name, table in tables.items()} == {
        "vectors": ((1000, 12), np.float32),
        "context": ((1000, 12), np.float32),
    }
    assert not tables["context"].any()
    # (random - 0.5) / vector_size, from the uniform distribution: variance of its width² / 12
    assert np.abs(tables["vectors"]).max() <= 0.5 / 12
    assert np.abs(tables["vectors"]).max() > 0.499 / 12
    assert np.abs(tables["vectors"].mean()) < 4 / 12 / np.sqrt(12 * 12_000)
    assert tables["vectors"].var() == pytest.approx(1 / 12**2 / 12, rel=0.03)
    again, other = initial_tables(1000, CONFIG), initial_tables(1000, SkipGramConfig(vector_size=12, seed=4))
    np.testing.assert_array_equal(again["vectors"], tables["vectors"])
    assert (other["vectors"] != tables["vectors"]).mean() > 0.99


def test_a_run_goes_on_from_its_state_to_the_same_bytes(make: Make) -> None:
    whole, first = make(), make()
    assert whole.units == 3  # 1500 lines of 9 ids, nine tenths of them, by 4000
    for unit in range(3):
        whole.train_unit(0, unit)
    whole.train_unit(1, 0)

    first.train_unit(0, 0)
    state = first.state()
    kept = {name: table.copy() for name, table in state.items()}
    second = make()
    second.restore(state)
    for position in ((0, 1), (0, 2), (1, 0)):
        second.train_unit(*position)
    assert bits(second) == bits(whole)

    first.train_unit(0, 1)
    first.restore(state)  # while the third chunk is planned
    for position in ((0, 1), (0, 2), (1, 0)):
        first.train_unit(*position)
    assert bits(first) == bits(whole)
    for name, table in state.items():  # a state is not what training works on
        np.testing.assert_array_equal(table, kept[name])


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit(make: Make) -> None:
    one, four = make(device=Device("/CPU:0", 1)), make(device=Device("/CPU:0", 4))
    for trainer in (one, four):
        trainer.train_unit(0, 0)
    assert bits(one) == bits(four)


def test_training_begins_with_the_initial_tables(make: Make, corpus: EncodedCorpus) -> None:
    assert bits(make()) == {
        name: table.tobytes() for name, table in initial_tables(len(corpus.vocabulary), CONFIG).items()
    }


def test_learning_rate_falls_linearly_to_its_end(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[tuple[float, float]] = []
    monkeypatch.setattr(
        SkipGramKernel, "train", lambda self, chunk, learning_rates: rates.append(learning_rates)
    )
    reported = [rate for *_, rate in run(make())]
    # 9 units: the rate of each begins where that of the one before ends
    expected = [0.05 * (9 - done) / 9 for done in range(9)] + [0.05 * 1e-4]
    # a step's own rate is 1.2 times word2vec's
    np.testing.assert_allclose(rates, 1.2 * np.column_stack([expected[:-1], expected[1:]]), rtol=1e-12)
    np.testing.assert_allclose(reported, expected[1:], rtol=1e-12)


def test_units_are_the_chunks_in_the_order_of_the_epoch(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    plain = ChunkMaker.make

    def recorded(self: ChunkMaker, epoch: int, chunk: int) -> chunks.Chunk:
        calls.append((epoch, chunk))
        return plain(self, epoch, chunk)

    monkeypatch.setattr(ChunkMaker, "make", recorded)
    monkeypatch.setattr(SkipGramKernel, "train", lambda self, chunk, learning_rates: None)
    trainer = make()
    list(run(trainer))
    orders = [np.random.default_rng([CONFIG.seed, 0, epoch]).permutation(3) for epoch in range(3)]
    assert calls == [(epoch, chunk) for epoch in range(3) for chunk in orders[epoch]]
    calls.clear()
    trainer.validation_loss()
    assert calls == [(0, 0)]  # the same draws whenever it is asked


def test_work_is_counted_in_words_of_the_text(make: Make, corpus: EncodedCorpus) -> None:
    trainer = make()
    done = [trainer.work(epoch, unit) for epoch in range(3) for unit in range(3)] + [trainer.work(3, 0)]
    np.testing.assert_allclose(done, np.arange(10) / 3 * corpus.tokens)
    assert corpus.tokens == 1500 * 8
    assert trainer.work(0, 3) == trainer.work(1, 0)


def test_validation(make: Make) -> None:
    trainer = make()
    before = trainer.validation_loss()
    assert before == pytest.approx(
        6 * np.log(2), rel=1e-6
    )  # contexts are 0: σ = 1/2 for a pair and 5 of noise
    assert trainer.validation_loss() == before
    state = bits(trainer)
    trainer.validation_loss()
    assert bits(trainer) == state
    losses = [loss for *_, loss, _ in run(trainer)]
    after = trainer.validation_loss()
    assert losses[0] == pytest.approx(before, rel=1e-6)
    assert after is not None
    assert after < losses[0] - 0.3
    assert after == pytest.approx(losses[-1], abs=0.2)  # the same topics
    assert trainer.validation_loss() == after


def test_lines_of_one_word_are_refused(make: Make, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no line has two words") as caught:
        make(encoded("word\nother\n" * 300, tmp_path, held_out=0.0))
    assert caught.value.exit_code == 65


def test_held_out_lines_of_one_word_have_no_loss(make: Make, corpus: EncodedCorpus) -> None:
    lonely = np.array([0, LINE_END, 1, LINE_END], np.int32)
    assert make(replace(corpus, held_out_ids=lonely)).validation_loss() is None


def test_words_that_meet_become_alike(make: Make, corpus: EncodedCorpus) -> None:
    trainer = make()
    for _ in run(trainer):
        pass
    vectors = trainer.state()["vectors"]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    topic = np.array([word[0] for word in corpus.vocabulary.words])
    same = topic[:, None] == topic
    cosines = vectors @ vectors.T
    within = cosines[same & ~np.eye(20, dtype=bool)]
    assert within.min() > cosines[~same].max()
    assert within.mean() > cosines[~same].mean() + 0.5


def test_close_ends_the_thread(make: Make) -> None:
    trainer = make()
    trainer.train_unit(0, 0)
    assert planners()
    trainer.close()
    assert not planners()


def planners() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("plan")]


@pytest.mark.slow
def test_analogies_of_the_kingdom(tmp_path: Path) -> None:
    train(["kingdom:60000"], tmp_path / "kingdom", SkipGramConfig(epochs=3))
    vectors = Vectors.load(tmp_path / "kingdom")
    questions = corpus_file("kingdom-analogies.txt")
    scores = evaluate(vectors, similarity=[], analogies=[questions])["analogies"]["kingdom-analogies"]
    assert scores["accuracy"] > 0.9
    assert scores["missing"] == 0
    assert vectors.analogy("man", "king", "woman", 1)[0][0] == "queen"
