from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqkit.embeddings.initial import Initial
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import DataError, UsageError
from seqkit.sentiment.cutting import Cutter
from seqkit.sentiment.documents import MISSING, SPECIALS, Documents, Labelled, Task
from seqkit.sentiment.encoder import TextEncoder
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.average import Average, AverageConfig, fit
from seqkit.sentiment.models.average_training import AverageTrainer
from seqkit.sentiment.models.contract import Fitting, Resources
from seqkit.sentiment.models.features import NO_ROW, Features
from seqkit.text.vocabulary import Vocabulary

LABELS = Labels(("negative", "positive"))
WORDS = (*SPECIALS, "good", "bad", "not", "film")
VOCABULARY = Vocabulary(WORDS, np.array([0, 0, 9, 9, 9, 9]))


def documents(*texts: str) -> Documents:
    tokens = [text.split() for text in texts]
    ids = [WORDS.index(token) if token in WORDS else 1 for each in tokens for token in each]
    starts = np.cumsum([0, *map(len, tokens)])
    return Documents(texts, np.array(ids, np.int32), starts.astype(np.int64))


def words_only(**tops: object) -> Average:
    """Rows of good, bad, not, film."""
    table = np.array([[0, 2], [3, 0], [1, 1], [0, 0]], np.float32)
    features = Features(1, np.array([-1, -1, 0, 1, 2, 3], np.int32), np.zeros(0, np.int32))
    config = AverageConfig(ngrams=1, **({"hidden_layers": 1, "hidden_units": 2} if tops else {}))
    layers = tops.get("layers", [(None, np.array([0.5, -0.5], np.float32))])
    return Average(config, features, table, layers)


def test_logits_are_the_mean_of_the_rows_of_known_words() -> None:
    found = words_only().logits(documents("good good film", "bad unheard", "", "unheard"))
    # (0, 2)·2/3 + (0, 0)/3 + bias; (3, 0) + bias, the unknown word not in the mean; the bias twice
    expected = [[0.5, 4 / 3 - 0.5], [3.5, -0.5], [0.5, -0.5], [0.5, -0.5]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


HOSTILE = [
    "", " \t\n", "qwertz", "\u202e\u200b\x00\ud800", "good", "not good", "film\r\nnot GOOD\r",
    "bad😀👍🏽 bad", "e\u0301 good\u0301 not\u0308!", "не good 良い。bad", "<br", "/> good", "good" * 9999,
    "not bad film good " * 9999, "good :-) :-(", "film", "",
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 9])
def test_logits_are_those_of_the_definition(size: int) -> None:
    order, bits = 3, 10
    rng = np.random.default_rng(size)
    words = np.array([NO_ROW, NO_ROW, 0, 1, 2, NO_ROW], np.int32)
    buckets = np.where(rng.random(1 << bits) < 0.5, rng.integers(3, 40, 1 << bits), NO_ROW).astype(np.int32)
    table, bias = rng.normal(size=(40, size)).astype(np.float32), np.ones(size, np.float32)
    model = Average(AverageConfig(bits=bits), Features(order, words, buckets), table, [(None, bias)])

    def row(ids: list[int]) -> int:
        if len(ids) == 1:
            return int(words[ids[0]])
        key = 0
        for number in ids:  # key(w_1 … w_n) = (f(key(w_1 … w_{n-1})) + id(w_n) + 1) · M mod 2⁶⁴
            key = ((key ^ (key >> 32)) + number + 1) * 0x9E3779B97F4A7C15 % 2**64
        return int(buckets[key >> (64 - bits)])

    def logits(text: str) -> list[float]:
        ids = [WORDS.index(token) if token in WORDS else 1 for token in Cutter().tokens(text)]
        found = [row(ids[i : i + n]) for n in range(1, order + 1) for i in range(len(ids) - n + 1)]
        rows = table[[each for each in found if each != NO_ROW]].astype(np.float64)
        return (bias + (rows.mean(axis=0) if len(rows) else 0)).tolist()

    documents = TextEncoder(Cutter(), VOCABULARY).encode(HOSTILE)
    np.testing.assert_allclose(model.logits(documents), [*map(logits, HOSTILE)], atol=1e-6)


def test_hidden_layers_are_products_cut_off_at_zero() -> None:
    kernel, top = np.array([[1, -1], [-1, 1]], np.float32), np.array([[1, 0], [0, 2]], np.float32)
    layers = [(kernel, np.array([0, 1], np.float32)), (top, np.zeros(2, np.float32))]
    # the mean of good and film is (0, 1): W h + b = (-1, 1 + 1), cut off (0, 2), times V (0, 4)
    np.testing.assert_allclose(words_only(layers=layers).logits(documents("good film")), [[0, 4]])


