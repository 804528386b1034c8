"""`seqkit lm sample`: text from a language model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from seqkit.cli.common import emit_json, json_option, note, safe, seed_option
from seqkit.errors import UsageError

if TYPE_CHECKING:
    from seqkit.language_model.model import LanguageModel
    from seqkit.language_model.sampling import SamplingConfig
    from seqkit.language_model.steps import StepModel


@click.command()
@click.argument("bundle")
@click.option("--prompt", default="", metavar="TEXT", help="Go on from this text.  [default: from the start]")
@click.option("--label", default=None, help="Of the texts, for a model of texts by their labels.")
@click.option("-n", "number", type=click.IntRange(min=1), default=1, help="How many texts to write.")
@click.option(
    "--max-length",
    type=click.IntRange(min=1),
    default=100,
    help="Tokens of a text at most, <eos> among them.",
)
@click.option(
    "--temperature", default=1.0, help="Below 1 for safer words, above for bolder; 0: the likeliest."
)
@click.option("--top-k", type=int, help="Draw from the K likeliest words.")
@click.option("--top-p", type=float, help="Draw from the fewest words with probability P together.")
@click.option("--min-p", type=float, help="Draw from words at least P times as likely as the likeliest.")
@click.option("--typical", type=float, help="Draw from the most typical words with probability P together.")
@click.option(
    "--beams", type=int, help="Search for the likeliest text with so many beginnings; draw nothing."
)
@click.option("--repetition-penalty", default=1.0, help="Above 1 what was written becomes less likely.")
@click.option("--no-repeat-ngram", type=int, help="Write no N words in a row twice.")
@click.option("--ban", multiple=True, metavar="WORD", help="Never write this word; may be repeated.")
@click.option("--stop", multiple=True, metavar="TEXT", help="End before this text; may be repeated.")
@click.option("--eos-threshold", type=float, help="End where <eos> has more than this probability.")
@seed_option
@click.option("--stream", is_flag=True, help="Print while writing.")
@json_option
def sample(
    bundle: str,
    prompt: str,
    label: str | None,
    ban: tuple[str, ...],
    stop: tuple[str, ...],
    stream: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Write text by the language model BUNDLE.

    Each text is printed after its prompt; the same seed gives the same text. The options are applied in this
    order: repetition penalty, n-grams, bans, temperature, top-k, top-p, min-p, typical.
    """
    from seqkit.language_model.sampling.config import SamplingConfig

    if stream and (as_json or options["beams"] is not None):
        raise UsageError("--stream prints text while it is drawn: leave out --json and --beams")
    config = SamplingConfig(**options)

    from seqkit.language_model.model import LanguageModel

    model = LanguageModel.load(bundle)
    config = replace(config, banned=tuple(model.id_of(word) for word in ban))
    writing = _Writing(model, config, prompt, *model.encode_prompt(prompt), stop, model.steps_by(label))
    if writing.unknown:
        note(f"the model does not know, and reads as <unk>: {' '.join(dict.fromkeys(writing.unknown))}")
    if as_json:
        writing.as_json()
    elif stream:
        writing.streamed()
    else:
        writing.printed()


@dataclass(frozen=True)
class _Writing:
    """What is to be written, and how it is put out."""

    model: LanguageModel
    config: SamplingConfig
    prompt: str
    ids: list[int]
    unknown: list[str]
    stop: Sequence[str]
    steps: StepModel

    @property
    def beginning(self) -> str:
        """The prompt as it is printed: without a space at its end that a word brings with it."""
        spaced = self.model.decode(self.ids).endswith(" ")
        return self.prompt if spaced else self.prompt.rstrip(" ")

    def samples(self) -> list[Any]:
        from seqkit.language_model.sampling import Sampler

        sampler = Sampler(self.steps)
        return sampler.sample(self.config, [self.ids], decode=self.model.decode, stop=self.stop)

    def as_json(self) -> None:
        texts = [
            {"text": one.text, "tokens": len(one.ids), "log_probability": one.log_probability, "end": one.end}
            for one in self.samples()
        ]
        settings = asdict(self.config) | {"stop": self.stop}
        emit_json({"prompt": self.prompt, "unknown": self.unknown, "texts": texts, "config": settings})

    def printed(self) -> None:
        texts = [self.beginning + one.text for one in self.samples()]
        # Texts of several lines need something between them.
        between = "\n\n" if any("\n" in text for text in texts) else "\n"
        _write(between.join(texts) + "\n")

    def streamed(self) -> None:
        from seqkit.language_model.sampling import Sampler

        sampler, between = Sampler(self.steps), ""
        for row in range(self.config.number):
            _write(between)
            for piece in self._pieces(sampler, row):
                _write(piece)
                if "\n" in piece:
                    between = "\n"
            _write("\n")

    def _pieces(self, sampler: Any, row: int) -> Iterator[str]:
        """A text, as it is drawn."""
        from seqkit.language_model.sampling import TextStream

        yield self.beginning
        text = TextStream(self.model.decode, context=self.ids, stop=self.stop)
        for word in sampler.stream(self.config, self.ids, row=row):
            yield text.push(word)
            if text.stopped:
                break
        yield text.finish()


def _write(text: str) -> None:
    """Part of a result to standard output at once, line ends and TABs kept."""
    click.echo(
        "".join(part if part in "\n\t" else safe(part) for part in re.split("([\n\t])", text)), nl=False
    )
