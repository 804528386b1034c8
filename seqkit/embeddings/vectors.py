"""Word vectors: a vocabulary and its matrix, from a bundle or from any file that other tools write.

>>> import numpy as np
>>> vectors = Vectors(["king", "queen", "pear"], np.array([[1, 0.1], [1, 0], [0, 1]], np.float32))
>>> vectors["queen"].tolist()
[1.0, 0.0]
>>> "prince" in vectors, len(vectors), vectors.vector_size
(False, 3, 2)
>>> [word for word, _ in vectors.most_similar("king", n=2)]
['queen', 'pear']
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from seqkit._manifest import TENSORS
from seqkit.embeddings import queries
from seqkit.embeddings._table import first_not_finite
from seqkit.embeddings.formats import OnBad, Table, read_table, write_table
from seqkit.errors import BundleError, Place, UsageError
from seqkit.progress import SILENT, Progress
from seqkit.storage import Bundle, BundleWriter, read_again
from seqkit.text.vocabulary import VOCABULARY, Vocabulary

if TYPE_CHECKING:
    from gensim.models import KeyedVectors

Matrix = npt.NDArray[np.float32]


class Vectors:
    """Words, their counts and their vectors; cannot be changed.

    Args:
        words: distinct words, most frequent first where that is known; or a vocabulary.
        matrix: (vocabulary, vector_size), float32; row i is the vector of word i. It is not copied.
        counts: how often each word was seen; None where that is not known.
        output_matrix: (vocabulary, vector_size), float32: the context table of the trainer, if it is kept.
        model: other tensors of the trainer by name, float32, from which training can go on.

    Raises:
        UsageError: shapes that do not fit together, or counts that are not whole numbers.
        DataError: a word twice, or one that is no text; a count below 0.
    """

    def __init__(
        self,
        words: Sequence[str] | Vocabulary,
        matrix: Matrix,
        counts: npt.ArrayLike | None = None,
        *,
        output_matrix: Matrix | None = None,
        model: Mapping[str, Matrix] | None = None,
    ) -> None:
        if not isinstance(words, Vocabulary):
            words = Vocabulary(tuple(words), _whole(counts, len(words)))
        self._vocabulary = words
        self._matrix = _frozen(matrix, len(words), "matrix")
        self._output_matrix = (
            None if output_matrix is None else _frozen(output_matrix, len(words), "output_matrix")
        )
        if self._output_matrix is not None and self._output_matrix.shape != self._matrix.shape:
            raise UsageError(f"matrix is {self._matrix.shape}, output_matrix is {self._output_matrix.shape}")
        self._model = dict(model or {})
        _ = "" in words  # builds the index, which refuses a word that stands twice

    @property
    def vocabulary(self) -> Vocabulary:
        """The words and their counts."""
        return self._vocabulary

    @property
    def words(self) -> Sequence[str]:
        """The words, in the order of the matrix's rows."""
        return self._vocabulary.words

    @property
    def counts(self) -> npt.NDArray[np.int64] | None:
        """How often each word was seen; None where that is not known."""
        counts: npt.NDArray[np.int64] = self._vocabulary.counts
        return counts if counts.any() else None

    @property
    def matrix(self) -> Matrix:
        """(vocabulary, vector_size), float32, read-only; memory-mapped where it comes from a bundle."""
        return self._matrix

    @property
    def output_matrix(self) -> Matrix | None:
        """The context table, of the same shape; None where it was not kept."""
        return self._output_matrix

    @property
    def model(self) -> Mapping[str, Matrix]:
        """Other tensors of the trainer, by name."""
        return MappingProxyType(self._model)

    @property
    def vector_size(self) -> int:
        """Numbers per vector."""
        return int(self._matrix.shape[1])

    def __len__(self) -> int:
        return len(self._vocabulary)

    def __contains__(self, word: object) -> bool:
        return word in self._vocabulary

    def __getitem__(self, word: str) -> Matrix:
        row: Matrix = self._matrix[self._vocabulary[word]]
        return row

    def __repr__(self) -> str:
        return f"<Vectors: {len(self):,} words, {self.vector_size} numbers each>"

    @classmethod
    @read_again
    def load(
        cls,
        place: Place,
        *,
        format: str | None = None,
        on_bad: OnBad = "error",
        progress: Progress = SILENT,
    ) -> Vectors:
        """Loads a bundle, or a file in any format of `seqkit.embeddings.formats`.

        A bundle's matrix is memory-mapped: its bytes are read when they are used, and are not hashed here.

        Args:
            place: a bundle's directory or a file, compressed or not.
            format: the file's format; None to tell by its content.
            on_bad: "error" stops at the first bad row of a file, "skip" leaves bad rows out.
            progress: told how many were skipped.

        Returns:
            The vectors.

        Raises:
            BundleError: a damaged bundle, or one of another kind.
            FormatError: the first bad row.
            MissingInputError: there is nothing of that name.
            StorageError: the system refused.
        """
        if format is None and not Path(place).is_file():
            return cls.from_bundle(Bundle.open(place, kind="vectors"))
        table = read_table(place, format=format, on_bad=on_bad)
        if table.skipped:
            progress.message(f"{table.skipped:,} bad rows skipped; the first: {table.first_skipped}")
        return cls.from_table(table)

    @classmethod
    def from_table(cls, table: Table) -> Vectors:
        """The vectors of a file that was read with `read_table`."""
        return cls(table.words, table.matrix, table.counts)

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Vectors:
        """The vectors of an open bundle, memory-mapped.

        Args:
            bundle: of kind "vectors".

        Raises:
            BundleError: the members do not fit together.
        """
        vocabulary = Vocabulary.from_bundle(bundle)
        tensors = bundle.tensors(TENSORS)
        if "vectors" not in tensors:
            reason = f"holds {sorted(tensors)}; it must hold vectors"
            raise BundleError(bundle.path, reason, member=TENSORS)
        shape = tensors["vectors"].shape
        for name, tensor in tensors.items():
            is_table = name in ("vectors", "context")
            fits = tensor.shape == shape and len(shape) == 2 and len(vocabulary) == shape[0]
            if tensor.dtype != np.float32 or (is_table and not fits):
                rows = f", one row for each of the {len(vocabulary):,} words" if is_table else ""
                reason = f"{name} is {tensor.dtype} {tensor.shape}; it must be float32{rows}"
                raise BundleError(bundle.path, reason, member=TENSORS)
        vectors, context = tensors.pop("vectors"), tensors.pop("context", None)
        return cls(vocabulary, vectors, output_matrix=context, model=tensors)

    def save(
        self,
        path: Place,
        *,
        overwrite: bool = False,
        config: Mapping[str, Any] | None = None,
        seed: int | None = None,
        metrics: Mapping[str, Any] | None = None,
        history: list[Any] | None = None,
    ) -> None:
        """Writes a bundle; a crash at any instant leaves a whole one, the old or the new.

        Args:
            path: the bundle's directory.
            overwrite: replace a bundle that is there.
            config: how the vectors were made, as JSON.
            seed: the seed of the run.
            metrics: what was measured, as JSON.
            history: one JSON object per evaluation.

        Raises:
            UsageError: a bundle is there and `overwrite` is not set; a value that JSON cannot hold; a vector
                that is not finite.
            StorageError: the system refused; what was there is still there.
        """
        with BundleWriter(path, kind="vectors", overwrite=overwrite) as writer:
            self.write_members(writer)
            writer.commit(config=config or {}, seed=seed, metrics=metrics, history=history)

    def write_members(self, writer: BundleWriter) -> None:
        """Writes vocabulary and tensors to a bundle that somebody else commits.

        Args:
            writer: of kind "vectors", entered.

        Raises:
            StorageError: the system refused.
            UsageError: a vector that is not finite.
        """
        for matrix in (self._matrix, self._output_matrix):
            bad = None if matrix is None else first_not_finite(matrix)
            if bad is not None:
                raise UsageError(f"the vector of {self.words[bad]!r} is not finite; nothing was saved")
        writer.write_text(VOCABULARY, self._vocabulary.to_tsv())
        tensors = {"vectors": self._matrix} | self._model
        if self._output_matrix is not None:
            tensors["context"] = self._output_matrix
        writer.write_tensors(TENSORS, tensors)

    def export(self, path: Place, *, format: str | None = None, overwrite: bool = False) -> list[Path]:
        """Writes a file that other tools read, atomically.

        Args:
            path: the file; the projector's metadata go beside it.
            format: a key of `seqkit.embeddings.formats.FORMATS`; None to tell by the ending of the name.
            overwrite: replace files that are there.

        Returns:
            The files written.

        Raises:
            FormatError: a word that the format cannot hold, or a vector that is not finite; nothing written.
            StorageError: the system refused.
            UsageError: an unknown format, or a file is there and `overwrite` is not set.
        """
        table = Table(self.words, self._matrix, self.counts)
        return write_table(path, table, format=format, overwrite=overwrite)

    def to_gensim(self) -> KeyedVectors:
        """The same vectors as a gensim KeyedVectors, with attribute "count" where counts are known.

        Returns:
            A KeyedVectors that shares nothing with this object: it may be changed.
        """
        return queries.keyed_vectors(self._vocabulary, np.array(self._matrix))

    @cached_property
    def _keyed(self) -> KeyedVectors:
        return queries.keyed_vectors(self._vocabulary, self._matrix)

    def most_similar(self, words: str | Sequence[str], n: int = 10) -> list[tuple[str, float]]:
        """The words nearest to a word, or to the mean of several words' unit vectors.

        Args:
            words: one word or several; they are not among the answers.
            n: how many to return, at least 1.

        Returns:
            Words and their cosine similarities, best first.

        Raises:
            UnknownWordError: a word outside the vocabulary, with the nearest spellings.
            UsageError: no word, or n below 1.
        """
        chosen = [words] if isinstance(words, str) else list(words)
        return queries.most_similar(self._keyed, self._vocabulary, chosen, [], n)

    def similarity(self, a: str, b: str) -> float:
        """The cosine of the angle between the vectors of two words, -1 to 1; 0 for a zero vector.

        Raises:
            UnknownWordError: a word outside the vocabulary, with the nearest spellings.
        """
        return queries.similarity(self._keyed, self._vocabulary, a, b)

    def analogy(self, a: str, b: str, c: str, n: int = 5) -> list[tuple[str, float]]:
        """What is to `c` as `b` is to `a`: the words nearest to b - a + c (3CosAdd), the three left out.

        Source: Mikolov, Yih, Zweig 2013, "Linguistic Regularities in Continuous Space Word Representations".

        Args:
            a: as in "man".
            b: as in "king".
            c: as in "woman".
            n: how many to return, at least 1.

        Returns:
            Words and their cosine similarities, best first.

        Raises:
            UnknownWordError: a word outside the vocabulary, with the nearest spellings.
            UsageError: n below 1.
        """
        return queries.most_similar(self._keyed, self._vocabulary, [b, c], [a], n)

    def odd_one_out(self, words: Sequence[str]) -> str:
        """The word farthest from the mean of all of them.

        Args:
            words: at least three distinct words.

        Returns:
            One of them.

        Raises:
            UnknownWordError: a word outside the vocabulary, with the nearest spellings.
            UsageError: fewer than three distinct words.
        """
        return queries.odd_one_out(self._keyed, self._vocabulary, words)


def _whole(counts: npt.ArrayLike | None, words: int) -> npt.NDArray[np.int64]:
    """Counts as int64; zeros where they are not known."""
    if counts is None:
        return np.zeros(words, np.int64)
    array = np.asarray(counts)
    if array.size and array.dtype.kind not in "iu":
        raise UsageError(f"counts are {array.dtype}; they must be whole numbers")
    return array.astype(np.int64)


def _frozen(matrix: Matrix, rows: int, name: str) -> Matrix:
    array = np.asanyarray(matrix)
    if array.ndim != 2 or array.shape[0] != rows or not array.size:
        raise UsageError(f"{name} is {array.shape}; it must be (vocabulary, vector_size) for {rows:,} words")
    if array.dtype != np.float32:
        raise UsageError(f"{name} is {array.dtype}; it must be float32")
    view = array.view()
    view.flags.writeable = False
    return view
