"""Opens files by name, with a sentence for everything that can be wrong with them."""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError

__all__ = ["LARGEST_TEXT", "MappedFile", "read_json", "read_text", "schema"]

Bytes = npt.NDArray[np.uint8]

LARGEST_TEXT = 16 << 20
"""The most bytes that are read of a file that is read whole."""


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def read_text(path: Path, missing: str) -> str:
    """The text of a file of at most `LARGEST_TEXT` bytes.

    `missing` says what to do if there is none.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_TEXT + 1)
    except FileNotFoundError:
        raise FileError(path, f"there is no such file; {missing}") from None
    except OSError as error:
        raise FileError(path, f"it cannot be read ({_reason(error)}).") from None
    if len(data) > LARGEST_TEXT:
        raise FileError(path, f"it has more than {LARGEST_TEXT} bytes; is this the right file?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileError(path, "it is not UTF-8 text; copy it again.") from None


def read_json(path: Path, missing: str) -> dict[str, Any]:
    """The JSON object in a file."""
    try:
        value = json.loads(read_text(path, missing))
    except (json.JSONDecodeError, RecursionError) as error:
        raise FileError(path, f"it is not JSON ({error}); copy it again.") from None
    if not isinstance(value, dict):
        raise FileError(path, "it holds no JSON object; copy it again.")
    return value


def schema(value: dict[str, Any], key: str, known: int, path: Path) -> None:
    """Checks the version of a format.

    Raises `FileError` unless the file has the version that this package reads.
    """
    found = value.get(key)
    if found != known:
        raise FileError(
            path,
            f"its {key} is {json.dumps(found)}, and this package reads {known}; "
            "use the package of the release that wrote it.",
        )


class MappedFile:
    """A file mapped into memory: its bytes are read when they are used, and stay readable if the
    file is deleted or replaced."""

    def __init__(self, path: Path, missing: str = "copy it again.") -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                if size == 0:
                    raise FileError(path, "it is empty; copy it again.")
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except FileNotFoundError:
            raise FileError(path, f"there is no such file; {missing}") from None
        except OSError as error:
            raise FileError(path, f"it cannot be read ({_reason(error)}).") from None
        self.bytes: Bytes = np.frombuffer(data, dtype=np.uint8)
        """All bytes, `[size]`, not writable."""

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.bytes.size)

    def array(
        self, offset: int, dtype: np.dtype[Any], shape: tuple[int, ...], order: str = "C"
    ) -> npt.NDArray[Any]:
        """Some of the bytes as an array, without a copy.

        Raises `FileError` if the file ends before the array does.
        """
        count = 1
        for extent in shape:
            count *= extent
        end = offset + count * dtype.itemsize
        if min(shape, default=0) < 0 or dtype.itemsize == 0:
            raise FileError(self.path, f"it has an array of {dtype} of the shape {shape}.")
        if end > self.size:
            raise FileError(
                self.path, f"it has {self.size} bytes where {end} were expected; copy it again."
            )
        flat = np.frombuffer(self.bytes.data, dtype=dtype, count=count, offset=offset)
        return flat.reshape(shape, order="F" if order == "F" else "C")
