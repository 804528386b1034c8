"""The linear model: scikit-learn and sums over dictionaries as oracles."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from seqkit.errors import DataError, UsageError
from seqkit.sentiment.documents import UNKNOWN_ID, Documents, Labelled, Task
from seqkit.sentiment.labels import Labels
from seqkit.sentiment.models.contract import Fitting
from seqkit.sentiment.models.linear import Linear, LinearConfig, fit
from seqkit.text.vocabulary import Vocabulary

WORDS = 20
VOCABULARY = Vocabulary(
    ("<pad>", "<unk>", *(f"w{i}" for i in range(2, WORDS))), np.zeros(WORDS, dtype=np.int64)
)


def labels_of(count: int) -> Labels:
    return Labels(tuple(f"label {i}" for i in range(count)))


def data(labels: int, texts: int = 200, seed: int = 0) -> Labelled:
    """Texts whose label makes some words more frequent."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, labels, texts).astype(np.int32)
    found = []
    for target in targets:
        own = np.ones(WORDS - 2)
        own[3 * target : 3 * target + 3] += 1.5
        found.append(random.choice(np.arange(2, WORDS), random.integers(1, 15), p=own / own.sum()))
    starts = np.cumsum([0, *map(len, found)]).astype(np.int64)
    documents = Documents([""] * texts, np.concatenate(found).astype(np.int32), starts)
    return Labelled(documents, Task(labels_of(labels), targets))


def fitted(data: Labelled, **settings: float) -> Linear:
    return fit(LinearConfig(**settings), Fitting(data, data.take(np.arange(2)), VOCABULARY))


def ngrams(ids: list[int], order: int, ending: int = 0) -> set[tuple[int, ...]]:
    """N-grams of a text; those that begin among its last words with 0 before them, too."""
    places = [(i, n) for n in range(1, order + 1) for i in range(len(ids) - n + 1)]
    return {tuple(ids[i : i + n]) for i, n in places} | {
        (0, *ids[i : i + n]) for i, n in places if i >= len(ids) - ending
    }


def dense(data: Labelled, order: int, min_count: int, ending: int = 0) -> np.ndarray:
    texts = [ngrams(data.documents.ids_of(i).tolist(), order, ending) for i in range(len(data))]
    counts = Counter(ngram for text in texts for ngram in text)
    kept = [ngram for ngram, count in counts.items() if count >= min_count]
    return np.array([[float(ngram in text) for ngram in kept] for text in texts])


def ratios(features: np.ndarray, of: np.ndarray, alpha: float) -> np.ndarray:
    p, q = alpha + features[of].sum(axis=0), alpha + features[~of].sum(axis=0)
    return np.log((p / np.linalg.norm(p, 1)) / (q / np.linalg.norm(q, 1)))


@pytest.mark.parametrize(
    ("order", "min_count", "alpha", "l2", "ending"),
    [
        (1, 1, 1.0, 1e-2, 0),
        (3, 2, 1.0, 1e-3, 0),
        (2, 3, 0.5, 1e-1, 0),
        (2, 2, 1.0, 1e-2, 4),
        (1, 1, 1, 1e-2, 99),
    ],
)
def test_two_labels_are_the_logistic_regression_on_ratios(
    order: int, min_count: int, alpha: float, l2: float, ending: int
) -> None:
    train = data(2)
    features, is_first = dense(train, order, min_count, ending), train.main.targets == 0
    weighted = features * ratios(features, is_first, alpha)
    # scikit-learn's C weighs the sum of losses against |w|² / 2: C = 1 / (texts · l2).
    oracle = LogisticRegression(C=1 / (len(train) * l2), tol=1e-10, max_iter=10_000).fit(weighted, is_first)
    model = fitted(train, ngrams=order, min_count=min_count, alpha=alpha, l2=l2, prune=0, ending=ending)
    logits = model.logits(train.documents)
    assert np.allclose(logits[:, 0] - logits[:, 1], oracle.decision_function(weighted), atol=0.02)
    assert np.allclose(logits.sum(axis=1), 0, atol=1e-6)


def test_more_labels_minimise_the_cross_entropy_with_ratios_of_their_own() -> None:
    train, l2 = data(3), 1e-2
    features = dense(train, 2, 2)
    r = np.stack([ratios(features, train.main.targets == y, 1.0) for y in range(3)], axis=1)
    model = fitted(train, ngrams=2, l2=l2, prune=0)
    z = model.logits(train.documents).astype(np.float64)
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    slope = (p - np.eye(3)[train.main.targets]) / len(train)
    # At the minimum l2 · w_y = -r_y ∘ (Xᵀ slope_y) and Σ slope_y = 0: logits are b - X (r² ∘ Xᵀ slope) / l2.
    expected = model.bias - features @ (r**2 * (features.T @ slope)) / l2
    assert np.allclose(z, expected, atol=0.03)
    assert np.allclose(slope.sum(axis=0), 0, atol=1e-3)
    assert (z.argmax(axis=1) == train.main.targets).mean() > 0.7


def test_an_ngram_counts_once_a_text() -> None:
    model = fitted(data(2), ngrams=1)
    once = Documents([""], np.array([4, 9], np.int32), np.array([0, 2]))
    thrice = Documents([""], np.array([4, 9, 4, 4], np.int32), np.array([0, 4]))
    assert np.array_equal(model.logits(once), model.logits(thrice))
    assert np.abs(model.logits(once)[0, 0]) > 0.01


