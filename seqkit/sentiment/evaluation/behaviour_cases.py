"""Texts in pairs, and what is expected of a model on the second when it has read the first; in English.

The templates were written for this project; films, food, books and hotels, so that models of most domains
know some of the words.

>>> cases = behaviour_cases()
>>> list(cases), {len(part) for part in cases.values()}
(['negation', 'names', 'intensifiers', 'typos'], {64})
>>> cases["negation"][0]
Case(before='The acting was good.', after='The acting was not good.', expected='flip')
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice, product
from typing import Literal

import numpy as np

Expected = Literal["flip", "same", "better", "worse"]

CASES = 64
"""Of each kind."""

# fmt: off
_THINGS = (
    "The acting", "The food", "The story", "The service", "The book", "The ending", "The room", "This film",
)
_GOOD = ("good", "great", "wonderful", "excellent", "lovely", "enjoyable")
_BAD = ("bad", "terrible", "awful", "boring", "disappointing", "poor")
_NAMES = (
    "Maria", "John", "Ahmed", "Mei", "Olga", "Kwame", "Priya", "Diego", "Ingrid", "Yuki", "Fatima", "Pierre",
)
_PLACES = ("Boston", "Lagos", "Madrid", "Seoul", "Cairo", "Oslo", "Lima", "Delhi", "Warsaw", "Toronto")
_GRADED = (("good", "bad"), ("nice", "boring"), ("funny", "dull"), ("pleasant", "weak"))
_STRONGER = ("very", "really", "extremely", "incredibly")
_WEAKER = ("somewhat", "slightly", "fairly", "moderately")
_NAMED = (
    "{name} and I loved the film.",
    "{name} told me that the food was terrible, and it was.",
    "The actor, {name}, was excellent.",
    "I saw it with {name}, and we were both bored.",
    "The hotel in {place} was clean and comfortable.",
    "We ate at a restaurant in {place}; the service was awful.",
    "The story is set in {place} and is a joy to read.",
    "A dull book about a family in {place}.",
)
_SENTENCES = (
    "The acting was excellent and the story was wonderful.",
    "The plot was boring and the dialogue was terrible.",
    "I loved the food, and the service was great.",
    "The room was awful and the staff were rude, avoid it.",
    "A brilliant film with superb performances and a perfect ending.",
    "A dreadful book with weak characters and a disappointing ending.",
    "The hotel was lovely, the breakfast delicious and the view amazing.",
    "The worst dinner we ever had, bland, overpriced and disappointing.",
)
_PHRASES = (
    ("I liked this film.", "I did not like this film."),
    ("I enjoyed the book.", "I didn't enjoy the book."),
    ("I would recommend it.", "I would not recommend it."),
    ("It is worth the money.", "It is not worth the money."),
    ("It works well.", "It does not work well."),
    ("The service was helpful.", "The service was never helpful."),
    ("It is a good story.", "It isn't a good story."),
    ("The film is funny.", "The film is not funny at all."),
    ("This is a masterpiece.", "This is no masterpiece."),
    ("I was impressed by the acting.", "I was not impressed by the acting."),
    ("The jokes were clever.", "None of the jokes were clever."),
    ("I will go there again.", "I will never go there again."),
    ("It was a waste of time.", "It was not a waste of time."),
    ("I was disappointed.", "I was not disappointed."),
    ("The plot is a mess.", "The plot is by no means a mess."),
    ("I regret that I bought it.", "I do not regret that I bought it."),
)
# fmt: on


@dataclass(frozen=True)
class Case:
    """Two texts that differ in one thing.

    Args:
        before: the text.
        after: the text changed.
        expected: of the change: "flip", from good to bad or back; "same", the same label; "better" or
            "worse", in degree.
    """

    before: str
    after: str
    expected: Expected


def behaviour_cases(seed: int = 0) -> dict[str, list[Case]]:
    """The cases by what they test, as many of each.

    Args:
        seed: of the typing errors.
    """
    found = {
        "negation": _negation(),
        "names": _names(),
        "intensifiers": _intensifiers(),
        "typos": _typos(seed),
    }
    return {name: list(islice(cases, CASES)) for name, cases in found.items()}


def _negation() -> Iterator[Case]:
    things = cycle(_THINGS)
    for word, denied in product(_GOOD, ("not", "never", "not very", "hardly")):
        thing = next(things)
        yield Case(f"{thing} was {word}.", f"{thing} was {denied} {word}.", "flip")
    for word, form in product(_BAD, ("not {} at all", "not {}", "never {}", "anything but {}")):
        thing = next(things)
        yield Case(f"{thing} was {word}.", f"{thing} was {form.format(word)}.", "flip")
    yield from (Case(before, after, "flip") for before, after in _PHRASES)


def _names() -> Iterator[Case]:
    for number in range(CASES // len(_NAMED)):
        for template in _NAMED:
            first, second = (
                template.format(name=_NAMES[place % len(_NAMES)], place=_PLACES[place % len(_PLACES)])
                for place in (number, number + 4)
            )
            yield Case(first, second, "same")


def _intensifiers() -> Iterator[Case]:
    things = cycle(_THINGS)
    for degree in range(4):
        for good, bad in _GRADED:
            thing = next(things)
            stronger, weaker = _STRONGER[degree], _WEAKER[degree]
            yield Case(f"{thing} was {good}.", f"{thing} was {stronger} {good}.", "better")
            yield Case(f"{thing} was {good}.", f"{thing} was {weaker} {good}.", "worse")
            yield Case(f"{thing} was {bad}.", f"{thing} was {stronger} {bad}.", "worse")
            yield Case(f"{thing} was {bad}.", f"{thing} was {weaker} {bad}.", "better")


def _typos(seed: int) -> Iterator[Case]:
    rng = np.random.default_rng(seed)
    for _ in range(CASES // len(_SENTENCES)):
        for sentence in _SENTENCES:
            yield Case(sentence, _mistyped(sentence, rng), "same")


def _mistyped(sentence: str, rng: np.random.Generator) -> str:
    """Two different letters side by side change places, inside one word of five or more."""
    places = [
        place
        for place in range(1, len(sentence) - 2)
        if sentence[place - 1 : place + 3].isalpha() and sentence[place] != sentence[place + 1]
    ]
    place = int(rng.choice(places))
    return f"{sentence[:place]}{sentence[place + 1]}{sentence[place]}{sentence[place + 2 :]}"