@pytest.mark.parametrize("hidden_layers", [0, 2])
def test_attributions_sum_to_the_logits_less_those_of_nothing(hidden_layers: int) -> None:
    model = fit(AverageConfig(hidden_layers=hidden_layers, hidden_units=5, epochs=2), fitting())
    texts = documents("not good film film", "bad", "", "unheard", "good bad unheard not")
    nothing = model.logits(documents(""))[0]
    for attributions, logits in zip(model.attributions(texts), model.logits(texts), strict=True):
        np.testing.assert_allclose(attributions.sum(axis=0), logits - nothing, atol=1e-5)


def test_attributions_share_an_ngram_among_its_tokens() -> None:
    # Buckets of 2¹⁰; the one of "not good" has a row of its own.
    text = documents("not good")
    plain = Features.of(text, np.zeros(len(WORDS), bool), 2, 10, 1)
    table = np.array([[0, 2], [1, 1], [4, 0]], np.float32)  # good, not, not good
    model = Average(AverageConfig(bits=10), plain, table, [(None, np.zeros(2, np.float32))])
    # each word has its row and half of the pair's, a third of all
    np.testing.assert_allclose(model.attributions(text)[0], [[1, 1 / 3], [2 / 3, 2 / 3]], rtol=1e-6)


def test_features_leave_out_rare_buckets_and_unknown_words() -> None:
    texts = documents("not good", "not good film", "unheard bad")
    found = Features.of(texts, np.zeros(len(WORDS), bool), 2, 20, 2)
    assert found.words.tolist() == [NO_ROW, NO_ROW, 0, 1, 2, 3]
    assert (found.buckets != NO_ROW).sum() == 1
    assert found.size == 5
    rows, starts = found.by_text(texts)
    assert starts.tolist() == [0, 3, 7, 8]
    assert rows.tolist() == [2, 0, 4, 2, 0, 3, 4, 1]


def fitting(**changes: object) -> Fitting:
    texts = ["good film", "bad film", "not good", "not bad", "good good", "bad bad"] * 4
    targets = np.array([1, 0, 0, 1, 1, 0] * 4, np.int32)
    labelled = Labelled(documents(*texts), Task(LABELS, targets))
    return replace(Fitting(labelled, labelled, VOCABULARY), **changes)


def test_pairs_tell_what_words_cannot() -> None:
    texts = documents("not good", "not bad", "good film")
    with_pairs = fit(AverageConfig(epochs=20, learning_rate=0.5, batch_size=4), fitting())
    assert with_pairs.logits(texts).argmax(axis=1).tolist() == [0, 1, 1]
    without = fit(AverageConfig(epochs=20, learning_rate=0.5, batch_size=4, ngrams=1), fitting())
    assert without.logits(texts).argmax(axis=1).tolist() != [0, 1, 1]


@pytest.mark.parametrize("count_weight", [0.0, 0.1])
def test_an_update_is_that_of_keras(count_weight: float) -> None:
    import keras

    own = fitting()
    config = AverageConfig(
        ngrams=1, hidden_layers=1, hidden_units=5, vector_size=4, epochs=1, batch_size=100,
        label_smoothing=0.1, count_weight=count_weight,
    )  # fmt: skip
    documents_ = own.train.documents
    features = Features.of(documents_, np.zeros(len(WORDS), bool), 1, 10, 1)
    trainer = AverageTrainer(config, own, features, None)
    rng = np.random.default_rng(3)
    state = {
        name: value if name.startswith("square") else rng.normal(size=value.shape).astype(np.float32)
        for name, value in trainer.state().items()
    }
    trainer.restore(state)

    # The same as a network over counts: every text has two words, whose weights are those of their shares.
    counts = np.zeros((len(documents_), 4))
    for text in range(len(documents_)):
        for row in features.words[documents_.ids_of(text)]:
            counts[text, row] += 0.5
    shares = counts.sum(axis=0) / counts.sum()
    if count_weight:
        counts *= count_weight / (count_weight + shares)
    layers = [keras.layers.Dense(4, use_bias=False), keras.layers.Dense(5, "relu"), keras.layers.Dense(2)]
    network = keras.Sequential([keras.Input((4,)), *layers])
    names = ("table", "kernel.0", "bias.0", "kernel.head_0", "bias.head_0")
    network.set_weights([state[name] for name in names])
    network.compile(
        keras.optimizers.Adagrad(config.learning_rate, initial_accumulator_value=0.0, epsilon=1e-14),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    )
    loss = network.train_on_batch(counts, np.eye(2)[own.train.main.targets])
    report = trainer.train_unit(0, 0)
    assert report.loss == pytest.approx(float(loss), rel=1e-5)
    for name, expected in zip(names, network.get_weights(), strict=True):
        np.testing.assert_allclose(trainer.state()[name], expected, rtol=1e-3, atol=1e-5, err_msg=name)


