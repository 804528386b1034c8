"""Bundles: what is written is read back, what is damaged is refused, and no crash loses one."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from seqkit import _bundle_writer, storage
from seqkit.debias.removal import stored_subspace
from seqkit.embeddings.cooccurrence.counts import Cooccurrences
from seqkit.embeddings.initial import Initial
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, FormatError, MissingInputError, SeqkitError, StorageError, UsageError
from seqkit.language_model.members import open_members
from seqkit.language_model.mixture import Mixture
from seqkit.language_model.model import LanguageModel
from seqkit.sentiment.model import SentimentModel
from seqkit.storage import (
    Bundle,
    BundleWriter,
    atomic_write_bytes,
    atomic_write_tensors,
    partial_path,
    read_again,
    read_tensors,
)

TENSORS = "tensors.safetensors"

ARRAYS = {
    "matrix": np.arange(12, dtype=np.float32).reshape(3, 4) / 7,
    "scalar": np.array(3, np.int64),
    "empty": np.zeros((0, 5), np.uint8),
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "half": np.arange(3, dtype=np.float16),
    "big_endian": np.arange(5, dtype=">i4"),
}


def write(path: Path, *, value: float = 0.0, rows: int = 4, **options: Any) -> None:
    """A bundle whose every part says `value`."""
    with BundleWriter(path, kind="vectors", **options) as writer:
        writer.write_text("vocabulary.tsv", f'"word"\t{int(value)}\n' * rows)
        writer.write_tensors("tensors.safetensors", {"vectors": np.full((rows, 8), value, np.float32)})
        writer.commit(
            config={"value": float(value)}, seed=int(value), metrics={"loss": None}, history=[{"epoch": 1}]
        )


def value_of(path: Path) -> float:
    """The value of a whole bundle; fails if its parts disagree."""
    bundle = Bundle.open(path, kind="vectors")
    bundle.verify()
    matrix = bundle.tensors("tensors.safetensors")["vectors"]
    (value,) = {float(x) for x in np.unique(matrix)}
    assert bundle.manifest.config == {"value": value}
    assert bundle.text("vocabulary.tsv").startswith(f'"word"\t{int(value)}\n')
    return value


# --- tensor files


def test_tensors_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "t"
    atomic_write_tensors(path, ARRAYS, {"who": "é"})
    tensors, metadata = read_tensors(path)
    assert metadata == {"who": "é"}
    assert tensors.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert tensors[name].shape == array.shape
        assert np.array_equal(tensors[name], array)
        assert tensors[name].flags.aligned
        assert not tensors[name].flags.writeable
    assert isinstance(tensors["matrix"], np.memmap)
    assert os.listdir(tmp_path) == ["t"]


def test_safetensors_reads_what_we_write_and_the_other_way_round(tmp_path: Path) -> None:
    atomic_write_tensors(tmp_path / "ours", ARRAYS, {})
    theirs = load_file(tmp_path / "ours")
    native = {name: array.astype(array.dtype.newbyteorder("="), order="C") for name, array in ARRAYS.items()}
    save_file(native, tmp_path / "theirs", metadata={"a": "b"})
    ours, metadata = read_tensors(tmp_path / "theirs")
    assert metadata == {"a": "b"}
    for name, array in ARRAYS.items():
        assert np.array_equal(theirs[name], array)
        assert np.array_equal(ours[name], array)


def test_no_tensors_is_a_file_too(tmp_path: Path) -> None:
    atomic_write_tensors(tmp_path / "t", {})
    assert read_tensors(tmp_path / "t") == ({}, {})


def test_a_mapped_matrix_is_written_in_a_stream(tmp_path: Path) -> None:
    source = np.memmap(tmp_path / "source", np.float32, "w+", shape=(3, 1 << 21))  # 24 MB, in pieces of 16 MB
    source[:] = np.arange(3)[:, None]
    atomic_write_tensors(tmp_path / "t", {"a": source, "b": source[:, ::2]})
    tensors, _ = read_tensors(tmp_path / "t")
    assert np.array_equal(tensors["a"], source)
    assert np.array_equal(tensors["b"], source[:, ::2])


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({"a": np.zeros(2, np.complex64)}, "complex64"),
        ({"a": np.array(["x"])}, "<U1"),
        ({"a": np.array([None])}, "object"),
        ({"a b": np.zeros(2)}, "not a tensor name"),
        ({"__metadata__": np.zeros(2)}, "not a tensor name"),
    ],
)
def test_arrays_that_cannot_be_stored(tmp_path: Path, tensors: dict[str, Any], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        atomic_write_tensors(tmp_path / "t", tensors)
    assert os.listdir(tmp_path) == []


def tensor_file(header: object, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def entry(
    dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8), **more: object
) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "header of 0 bytes"),
        (b"\x02\0\0", "in a file of 3"),
        ((1 << 60).to_bytes(8, "little") + b"{}", "header of 1,152,921"),
        ((1 << 21).to_bytes(8, "little") + b" " * (1 << 21), "at most 1,048,576"),
        (tensor_file([]), "not a JSON object"),
        (tensor_file(b"{" * 10), "not JSON"),
        (tensor_file(b'{"a":' * 1000 + b"1" + b"}" * 1000), "nested deeper"),
        (tensor_file(b"\xff\xfe{}"), "not JSON"),
        (tensor_file(b'{"a": {"dtype": "F32", "shape": [2], "shape": []}}'), "stands twice"),
        (tensor_file({"a": entry(dtype="BF16")}), "has type 'BF16'"),
        (tensor_file({"a": entry(dtype=7)}), "has type '7'"),
        (tensor_file({"a": entry(dtype="O")}), "has type 'O'"),
        (tensor_file({"a": entry(more=1)}), "nothing else"),
        (tensor_file({"a": {"dtype": "F32"}}), "nothing else"),
        (tensor_file({"a": 3}), "nothing else"),
        (tensor_file({"a": entry(shape=[3])}), "does not fill"),
        (tensor_file({"a": entry(shape=[-2])}), "not lists of sizes"),
        (tensor_file({"a": entry(shape=[2.0])}), "not lists of sizes"),
        (tensor_file({"a": entry(shape=[True, 2])}), "not lists of sizes"),
        (tensor_file({"a": entry(shape=[1] * 9 + [2])}), "not lists of sizes"),
        # (2^32)² · 2^2 bytes wraps around to 0 in 64 bits
        (tensor_file({"a": entry(shape=[1 << 32, 1 << 32], offsets=(0, 0))}, b""), "does not fill"),
        (tensor_file({"a": entry(), "b": entry(offsets=(2, 10))}), "begins at byte 2, not at 8"),
        (tensor_file({"a": entry(offsets=(0, 4), shape=(1,))}), "the tensors take 4 bytes, the file holds 8"),
        (tensor_file({"a": entry(offsets=(4, 8), shape=(1,))}), "begins at byte 4, not at 0"),
        (tensor_file({"a": entry()}, b"\0" * 7), "the file holds 7"),
        (tensor_file({"a\n": entry()}), "tensor name"),
        (tensor_file({"__metadata__": {"a": 1}}, b""), "object of strings"),
        (tensor_file({"__metadata__": 1}, b""), "object of strings"),
    ],
)  # fmt: skip
def test_headers_that_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "t"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=reason):
        read_tensors(path)


def test_tensor_files_that_are_not_files(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_tensors(tmp_path / "absent")
    os.mkfifo(tmp_path / "pipe")
    atomic_write_tensors(tmp_path / "real", ARRAYS)
    (tmp_path / "link").symlink_to("real")
    for name in ("pipe", "link", "."):
        with pytest.raises(StorageError):
            read_tensors(tmp_path / name)


# --- bundles


def test_a_bundle_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "b"
    assert not storage.is_bundle(path)
    write(path, value=3)
    assert storage.is_bundle(path)
    assert value_of(path) == 3
    manifest = Bundle.open(path).manifest
    assert (manifest.kind, manifest.seed, manifest.metrics) == ("vectors", 3, {"loss": None})
    assert manifest.history == [{"epoch": 1}]
    assert manifest.versions["numpy"] == np.__version__
    assert sorted(os.listdir(path)) == ["manifest.json", "tensors.safetensors", "vocabulary.tsv"]
    assert os.listdir(tmp_path) == ["b"]


def test_a_bundle_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "b"
    write(path, value=1)
    with pytest.raises(UsageError, match="--overwrite"):
        write(path, value=2)
    assert value_of(path) == 1
    write(path, value=2, overwrite=True)
    assert value_of(path) == 2
    assert os.listdir(tmp_path) == ["b"]


def test_a_bundle_of_another_kind_is_never_replaced(tmp_path: Path) -> None:
    """The n-grams of a language model must not take its place."""
    path = tmp_path / "b"
    write(path, value=1)
    before = sorted((file.name, file.read_bytes()) for file in path.iterdir())
    with pytest.raises(
        UsageError, match="b: holds a vectors bundle, which one of kind ngram does not replace"
    ):
        BundleWriter(path, kind="ngram", overwrite=True).__enter__()
    assert sorted((file.name, file.read_bytes()) for file in path.iterdir()) == before
    assert os.listdir(tmp_path) == ["b"]


@pytest.mark.parametrize("damage", [b"", b"{}", b"{", b"\xff", b" " * (1 << 21)])
def test_a_damaged_bundle_is_replaced(tmp_path: Path, damage: bytes) -> None:
    write(tmp_path / "b", value=1)
    (tmp_path / "b" / "manifest.json").write_bytes(damage)
    write(tmp_path / "b", value=2, overwrite=True)
    assert value_of(tmp_path / "b") == 2


def test_what_is_not_a_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "manifest.json").write_text("mine")
    for name in ("file", "folder", "link", "manifest.json"):
        with pytest.raises(UsageError):
            write(tmp_path / name, overwrite=True)
    for name in (".", "..", "/"):
        with pytest.raises(UsageError, match="cannot name a bundle"):
            write(Path(name), overwrite=True)
    assert (tmp_path / "folder" / "mine").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", value=1)
    assert value_of(tmp_path / "empty") == 1
    with pytest.raises(StorageError, match="there is no folder"):
        write(tmp_path / "no" / "such")


def test_files_of_the_run_outlive_a_failure_and_not_the_commit(tmp_path: Path) -> None:
    path = tmp_path / "b"
    partial_path(path).mkdir()
    checkpoint = partial_path(path) / "checkpoint"
    checkpoint.write_text("state")

    def fail() -> None:
        with BundleWriter(path, kind="vectors", keeps=["check*"]) as writer:
            writer.write_text("vocabulary.tsv", "")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.listdir(tmp_path) == ["b.partial"]
    assert os.listdir(partial_path(path)) == ["checkpoint"]
    with pytest.raises(UsageError, match=r"b\.partial: holds checkpoint, which is not of this command"):
        write(path)
    assert checkpoint.read_text() == "state"
    (partial_path(path) / ".checkpoint.partial").touch()  # of a kill in the midst of writing it
    write(path, value=1, keeps=["checkpoint"])
    assert os.listdir(tmp_path) == ["b"]


def test_a_writer_that_is_done_leaves_the_next_one_alone(tmp_path: Path) -> None:
    """The first has removed its folder, and with it its lock, before its block ends."""
    path = tmp_path / "b"
    with BundleWriter(path, kind="vectors", overwrite=True) as first:
        first.write_text("vocabulary.tsv", '"a"\t1\n')
        first.write_tensors(TENSORS, {"vectors": np.ones((1, 2), np.float32)})
        first.commit(config={})
        second = BundleWriter(path, kind="vectors", overwrite=True).__enter__()
    with pytest.raises(StorageError, match="another process is writing here"):
        BundleWriter(path, kind="vectors", overwrite=True).__enter__()
    second.__exit__(None, None, None)
    assert os.listdir(tmp_path) == ["b"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_is_in_the_way_of_a_swap_is_left_alone(tmp_path: Path, make: Callable[[Path], None]) -> None:
    write(tmp_path / "b")
    make(tmp_path / "b.replaced")
    with pytest.raises(UsageError, match=r"b\.replaced: is in the way of writing .*/b; move it away"):
        write(tmp_path / "b", value=1, overwrite=True)
    assert value_of(tmp_path / "b") == 0
    assert sorted(os.listdir(tmp_path)) == ["b", "b.replaced"]


def test_a_bundle_of_that_name_is_no_work_in_progress(tmp_path: Path) -> None:
    write(tmp_path / "b.partial")
    with pytest.raises(UsageError, match="holds manifest"):
        write(tmp_path / "b")
    assert value_of(tmp_path / "b.partial") == 0


def test_a_block_left_without_commit_writes_nothing(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "b", kind="vectors") as writer:
        writer.write_text("vocabulary.tsv", "")
    assert os.listdir(tmp_path) == []


def test_mistakes_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a kind"):
        BundleWriter(tmp_path / "b", kind="vektors")
    with BundleWriter(tmp_path / "b", kind="vectors") as writer:
        with pytest.raises(UsageError, match="not a member"):
            writer.write_text("../evil", "")
        with pytest.raises(UsageError, match="lone surrogate"):
            writer.write_text("vocabulary.tsv", "\ud800")
        with pytest.raises(UsageError, match=r"needs tensors\.safetensors, vocabulary\.tsv"):
            writer.commit(config={})
        writer.write_tensors("tensors.safetensors", {})
        writer.write_text("vocabulary.tsv", "")
        for config, reason in [
            ({"x": float("nan")}, "nan"),
            ({"x": {1}}, "set"),
            ({"x": "\udc00"}, "surrogate"),
        ]:
            with pytest.raises(UsageError, match=reason):
                writer.commit(config=config)
        with pytest.raises(UsageError, match="shorten its history or settings"):
            writer.commit(config={}, history=["x" * 1000] * 1100)
    assert os.listdir(tmp_path) == []


def test_two_writers_of_one_bundle(tmp_path: Path) -> None:
    with (
        BundleWriter(tmp_path / "b", kind="vectors"),
        pytest.raises(StorageError, match="another process"),
        BundleWriter(tmp_path / "b", kind="vectors"),
    ):
        pass


def test_a_lock_on_what_another_writer_removed_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One writer opens the folder of the work; before it locks it, the one there ends, and a third begins."""
    path, real = tmp_path / "b", _bundle_writer.lock
    write(path, value=1)
    ending, late, third = (BundleWriter(path, kind="vectors", overwrite=True) for _ in range(3))
    ending.__enter__()

    def overtaken(descriptor: int, place: Path) -> None:
        monkeypatch.setattr(_bundle_writer, "lock", real)
        ending.__exit__(None, None, None)
        third.__enter__()
        real(descriptor, place)

    monkeypatch.setattr(_bundle_writer, "lock", overtaken)
    with pytest.raises(StorageError, match="another process"):
        late.__enter__()
    third.write_text("vocabulary.tsv", '"word"\t3\n')
    third.write_tensors("tensors.safetensors", {"vectors": np.full((1, 2), 3, np.float32)})
    third.commit(config={"value": 3.0})
    assert value_of(path) == 3


