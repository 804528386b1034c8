"""Wrong labels: most of those that are named were planted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqkit.errors import UsageError
from seqkit.sentiment.dataset import Dataset
from seqkit.sentiment.label_noise import FOLDS, SURE, Suspect, suspects


def stars() -> tuple[Dataset, list[int]]:
    """Texts whose words tell three labels apart, and the numbers of five labels that are wrong."""
    words, names = {"1": "awful bad poor", "3": "plain so usual", "5": "good fine great"}, ["1", "3", "5"]
    labels = [names[number % 3] for number in range(300)]
    texts = [f"text {number} is {words[label]}" for number, label in enumerate(labels)]
    wrong = [7, 50, 111, 200, 298]
    for number in wrong:
        labels[number] = names[(number + 1) % 3]
    return Dataset.of(texts, labels), wrong


def test_planted_labels_are_named_and_no_others() -> None:
    data, wrong = stars()
    found = suspects(data)
    assert sorted(suspect.number for suspect in found) == wrong
    for suspect in found:
        assert suspect.label == data.labels.names[data.targets[suspect.number]]
        assert suspect.likely == ["1", "3", "5"][suspect.number % 3]
        assert SURE <= suspect.probability <= 1
    assert found == sorted(found, key=lambda suspect: -suspect.probability)


def test_an_equal_text_does_not_vouch_for_a_label() -> None:
    data, wrong = stars()
    twice = Dataset.of(
        [*data.texts, *(data.texts[number].upper() for number in wrong)],
        [data.labels.names[target] for target in [*data.targets, *data.targets[wrong]]],
    )
    assert sorted(suspect.number for suspect in suspects(twice)) == [*wrong, *range(300, 305)]


def test_the_seed_decides() -> None:
    data, _ = stars()
    first: list[list[Suspect]] = [suspects(data, seed=seed) for seed in (1, 1, 2)]
    assert first[0] == first[1] != first[2]


def test_too_few_texts() -> None:
    with pytest.raises(UsageError, match=f"folds must be 2 to 4, the number of different texts, not {FOLDS}"):
        suspects(Dataset.of(["a", "b", "c", "d"], ["x", "y", "x", "y"]))


@pytest.mark.data
@pytest.mark.slow
def test_of_twenty_named_in_real_sentences_most_were_planted(data_dir: Path) -> None:
    data = Dataset.load(data_dir / "sentiment" / "subj.tsv")
    flipped = np.random.default_rng(0).random(len(data)) < 0.05
    noisy = np.where(flipped, 1 - data.targets, data.targets).astype(np.int32)
    found = [suspect.number for suspect in suspects(Dataset(data.texts, noisy, data.labels))]
    assert flipped[found[:20]].mean() >= 0.8  # by chance 0.05
    assert flipped[found].mean() >= 0.8
    assert flipped[found].sum() >= 0.2 * flipped.sum()
