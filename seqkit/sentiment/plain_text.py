r"""Where the tokens of text lie, by NumPy, a block at a time; what that cannot cut is told.

A form between white space is plain where all of it is ASCII and nothing in it can be part of an emoticon.
Then its tokens are runs of letters and digits, which apostrophes may join, and marks, one each. Of English
reviews one form in a thousand is not plain: `seqkit.sentiment.cutting` has the rules for any.
"""

from __future__ import annotations

import string

import numpy as np
from numpy.typing import NDArray

from seqkit.text.forms import Integers, ranges

_SEPARATOR, _WORD, _MARK, _EYES, _OTHER = range(5)


def _kinds() -> bytes:
    kinds = bytearray([_SEPARATOR] * 128 + [_OTHER] * 128)
    for kind, characters in (
        (_WORD, string.ascii_letters + string.digits),
        (_MARK, string.punctuation + "\0"),  # NUL is the end of a line
        (_EYES, ":;="),
        (_OTHER, "<>^_"),  # only faces without eyes, and hearts, have these
    ):
        for character in characters.encode():
            kinds[character] = kind
    return bytes(kinds)


_KINDS = _kinds()


def token_spans(text: bytes) -> tuple[Integers, Integers, Integers]:
    """The tokens of plain forms, and all other forms whole.

    Args:
        text: prepared by `seqkit.text.forms.prepared`; upper and lower case are alike.

    Returns:
        Start and length of each, in order, and the numbers of those that are forms which are not plain.
    """
    size = text.rindex(b" ") + 1
    bytes_, kinds = (np.frombuffer(each, np.uint8, size) for each in (text, text.translate(_KINDS)))
    kinds = kinds.copy()
    others = np.flatnonzero(kinds >= _EYES)
    is_eyes = kinds[others] == _EYES
    kinds[others[is_eyes]] = _MARK
    others = others[~is_eyes | _may_be_a_face(bytes_, others)]
    apostrophes = np.flatnonzero(bytes_ == ord("'"))
    inner = (kinds[apostrophes - 1] == _WORD) & (kinds[apostrophes + 1] == _WORD)
    kinds[apostrophes[inner]] = _WORD
    firsts = others
    if len(others):
        firsts, inside = _forms_around(bytes_, others)
        kinds[inside] = _WORD
    is_word, is_mark = kinds == _WORD, kinds == _MARK
    edges = is_word[1:] != is_word[:-1]
    starts = np.flatnonzero(edges & is_word[1:] | is_mark[1:]) + 1
    ends = np.flatnonzero(edges & is_word[:-1] | is_mark[:-1]) + 1
    return starts, ends - starts, np.searchsorted(starts, firsts)


def _may_be_a_face(text: NDArray[np.uint8], eyes: Integers) -> NDArray[np.bool_]:
    """Whether eyes have something behind them or a bracket before them, as in ":)", "(:", "(-:"."""
    before = (text[eyes - 1] == ord("(")) | (text[eyes - 2] == ord("("))
    return np.asarray((text[eyes + 1] != ord(" ")) | before)


def _forms_around(text: NDArray[np.uint8], places: Integers) -> tuple[Integers, Integers]:
    """Where the forms begin that some places are in, and all places of those forms."""
    spaces = np.flatnonzero(text == ord(" "))
    following = np.searchsorted(spaces, places)
    following = following[np.diff(following, prepend=0) > 0]
    starts, ends = spaces[following - 1] + 1, spaces[following]
    return starts, ranges(starts, ends - starts)
