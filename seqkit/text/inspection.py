"""The parts of `seqkit.text.statistics`: patterns that do not belong in text, tallies of lines, repeats."""

from __future__ import annotations

import re
from hashlib import blake2b

from seqkit.text.sources import Block

_SHORT_WORD = 16  # characters; lists of words and names repeat by nature
_OVERLAP = 256  # characters: the longest tag that is found where a line was cut into blocks
_SAMPLE = 1 << 18  # distinct lines whose hashes are held: about 30 MB

_TAGS = "a|abbr|b|blockquote|body|br|center|code|div|em|font|h[1-6]|head|hr|html|i|img|li|link|meta|ol|p|pre"
_TAGS += "|ref|script|small|span|strong|style|sub|sup|table|tbody|td|th|title|tr|u|ul"
_ENTITY = "&(?:[a-z]{2,8}|#[0-9]{1,7}|#x[0-9a-f]{1,6});"
_HTML = re.compile(rf"</?(?:{_TAGS})(?:[ \t][^<>\n]*)?/?>|<!--|{_ENTITY}", re.IGNORECASE)
# UTF-8 that was once read as latin-1 or cp1252: the first byte of a character became one of these letters.
_CONTINUED = "\x80-\xbf" + bytes(range(0x80, 0xA0)).decode("cp1252", "ignore")
_MOJIBAKE = re.compile(f"[\xc2\xc3][{_CONTINUED}]|\xe2[\x80\u20ac][{_CONTINUED}]|\ufffd")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how surrogateescape writes a byte that cannot be decoded


class Pattern:
    """Counts what matches and remembers where the first match was.

    Args:
        kind: a name for programs.
        pattern: what to look for.
        what: a name for people, in the plural.
        advice: what to do about it.
    """

    def __init__(self, kind: str, pattern: re.Pattern[str], what: str, advice: str) -> None:
        self.kind, self._pattern, self._what, self._advice = kind, pattern, what, advice
        self.count, self._first, self._tail = 0, "", ""

    def search(self, block: Block, text: str) -> None:
        """Looks through the decoded text of a block; what begins at the end of one may end in the next."""
        first = block.line - self._tail.count("\n")
        text = self._tail + text
        whole = len(text) if text.endswith("\n") else max(0, len(text) - _OVERLAP)
        for match in self._pattern.finditer(text):
            if match.start() >= whole:
                break
            if not self.count:
                line = first + text.count("\n", 0, match.start())
                self._first = f"{_visible(match[0])} in {block.name}, line {line}"
            self.count += 1
        self._tail = text[whole:]

    def message(self) -> str:
        """One line on what was seen."""
        return f"{self.count:,} {self._what}, the first {self._first}; {self._advice}"


def suspicious_patterns() -> list[Pattern]:
    """A new tally of everything that does not belong in text."""
    return [
        Pattern(
            "not_utf8", _NOT_UTF8, "bytes that are not UTF-8", "training refuses them: convert with iconv"
        ),
        Pattern(
            "mojibake", _MOJIBAKE, "signs of a wrong encoding", "convert the original from its own encoding"
        ),
        Pattern("html", _HTML, "HTML tags or entities", "they become tokens: take the text out of the page"),
        Pattern("control_characters", _CONTROL, "control characters", "remove them"),
    ]


def shortened(text: str, length: int = 40) -> str:
    """`text`, cut after `length` characters."""
    return text if len(text) <= length else text[:length] + "…"


def _visible(found: str) -> str:
    """A tag as it is; a byte or a single character by its number."""
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"0x{code - 0xDC00:02x}"
    return f"U+{code:04X}" if len(found) == 1 else shortened(found)


class LineTally:
    """Number, lengths and repeats of lines, in whatever pieces they come.

    Attributes:
        count: lines, blank ones included.
        blank: lines of nothing but white space.
        characters: without line ends.
        longest: characters of the longest line.
        longest_at: its source and number.
        repeats: of lines of more than one short word.
    """

    def __init__(self) -> None:
        self.count = self.blank = self.characters = self.longest = 0
        self.longest_at = ""
        self.repeats = Repeats()
        self._begun: _BegunLine | None = None

    def add(self, block: Block, text: str) -> None:
        """Takes the decoded text of a block; only its last line may go on in the next block."""
        *lines, last = text.split("\n")
        for number, line in enumerate(lines, block.line):
            if self._begun is not None:
                self._begun.add(line)
                self._measure(self._begun.length, self._begun.blank, block, number)
                if not self._begun.blank:
                    self.repeats.add(self._begun.digest())
                self._begun = None
                continue
            blank = not line or line.isspace()
            self._measure(len(line), blank, block, number)
            if not blank and (" " in line or len(line) >= _SHORT_WORD):
                self.repeats.add(blake2b(_bytes(line), digest_size=8).digest())
        if last:
            self._begun = self._begun or _BegunLine()
            self._begun.add(last)

    def _measure(self, length: int, blank: bool, block: Block, number: int) -> None:
        self.count += 1
        self.blank += blank
        self.characters += length
        if length > self.longest:
            self.longest, self.longest_at = length, f"{block.name}, line {number}"


class _BegunLine:
    """A line longer than a block, of which only the length and a running hash are kept."""

    def __init__(self) -> None:
        self.length, self.blank, self._hash = 0, True, blake2b(digest_size=8)

    def add(self, text: str) -> None:
        self.length += len(text)
        self.blank = self.blank and (not text or text.isspace())
        self._hash.update(_bytes(text))

    def digest(self) -> bytes:
        return self._hash.digest()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class Repeats:
    """The share of items that occurred before, from a sample of the distinct ones by their hash.

    All occurrences of an item are sampled, or none. Whenever the sample grows too large, half of the hashes
    are shut out: adaptive sampling (Flajolet 1990, *On adaptive sampling*, Computing 43).

    Attributes:
        added: the number of items, sampled or not.
    """

    def __init__(self) -> None:
        self.added = 0
        self._occurrences: dict[int, int] = {}
        self._mask = 0

    def add(self, digest: bytes) -> None:
        """Takes the hash of an item, 8 bytes."""
        self.added += 1
        item = int.from_bytes(digest)
        if item & self._mask:
            return
        self._occurrences[item] = self._occurrences.get(item, 0) + 1
        if len(self._occurrences) > _SAMPLE:
            self._mask = 2 * self._mask + 1
            self._occurrences = {key: n for key, n in self._occurrences.items() if not key & self._mask}

    def share(self) -> float:
        """Repeats by items, from 0 to 1."""
        total = sum(self._occurrences.values())
        return (total - len(self._occurrences)) / total if total else 0.0
