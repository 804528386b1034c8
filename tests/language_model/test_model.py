"""Scores, ranks and prompts of a model whose every probability is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from seqkit.errors import CorpusError, UnknownWordError, UsageError
from seqkit.language_model.coding import END_ID, SPECIALS, UNKNOWN_ID, Coding
from seqkit.language_model.config import NetworkConfig
from seqkit.language_model.model import LanguageModel
from seqkit.language_model.network import LanguageNetwork
from seqkit.text.tokenizers import Tokenizer
from seqkit.text.vocabulary import Vocabulary

# Each token has its probability whatever stands before: all weights are 0, the biases their logarithms.
PROBABILITIES = {"<unk>": 1 / 16, "<eos>": 1 / 4, "the": 1 / 2, "cat": 1 / 8, "sat": 1 / 16}
ENTROPY = 1 / 2 * 1 + 1 / 4 * 2 + 1 / 8 * 3 + 2 * 1 / 16 * 4  # Σ p log₂ 1/p = 1.875 bits


def model(*, level: Any = "word", lines: bool = True, words: Any = PROBABILITIES) -> LanguageModel:
    kind = "character" if level == "character" else "whitespace"
    vocabulary = Vocabulary(tuple(words), np.ones(len(words), np.int64))
    network = LanguageNetwork(NetworkConfig(units=2, layers=1), len(words))
    for weight in network.weights.values():
        weight.assign(np.zeros(weight.shape))
    network.bias.assign(np.log([*words.values()]))
    manifest: Any = None
    return LanguageModel(manifest, Coding(level, vocabulary, Tokenizer(kind, False), lines), network)


@pytest.fixture(scope="module", params=[True, False], ids=["lines", "stream"])
def words(request: pytest.FixtureRequest) -> LanguageModel:
    return model(lines=request.param)


def test_a_score_by_hand(words: LanguageModel) -> None:
    """the cat <eos> dog <eos>: 1 + 3 + 2 + 4 + 2 = 12 bits over 5 tokens; 8 + 4 characters with line ends."""
    score = words.score(["the cat", "dog"])
    assert (score.tokens, score.characters, score.unknown) == (5, 12, 1)
    assert score.log_probability == pytest.approx(-12 * math.log(2))
    assert score.perplexity == pytest.approx(2 ** (12 / 5))
    assert score.bits_per_character == pytest.approx(1)
    assert list(score.summary()) == [
        *("tokens", "log_probability", "perplexity", "bits_per_character", "unknown")
    ]
    assert score.summary()["perplexity"] == score.perplexity


def test_lines_without_tokens_end_in_streams(words: LanguageModel) -> None:
    score = words.score(["the", "", " "])
    assert (score.tokens, score.characters) == (2 if words.coding.lines else 4, 4 + 1 + 2)


def test_many_lines(words: LanguageModel) -> None:
    """More than are scored side by side, of several lengths."""
    lines = [" ".join(["the"] * (n % 11 + 1)) for n in range(70)]
    tokens = sum(n % 11 + 1 for n in range(70))
    score = words.score(iter(lines))
    assert score.tokens == tokens + 70
    assert score.log_probability == pytest.approx(-(tokens + 2 * 70) * math.log(2), rel=1e-6)


def test_each_token(words: LanguageModel) -> None:
    score, found = words.score_tokens(["the cat", "dog"])
    assert score == words.score(["the cat", "dog"])
    assert [each.token for each in found] == ["the", "cat", "<eos>", "<unk>", "<eos>"]
    assert [each.surprisal for each in found] == pytest.approx([1, 3, 2, 4, 2], rel=1e-5)
    assert [each.entropy for each in found] == pytest.approx([ENTROPY] * 5, rel=1e-5)


def test_nothing_to_score(words: LanguageModel) -> None:
    for lines in ([], [""], ["  ", ""]):
        for score in (words.score, words.score_tokens):
            with pytest.raises(CorpusError, match="there is no token in the text to score"):
                score(lines)


def test_ranks(words: LanguageModel) -> None:
    """3, 5 and 6 bits; two lines are both counted; equals stay in their order."""
    ranked = words.rank(["cat the", "the", "cat", "the the\nthe", "the cat"])
    assert [text for text, _ in ranked] == ["the", "cat", "cat the", "the cat", "the the\nthe"]
    bits = [-score.log_probability / math.log(2) for _, score in ranked]
    assert bits == pytest.approx([3, 5, 6, 6, 7])


def test_a_stream_of_characters() -> None:
    r"""a, b and "\n" have 2 bits each here: "ab" and "a", with their ends, 2 bits a character."""
    stream = model(
        level="character",
        lines=False,
        words={"<unk>": 1 / 8, "<eos>": 1 / 8, "\n": 1 / 4, "a": 1 / 4, "b": 1 / 4},
    )
    score = stream.score(["ab", "", "a"])
    assert (score.tokens, score.characters, score.unknown) == (6, 6, 0)
    assert score.bits_per_character == pytest.approx(2)
    assert score.perplexity == pytest.approx(4)
    assert stream.score(["é"]).unknown == 1


def test_a_uniform_model_is_as_perplexed_as_it_has_words() -> None:
    uniform = model(words=dict.fromkeys([*SPECIALS, "a", "b", "c"], 1 / 5))
    assert uniform.score(["a b c", "a"]).perplexity == pytest.approx(5)
    assert [each.entropy for each in uniform.score_tokens(["a"])[1]] == pytest.approx([math.log2(5)] * 2)


def test_prompts(words: LanguageModel) -> None:
    assert words.encode_prompt("the dog cat") == ([2, UNKNOWN_ID, 3], ["dog"])
    assert words.encode_prompt("the\ncat ") == ([2, END_ID, 3], [])
    assert words.encode_prompt("") == ([], [])
    assert words.decode([2, 3, END_ID, 4]) == "the cat\nsat"
    assert words.id_of("cat") == 3
    with pytest.raises(UnknownWordError, match="'cta' is not in the vocabulary"):
        words.id_of("cta")
    assert words.steps.vocabulary_size == len(PROBABILITIES)


def test_one_text_is_no_list_of_letters(words: LanguageModel) -> None:
    for ask in (words.score, words.score_tokens, words.rank):
        with pytest.raises(UsageError, match=r"texts come in a list: \['the cat'\]"):
            ask("the cat")  # type: ignore[operator]
