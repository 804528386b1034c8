"""What all methods promise; what goes into a bundle and comes out of it; what cannot be done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqkit.cli.main import main
from seqkit.debias.directions import SubspaceConfig
from seqkit.debias.double_hard import DoubleHardConfig
from seqkit.debias.hard import HardConfig
from seqkit.debias.inlp import InlpConfig
from seqkit.debias.leace import LeaceConfig
from seqkit.debias.removal import DEBIAS, METHODS, Debiased, apply, stored_subspace
from seqkit.debias.soft import SoftConfig
from seqkit.debias.word_sets import WordSets, word_sets
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, DataError, MissingInputError, UsageError
from seqkit.storage import Bundle, BundleWriter

QUICK: dict[str, SubspaceConfig] = {
    "hard": HardConfig(),
    "soft": SoftConfig(),
    "double-hard": DoubleHardConfig(candidates=2, biased=50),
    "inlp": InlpConfig(biased=50, iterations=5),
    "leace": LeaceConfig(biased=50),
}


@pytest.fixture(scope="module", params=METHODS)
def done(request: pytest.FixtureRequest, uneven: Any) -> Debiased:
    return apply(uneven.vectors, uneven.sets, request.param, QUICK[request.param])


def test_every_method_is_tested() -> None:
    assert list(METHODS) == list(QUICK) == ["hard", "soft", "double-hard", "inlp", "leace"]
    assert [name for name, method in METHODS.items() if method.has_strength] == ["soft"]


def test_words_and_their_order_are_kept(done: Debiased, uneven: Any) -> None:
    assert done.vectors.words == uneven.vectors.words
    assert done.vectors.counts.tolist() == uneven.vectors.counts.tolist()
    matrix = done.vectors.matrix
    assert matrix.dtype == np.float32
    assert matrix.shape == uneven.vectors.matrix.shape
    assert np.isfinite(matrix).all()
    assert (matrix != uneven.vectors.matrix).any()
    assert not np.shares_memory(matrix, uneven.vectors.matrix)


def test_the_vectors_given_are_not_changed(uneven: Any) -> None:
    before = uneven.vectors.matrix.tobytes()
    for method, config in QUICK.items():
        apply(uneven.vectors, uneven.sets, method, config)
        assert uneven.vectors.matrix.tobytes() == before


def test_the_bias_is_smaller(done: Debiased, uneven: Any) -> None:
    def bias(vectors: Vectors) -> float:
        rows = vectors.matrix[uneven.neutral]
        cosines = rows @ done.subspace.basis[0] / np.linalg.norm(rows, axis=1)
        return float(cosines[uneven.labels == 1].mean() - cosines[uneven.labels == 0].mean())

    assert bias(uneven.vectors) > 0.3
    assert abs(bias(done.vectors)) < 0.8 * bias(uneven.vectors)


def test_protected_words_keep_every_bit_where_the_method_says_so(done: Debiased, uneven: Any) -> None:
    rows = [uneven.vectors.vocabulary[word] for word in uneven.sets.specific]
    same = done.vectors.matrix[rows].tobytes() == uneven.vectors.matrix[rows].tobytes()
    assert same == (done.record["method"] in ("hard", "inlp", "leace"))


def test_the_record_says_what_was_done(done: Debiased, uneven: Any) -> None:
    record = json.loads(json.dumps(done.record))
    assert record == done.record
    assert record["method"] in METHODS
    assert record["settings"]["direction"] == "svd"
    assert record["word_sets"] == {"name": "planted", "language": "en", "description": "", "source": ""}
    assert record["pairs"] == [list(pair) for pair in uneven.sets.pairs]
    assert 0.5 < record["explained_variance"][0] <= 1
    assert record["coverage"]["pairs"] == {
        "words": 12, "found": 12, "missing": [], "tuples": 6, "complete": 6,
    }  # fmt: skip
    if record["method"] != "soft":
        assert record["neutralized"] == 400


def test_a_bundle_is_one_of_vectors(done: Debiased, tmp_path: Path) -> None:
    done.save(tmp_path / "out")
    bundle = Bundle.open(tmp_path / "out", kind="vectors")
    bundle.verify()
    assert Vectors.from_bundle(bundle).matrix.tobytes() == done.vectors.matrix.tobytes()
    assert bundle.manifest.config == {"method": "debias", "debias": json.loads(json.dumps(done.record))}
    assert set(bundle.tensors(DEBIAS)) == {"subspace", "classes", *done.tensors}
    stored = stored_subspace(tmp_path / "out")
    np.testing.assert_array_equal(stored.basis, done.subspace.basis)
    np.testing.assert_array_equal(stored.classes, done.subspace.classes)
    assert stored.tuples == done.subspace.tuples
    assert stored.explained_variance == done.subspace.explained_variance
    with pytest.raises(UsageError, match="a bundle is there already"):
        done.save(tmp_path / "out")
    done.save(tmp_path / "out", overwrite=True)


def test_every_command_reads_it(
    uneven: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    apply(uneven.vectors, uneven.sets).save("out")
    uneven.vectors.save("in")
    for arguments in (
        ["info", "out", "--verify"],
        ["similar", "out", "n1"],
        ["vector", "out", "n1"],
        ["export", "out", "out.bin"],
        ["export", "out", "out.vec"],
        ["compare", "in", "out"],
    ):
        assert main(["embed", *arguments]) == 0, arguments
    assert "config.debias.method" in capsys.readouterr().out
    # And what came from a file of another tool goes in.
    again = apply(Vectors.load("out.bin"), uneven.sets)
    assert again.vectors.words == uneven.vectors.words


def test_where_the_vectors_came_from(uneven: Any, tmp_path: Path) -> None:
    config = {"method": "skipgram", "tokenizer": {"name": "word"}, "phrases": {"passes": 1}, "window": 5}
    with BundleWriter(tmp_path / "in", kind="vectors") as writer:
        uneven.vectors.write_members(writer)
        writer.write_text("phrases.tsv", '"new york"\t9.0\t1\n')
        writer.commit(config=config, seed=3, fingerprint="ab" * 32)
    done = apply(Vectors.load(tmp_path / "in"), uneven.sets, "inlp", QUICK["inlp"])
    done.save(tmp_path / "out", source=tmp_path / "in")
    bundle = Bundle.open(tmp_path / "out")
    manifest = bundle.manifest
    assert manifest.config["method"] == "debias"
    assert manifest.config["source"] == {"bundle": str(tmp_path / "in"), "config": config}
    assert manifest.config["tokenizer"] == config["tokenizer"]
    assert manifest.config["phrases"] == config["phrases"]
    assert manifest.fingerprint == "ab" * 32
    assert manifest.seed == 0  # of inlp
    assert bundle.text("phrases.tsv") == '"new york"\t9.0\t1\n'
    apply(Vectors.load(tmp_path / "out"), uneven.sets).save(tmp_path / "twice", source=tmp_path / "out")
    twice = Bundle.open(tmp_path / "twice").manifest.config
    assert twice["source"]["config"]["debias"]["method"] == "inlp"
    assert "source" not in twice["source"]["config"]
    assert twice["earlier"] == [{"bundle": str(tmp_path / "in"), "config": config}]
    done.save(tmp_path / "named", source="vectors.txt")
    assert Bundle.open(tmp_path / "named").manifest.config["source"] == {"file": "vectors.txt"}


def test_a_long_chain_of_removals(uneven: Any, tmp_path: Path) -> None:
    done = apply(uneven.vectors, uneven.sets)
    done.save(tmp_path / "0")
    for number in range(1, 12):
        done.save(tmp_path / str(number), source=tmp_path / str(number - 1))
    config = Bundle.open(tmp_path / "11").manifest.config
    assert [each["bundle"] for each in config["earlier"]] == [
        str(tmp_path / str(n)) for n in range(9, -1, -1)
    ]
    assert all(not {"source", "earlier"} & each["config"].keys() for each in config["earlier"])


def test_lists_that_are_too_long_for_a_manifest(uneven: Any, tmp_path: Path) -> None:
    """Words that the vocabulary lacks, of a file of 60,000; and a name that is no UTF-8."""
    many = tuple(f"a-word-that-is-nowhere-{n}" for n in range(60_000))
    done = apply(uneven.vectors, replace(uneven.sets, specific=(*uneven.sets.specific, *many)))
    assert len(done.record["coverage"]["specific"]["missing"]) == 60_000
    done.save(tmp_path / "b", source=os.fsdecode(b"v\xff.bin"))
    config = Bundle.open(tmp_path / "b").manifest.config
    assert config["debias"]["coverage"]["specific"]["missing"] == list(many[:1000])
    assert config["debias"]["shortened"] == {"coverage.specific.missing": 60_000}
    assert config["source"] == {"file": "v\\xff.bin"}


@pytest.mark.parametrize("config", [InlpConfig(seed=2**32, iterations=1), DoubleHardConfig(seed=2**40)])
def test_seeds_beyond_those_of_scikit_learn(uneven: Any, config: Any) -> None:
    method = "inlp" if isinstance(config, InlpConfig) else "double-hard"
    assert np.isfinite(apply(uneven.vectors, uneven.sets, method, config).vectors.matrix).all()


def test_going_on_from_debiased_vectors(uneven: Any, tmp_path: Path) -> None:
    from seqkit.embeddings.initial import Initial

    apply(uneven.vectors, uneven.sets).save(tmp_path / "out")
    initial = Initial.load(tmp_path / "out")
    assert initial.method == "debias"
    assert initial.work == 0


def test_again_with_the_stored_direction_nothing_changes(planted: Any, tmp_path: Path) -> None:
    once = apply(planted.vectors, planted.sets, "hard")
    once.save(tmp_path / "out")
    loaded, subspace = Vectors.load(tmp_path / "out"), stored_subspace(tmp_path / "out")
    again = apply(loaded, planted.sets, "hard", subspace=subspace)
    np.testing.assert_allclose(again.vectors.matrix, once.vectors.matrix, atol=5e-7)
    assert np.abs(again.vectors.matrix[planted.neutral] @ subspace.basis.T).max() < 1e-6
    np.testing.assert_allclose(np.linalg.norm(again.vectors.matrix, axis=1), 1, atol=1e-6)


def test_a_cased_vocabulary(planted: Any) -> None:
    """'She3' is neither neutral nor left out of its equalize set because the set says 'she3'."""
    words = [word.capitalize() if word[-1] == "3" else word for word in planted.vectors.words]
    vectors = Vectors(words, planted.vectors.matrix)
    done = apply(vectors, planted.sets)
    assert ["She3", "He3"] in done.record["equalized"]
    assert ["She3", "He3"] in done.record["pairs"]
    assert (done.vectors["Beard3"] == vectors["Beard3"]).all()
    assert done.record["coverage"]["specific"]["missing"] == []


def test_a_strength_is_that_of_the_settings(uneven: Any) -> None:
    first = apply(uneven.vectors, uneven.sets, "soft", strength=4)
    second = apply(uneven.vectors, uneven.sets, "soft", SoftConfig(strength=4.0))
    assert first.vectors.matrix.tobytes() == second.vectors.matrix.tobytes()
    assert first.record["settings"]["strength"] == 4


def test_what_cannot_be_asked_for(uneven: Any) -> None:
    vectors, sets = uneven.vectors, uneven.sets
    with pytest.raises(UsageError, match=r"no method 'sotf'; did you mean 'soft'\?"):
        apply(vectors, sets, "sotf")
    with pytest.raises(UsageError, match="hard has no strength; of the methods these have one: soft"):
        apply(vectors, sets, "hard", strength=1)
    with pytest.raises(UsageError, match="hard takes a HardConfig, not a SoftConfig"):
        apply(vectors, sets, "hard", SoftConfig())
    with pytest.raises(UsageError, match="strength must be"):
        apply(vectors, sets, "soft", strength=-1)
    other = replace(uneven.task.subspace, basis=np.eye(5)[:1])
    with pytest.raises(UsageError, match="the subspace is of vectors of 5 numbers, these have 12"):
        apply(vectors, sets, subspace=other)


def degenerate() -> dict[str, tuple[Vectors, WordSets, str]]:
    gender = word_sets("gender")
    rng = np.random.default_rng(0)

    def vectors(*words: str) -> Vectors:
        return Vectors(words, rng.normal(size=(len(words), 5)).astype(np.float32))

    same = Vectors(["she", "he", "woman", "man", "bread"], np.ones((5, 3), np.float32))
    zero = Vectors(["she", "he", "woman", "man", "bread"], np.eye(5, 4, dtype=np.float32)[::-1].copy())
    listed = replace(gender, neutral=("stone",))
    no_pairs = replace(gender, pairs=())
    return {
        "all missing": (vectors("bread", "milk"), gender, "0 of 10 definitional pairs .* not in it: she, he"),
        "one pair": (vectors("she", "he", "bread"), gender, "1 of 10 definitional pairs .* needs 2"),
        "identical": (same, gender, r"the same vector \(she = he, …\): there is no direction"),
        "zero": (zero, gender, "the vector of 'she' is zero"),
        "nothing neutral": (vectors("she", "he", "woman", "man"), gender, "every word .* is protected"),
        "neutral unknown": (
            vectors("she", "he", "woman", "man", "bread"),
            listed,
            "no neutral word of 'gender'",
        ),
        "no pairs": (vectors("she", "he"), no_pairs, "'gender' have no pairs"),
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", degenerate())
def test_degenerate_input_gets_one_line(case: str, method: str) -> None:
    vectors, sets, message = degenerate()[case]
    with pytest.raises(DataError, match=message) as caught:
        apply(vectors, sets, method, QUICK[method])
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 65


def test_more_components_than_pairs() -> None:
    words = ["she", "he", "woman", "man", "bread"]
    vectors = Vectors(words, np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32))
    with pytest.raises(UsageError, match="components must be at most 2"):
        apply(vectors, word_sets("gender"), "hard", HardConfig(components=3))


def test_bundles_without_a_subspace(uneven: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        stored_subspace(tmp_path / "none")
    uneven.vectors.save(tmp_path / "plain")
    with pytest.raises(BundleError, match="were not debiased"):
        stored_subspace(tmp_path / "plain")
    basis, classes = np.eye(12)[:1], np.eye(12)[:2]
    record = {"pairs": [["a", "b"]], "explained_variance": [1.0]}
    for number, (tensors, config, message) in enumerate(
        [
            ({"classes": classes}, {"debias": record}, "a subspace and classes that fit together"),
            ({"subspace": basis, "classes": np.eye(3)}, {"debias": record}, "that fit together"),
            ({"subspace": basis, "classes": classes}, {}, "must have pairs and explained_variance"),
            ({"subspace": basis, "classes": classes}, {"debias": {"pairs": 3}}, "must have pairs"),
        ]
    ):
        with BundleWriter(tmp_path / str(number), kind="vectors") as writer:
            uneven.vectors.write_members(writer)
            writer.write_tensors(DEBIAS, tensors)
            writer.commit(config=config)
        with pytest.raises(BundleError, match=message):
            stored_subspace(tmp_path / str(number))


def test_memory_is_at_most_three_matrices(plant: Any) -> None:
    """The one given, which is not counted here, and less than two more."""
    planted = plant(words=15_000, size=64)
    size = planted.vectors.matrix.nbytes
    for method, config in QUICK.items():
        tracemalloc.start()
        apply(planted.vectors, planted.sets, method, config)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2 * size, method


def test_importing_all_of_it_is_light(tmp_path: Path) -> None:
    """What it imports when it works is seen by the test of the commands."""
    code = """
import importlib, pkgutil, sys
import seqkit.debias
for module in pkgutil.walk_packages(seqkit.debias.__path__, "seqkit.debias."):
    importlib.import_module(module.name)
print(*{name.partition(".")[0] for name in sys.modules})
"""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert {"numpy", "seqkit"} <= loaded
    assert not {"tensorflow", "keras", "gensim", "matplotlib", "sklearn", "scipy"} & loaded