def test_a_writer_that_is_refused_leaves_the_other_ones_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = BundleWriter._check_own

    def also_another(self: BundleWriter) -> None:
        monkeypatch.setattr(BundleWriter, "_check_own", real)
        with pytest.raises(StorageError, match="another process"):
            BundleWriter(tmp_path / "b", kind="vectors").__enter__()
        real(self)

    monkeypatch.setattr(BundleWriter, "_check_own", also_another)
    write(tmp_path / "b", value=2)
    assert value_of(tmp_path / "b") == 2


def test_a_name_that_is_no_utf_8() -> None:
    assert storage.printable("caf\xe9") == "café"
    assert storage.printable(os.fsdecode(b"caf\xe9.bin")) == "caf\\xe9.bin"


def test_a_bundle_that_is_replaced_while_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files were listed before the swap, its manifest is read after it."""
    path, real = tmp_path / "b", storage._file_sizes
    write(path, value=1)

    def swapped(place: Path) -> dict[str, int]:
        monkeypatch.setattr(storage, "_file_sizes", real)
        sizes = real(place)
        with BundleWriter(path, kind="vectors", overwrite=True) as writer:
            writer.write_text("vocabulary.tsv", '"word"\t22222\n')
            writer.write_tensors("tensors.safetensors", {"vectors": np.ones((1, 9), np.float32)})
            writer.commit(config={})
        return sizes

    monkeypatch.setattr(storage, "_file_sizes", swapped)
    assert Bundle.open(path).text("vocabulary.tsv") == '"word"\t22222\n'


@pytest.mark.parametrize(
    "read", [Bundle.verify, lambda bundle: bundle.text("vocabulary.tsv"), lambda b: b.tensors(TENSORS)]
)
def test_what_is_read_from_a_bundle_is_of_one_bundle(
    tmp_path: Path, read: Callable[[Bundle], object]
) -> None:
    """The two have the same sizes, so that nothing else tells them apart."""
    path = tmp_path / "b"
    write(path, value=1)
    bundle = Bundle.open(path)
    read(bundle)
    write(path, value=2, overwrite=True)
    with pytest.raises(BundleError, match="/b: was replaced by another bundle while it was read; open it"):
        read(bundle)
    read(Bundle.open(path))


def test_a_bundle_that_is_moved_away_while_it_is_read(tmp_path: Path) -> None:
    write(tmp_path / "b")
    bundle = Bundle.open(tmp_path / "b")
    (tmp_path / "b").rename(tmp_path / "c")
    with pytest.raises(BundleError, match="was replaced"):
        bundle.tensors(TENSORS)


def test_vectors_that_are_replaced_while_they_are_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both bundles say a = (1, 0) and b = (0, 1), in another order."""
    path, rows, real = tmp_path / "v", np.eye(2, dtype=np.float32), Bundle.text
    Vectors(["a", "b"], rows).save(path)

    def then_replaced(self: Bundle, member: str) -> str:
        monkeypatch.setattr(Bundle, "text", real)
        found = real(self, member)
        Vectors(["b", "a"], rows[::-1]).save(path, overwrite=True)
        return found

    monkeypatch.setattr(Bundle, "text", then_replaced)
    loaded = Vectors.load(path)
    assert loaded.words == ("b", "a")
    assert loaded["a"].tolist() == [1, 0]