def test_vectors_are_begun_with_and_left_alone_when_frozen() -> None:
    matrix = np.array([[3, 4], [-3, -4], [0, 5]], np.float32)
    vectors = Initial("mine", Vectors(["good", "bad", "not"], matrix), "0" * 64)
    given = fitting(resources=Resources(vectors=vectors))
    config = AverageConfig(ngrams=1, frozen=True, hidden_layers=1, hidden_units=3)
    model = fit(config, given)
    # The root mean square of 3, 4, 3, 4, 0, 5 is √(75/6); good, bad and not are the first rows.
    table = model.tensors()["table"]
    np.testing.assert_allclose(table[:3], matrix / np.sqrt(75 / 6), rtol=1e-6)
    assert not np.allclose(fit(replace(config, frozen=False), given).tensors()["table"][:3], table[:3])


def test_frozen_vectors_need_vectors() -> None:
    with pytest.raises(UsageError, match="frozen vectors need initial ones"):
        fit(AverageConfig(frozen=True), fitting())


def test_vectors_of_other_words_are_refused() -> None:
    vectors = Initial("mine", Vectors(["ship"], np.ones((1, 2), np.float32)), "0" * 64)
    with pytest.raises(DataError, match="mine has no vector for any word"):
        fit(AverageConfig(), fitting(resources=Resources(vectors=vectors)))


def test_a_further_task_teaches_the_same_vectors() -> None:
    # "film" tells the label of the main task only through the other one, where it is labelled.
    texts = documents(*["good", "bad"] * 8)
    stars = Task(Labels(("1", "3", "5")), np.array([MISSING, 0] * 8, np.int32))
    main = Task(LABELS, np.array([1, 0] * 8, np.int32))
    labelled = Labelled(texts, main, {"stars": stars})
    own = Fitting(labelled, labelled, VOCABULARY)
    config = AverageConfig(ngrams=1, batch_size=4)
    both, alone = fit(config, own), fit(config, replace(own, train=Labelled(texts, main)))
    assert both.logits(texts).shape == (16, 2)
    assert both.logits(texts).argmax(axis=1).tolist() == main.targets.tolist()
    assert not np.array_equal(both.tensors()["table"], alone.tensors()["table"])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("table", lambda table: table[:-1]),
        ("table", lambda table: table.astype(np.float64)),
        ("words", lambda words: words[::-1].copy()),
        ("words", lambda words: words + 100),
        ("buckets", lambda buckets: buckets.astype(np.int64)),
        ("bias_0", lambda bias: bias[:1]),
        ("bias_0", None),
        ("kernel_0", None),
    ],
)
def test_damaged_tensors_are_refused(name: str, damage: object) -> None:
    model = fit(AverageConfig(epochs=1), fitting())
    tensors = model.tensors()
    if damage is None:
        tensors = {key: value for key, value in tensors.items() if key != name} | (
            {} if name in tensors else {name: np.zeros((2, 2), np.float32)}
        )
    else:
        tensors[name] = damage(tensors[name])  # type: ignore[operator]
    with pytest.raises(DataError):
        Average.from_tensors(model.config, tensors, VOCABULARY, LABELS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vector_size", 0),
        ("ngrams", 6),
        ("bits", 9),
        ("min_count", 0),
        ("count_weight", 1.5),
        ("hidden_layers", -1),
        ("hidden_units", 0),
        ("word_dropout", 1.0),
        ("dropout", -0.1),
        ("label_smoothing", float("nan")),
        ("learning_rate", 0.0),
        ("batch_size", 0),
        ("epochs", 0),
        ("patience", 0),
    ],
)
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name):
        AverageConfig(**{name: value})


def test_loading_and_scoring_need_neither_tensorflow_nor_scipy(tmp_path: Path) -> None:
    script = """
import sys
import numpy as np
from seqkit.sentiment.documents import Documents
from seqkit.sentiment.encoder import TextEncoder
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.average import Average, AverageConfig
from seqkit.text.vocabulary import Vocabulary
tensors = {"words": np.array([2], np.int32), "buckets": np.zeros(0, np.int32),
           "table": np.ones((1, 2), np.float32), "bias_0": np.zeros(2, np.float32)}
vocabulary = Vocabulary(("<pad>", "<unk>", "good"), np.zeros(3, np.int64))
model = Average.from_tensors(AverageConfig(), tensors, vocabulary, Labels(("a", "b")))
model.logits(Documents(["good"], np.array([2], np.int32), np.array([0, 1])))
print([name for name in ("tensorflow", "keras", "gensim", "scipy") if name in sys.modules])
"""
    found = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr
