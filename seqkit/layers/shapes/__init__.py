"""The five shapes of networks over sequences, by how many steps go in and how many come out.

| | in | out | |
|---|---|---|---|
| `one_to_one` | a vector | a distribution | no sequence at all |
| `one_to_many` | a vector | a sequence of tokens | writes |
| `many_to_one` | a sequence of tokens | a distribution | judges |
| `many_to_many` | a sequence of tokens | a distribution for each | tags |
| `encoder_decoder` | a sequence of tokens | one of another length | reads, then writes |

`reading` has the three that give out distributions, `writing` the two that write, on `decoder`; `decoding` is
how what to write is found: greedily, by sampling, by beam search.

Token 0 is padding: it is masked where it is read and never written. Before the first token it stands for
"nothing yet", and its vector is the zero vector.
"""

from __future__ import annotations

from seqkit.layers.shapes.decoder import Decoder
from seqkit.layers.shapes.decoding import beam_search, greedy_search, sample
from seqkit.layers.shapes.reading import many_to_many, many_to_one, one_to_one
from seqkit.layers.shapes.writing import EncoderDecoder, Writer, encoder_decoder, one_to_many

__all__ = [
    "Decoder",
    "EncoderDecoder",
    "Writer",
    "beam_search",
    "encoder_decoder",
    "greedy_search",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
    "sample",
]