@pytest.mark.parametrize(
    "load",
    [
        Vectors.load,
        Cooccurrences.load,
        Initial.load,
        LanguageModel.load,
        open_members,
        Mixture.load,
        SentimentModel.load,
        stored_subspace,
    ],
)
def test_every_load_reads_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[[Path], object]
) -> None:
    answers = [storage._ReplacedError("b", "was replaced"), UsageError("opened again")]

    def opened(path: Path, kind: str | None = None) -> Bundle:
        raise answers.pop(0)

    monkeypatch.setattr(Bundle, "open", opened)
    with pytest.raises(UsageError, match="opened again"):
        load(tmp_path)


def test_a_bundle_that_is_replaced_all_the_time() -> None:
    readings: list[int] = []

    @read_again
    def load() -> None:
        readings.append(1)
        raise storage._ReplacedError("b", "was replaced")

    with pytest.raises(BundleError, match="was replaced"):
        load()
    assert len(readings) == storage.MOST_READINGS


def test_places_that_are_no_directories(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(MissingInputError, match="dangling: no such bundle or file; it is a symbolic link to"):
        Bundle.open(tmp_path / "dangling")
    with pytest.raises(BundleError, match="/dev/null: is a device; a bundle is a directory"):
        Bundle.open("/dev/null")


def test_a_bundle_that_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "wiki")
    with pytest.raises(MissingInputError, match=r"did you mean 'wiki'\?"):
        Bundle.open(tmp_path / "wikk")
    partial_path(tmp_path / "news").mkdir()
    with pytest.raises(MissingInputError, match="did not finish"):
        Bundle.open(tmp_path / "news")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BundleError, match="no manifest"):
        Bundle.open(tmp_path / "folder")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BundleError, match="is a file"):
        Bundle.open(tmp_path / "file")


