"""The trainer as the loop uses it: exact continuation, schedule, validation, what it learns and refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from helpers import bits
from seqkit.embeddings.softmax.skipgram import SoftmaxConfig
from seqkit.embeddings.softmax.skipgram_trainer import SoftmaxSkipGramTrainer
from seqkit.embeddings.window import trainer as window_trainer
from seqkit.embeddings.window.config import WindowConfig
from seqkit.embeddings.window.trainer import VECTOR_RANGE, WindowTrainer, initial_tables
from seqkit.errors import UsageError
from seqkit.text.corpus import EncodedCorpus
from seqkit.text.encoding import EncodingConfig, encode
from seqkit.text.tokenizers import Tokenizer
from seqkit.training.device import Device

CPU = Device("/CPU:0", 2)
COMMON = {"vector_size": 8, "window": 2, "sample": 0.0, "epochs": 3, "learning_rate": 0.1, "seed": 3}
CONFIGS = {
    "exact": WindowConfig(**COMMON, hidden_units=9, softmax="exact"),
    "sampled": WindowConfig(**COMMON, hidden_units=9, softmax="sampled", negative=8),
    "skipgram-softmax": SoftmaxConfig(**COMMON),
}
TABLES = ["hidden_bias", "hidden_kernel", "output_bias", "output_kernel", "vectors"]

Make = Callable[..., WindowTrainer]


def encoded(text: str, folder: Path, held_out: float = 0.0, min_count: int = 1) -> EncodedCorpus:
    folder.mkdir(exist_ok=True)
    (folder / "text").write_text(text)
    return encode(
        folder / "text",
        folder / "corpus",
        EncodingConfig(tokenizer=Tokenizer("whitespace"), held_out=held_out, min_count=min_count),
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> EncodedCorpus:
    """Lines that count up from anywhere, modulo 10, in words of one of two alphabets."""
    rng = np.random.default_rng(0)
    text = "".join(
        " ".join(f"{'ab'[kind]}{(start + place) % 10}" for place in range(8)) + "\n"
        for kind, start in zip(rng.integers(0, 2, 1500), rng.integers(0, 10, 1500), strict=True)
    )
    return encoded(text, tmp_path_factory.mktemp("counting"), held_out=0.1)


@pytest.fixture
def make(corpus: EncodedCorpus, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Trainers with chunks of about 4000 ids; they are closed at the end."""
    for module in ("window.trainer", "softmax.skipgram_trainer"):
        monkeypatch.setattr(f"seqkit.embeddings.{module}.unit_ids", lambda scores: 4000)
    made = []

    def trainer(name: str = "exact", of: EncodedCorpus = corpus) -> WindowTrainer:
        config = CONFIGS[name]
        kind = WindowTrainer if isinstance(config, WindowConfig) else SoftmaxSkipGramTrainer
        made.append(kind(of, config, CPU))  # type: ignore[arg-type]
        return made[-1]

    yield trainer
    for each in made:
        each.close()


@pytest.mark.parametrize("name", CONFIGS)
def test_a_run_goes_on_from_its_state_to_the_same_bytes(make: Make, name: str) -> None:
    whole, first = make(name), make(name)
    assert whole.units == 3  # nine tenths of 1500 lines of 9 ids, by 4000
    for position in ((0, 0), (0, 1), (0, 2), (1, 0)):
        whole.train_unit(*position)
    first.train_unit(0, 0)
    state = first.state()
    kept = {key: table.copy() for key, table in state.items()}
    second = make(name)
    second.restore(state)
    for position in ((0, 1), (0, 2), (1, 0)):
        second.train_unit(*position)
    assert bits(second) == bits(whole)
    first.train_unit(0, 1)
    first.restore(state)  # while the third chunk is planned
    for position in ((0, 1), (0, 2), (1, 0)):
        first.train_unit(*position)
    assert bits(first) == bits(whole)
    for key, table in state.items():  # a state is not what training works on
        np.testing.assert_array_equal(table, kept[key])


def test_the_state_has_every_table_and_what_adagrad_keeps(make: Make, corpus: EncodedCorpus) -> None:
    state = make().state()
    assert sorted(state) == sorted([*TABLES, *(f"optimizer.{name}" for name in TABLES)])
    words = len(corpus.vocabulary)
    shapes = {"vectors": (words, 8), "output_kernel": (words, 9), "hidden_kernel": (16, 9)}
    for name, shape in shapes.items():
        assert state[name].shape == state[f"optimizer.{name}"].shape == shape
    assert {str(table.dtype) for table in state.values()} == {"float32"}


