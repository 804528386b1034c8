"""Getting NLTK's corpora: the one place that uses the network, for `seqkit corpus fetch` alone."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from pathlib import Path

from seqkit.corpora.nltk_data import nltk_corpus, read_nltk
from seqkit.errors import CorpusError, UnavailableError


def fetch_nltk(name: str) -> Path:
    """Downloads a corpus through `nltk.downloader`, which checks its size and hash against NLTK's index.

    A corpus that is there and whole is not downloaded again.

    Args:
        name: a corpus that `open_corpus` knows, without the prefix `nltk:`.

    Returns:
        The folder of NLTK's data that it lies in: the first of NLTK_DATA where that is set, else the one that
        NLTK chooses.

    Raises:
        MissingInputError: seqkit does not know such a corpus.
        UnavailableError: no network, or the server does not give it.
        CorpusError: what came cannot be read.
    """
    kind = nltk_corpus(name).kind
    from nltk.downloader import Downloader, ErrorMessage

    folder = os.environ.get("NLTK_DATA", "").split(os.pathsep)[0] or None
    downloader = Downloader(download_dir=folder)
    # NLTK prints remarks on its index, and warns of folders that it then refuses with an error.
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for message in downloader.incr_download(name):
            if isinstance(message, ErrorMessage):
                reason = " ".join(str(message.message).split())
                raise UnavailableError(
                    f"nltk:{name} could not be downloaded ({reason}); check the network, or copy "
                    f"{kind}/{name}.zip into a folder that NLTK_DATA names"
                )
    if next(read_nltk(name), None) is None:
        raise CorpusError(f"nltk:{name} was downloaded, but holds no text; remove it and fetch it again")
    return Path(str(downloader.download_dir))
