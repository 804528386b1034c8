"""Removing a bias from vectors, by any method, with a record of what was done.

>>> from seqkit.debias.word_sets import word_sets
>>> rng = np.random.default_rng(0)
>>> words = ["she", "he", "woman", "man", "girl", "boy", "nurse", "pilot", "bread"]
>>> vectors = Vectors(words, rng.normal(size=(9, 5)).astype(np.float32))
>>> done = apply(vectors, word_sets("gender"), "hard")
>>> float(abs(done.vectors["pilot"] @ done.subspace.basis[0]).round(6))
0.0
>>> done.record["equalized"]
[['she', 'he'], ['woman', 'man'], ['girl', 'boy']]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from seqkit.debias.directions import Subspace, SubspaceConfig, bias_subspace
from seqkit.debias.double_hard import DoubleHardConfig, double_hard
from seqkit.debias.hard import HardConfig, hard
from seqkit.debias.inlp import InlpConfig, inlp
from seqkit.debias.leace import LeaceConfig, leace
from seqkit.debias.soft import SoftConfig, soft
from seqkit.debias.task import Array, Removal, Task
from seqkit.debias.word_sets import WordSets, coverage
from seqkit.embeddings.vectors import Vectors
from seqkit.errors import BundleError, DataError, Place, UsageError, name_hint
from seqkit.storage import Bundle, BundleWriter, is_bundle, printable, read_again
from seqkit.text.corpus import PHRASES

DEBIAS = "debias.safetensors"
"""The member of a bundle with the subspace and what else a method computed."""

TOLD = 1000
"""How much of a list a manifest has."""


@dataclass(frozen=True)
class Method:
    """A method of removal.

    Args:
        name: by which it is chosen.
        config: the class of its settings.
        remove: does it.
    """

    name: str
    config: type[SubspaceConfig]
    remove: Callable[[Task, Any], Removal]

    @property
    def has_strength(self) -> bool:
        """Whether it takes a strength λ."""
        return any(setting.name == "strength" for setting in fields(self.config))


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method("hard", HardConfig, hard),
            Method("soft", SoftConfig, soft),
            Method("double-hard", DoubleHardConfig, double_hard),
            Method("inlp", InlpConfig, inlp),
            Method("leace", LeaceConfig, leace),
        )
    }
)


@dataclass(frozen=True, eq=False)
class Debiased:
    """Vectors without a bias, and how they came to be.

    Args:
        vectors: the same words in the same order, with their counts; no tables of a trainer.
        subspace: the bias that was removed.
        record: what was done, as JSON: `method`, `settings`, `word_sets`, `pairs`, `explained_variance`,
            `coverage`, and what the method says.
        tensors: what the method computed, by name.
    """

    vectors: Vectors
    subspace: Subspace
    record: Mapping[str, Any]
    tensors: Mapping[str, Array] = field(default_factory=dict)

    def save(self, path: Place, *, overwrite: bool = False, source: Place | None = None) -> None:
        """Writes a bundle of kind "vectors", for every command that reads one.

        Its manifest has the record under `config.debias`, and under `config.source` the configuration of the
        bundle that the vectors came from, under `config.earlier` what that came from, back to the first; the
        tokenizer, the phrases and the fingerprint of the text are those of that bundle.

        Args:
            path: the bundle's directory.
            overwrite: replace a bundle that is there.
            source: where the vectors came from; a file is only named.

        Raises:
            UsageError: a bundle is there and `overwrite` is not set.
            BundleError: the source is damaged.
            StorageError: the system refused; what was there is still there.
        """
        bundle = Bundle.open(source, kind="vectors") if source is not None and is_bundle(source) else None
        config: dict[str, Any] = {"method": "debias", "debias": _shortened(self.record)}
        if source is not None and bundle is not None:
            earlier = dict(bundle.manifest.config)
            config |= {key: earlier[key] for key in ("tokenizer", "phrases") if key in earlier}
            before = [earlier.pop("source")] if "source" in earlier else []
            config["earlier"] = [*before, *earlier.pop("earlier", [])]
            config["source"] = {"bundle": printable(source), "config": earlier}
        elif source is not None:
            config["source"] = {"file": printable(source)}
        tensors = {"subspace": self.subspace.basis, "classes": self.subspace.classes, **self.tensors}
        with BundleWriter(path, kind="vectors", overwrite=overwrite) as writer:
            self.vectors.write_members(writer)
            writer.write_tensors(DEBIAS, tensors)
            if bundle is not None and PHRASES in bundle.manifest.members:
                writer.write_text(PHRASES, bundle.text(PHRASES))
            writer.commit(
                config=config,
                seed=self.record["settings"].get("seed"),
                fingerprint=None if bundle is None else bundle.manifest.fingerprint,
            )


def _shortened(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose lists fit into a manifest; `shortened` has the lengths of those that were longer."""
    lengths: dict[str, int] = {}

    def short(value: Any, name: str) -> Any:
        if isinstance(value, Mapping):
            return {key: short(part, f"{name}.{key}") for key, part in value.items()}
        if isinstance(value, list) and len(value) > TOLD:
            lengths[name] = len(value)
            return value[:TOLD]
        return value

    found = {key: short(value, key) for key, value in record.items()}
    return found | ({"shortened": lengths} if lengths else {})


