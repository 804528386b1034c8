"""Block encoders against the tokenizer, form by form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqkit.text.coding import BlockEncoder, token_of
from seqkit.text.tokenizers import KINDS, Tokenizer

LINES = st.lists(
    st.text(
        st.one_of(
            st.sampled_from("aB'\u2019- .,\t\x0b\x1c\x85\u00a0\u2028\u03a3\u0130\u0301"),
            st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"),
        ),
        max_size=30,
    ).map(lambda line: line.replace("\n", ""))
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("max_forms", [1, 1000])
@given(blocks=st.lists(LINES, max_size=3))
def test_codes_are_the_tokenizers_tokens(
    kind: str, lowercase: bool, max_forms: int, blocks: list[list[str]]
) -> None:
    tokenizer = Tokenizer(kind, lowercase)
    encoder = BlockEncoder(tokenizer, max_forms)
    tokens = ["\n"]
    for lines in blocks:
        coded = encoder.encode("".join(line + "\n" for line in lines).encode())
        tokens[coded.first_new :] = [token_of(spelling, tokenizer) for spelling in coded.new_tokens]
        expected = [token for line in lines for token in [*tokenizer.tokenize(line), "\n"]]
        assert [tokens[code] for code in coded.codes] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_told_at_its_position_in_the_block(kind: str) -> None:
    encoder = BlockEncoder(Tokenizer(kind))
    encoder.encode(b"fine\n")
    with pytest.raises(UnicodeDecodeError) as caught:
        encoder.encode("naïve\n".encode() + b"caf\xe9 au lait\n")
    assert caught.value.start == 10  # seven bytes of the first line, then c, a, f
