"""Probabilistic context-free grammars as endless, seeded sources of sentences.

NLTK reads the grammar (`nltk.PCFG.fromstring`) but only enumerates what one derives; sampling is done here.
A left-most derivation rewrites each non-terminal by one of its expansions, drawn with that rule's probability
and independently of what stands around it (Manning and Schütze 1999, *Foundations of Statistical Natural
Language Processing*, §11.1). Cumulative probabilities are laid out once; a derivation is then one draw and
one bisection per choice, on an explicit stack, so that a deep sentence cannot overflow Python's own.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

import numpy as np

from seqkit.errors import CorpusError, UsageError

_DRAWS = 1 << 14  # random numbers fetched at a time, so that NumPy's cost per call does not count


class _Rule:
    """The expansions of one non-terminal, laid out for sampling."""

    __slots__ = ("bounds", "expansions", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        # Expansions are reversed, as they are pushed on a stack. The last bound is left out, so that a
        # bisection cannot step past the end when the probabilities sum to a hair less than one.
        self.bounds: list[float] = []
        self.expansions: list[tuple[_Rule | str, ...]] = []


class Grammar:
    """A probabilistic context-free grammar, compiled for sampling.

    >>> tosses = Grammar("S -> Toss [0.5] | Toss S [0.5]  \\nToss -> 'heads' [0.5] | 'tails' [0.5]")
    >>> sentences = tosses.sample(seed=0)
    >>> {word for _ in range(20) for word in next(sentences)} == {"heads", "tails"}
    True

    Args:
        text: a grammar in NLTK's PCFG notation; sentences start from the left-hand side of its first rule.

    Raises:
        CorpusError: the notation is broken, the probabilities of a non-terminal do not sum to one, or a
            non-terminal has no rule.
    """

    def __init__(self, text: str) -> None:
        from nltk.grammar import PCFG, Nonterminal

        try:
            parsed = PCFG.fromstring(text)
        except ValueError as error:
            raise CorpusError(f"not an NLTK PCFG: {' '.join(str(error).split())}") from error
        rules = {production.lhs(): _Rule(str(production.lhs())) for production in parsed.productions()}
        probabilities: dict[object, list[float]] = {lhs: [] for lhs in rules}
        for production in parsed.productions():
            undefined = [s for s in production.rhs() if isinstance(s, Nonterminal) and s not in rules]
            if undefined:
                raise CorpusError(f"{undefined[0]} has no rule, but {production.lhs()} uses it")
            reversed_side = tuple(rules.get(symbol, symbol) for symbol in reversed(production.rhs()))
            rules[production.lhs()].expansions.append(reversed_side)
            probabilities[production.lhs()].append(production.prob())
        for lhs, rule in rules.items():
            total = sum(probabilities[lhs])  # NLTK lets it be off by a hundredth
            rule.bounds = [bound / total for bound in accumulate(probabilities[lhs][:-1])]
        self._rules = {str(lhs): rule for lhs, rule in rules.items()}
        self.start = str(parsed.start())

    def sample(self, *, seed: int, start: str | None = None) -> Iterator[list[str]]:
        """Sentences without end, each a list of terminals; equal arguments give equal sentences.

        Args:
            seed: any integer from 0.
            start: the non-terminal to start from; the grammar's own where None.

        Raises:
            UsageError: the grammar has no such non-terminal, or the seed is negative.
        """
        if start is not None and start not in self._rules:
            raise UsageError(f"start must be a non-terminal of the grammar, got {start!r}")
        rule, draws = self._rules[start or self.start], _uniform(seed)
        return iter(lambda: _derive(rule, draws), None)

    def sample_labelled(self, *, seed: int) -> Iterator[tuple[str, list[str]]]:
        """The sentences of `sample`, each with the non-terminal that the start symbol was rewritten by.

        Args:
            seed: any integer from 0.

        Raises:
            UsageError: an expansion of the start symbol is not one non-terminal, or the seed is negative.
        """
        rule, draws = self._rules[self.start], _uniform(seed)
        labels = [side[0] for side in rule.expansions if len(side) == 1]
        kinds = [label for label in labels if isinstance(label, _Rule)]
        if len(kinds) < len(rule.expansions):
            raise UsageError(f"each expansion of {self.start} must be one non-terminal for it to be a label")

        def sentence() -> tuple[str, list[str]]:
            kind = kinds[_choose(rule, draws)]
            return kind.name, _derive(kind, draws)

        return iter(sentence, None)


def _uniform(seed: int) -> Iterator[float]:
    """Random numbers in [0, 1) without end."""
    if seed < 0:
        raise UsageError(f"seed must be 0 or more, got {seed}")
    return _blocks_of_uniform(np.random.default_rng(seed))


def _blocks_of_uniform(rng: np.random.Generator) -> Iterator[float]:
    while True:
        yield from rng.random(_DRAWS).tolist()


def _choose(rule: _Rule, draws: Iterator[float]) -> int:
    """The number of an expansion, drawn by its probability."""
    return bisect(rule.bounds, next(draws)) if rule.bounds else 0


def _derive(start: _Rule, draws: Iterator[float]) -> list[str]:
    """The terminals of one left-most derivation."""
    sentence: list[str] = []
    stack: list[_Rule | str] = [start]
    while stack:
        symbol = stack.pop()
        if isinstance(symbol, str):
            sentence.append(symbol)
        else:
            stack += symbol.expansions[_choose(symbol, draws)]
    return sentence
