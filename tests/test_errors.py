import pytest

from seqkit.errors import did_you_mean, name_hint

KNOWN = ("cosine", "constant", "constants", "linear")


@pytest.mark.parametrize(
    ("name", "most", "question"),
    [
        ("cosin", 1, "did you mean 'cosine'?"),
        ("constnt", 2, "did you mean 'constant' or 'constants'?"),
        ("xyz", 3, ""),
        (3, 1, ""),
    ],
)
def test_what_may_have_been_meant(name: object, most: int, question: str) -> None:
    assert did_you_mean(name, KNOWN, most) == question
    assert name_hint(name, KNOWN, most) == (question or "known: cosine, constant, constants, linear")
