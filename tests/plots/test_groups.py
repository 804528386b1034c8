"""Files of groups: what they hold, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqkit.errors import FormatError, MissingInputError
from seqkit.plots.groups import read_groups


def test_groups_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text('royalty = ["king", "queen"]\n"old food" = ["crème", "<b>"]\n', encoding="utf-8")
    assert read_groups(path) == {"royalty": ["king", "queen"], "old food": ["crème", "<b>"]}
    assert list(read_groups(path)) == ["royalty", "old food"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no groups"),
        (b"a = [", "not a TOML file"),
        (b"\xff", "not a TOML file"),
        (b"a = 'king'", "'a' is not a group"),
        (b"a = []", "'a' is not a group"),
        (b"a = ['x', 3]", "'a' is not a group"),
        (b"[a]\nb = ['x']", "'a' is not a group"),
        (b"a = ['x', 'y']\nb = ['y']", "'y' is in 'a' and in 'b'"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "g.toml"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_groups(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        read_groups(tmp_path / "absent.toml")
