"""Tensors of safetensors files, mapped into memory.

Source: the format's description in huggingface/safetensors: 8 bytes with the length of the header,
a JSON header, then the tensors' little-endian values without gaps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError
from .files import LARGEST_TEXT, MappedFile

__all__ = ["SafetensorsFile"]

_TYPES = {
    "F16": "<f2", "F32": "<f4", "F64": "<f8", "BOOL": "?", "I8": "i1", "U8": "u1",
    "I16": "<i2", "U16": "<u2", "I32": "<i4", "U32": "<u4", "I64": "<i8", "U64": "<u8",
}  # fmt: skip


class SafetensorsFile(Mapping[str, npt.NDArray[Any]]):
    """The tensors of a file by name; the header is checked when the file is opened."""

    def __init__(self, path: Path, missing: str = "copy it again.") -> None:
        self.file = MappedFile(path, missing)
        self._tensors: dict[str, tuple[np.dtype[Any], tuple[int, ...], int]] = {}
        self.metadata: dict[str, str] = {}
        """Texts by name."""
        self._read_header()

    def _problem(self, problem: str) -> FileError:
        return FileError(self.file.path, f"{problem}; it is damaged: copy it again.")

    def _read_header(self) -> None:
        length = int.from_bytes(self.file.bytes[:8].tobytes(), "little")
        if self.file.size < 8 or length > min(LARGEST_TEXT, self.file.size - 8):
            raise self._problem("it is not a safetensors file")
        try:
            header = json.loads(self.file.bytes[8 : 8 + length].tobytes())
            metadata = header.pop("__metadata__", {})
            self.metadata = {str(key): str(value) for key, value in metadata.items()}
            found = [self._tensor(name, entry) for name, entry in header.items()]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._problem("its header is not one of safetensors") from None
        end = 0
        for name, dtype, shape, first, last in sorted(found, key=lambda each: each[3:]):
            count = int(np.prod(shape, dtype=object))
            if first != end or last - first != count * dtype.itemsize:
                raise self._problem(f"its tensor '{name}' has another size than its shape")
            end = last
            self._tensors[name] = (dtype, shape, 8 + length + first)
        if 8 + length + end != self.file.size:
            raise self._problem(f"its tensors have {end} bytes, the rest of the file has others")

    @staticmethod
    def _tensor(name: str, entry: Any) -> tuple[str, np.dtype[Any], tuple[int, ...], int, int]:
        shape = tuple(int(extent) for extent in entry["shape"])
        first, last = (int(offset) for offset in entry["data_offsets"])
        if any(extent < 0 for extent in shape):
            raise ValueError
        return name, np.dtype(_TYPES[entry["dtype"]]), shape, first, last

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        dtype, shape, offset = self._tensors[name]
        return self.file.array(offset, dtype, shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._tensors)

    def __len__(self) -> int:
        return len(self._tensors)
