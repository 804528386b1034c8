"""Corpora of NLTK's data collection, read from the disk.

They are looked for as NLTK does: in the folders of the environment variable NLTK_DATA, then in `nltk_data` of
the home directory and of the system, unpacked or zipped. Only the names of one table reach NLTK, never a path
of the caller. Corpora are read by NLTK's readers, without its sentence tokenizer: a line is what the corpus
itself holds as one, so no model (punkt) is needed.
"""

from __future__ import annotations

import os
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from seqkit.errors import CorpusError, MissingInputError, name_hint

Labelled = Iterator[tuple[str, str]]

_DAMAGE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)

# The Penn Treebank's escapes for quotation marks and brackets.
_READABLE = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")", "-LCB-": "{", "-RCB-": "}"}


@dataclass(frozen=True)
class NltkCorpus:
    """How one corpus is read.

    Args:
        description: one line for a list.
        read: gives (label, line) from NLTK's pointer to the corpus' folder; without labels they are "".
        lines: how many there are; None where it was not measured.
        labelled: whether `read` gives labels.
        kind: the folder of NLTK's data that it lies in.
    """

    description: str
    read: Callable[[Any], Labelled]
    lines: int | None
    labelled: bool = False
    kind: str = "corpora"


def _plain(files: str, encoding: str | list[tuple[str, str]]) -> Callable[[Any], Labelled]:
    """The lines of text files."""

    def read(root: Any) -> Labelled:
        for _, line in _file_lines(root, files, encoding):
            yield "", line

    return read


def _file_lines(root: Any, files: str, encoding: str | list[tuple[str, str]]) -> Labelled:
    """(file, line) for each line that is not blank, white space around it removed."""
    from nltk.corpus.reader.plaintext import PlaintextCorpusReader

    reader = PlaintextCorpusReader(root, files, encoding=encoding)
    for file in reader.fileids():
        with reader.open(file) as stream:
            for line in stream:
                if text := line.strip():
                    yield file, text


def _brown(root: Any) -> Labelled:
    from nltk.corpus.reader import TaggedCorpusReader

    for sentence in TaggedCorpusReader(root, r"c[a-z]\d\d", encoding="ascii").sents():
        yield "", _joined(sentence)


def _treebank(root: Any) -> Labelled:
    from nltk.corpus.reader import BracketParseCorpusReader

    for sentence in BracketParseCorpusReader(root, r"combined/wsj_.*\.mrg", encoding="ascii").tagged_sents():
        yield "", _joined(word for word, tag in sentence if tag != "-NONE-")  # traces of moved words


def _movie_reviews(root: Any) -> Labelled:
    """A review a line; its own lines are sentences, its label is its folder."""
    labels = {"pos": "positive", "neg": "negative"}
    texts: dict[str, list[str]] = {}
    for file, line in _file_lines(root, r"(neg|pos)/.*\.txt", "ascii"):
        if file not in texts and texts:
            yield from _reviews(texts, labels)
            texts = {}
        texts.setdefault(file, []).append(line)
    yield from _reviews(texts, labels)


def _reviews(texts: dict[str, list[str]], labels: dict[str, str]) -> Labelled:
    for file, lines in texts.items():
        yield labels[file.partition("/")[0]], " ".join(lines)


def _subjectivity(root: Any) -> Labelled:
    for file, line in _file_lines(root, r"(quote|plot)\.tok\.gt9\.5000", "utf-8"):
        yield ("subjective" if file.startswith("quote") else "objective"), line


def _names(root: Any) -> Labelled:
    for file, line in _file_lines(root, r"(fe)?male\.txt", "ascii"):
        yield file.removesuffix(".txt"), line


def _product_reviews(root: Any) -> Labelled:
    """The sentences of the reviews; before `##` stand annotations, other lines are titles and headers."""
    for _, line in _file_lines(root, r"(?!README|Readme).*\.txt", "utf-8"):
        _, mark, text = line.partition("##")
        if mark and (sentence := text.strip()):
            yield "", sentence


def _joined(words: Any) -> str:
    return " ".join(_READABLE.get(word, word) for word in words)


_TEXT = r"(?!README|\.).*\.txt"
_GENESIS = [("finnish|french|german", "latin-1"), ("swedish", "cp865"), (".*", "utf-8")]
# By what their bytes are; NLTK's own choice, latin-1 and latin-2, garbles the quotation marks of these.
_INAUGURAL = [("2005", "big5"), (".*", "utf-8")]
_STATE_UNION = [("197[0-4]", "big5"), (".*", "latin-1")]

