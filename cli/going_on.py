"""What `seqkit embed train` begins with: nothing, or with `--init` the vectors of an earlier run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from seqkit.cli.common import echo_table

if TYPE_CHECKING:
    from seqkit.embeddings.evaluation import EvaluationSets
    from seqkit.embeddings.initial import Initial
    from seqkit.progress import Progress
    from seqkit.text.tokenizers import Tokenizer

Scores = Mapping[str, Mapping[str, Mapping[str, Any]]]

SOFTMAX = "skipgram-softmax"


@dataclass(frozen=True)
class Start:
    """The beginning of a run.

    Args:
        initial: what it goes on from; None for nothing.
        name: of the method, as the library has it.
        sets: what vectors are scored on before and after; None where nothing is.
    """

    initial: Initial | None
    name: str
    sets: EvaluationSets | None

    @classmethod
    def of(cls, options: Mapping[str, Any], progress: Progress) -> Start:
        """The beginning that the options of the command ask for.

        Raises:
            SeqkitError: as `Initial.load`; options that do not go together.
        """
        if options["init"] is None:
            return cls(None, _name(options, None), None)
        from seqkit.embeddings.initial import Initial

        initial = Initial.load(options["init"], progress)
        if options["learning_rate"] is not None:
            initial = replace(initial, share_rate=False)
        sets = _sets(options["probe_similarity"], options["probe_analogies"])
        return cls(initial, _name(options, initial.method), sets)

    @property
    def method(self) -> str:
        """The method, as the option is spelt."""
        return "skipgram" if self.name == SOFTMAX else self.name

    def settings(self) -> dict[str, Any]:
        """Hyper-parameters of the earlier run, for those that are not set now."""
        if self.initial is None:
            return {}
        from seqkit.embeddings.methods import METHODS

        size = {"vector_size": self.initial.vectors.vector_size}
        if self.initial.method != self.name:
            return size
        config = dict(self.initial.config)
        earlier = config.get("init")
        if isinstance(earlier, dict):  # the rate that it had is a share, too
            config["learning_rate"] = earlier.get("learning_rate")
        names = METHODS[self.name].parameters - {"seed", "precision"}
        return {name: config.get(name) for name in names} | size

    def tokenizer(self, kind: Any, lowercase: bool | None) -> Tokenizer:
        """What cuts the text: as it is set, as before, or by word."""
        from seqkit.text.tokenizers import Tokenizer

        known = self.initial.tokenizer if self.initial else None
        default = known or Tokenizer()
        return Tokenizer(kind or default.kind, default.lowercase if lowercase is None else lowercase)

    def scores(self, bundle: str | None = None) -> Scores | None:
        """Scores of the vectors before, or of those in a bundle; None where no word of a set is known."""
        if self.initial is None or self.sets is None:
            return None
        from seqkit.embeddings.vectors import Vectors

        found = self.sets.score(self.initial.vectors if bundle is None else Vectors.load(bundle))
        for figures in found["analogies"].values():
            del figures["sections"]
        return (
            found if any(_scored(figures) for kind in found.values() for figures in kind.values()) else None
        )


def echo_scores(before: Scores | None, after: Scores) -> None:
    """Writes a table: of each set its score before and after, and how many pairs or questions were scored."""
    rows = []
    for kind, measure in (("similarity", "spearman"), ("analogies", "accuracy")):
        for stem, figures in after[kind].items():
            earlier = before[kind][stem] if before else {}
            shown = [earlier.get(measure), _scored(earlier), figures[measure], _scored(figures)]
            rows.append([stem, measure, *shown])
    echo_table(["set", "measure", "before", "scored", "after", "scored"], rows)


def _scored(figures: Mapping[str, Any]) -> int:
    return int(figures.get("pairs", 0) or figures.get("questions", 0))


def _name(options: Mapping[str, Any], known: str | None) -> str:
    from seqkit.embeddings.methods import METHODS
    from seqkit.errors import UsageError

    known = known if known in METHODS else None
    objective = options["objective"]
    name = options["method"] or ("skipgram" if objective else known or "skipgram")
    if objective == "softmax":
        if name != "skipgram":
            raise UsageError("--objective softmax goes with --method skipgram")
        return SOFTMAX
    if objective is None and name == "skipgram" and known == SOFTMAX:
        return SOFTMAX
    return str(name)


def _sets(similarity: tuple[str, ...], analogies: tuple[str, ...]) -> EvaluationSets | None:
    from seqkit.embeddings.evaluation import EvaluationSets, default_sets
    from seqkit.errors import UnavailableError

    if similarity or analogies:
        return EvaluationSets.read(similarity, analogies)
    try:
        return EvaluationSets.read(*default_sets())
    except UnavailableError:
        return None