def test_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "b")
    with pytest.raises(BundleError, match="is a vectors bundle; a classifier bundle"):
        Bundle.open(tmp_path / "b", kind="classifier")
    bundle = Bundle.open(tmp_path / "b")
    for name in ("manifest.json", "../b/vocabulary.tsv"):
        with pytest.raises(BundleError, match="no such member"):
            bundle.text(name)


@pytest.mark.parametrize("name", ["vocabulary.tsv", "tensors.safetensors", "manifest.json"])
def test_members_that_are_not_plain_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / "b"
    write(path)
    moved = tmp_path / "elsewhere"
    os.rename(path / name, moved)
    with pytest.raises(BundleError, match=f"{name}: missing|no manifest"):
        Bundle.open(path)
    (path / name).symlink_to(moved)
    with pytest.raises(BundleError, match="not a regular file"):
        Bundle.open(path)
    os.unlink(path / name)
    os.mkfifo(path / name)
    with pytest.raises(BundleError, match=r"not a regular file|no manifest"):
        Bundle.open(path)
    os.unlink(path / name)
    (path / name).mkdir()
    with pytest.raises(BundleError, match=r"not a regular file|no manifest"):
        Bundle.open(path)


def test_an_unknown_member(tmp_path: Path) -> None:
    write(tmp_path / "b")
    (tmp_path / "b" / "run.sh").write_text("")
    with pytest.raises(BundleError, match=r"run\.sh: not of this bundle; remove it"):
        Bundle.open(tmp_path / "b")


