"""Text from ids as they come: only what cannot change any more, up to a stop string."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seqkit.errors import UsageError

Decode = Callable[[Sequence[int]], str]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
LONGEST_PIECE = 3
"""Bytes of UTF-8 that do not make a character yet; a decoder gives one replacement for all, or one each."""

CONTEXT = 16
"""Ids before the new ones that are decoded with them, for the space between two words."""


class TextStream:
    r"""The text of ids, piece by piece.

    >>> euro = "1 €!".encode()
    >>> stream = TextStream(lambda ids: bytes(ids).decode(errors="replace"))
    >>> [stream.push(byte) for byte in euro], stream.finish()
    (['1', ' ', '', '', '€', '!'], '')

    Args:
        decode: from ids to text. More ids must only add to the text of fewer, except for bytes that wait for
            the rest of their character, which it shows as U+FFFD.
        context: ids before the first, whose text is known.
        stop: the text ends before any of these.

    Attributes:
        stopped: whether one of `stop` was found.

    Raises:
        UsageError: for an empty stop string.
    """

    def __init__(self, decode: Decode, *, context: Sequence[int] = (), stop: Sequence[str] = ()) -> None:
        if "" in stop:
            raise UsageError("a stop string must have at least one character, and one is empty")
        self._decode, self._stop = decode, tuple(stop)
        self._ids = list(context)[-CONTEXT:]
        self._known = len(_settled(decode(self._ids)))
        self._held = ""
        self.stopped = False

    def push(self, token: int) -> str:
        """The text that is certain after one more id; nothing once it has stopped."""
        if self.stopped:
            return ""
        self._ids.append(token)
        whole = self._decode(self._ids)
        settled = _settled(whole)
        self._held += settled[self._known :]
        self._known = max(self._known, len(settled))
        if len(self._ids) > 2 * CONTEXT and settled == whole:
            self._ids = self._ids[-CONTEXT:]
            self._known = len(_settled(self._decode(self._ids)))
        return self._certain()

    def finish(self) -> str:
        """What was held back, at the end of all ids; bytes that never made a character are left out."""
        held, self._held = self._held, ""
        return held

    def _certain(self) -> str:
        """Takes out of what is held all that cannot belong to a stop string."""
        # The one that ends first, as if the text came character by character.
        found = [(start + len(one), start) for one in self._stop if (start := self._held.find(one)) >= 0]
        if found:
            self.stopped = True
            certain, self._held = self._held[: min(found)[1]], ""
            return certain
        begun = max((_overlap(self._held, one) for one in self._stop), default=0)
        cut = len(self._held) - begun
        certain, self._held = self._held[:cut], self._held[cut:]
        return certain


def _settled(text: str) -> str:
    """The text without an incomplete character at its end."""
    kept = len(text)
    while kept > max(len(text) - LONGEST_PIECE, 0) and text[kept - 1] == REPLACEMENT:
        kept -= 1
    return text[:kept]


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of the text begin the stop string."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
