"""Byte-pair encoding (Sennrich et al. 2016), by the bytes of UTF-8, so that no text is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from seqkit.errors import FormatError, Place, UnavailableError, UsageError

BYTES = 256


class BytePairs:
    """Cuts text into the pieces that were joined most often in the text that it was learned from.

    The learning and the cutting are those of the library `tokenizers`.

    Args:
        model: a `tokenizers.Tokenizer`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    @classmethod
    def learned(cls, lines: Iterable[str], size: int) -> BytePairs:
        """Learns pieces.

        Args:
            lines: of text; a lone surrogate in it counts as U+FFFD.
            size: how many pieces, the 256 bytes among them.

        Raises:
            UnavailableError: `tokenizers` is not installed.
            UsageError: fewer pieces than bytes.
        """
        if size <= BYTES:
            raise UsageError(f"max_vocab of byte pairs must be above the {BYTES} bytes, not {size}")
        library = _library()
        model = library.Tokenizer(library.models.BPE())
        model.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        model.decoder = library.decoders.ByteLevel()
        alphabet = library.pre_tokenizers.ByteLevel.alphabet()
        trainer = library.trainers.BpeTrainer(
            vocab_size=size, initial_alphabet=alphabet, show_progress=False, special_tokens=[]
        )
        model.train_from_iterator(map(_well_formed, lines), trainer)
        return cls(model)

    @classmethod
    def from_json(cls, text: str, path: Place | None = None) -> BytePairs:
        """What `to_json` wrote.

        Raises:
            FormatError: it is something else.
            UnavailableError: `tokenizers` is not installed.
        """
        library = _library()
        try:
            return cls(library.Tokenizer.from_str(text))
        except Exception as error:  # the library raises nothing narrower
            raise FormatError(f"no byte pairs: {error}", path=path) from None

    def to_json(self) -> str:
        """As JSON, by the format of `tokenizers`."""
        return str(self._model.to_str())

    def tokens(self, text: str) -> list[str]:
        """The pieces of a text, each spelled by one visible character a byte."""
        return list(self._model.encode(_well_formed(text)).tokens)

    def text(self, tokens: list[str]) -> str:
        """The text of pieces; bytes that are no UTF-8 become U+FFFD."""
        ids = (self._model.token_to_id(token) for token in tokens)
        return str(self._model.decode([index for index in ids if index is not None]))


def _well_formed(text: str) -> str:
    """With U+FFFD for lone surrogates, which `tokenizers` refuses: arguments that are no UTF-8 have such."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _library() -> Any:
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError as error:
        raise UnavailableError("byte pairs need the library tokenizers: pip install 'seqkit[bpe]'") from error
    return tokenizers