def redigested(content: dict[str, Any]) -> bytes:
    """A manifest with a right digest, as an attacker would write it; the rule is that of docs/bundle.md."""
    import hashlib

    content.pop("digest", None)
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps({**content, "digest": hashlib.sha256(canonical).hexdigest()}).encode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "zip"}, "not a seqkit bundle"),
        ({"format_version": 2}, "bundle format 2"),
        ({"format_version": True}, "bundle format True"),
        ({"kind": "pickle"}, "kind 'pickle'"),
        ({"kind": 1}, "kind is of the wrong type"),
        ({"more": 1}, "unknown: more"),
        ({"seed": 1.5}, "seed is of the wrong type"),
        ({"seed": True}, "seed is of the wrong type"),
        ({"config": []}, "config is of the wrong type"),
        ({"versions": {"numpy": 2}}, "versions are not all strings"),
        ({"fingerprint": "abc"}, "not 64 hex digits"),
        ({"members": {}}, "this lists"),
        ({"members": {"../x": {"size": 1, "sha256": "0" * 64}}}, "this lists"),
        ({"members": {"vocabulary.tsv": {"size": 1}}}, "needs size and sha256"),
        ({"members": {"vocabulary.tsv": {"size": -1, "sha256": "0" * 64}}}, "cannot be"),
        ({"members": {"vocabulary.tsv": {"size": 1, "sha256": "0"}}}, "cannot be"),
    ],
)
def test_manifests_that_break_the_schema(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = tmp_path / "b"
    write(path)
    content = json.loads((path / "manifest.json").read_bytes())
    (path / "manifest.json").write_bytes(redigested(content))
    assert value_of(path) == 0  # the helper makes what a reader accepts
    (path / "manifest.json").write_bytes(redigested({**content, **change}))
    with pytest.raises(BundleError, match=reason):
        Bundle.open(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not a seqkit bundle"),
        (b'{"a": 1, "a": 2}', "stands twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b"[" * 17 + b"]" * 17, "nested deeper"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a": ' + b"1" * 5000 + b"}", "not JSON"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b" " * ((1 << 20) + 1), "larger than"),
    ],
)
def test_manifests_that_are_not_our_json(tmp_path: Path, text: bytes, reason: str) -> None:
    path = tmp_path / "b"
    write(path)
    (path / "manifest.json").write_bytes(text)
    with pytest.raises(BundleError, match=reason):
        Bundle.open(path)


def test_an_edited_manifest(tmp_path: Path) -> None:
    write(tmp_path / "b", value=1)
    manifest = tmp_path / "b" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"value": 1.0', '"value": 9.0'))
    with pytest.raises(BundleError, match="digest"):
        Bundle.open(tmp_path / "b")


def test_damage_that_only_the_hash_sees(tmp_path: Path) -> None:
    write(tmp_path / "b", value=1)
    tensors = tmp_path / "b" / "tensors.safetensors"
    data = bytearray(tensors.read_bytes())
    data[-3] ^= 1
    tensors.write_bytes(data)
    bundle = Bundle.open(tmp_path / "b")
    with pytest.raises(BundleError, match=r"tensors\.safetensors: its sha256"):
        bundle.verify()
    vocabulary = tmp_path / "b" / "vocabulary.tsv"
    vocabulary.write_text(vocabulary.read_text().replace("word", "ward"))
    with pytest.raises(BundleError, match=r"vocabulary\.tsv: its sha256"):
        Bundle.open(tmp_path / "b").text("vocabulary.tsv")


# --- mutations


def mutated(data: bytes, rng: random.Random) -> bytes:
    """One random damage: flipped bits, a run of zeros or ones, a cut, a doubled or dropped piece."""
    start = rng.randrange(len(data) + 1)
    end = min(len(data), start + rng.choice([1, 1, 4, 64]))
    match rng.randrange(6):
        case 0:
            flipped = bytes(byte ^ (1 << rng.randrange(8)) for byte in data[start:end])
            return data[:start] + flipped + data[end:]
        case 1:
            return data[:start] + b"\0" * (end - start) + data[end:]
        case 2:
            return data[:start] + b"\xff" * (end - start) + data[end:]
        case 3:
            return data[:start]
        case 4:
            return data[:end] + data[start:end] + data[end:]
        case _:
            return data[:start] + data[end:]


def content_of(path: Path) -> object:
    bundle = Bundle.open(path, kind="vectors")
    bundle.verify()
    matrix = bundle.tensors("tensors.safetensors")["vectors"]
    return bundle.manifest, bundle.text("vocabulary.tsv"), matrix.shape, matrix.tobytes()


def check_mutations(path: Path, count: int, seed: int) -> None:
    write(path, value=2)
    whole = content_of(path)
    rng = random.Random(seed)
    for name in sorted(os.listdir(path)):
        original = (path / name).read_bytes()
        refused = 0
        for _ in range(count):
            (path / name).write_bytes(mutated(original, rng))
            try:
                assert content_of(path) == whole  # white space of the manifest may differ, nothing else
            except SeqkitError:
                refused += 1
        (path / name).write_bytes(original)
        assert refused > count / 2


def test_no_mutation_of_a_bundle_passes_unseen(tmp_path: Path) -> None:
    check_mutations(tmp_path / "b", 100, seed=1)


@pytest.mark.slow
def test_no_mutation_of_a_bundle_passes_unseen_at_length(tmp_path: Path) -> None:
    check_mutations(tmp_path / "b", 10_000, seed=2)


def check_tensor_mutations(path: Path, count: int, seed: int) -> None:
    """Without hashes damage to the data goes unseen, but nothing is raised or read beyond the file."""
    atomic_write_tensors(path, ARRAYS, {"a": "b"})
    original, rng = path.read_bytes(), random.Random(seed)
    for _ in range(count):
        path.write_bytes(mutated(original, rng))
        try:
            tensors, _ = read_tensors(path)
        except SeqkitError:
            continue
        for tensor in tensors.values():
            tensor.tobytes()


def test_mutations_of_a_tensor_file(tmp_path: Path) -> None:
    check_tensor_mutations(tmp_path / "t", 500, seed=1)


@pytest.mark.slow
def test_mutations_of_a_tensor_file_at_length(tmp_path: Path) -> None:
    check_tensor_mutations(tmp_path / "t", 20_000, seed=2)


# --- a system that fails


class Fault:
    """Fails the nth of the calls that change the disk, and all later ones if it is persistent."""

    CALLS = ("open", "write", "fsync", "rename", "replace", "mkdir", "ftruncate")

    def __init__(self, nth: int, code: int, *, persistent: bool) -> None:
        self.nth, self.code, self.persistent, self.seen = nth, code, persistent, 0

    def wrap(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*args: Any, **kwargs: Any) -> Any:
            self.seen += 1
            if self.seen == self.nth or (self.persistent and self.seen > self.nth):
                raise OSError(self.code, os.strerror(self.code))
            return call(*args, **kwargs)

        return failing

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for name in self.CALLS:
            patch.setattr(os, name, self.wrap(getattr(os, name)))


def faults() -> Iterator[Fault]:
    for code in (errno.ENOSPC, errno.EIO, errno.EDQUOT):
        for persistent in (False, True):
            for nth in range(1, 200):
                fault = Fault(nth, code, persistent=persistent)
                yield fault
                if fault.seen < nth:
                    break
            else:
                pytest.fail("no run came through without a fault")


def attempt(call: Callable[[], None]) -> StorageError | None:
    try:
        call()
    except StorageError as error:
        return error
    return None


def test_a_bundle_survives_every_failure_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "b"
    write(path, value=1)
    failures = 0
    for fault in faults():
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch)
            error = attempt(lambda: write(path, value=2, overwrite=True))
        if error is None:  # the run without a fault, or a fault while tidying up after the commit
            assert value_of(path) == 2
        else:
            assert (error.exit_code, error.errno) == (74, fault.code)
            # 2: the very last fsync failed, after the swap, and so did the renames that would undo it.
            assert value_of(path) == 1 or (fault.persistent and value_of(path) == 2)
            failures += 1
        assert set(os.listdir(tmp_path)) <= {"b", "b.partial", "b.replaced"}
        write(path, value=1, overwrite=True)
        assert value_of(path) == 1
        assert os.listdir(tmp_path) == ["b"]
    assert failures > 6 * 15  # six modes, and at least that many calls in each