NLTK_CORPORA = {
    "brown": NltkCorpus("American English of 1961 in 15 genres, by sentence", _brown, 57340),
    "genesis": NltkCorpus("the book of Genesis in seven languages", _plain(_TEXT, _GENESIS), 21739),
    "gutenberg": NltkCorpus("18 books of Project Gutenberg", _plain(_TEXT, "latin-1"), None),
    "inaugural": NltkCorpus("inaugural addresses of US presidents", _plain(_TEXT, _INAUGURAL), 1573),
    "movie_reviews": NltkCorpus("film reviews, one a line", _movie_reviews, 2000, labelled=True),
    "names": NltkCorpus("English first names, one a line", _names, 7944, labelled=True),
    "product_reviews_1": NltkCorpus("customer reviews of 5 products, by sentence", _product_reviews, 3944),
    "product_reviews_2": NltkCorpus("customer reviews of 9 products, by sentence", _product_reviews, 4250),
    "state_union": NltkCorpus("State of the Union addresses", _plain(_TEXT, _STATE_UNION), 6642),
    "subjectivity": NltkCorpus("sentences from film reviews and plots", _subjectivity, 10000, labelled=True),
    "treebank": NltkCorpus("Wall Street Journal, by sentence", _treebank, 3914),
    "vader_lexicon": NltkCorpus(
        "VADER's words and their valence, one a line",
        _plain(_TEXT, "utf-8"),
        7517,
        kind="sentiment",
    ),
    "webtext": NltkCorpus("forum posts, overheard talk, a film script", _plain(_TEXT, "cp1252"), 25827),
}


def nltk_corpus(name: str) -> NltkCorpus:
    """The corpus of that name, without the prefix `nltk:`.

    Raises:
        MissingInputError: seqkit does not know such a corpus.
    """
    if name not in NLTK_CORPORA:
        hint = name_hint(name, NLTK_CORPORA, most=2)
        raise MissingInputError(f"nltk:{name}: no corpus that seqkit knows; {hint}")
    return NLTK_CORPORA[name]


def read_nltk(name: str) -> Labelled:
    """(label, line) for each line of a corpus on the disk.

    Args:
        name: a key of `NLTK_CORPORA`.

    Raises:
        MissingInputError: no such corpus, it is not on the disk, or NLTK refuses to read it.
        CorpusError: while iterating: its files are damaged.
    """
    corpus = nltk_corpus(name)
    return _guarded(name, corpus.read(_find(name)))


def _guarded(name: str, lines: Labelled) -> Labelled:
    """Damage, which NLTK meets in many ways, as one error."""
    try:
        yield from lines
    except (*_DAMAGE, LookupError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> CorpusError:
    return CorpusError(
        f"nltk:{name} cannot be read ({' '.join(str(error).split())}): remove it and fetch it again"
    )


def _find(name: str) -> Any:
    """NLTK's pointer to the folder of a corpus, in a zip file or not."""
    import nltk.data

    _add_nltk_data(nltk.data.path)
    refused: set[str] = set()
    kind = NLTK_CORPORA[name].kind
    for resource in (f"{kind}/{name}", f"{kind}/{name}.zip/{name}/"):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # what it warns of is in the error
                return nltk.data.find(resource)
        except _DAMAGE as error:
            raise _damaged(name, error) from error
        except LookupError as error:
            refused |= {str(place) for place in getattr(error, "_nltk_refused_writable", ())}
    if refused:
        places = ", ".join(sorted(refused))
        raise MissingInputError(
            f"nltk:{name}: NLTK does not read what other accounts may write to; `chmod go-w` {places}"
        )
    raise MissingInputError(
        f"nltk:{name} is not on this machine: get it with `seqkit corpus fetch nltk:{name}`, "
        f"or set NLTK_DATA to the folder that holds {kind}/"
    )


def _add_nltk_data(path: list[str]) -> None:
    """Puts the folders of NLTK_DATA first; NLTK itself looks at the variable only when it is imported."""
    folders = [folder for folder in os.environ.get("NLTK_DATA", "").split(os.pathsep) if folder]
    path[:0] = [folder for folder in folders if folder not in path]
