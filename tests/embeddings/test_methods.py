"""What every way to learn word vectors promises, over all that are registered.

The corpus is `kingdom`, whose analogies and synonyms are planted: a method that learns nothing answers hardly
any, one that learns answers many after seconds.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from helpers import Interrupting
from seqkit.corpora import corpus_file, open_corpus
from seqkit.embeddings.evaluation import evaluate
from seqkit.embeddings.material import CorpusConfig
from seqkit.embeddings.methods import METHODS, method_of
from seqkit.embeddings.training import RunConfig, TrainingReport, train
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import CorpusError, InterruptedTraining, UsageError
from seqkit.storage import Bundle, partial_path

LINES = 6000
HELD_OUT = CorpusConfig(validation=0.05)
RUN = RunConfig(threads=2, precision="float32")


@dataclass(frozen=True)
class Case:
    """A method's settings for the small corpus, and the least that it has to learn.

    Args:
        settings: that learn it in seconds.
        analogies: share that is answered; untrained vectors answer 0.002 at most.
        similarity: rank correlation with the planted one; of untrained vectors within ±0.15.
    """

    settings: dict[str, Any]
    analogies: float
    similarity: float


OTHERS = Case({"vector_size": 50, "epochs": 5}, 0.2, 0.4)
CASES = {
    "skipgram": Case({"vector_size": 50, "epochs": 6, "learning_rate": 0.15}, 0.4, 0.6),
    "skipgram-softmax": Case({"vector_size": 50, "epochs": 2, "learning_rate": 0.1}, 0.4, 0.6),
    "window": Case({"vector_size": 50, "hidden_units": 64, "epochs": 3, "learning_rate": 0.1}, 0.2, 0.4),
    # Seeds 0, 1 and 2: analogies from .683, similarity from .704; and from .263, from .803.
    "cbow": Case({"vector_size": 50, "epochs": 6, "learning_rate": 0.15}, 0.5, 0.6),
    "glove": Case({"vector_size": 50, "epochs": 6}, 0.2, 0.7),
}


def config(name: str) -> Any:
    return METHODS[name].configured(CASES.get(name, OTHERS).settings)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "kingdom.txt"
    path.write_text("".join(f"{line}\n" for line in open_corpus("kingdom", size=LINES)))
    return path


@pytest.fixture(scope="module", params=METHODS)
def trained(request: pytest.FixtureRequest, text: Path) -> tuple[str, TrainingReport, Path]:
    """A method, what it reports, and its bundle."""
    bundle = text.with_name(request.param)
    return request.param, train([text], bundle, config(request.param), corpus=HELD_OUT, run=RUN), bundle


def digest(bundle: Path) -> str:
    return hashlib.sha256((bundle / "tensors.safetensors").read_bytes()).hexdigest()


def scores(vectors: Vectors) -> tuple[float, float]:
    """Share of analogies answered, and rank correlation of the similarities."""
    found = evaluate(
        vectors,
        similarity=[corpus_file("kingdom-similarity.tsv")],
        analogies=[corpus_file("kingdom-analogies.txt")],
    )
    analogies, similarity = found["analogies"]["kingdom-analogies"], found["similarity"]["kingdom-similarity"]
    return analogies["accuracy"], similarity["spearman"]


def test_it_learns_what_is_planted(trained: tuple[str, TrainingReport, Path]) -> None:
    name, report, bundle = trained
    case = CASES.get(name, OTHERS)
    losses = [record["loss"] for record in report.history]
    held_out = [record["validation_loss"] for record in report.history]
    assert len(losses) == config(name).epochs
    assert losses[-1] < losses[0]
    assert min(held_out[1:]) < held_out[0]
    vectors = Vectors.load(bundle)
    analogies, similarity = scores(vectors)
    assert analogies > case.analogies
    assert similarity > case.similarity
    shuffled = np.random.default_rng(0).permutation(vectors.matrix)
    analogies, similarity = scores(Vectors(vectors.vocabulary, shuffled))
    assert analogies < 0.02
    assert abs(similarity) < 0.3


def test_the_bundle_says_what_it_is(trained: tuple[str, TrainingReport, Path]) -> None:
    name, report, path = trained
    bundle = Bundle.open(path, kind="vectors")
    bundle.verify()
    assert bundle.manifest.config["method"] == name
    settings = CASES.get(name, OTHERS).settings
    assert settings.items() <= bundle.manifest.config.items()
    vectors = Vectors.load(path)
    assert vectors.matrix.shape == (report.vocabulary, settings["vector_size"])
    assert np.isfinite(vectors.matrix).all()
    assert not [member for member in vectors.model if member.startswith("optimizer")]


def test_files_of_other_tools_have_the_same_vectors(
    trained: tuple[str, TrainingReport, Path], tmp_path: Path
) -> None:
    vectors = Vectors.load(trained[2])
    vectors.export(tmp_path / "vectors.bin", format="word2vec-binary")
    again = Vectors.load(tmp_path / "vectors.bin")
    assert list(again.words) == list(vectors.words)
    np.testing.assert_array_equal(again.matrix, vectors.matrix)


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_the_same_bytes(
    trained: tuple[str, TrainingReport, Path], text: Path, tmp_path: Path
) -> None:
    """And compiles nothing, as the same was trained in this process before."""
    from seqkit.training.compiled import compiled

    name, report, bundle = trained
    misses = compiled.cache_info().misses
    with pytest.raises(InterruptedTraining) as caught:
        train([text], tmp_path / "b", config(name), corpus=HELD_OUT, run=RUN, progress=Interrupting())
    assert caught.value.checkpoint == partial_path(tmp_path / "b")
    again = train([text], tmp_path / "b", config(name), corpus=HELD_OUT, run=RUN)
    assert again.history == report.history
    assert digest(tmp_path / "b") == digest(bundle)
    assert compiled.cache_info().misses == misses


@pytest.mark.parametrize("name", METHODS)
def test_lines_of_one_word_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("word\nother\n" * 300)
    with pytest.raises(CorpusError, match=r"no line has two words|no two words of the vocabulary"):
        train([tmp_path / "text"], tmp_path / "b", METHODS[name].configured({}), run=RUN)
    assert not (tmp_path / "b").exists()


TRAIN = """
import sys
from seqkit.embeddings.methods import METHODS
from seqkit.embeddings.training import RunConfig, train
text, folder, threads = sys.argv[1:]
for name, method in METHODS.items():
    config = method.configured({"vector_size": 20, "epochs": 1})
    train([text], f"{folder}/{name}", config, run=RunConfig(threads=int(threads)))