def test_a_file_survives_every_failure_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "f"
    failures = 0
    for fault in faults():
        path.write_bytes(b"old")
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch)
            error = attempt(lambda: atomic_write_bytes(path, b"new"))
        if error is not None:
            assert (error.exit_code, error.errno) == (74, fault.code)
            failures += 1
        assert path.read_bytes() in (b"old", b"new")
        assert os.listdir(tmp_path) == ["f"]
    assert failures > 6 * 5


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a folder with the permissions -wx no descriptor is had to fsync it by: nothing is changed then."""
    real = os.open

    def refused(path: Path, *args: Any, **named: Any) -> int:
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *args, **named)

    write(tmp_path / "b", value=1)
    atomic_write_bytes(tmp_path / "f", b"old")
    with monkeypatch.context() as patch:
        patch.setattr(os, "open", refused)
        for change in (
            lambda: write(tmp_path / "b", value=2, overwrite=True),
            lambda: write(tmp_path / "new"),
            lambda: atomic_write_bytes(tmp_path / "f", b"new"),
        ):
            with pytest.raises(StorageError, match="could not write: Permission denied"):
                change()
    assert value_of(tmp_path / "b") == 1
    assert (tmp_path / "f").read_bytes() == b"old"
    assert sorted(os.listdir(tmp_path)) == ["b", "f"]


def test_a_working_directory_that_has_been_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    reason = "the working directory has been deleted; change to another"
    for change in (lambda: write(Path("b")), lambda: atomic_write_bytes("f", b"new")):
        with pytest.raises(StorageError, match=f": could not .*: {reason}"):
            change()
    with pytest.raises(StorageError, match="could not write: No such file or directory"):
        atomic_write_bytes(tmp_path / "no" / "f", b"new")
    write(tmp_path / "b", value=1)
    assert value_of(tmp_path / "b") == 1


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:3]))
    atomic_write_bytes(tmp_path / "f", b"0123456789")
    assert (tmp_path / "f").read_bytes() == b"0123456789"


def test_what_a_kill_left_of_a_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / ".f.partial").write_bytes(b"x" * 100)
    atomic_write_bytes(tmp_path / "f", b"new")
    assert (tmp_path / "f").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["f"]


# --- kills

# A process for each kill, forked by one that has imported everything. A line is one write: of `print`, where
# PYTHONUNBUFFERED is set, a kill may leave a line without its end.
SAVER = """
import sys
sys.path.insert(0, {tests!r})
import itertools, os
from pathlib import Path
from test_storage import write
for _ in sys.stdin:
    if child := os.fork():
        os.waitpid(child, 0)
        os.write(1, b"killed\\n")
        continue
    os.write(1, b"%d\\n" % os.getpid())
    for value in itertools.count(1):
        write(Path(sys.argv[1]), value=value, overwrite=True, rows=20_000)
        os.write(1, b"%d\\n" % value)