def apply(
    vectors: Vectors,
    sets: WordSets,
    method: str = "hard",
    config: SubspaceConfig | None = None,
    *,
    strength: float | None = None,
    subspace: Subspace | None = None,
) -> Debiased:
    """Removes a bias.

    Args:
        vectors: of any lengths, which words keep; see the methods for what becomes of them.
        sets: the words of the bias.
        method: one of `METHODS`.
        config: the method's settings; None for their defaults.
        strength: λ of a method that has one, in place of the setting.
        subspace: the bias, where it is known already (`stored_subspace`); None to find it by the pairs.

    Returns:
        New vectors; at the end there are two matrices, the old and the new, and never more in memory.

    Raises:
        DataError: fewer than two pairs in the vocabulary, or none that differ; a zero vector among them; no
            neutral word.
        UsageError: an unknown method, settings of another, a strength for one that has none, a subspace for
            other vectors.
    """
    chosen = _method(method)
    config = _settings(chosen, config, strength)
    known = sets.known_to(vectors)
    if sets.neutral and not known.neutral:
        raise DataError(f"no neutral word of {sets.name!r} (of {len(sets.neutral)}) is in the vocabulary")
    if subspace is None:
        if not sets.pairs:
            raise DataError(f"the word sets {sets.name!r} have no pairs, and the bias is found by pairs")
        subspace = bias_subspace(vectors, sets.pairs, config)
    elif subspace.basis.shape[1] != vectors.vector_size:
        size = subspace.basis.shape[1]
        raise UsageError(f"the subspace is of vectors of {size} numbers, these have {vectors.vector_size}")
    task = Task(vectors, known, subspace)
    if not task.neutral.any():
        raise DataError(f"every word of the vocabulary is protected by {sets.name!r}: nothing to neutralize")
    removal = chosen.remove(task, config)
    record = {
        "method": chosen.name,
        "settings": asdict(config),
        "word_sets": {key: getattr(sets, key) for key in ("name", "language", "description", "source")},
        "pairs": [list(words) for words in subspace.tuples],
        "explained_variance": list(subspace.explained_variance),
        "coverage": {
            key: asdict(part) | {"missing": list(part.missing)}
            for key, part in coverage(sets, vectors).items()
        },
        **removal.details,
    }
    return Debiased(Vectors(vectors.vocabulary, removal.matrix), subspace, record, removal.tensors)


def _method(name: str) -> Method:
    if name not in METHODS:
        raise UsageError(f"no method {name!r}; {name_hint(name, METHODS)}")
    return METHODS[name]


def _settings(method: Method, config: SubspaceConfig | None, strength: float | None) -> SubspaceConfig:
    if config is None:
        config = method.config()
    elif type(config) is not method.config:
        raise UsageError(f"{method.name} takes a {method.config.__name__}, not a {type(config).__name__}")
    if strength is None:
        return config
    if not method.has_strength:
        having = ", ".join(other.name for other in METHODS.values() if other.has_strength)
        raise UsageError(f"{method.name} has no strength; of the methods these have one: {having}")
    changes: dict[str, Any] = {"strength": strength}
    return replace(config, **changes)


@read_again
def stored_subspace(place: Place) -> Subspace:
    """The subspace that was removed from the vectors of a bundle.

    Args:
        place: a bundle that `Debiased.save` wrote.

    Raises:
        BundleError: it is not such a bundle, or is damaged.
        MissingInputError: there is none.
    """
    bundle = Bundle.open(place, kind="vectors")
    if DEBIAS not in bundle.manifest.members:
        raise BundleError(bundle.path, "its vectors were not debiased: there is no subspace in it")
    tensors = bundle.tensors(DEBIAS)
    basis, classes = (
        np.array(tensors.get(name, np.zeros(0)), np.float64) for name in ("subspace", "classes")
    )
    if basis.ndim != 2 or classes.ndim != 2 or basis.shape[1] != classes.shape[1]:
        raise BundleError(bundle.path, "it needs a subspace and classes that fit together", member=DEBIAS)
    try:
        record = bundle.manifest.config["debias"]
        shares = tuple(float(share) for share in record["explained_variance"])
        pairs = tuple(tuple(str(word) for word in words) for words in record["pairs"])
    except (KeyError, TypeError, ValueError) as error:
        reason = "config.debias must have pairs and explained_variance"
        raise BundleError(bundle.path, reason, member="manifest.json") from error
    return Subspace(basis, shares, pairs, classes)
