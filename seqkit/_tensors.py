"""safetensors files: written in a stream, read by memory-mapping behind a strict check of the header.

The layout is that of https://github.com/huggingface/safetensors#format; docs/bundle.md says which parts of it
are accepted here and why.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqkit._files import WRITE_BYTES, HashedFile, atomic_file, open_regular, storage_errors
from seqkit._json import JsonError, parse_json
from seqkit.errors import FormatError, Place, UsageError

AnyArray = np.ndarray[Any, np.dtype[Any]]
Tensors = dict[str, AnyArray]

DTYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "|u1"}
"""The element types accepted, by their safetensors name."""

MAX_HEADER_BYTES = 1 << 20
MAX_DIMENSIONS = 8
ALIGNMENT = 64  # a cache line, and the widest vector register: mapped data can be used where it lies

_NAMES = {np.dtype(numpy_name): name for name, numpy_name in DTYPES.items()}
_TENSOR_NAME = re.compile(r"[!-~]{1,200}")


@dataclass(frozen=True)
class _Tensor:
    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int


def write_tensors(file: HashedFile, tensors: Mapping[str, AnyArray], metadata: Mapping[str, str]) -> None:
    """Writes a safetensors file in one pass, without a second copy of any array.

    Args:
        file: where to write, at its beginning.
        tensors: arrays of float16/32/64, int32/64 or uint8, of any memory layout, memory-mapped or not.
        metadata: free strings for the header.

    Raises:
        UsageError: a type or a name that the format cannot hold.
    """
    # Widest elements first, as safetensors does: each tensor then starts at a multiple of its item size.
    arrays = sorted(((name, np.asarray(array)) for name, array in tensors.items()), key=_file_order)
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    offset = 0
    for name, array in arrays:
        end = offset + array.nbytes
        header[name] = {
            "dtype": _dtype_name(name, array),
            "shape": array.shape,
            "data_offsets": (offset, end),
        }
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    if len(text) > MAX_HEADER_BYTES:
        raise UsageError(
            f"a tensor file's header may have {MAX_HEADER_BYTES:,} bytes, this one has {len(text):,}"
        )
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for _, array in arrays:
        _write_array(file, array)


def _file_order(item: tuple[str, AnyArray]) -> tuple[int, str]:
    return -item[1].dtype.itemsize, item[0]


def _dtype_name(name: str, array: AnyArray) -> str:
    if not _TENSOR_NAME.fullmatch(name) or name == "__metadata__":
        raise UsageError(f"{name!r} is not a tensor name: 1 to 200 printable ASCII characters without spaces")
    dtype = array.dtype.newbyteorder("<")
    if dtype not in _NAMES:
        accepted = ", ".join(str(known) for known in _NAMES)
        raise UsageError(f"tensor {name!r} is {array.dtype}; a tensor file holds {accepted}")
    return _NAMES[dtype]


def _write_array(file: HashedFile, array: AnyArray) -> None:
    if not array.size:
        return
    rows = array.reshape(1) if array.ndim == 0 else array
    step = max(1, WRITE_BYTES // (rows.nbytes // len(rows)))
    little_endian = rows.dtype.newbyteorder("<")
    for start in range(0, len(rows), step):
        file.write(np.ascontiguousarray(rows[start : start + step], dtype=little_endian).data)


def atomic_write_tensors(
    path: Place,
    tensors: Mapping[str, AnyArray],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Replaces a safetensors file, or leaves it as it was.

    Args:
        path: the file to write; its directory must exist.
        tensors: arrays by name: float16/32/64, int32/64 or uint8.
        metadata: free strings for the header.

    Raises:
        StorageError: the system refused.
        UsageError: a type or a name that the format cannot hold.
    """
    with atomic_file(path) as file:
        write_tensors(file, tensors, metadata or {})


def read_tensors(path: Place) -> tuple[Tensors, dict[str, str]]:
    """Maps the arrays of a safetensors file, read-only; nothing but the header is read.

    Args:
        path: the file.

    Returns:
        The arrays by name, and the header's metadata.

    Raises:
        MissingInputError: there is no such file.
        FormatError: the header breaks the format, or does not account for every byte of the file.
        StorageError: the system refused.
    """
    place = Path(path)
    descriptor = open_regular(place)
    with storage_errors(place, "read"), os.fdopen(descriptor, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise FormatError(
                f"not a tensor file: header of {length:,} bytes in a file of {size:,} "
                f"(at most {MAX_HEADER_BYTES:,} are accepted)",
                path=path,
            )
        try:
            layout, metadata = _parse_header(file.read(length), size - 8 - length)
        except (JsonError, _LayoutError) as error:
            raise FormatError(f"damaged tensor file: {error}", path=path) from error
        mapped = np.memmap(file, np.uint8, "r")
    data = mapped[8 + length :]
    return {tensor.name: _view(data, tensor) for tensor in layout}, metadata


def _view(data: AnyArray, tensor: _Tensor) -> AnyArray:
    return data[tensor.begin : tensor.end].view(tensor.dtype).reshape(tensor.shape)


class _LayoutError(ValueError):
    """The header is JSON, but not that of a tensor file."""


def _parse_header(text: bytes, data_bytes: int) -> tuple[list[_Tensor], dict[str, str]]:
    header = parse_json(text)
    if not isinstance(header, dict):
        raise _LayoutError("the header is not a JSON object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _LayoutError("__metadata__ is not an object of strings")
    layout = sorted(
        (_parse_tensor(*item) for item in header.items()), key=lambda tensor: (tensor.begin, tensor.end)
    )
    position = 0
    for tensor in layout:
        if tensor.begin != position:
            raise _LayoutError(f"tensor {tensor.name!r} begins at byte {tensor.begin:,}, not at {position:,}")
        position = tensor.end
    if position != data_bytes:
        raise _LayoutError(f"the tensors take {position:,} bytes, the file holds {data_bytes:,}")
    return layout, metadata


def _parse_tensor(name: str, entry: object) -> _Tensor:
    if not _TENSOR_NAME.fullmatch(name):
        raise _LayoutError(f"tensor name {name[:80]!r}")
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise _LayoutError(f"tensor {name!r} needs dtype, shape and data_offsets, nothing else")
    dtype = DTYPES.get(entry["dtype"]) if isinstance(entry["dtype"], str) else None
    if dtype is None:
        raise _LayoutError(
            f"tensor {name!r} has type {str(entry['dtype'])[:20]!r}; accepted: {', '.join(DTYPES)}"
        )
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _are_sizes(shape) or len(shape) > MAX_DIMENSIONS or not _are_sizes(offsets) or len(offsets) != 2:
        raise _LayoutError(f"tensor {name!r} has a shape or offsets that are not lists of sizes")
    begin, end = offsets
    # math.prod on Python integers: a product of int64 could wrap around to the right number.
    if math.prod(shape) * np.dtype(dtype).itemsize != end - begin:
        raise _LayoutError(f"tensor {name!r}: shape {shape} does not fill bytes {begin:,} to {end:,}")
    return _Tensor(name, np.dtype(dtype), tuple(shape), begin, end)


def _are_sizes(value: object) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 62 for item in value)
