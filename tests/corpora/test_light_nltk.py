"""Modules of NLTK without its packages, in processes that have not imported NLTK."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(code: str, **environment: str) -> None:
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_module_is_imported_without_the_whole_of_nltk() -> None:
    run("""
import sys
from seqkit.corpora.light_nltk import light_nltk
with light_nltk():
    from nltk.sentiment.vader import VaderConstants
assert not [name for name in sys.modules if name.partition(".")[0] in ("nltk", "scipy", "sklearn")]
assert VaderConstants().negated(["not"])
""")


def test_nltk_is_whole_afterwards() -> None:
    run("""
from seqkit.corpora.light_nltk import light_nltk
with light_nltk():
    import nltk.data
import nltk
import nltk.sentiment
assert nltk.FreqDist("aab")["a"] == 2 and nltk.sentiment.SentimentIntensityAnalyzer
""")


def test_an_error_leaves_nothing_behind() -> None:
    run("""
import sys
from seqkit.corpora.light_nltk import light_nltk
try:
    with light_nltk():
        import nltk.no_such_module
except ModuleNotFoundError:
    pass
assert "nltk" not in sys.modules
""")


def test_what_was_imported_before_stays() -> None:
    from seqkit.corpora.light_nltk import light_nltk

    data = pytest.importorskip("nltk.data")
    with light_nltk():
        import nltk.data

        assert nltk.data is data
    assert sys.modules["nltk.data"] is data


def test_the_lexicon_answers_without_scipy(tmp_path: Path) -> None:
    folder = tmp_path / "sentiment" / "vader_lexicon"
    folder.mkdir(parents=True)
    (folder / "vader_lexicon.txt").write_text("good\t1.9\t0.5\t[1]\n")
    for path in (tmp_path, folder.parent, folder, folder / "vader_lexicon.txt"):
        path.chmod(0o755)
    run(
        """
import sys
from seqkit.sentiment.models.lexicon import compounds
from seqkit.sentiment.documents import Documents
import numpy as np
found = compounds(Documents(["good"], np.array([2], np.int32), np.array([0, 1])))
assert abs(found[0] - 1.9 / (1.9**2 + 15) ** .5) < 1e-4, found
assert not {"scipy", "sklearn", "tensorflow"} & set(sys.modules)
""",
        NLTK_DATA=str(tmp_path),
    )