@pytest.mark.parametrize("ending", [0, 3])
@pytest.mark.parametrize("labels", [2, 4])
def test_attributions_sum_to_the_logits_without_the_bias(labels: int, ending: int) -> None:
    train = data(labels)
    model = fitted(train, ngrams=3, ending=ending)
    texts = train.documents
    nothing = model.logits(Documents([""], np.zeros(0, np.int32), np.array([0, 0])))
    shares = model.attributions(texts)
    assert [share.shape for share in shares] == [(length, labels) for length in texts.lengths]
    sums = np.stack([share.sum(axis=0) for share in shares])
    assert np.allclose(sums, model.logits(texts) - nothing, atol=1e-4)


def test_a_bigram_is_shared_by_its_words() -> None:
    train = data(2)
    model = fitted(train, ngrams=2, prune=0)
    pair = Documents([""], train.documents.ids[:2], np.array([0, 2]))
    one, two = (
        model.logits(Documents([""], pair.ids[i : i + 1], np.array([0, 1])))[0] + [-1, 1] * model.bias / 2
        for i in range(2)
    )
    whole = model.logits(pair)[0] + [-1, 1] * model.bias / 2
    share = (whole - one - two) / 2  # what the bigram weighs, halved
    assert np.allclose(model.attributions(pair)[0], [one + share, two + share], atol=1e-5)


def test_texts_of_unknown_words_get_the_bias() -> None:
    train = data(3)
    ids = train.documents.ids.copy()
    ids[::7] = UNKNOWN_ID  # so that n-grams with the unknown word are frequent
    masked = Labelled(Documents(train.documents.texts, ids, train.documents.starts), train.main)
    model = fitted(masked, ngrams=2)
    unknown = Documents(["", ""], np.full(5, UNKNOWN_ID, np.int32), np.array([0, 0, 5]))
    assert np.array_equal(model.logits(unknown), np.tile(model.bias, (2, 1)))


def test_logits_do_not_depend_on_the_other_texts() -> None:
    train = data(3)
    model = fitted(train)
    numbers = np.array([5, 0, 5, 77])
    assert np.array_equal(model.logits(train.documents.take(numbers)), model.logits(train.documents)[numbers])
    assert model.logits(train.documents.take(np.array([], int))).shape == (0, 3)


@pytest.mark.parametrize("labels", [2, 3])
def test_a_label_of_few_texts_counts_more_where_labels_are_balanced(labels: int) -> None:
    train = data(labels, 600)
    few = train.take(np.flatnonzero((train.main.targets > 0) | (np.arange(600) % 12 == 0)))
    first = train.main.targets == 0
    recall = [
        (fitted(few, balanced=balanced, ngrams=1, l2=0.03).logits(train.documents).argmax(axis=1) == 0)[
            first
        ].mean()
        for balanced in (False, True)
    ]
    assert recall[0] + 0.05 < recall[1]


def test_pruning_leaves_out_light_ngrams_and_hardly_changes_the_answer() -> None:
    train = data(2, 500)
    whole, pruned = fitted(train, prune=0), fitted(train, prune=0.2)
    kept = np.count_nonzero(pruned.table.slots)
    assert 0 < kept < np.count_nonzero(whole.table.slots)
    weights = whole.weights[whole.table.slots != 0]
    assert kept == np.count_nonzero(np.abs(weights) >= 0.2 * math.sqrt(np.mean(weights**2)))
    a, b = whole.logits(train.documents), pruned.logits(train.documents)
    assert np.corrcoef(a[:, 0], b[:, 0])[0, 1] > 0.99


def test_tensors_make_it_again() -> None:
    train = data(3)
    model = fitted(train)
    again = Linear.from_tensors(model.config, model.tensors(), VOCABULARY, labels_of(3))
    assert np.array_equal(again.logits(train.documents), model.logits(train.documents))


@pytest.mark.parametrize("change", ["less", "more", "labels", "weights", "dtype", "slots"])
def test_tensors_that_do_not_fit_are_refused(change: str) -> None:
    model = fitted(data(3))
    tensors = dict(model.tensors())
    match change:
        case "less":
            del tensors["bias"]
        case "more":
            tensors["other"] = tensors["bias"]
        case "weights":
            tensors["weights"] = tensors["weights"][1:]
        case "dtype":
            tensors["bias"] = tensors["bias"].astype(np.float64)
        case "slots":
            tensors["keys"] = tensors["keys"][1:]
    with pytest.raises(DataError):
        Linear.from_tensors(model.config, tensors, VOCABULARY, labels_of(4 if change == "labels" else 3))


def test_texts_without_a_frequent_ngram_leave_the_bias() -> None:
    train = data(2)
    model = fitted(train, min_count=1000)
    assert np.unique(model.logits(train.documents), axis=0).shape == (1, 2)


@pytest.mark.parametrize(
    "settings",
    [{"ngrams": 0}, {"ngrams": 6}, {"min_count": 0}, {"alpha": 0}, {"l2": 0}, {"prune": 2}, {"ending": -1}],
)
def test_settings_outside_their_bounds(settings: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(settings))):
        LinearConfig(**settings)