"""


def check_kills(folder: Path, count: int, seed: int) -> None:
    path, rng = folder / "b", random.Random(seed)
    write(path, rows=20_000)
    program = SAVER.format(tests=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        text=True,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(count):
            process.stdin.write("save\n")
            process.stdin.flush()
            saver, saved = int(process.stdout.readline()), [int(process.stdout.readline())]
            time.sleep(rng.random() * 0.05)  # every kill comes inside a save
            os.kill(saver, signal.SIGKILL)
            while (line := process.stdout.readline()) != "killed\n":
                saved.append(int(line))
            # The last save that was reported, or the one after it; nothing in between, and nothing older.
            assert value_of(path) in (saved[-1], saved[-1] + 1)
        process.stdin.close()
        assert process.wait(timeout=30) == 0
    write(path, value=7, overwrite=True)
    assert os.listdir(folder) == ["b"]


def test_kills_while_saving(tmp_path: Path) -> None:
    check_kills(tmp_path, 10, seed=1)


@pytest.mark.slow
def test_many_kills_while_saving(tmp_path: Path) -> None:
    check_kills(tmp_path, 200, seed=2)


def test_a_crash_between_the_two_renames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b"
    write(path, value=1)
    os.rename(path, tmp_path / "b.replaced")  # what a kill after the first rename leaves
    assert value_of(path) == 1
    with pytest.raises(UsageError, match="a bundle is there already"):
        write(path, value=2)
    assert os.listdir(tmp_path) == ["b"]
    os.rename(path, tmp_path / "b.replaced")
    write(path, value=2, overwrite=True)
    assert value_of(path) == 2
    assert os.listdir(tmp_path) == ["b"]


def test_a_crash_before_the_old_bundle_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "b"
    write(path, value=1)
    with monkeypatch.context() as patch:
        patch.setattr(BundleWriter, "_remove_replaced", lambda writer: None)
        write(path, value=2, overwrite=True)
    assert "b.replaced" in os.listdir(tmp_path)
    assert value_of(path) == 2
    write(path, value=2, overwrite=True)
    assert os.listdir(tmp_path) == ["b"]
    with monkeypatch.context() as patch:  # and one in the midst of removing it
        patch.setattr(_bundle_writer.shutil, "rmtree", lambda *args, **kwargs: None)
        write(path, value=3, overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ["b", "b.partial"]
    assert value_of(path) == 3
    write(path, value=4, overwrite=True)
    assert value_of(path) == 4
    assert os.listdir(tmp_path) == ["b"]


def test_only_a_regular_file_is_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path(os.devnull)):
        kind = path.stat().st_mode
        with pytest.raises(StorageError, match=f"{path}: not a regular file; only such can be replaced"):
            atomic_write_bytes(path, b"new")
        assert path.stat().st_mode == kind
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_symbolic_link_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("old")
    for target in ("folder/file", "folder/new"):
        link = tmp_path / target.replace("/", "-")
        link.symlink_to(target)
        atomic_write_bytes(link, target.encode())
        assert os.readlink(link) == target
        assert (tmp_path / target).read_text() == target
    assert sorted(os.listdir(tmp_path / "folder")) == ["file", "new"]


def test_what_is_not_of_a_bundle_outlives_its_overwriting(tmp_path: Path) -> None:
    write(tmp_path / "b")
    (tmp_path / "b" / "NOTES.md").write_text("precious")
    with pytest.raises(UsageError, match=r"/b: holds NOTES\.md, which is not of the bundle; move it away"):
        write(tmp_path / "b", value=1, overwrite=True)
    assert (tmp_path / "b" / "NOTES.md").read_text() == "precious"
    assert os.listdir(tmp_path) == ["b"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no/b: there is no folder .*/no to write to; make it first"):
        write(tmp_path / "no" / "b")