def test_training_begins_with_the_initial_tables(make: Make, corpus: EncodedCorpus) -> None:
    state = make().state()
    for name, table in initial_tables(corpus.vocabulary.counts, CONFIGS["exact"]).items():
        np.testing.assert_array_equal(state[name], table)
        assert not state[f"optimizer.{name}"].any()


def test_first_numbers_are_uniform() -> None:
    config = WindowConfig(vector_size=20, window=3, hidden_units=40)
    tables = initial_tables(np.ones(500, np.int64), config)
    glorot = np.sqrt(6 / (60 + 40))  # three words of 20 numbers before it, 40 units
    for table, end in ((tables["vectors"], VECTOR_RANGE), (tables["hidden_kernel"], glorot)):
        assert 0.99 * end < np.abs(table).max() <= end * (1 + 1e-6)
        assert table.std() == pytest.approx(end / np.sqrt(3), rel=0.05)


def test_the_model_begins_with_the_frequencies(make: Make, corpus: EncodedCorpus) -> None:
    counts = corpus.vocabulary.counts
    held_out = corpus.held_out_ids[corpus.held_out_ids >= 0]
    expected = -np.log(counts / counts.sum())[held_out].mean()
    assert make().validation_loss() == pytest.approx(expected, rel=1e-5)


def test_learning_rate_falls_linearly_to_its_end(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[tuple[float, float]] = []

    def record(self: object, planned: object, learning_rates: tuple[float, float]) -> tuple[float, float]:
        rates.append(learning_rates)
        return 6.0, 3.0

    monkeypatch.setattr(window_trainer.WindowKernel, "train", record)
    trainer = make()
    reports = [trainer.train_unit(epoch, unit) for epoch in range(3) for unit in range(3)]
    expected = [0.1 * (9 - done) / 9 for done in range(9)] + [0.1 * 1e-4]
    np.testing.assert_allclose(rates, np.column_stack([expected[:-1], expected[1:]]), rtol=1e-9)
    np.testing.assert_allclose([report.learning_rate for report in reports], expected[1:], rtol=1e-9)
    assert {report.loss for report in reports} == {2.0}


def test_work_is_counted_in_words_of_the_text(make: Make, corpus: EncodedCorpus) -> None:
    trainer = make()
    done = [trainer.work(epoch, unit) for epoch in range(3) for unit in range(3)] + [trainer.work(3, 0)]
    np.testing.assert_allclose(done, np.arange(10) / 3 * corpus.tokens)


@pytest.mark.parametrize("name", ["exact", "sampled"])
def test_it_learns_what_comes_next(make: Make, name: str) -> None:
    trainer = make(name)
    before = trainer.validation_loss()
    assert trainer.validation_loss() == before
    losses = [trainer.train_unit(epoch, unit).loss for epoch in range(3) for unit in range(3)]
    after = trainer.validation_loss()
    assert before is not None
    assert after is not None
    # Only the first word of a line is open, 1 of 20; the other 7 of 8 follow from the last one. (Where a
    # stretch is held out, its pieces count as lines.) Sampled losses are lower still.
    assert after == pytest.approx(np.log(20) / 8, abs=0.15) if name == "exact" else after < np.log(20) / 8
    assert losses[-1] < 0.7 * losses[0]  # which fell while it was taken
    assert after < 0.3 * before


def test_close_ends_the_thread(make: Make) -> None:
    trainer = make()
    trainer.train_unit(0, 0)
    assert planners()
    trainer.close()
    assert not planners()


def planners() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("plan")]


def test_without_held_out_text_there_is_no_validation(make: Make, tmp_path: Path) -> None:
    assert make(of=encoded("a b\n" * 100, tmp_path / "c")).validation_loss() is None


def test_a_large_vocabulary_needs_the_sampled_softmax(make: Make, tmp_path: Path) -> None:
    corpus = encoded(" ".join(f"w{number}" for number in range(30_001)), tmp_path / "c")
    with pytest.raises(UsageError, match=r"30,000 words, not 30,001.*--max-vocab 30000.*--softmax sampled"):
        make("exact", of=corpus)
    assert make("sampled", of=corpus).train_unit(0, 0).loss > 0


@pytest.mark.parametrize("name", ["exact", "sampled"])
def test_sub_sampling_has_to_leave_something(corpus: EncodedCorpus, name: str) -> None:
    with pytest.raises(UsageError, match=r"sample 1e-12 leaves .* words in all epochs"):
        WindowTrainer(corpus, replace(CONFIGS[name], sample=1e-12), CPU)