"""


@pytest.fixture(scope="module")
def by_threads(text: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Bundles of all methods, by one thread and by four.

    In processes of their own: TensorFlow takes the number of threads once.
    """
    folders = []
    for threads in ("1", "4"):
        folders.append(tmp_path_factory.mktemp(f"threads-{threads}"))
        command = [sys.executable, "-c", TRAIN, str(text), str(folders[-1]), threads]
        subprocess.run(command, cwd=folders[-1], check=True, capture_output=True)
    return folders


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_threads_change_no_byte(name: str, by_threads: list[Path]) -> None:
    one, four = (digest(folder / name) for folder in by_threads)
    assert one == four


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "settings", "analogies", "similarity"),
    [
        ("skipgram-softmax", {}, 0.95, 0.9),
        ("window", {}, 0.8, 0.8),
        ("window", {"softmax": "exact"}, 0.8, 0.8),
        ("window", {"context": "around"}, 0.8, 0.8),
    ],
)
def test_one_epoch_over_the_whole_kingdom(
    tmp_path: Path, name: str, settings: dict[str, Any], analogies: float, similarity: float
) -> None:
    configured = METHODS[name].configured({"epochs": 1, **settings})
    train(["kingdom:100000"], tmp_path / "kingdom", configured, run=RUN)
    found = scores(Vectors.load(tmp_path / "kingdom"))
    assert found[0] > analogies
    assert found[1] > similarity


# --- the registry


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_found_by_their_configuration(name: str) -> None:
    method = METHODS[name]
    assert method.name == name
    assert method_of(method.config()) is method
    assert {"vector_size", "epochs", "seed"} <= method.parameters
    trainer = method.trainer_class()
    assert all(hasattr(trainer, member) for member in ("train_unit", "validation_loss", "state", "close"))


def test_settings_of_another_method_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^--hidden-units: not a setting of method skipgram"):
        METHODS["skipgram"].configured({"hidden_units": 5, "window": None})
    with pytest.raises(UsageError, match="object configures no method"):
        method_of(object())  # type: ignore[arg-type]
