"""XXH3-128, the digest in the records of runs, by the package `xxhash` or the system's libxxhash.

It detects accidental changes; it does not protect against forgery.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import importlib
import struct
import warnings
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .errors import FileError, MrdibWarning
from .files import MappedFile

__all__ = ["ContentDigest", "can_check", "check_file", "digest_of"]

_PIECE = 1 << 24


class _Hash(Protocol):
    def update(self, data: Any) -> object: ...
    def hexdigest(self) -> str: ...


class _Halves(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


class _LibraryHash:
    """A hash of libxxhash."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._state = ctypes.c_void_p(library.XXH3_createState())
        library.XXH3_128bits_reset(self._state)

    def __del__(self) -> None:
        self._library.XXH3_freeState(self._state)

    def update(self, data: Any) -> None:
        array = np.frombuffer(data, dtype=np.uint8)
        pointer = ctypes.c_void_p(array.ctypes.data)
        self._library.XXH3_128bits_update(self._state, pointer, ctypes.c_size_t(array.size))

    def hexdigest(self) -> str:
        halves = self._library.XXH3_128bits_digest(self._state)
        return f"{halves.high:016x}{halves.low:016x}"


@cache
def _library() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("xxhash")
    if name is None:
        return None
    try:
        library = ctypes.CDLL(name)
        library.XXH3_createState.restype = ctypes.c_void_p
        library.XXH3_128bits_digest.restype = _Halves
        library.XXH3_128bits_reset.restype = ctypes.c_int
        library.XXH3_128bits_update.restype = ctypes.c_int
        library.XXH3_freeState.restype = ctypes.c_int
    except (OSError, AttributeError):  # a release before 0.8 lacks XXH3
        return None
    return library


def _hash() -> _Hash | None:
    try:
        made: _Hash = importlib.import_module("xxhash").xxh3_128()
        return made
    except (ImportError, AttributeError):
        library = _library()
        return None if library is None else _LibraryHash(library)


@cache
def can_check() -> bool:
    """Whether digests can be computed here; warns once if not."""
    if _hash() is not None:
        return True
    warnings.warn(
        "digests of files are not checked, only their sizes: install xxhash (pip install xxhash)",
        MrdibWarning,
        stacklevel=2,
    )
    return False


class ContentDigest:
    """The digest of several contents in sequence, each followed by its length.

    Only where `can_check()`.
    """

    def __init__(self) -> None:
        made = _hash()
        assert made is not None, "ask can_check() before"
        self._hash = made

    def add_number(self, number: int) -> None:
        """Adds a whole number, as 8 bytes."""
        self.add(struct.pack("<q", number))

    def add(self, content: bytes | npt.NDArray[Any]) -> None:
        """Adds a text in UTF-8, or the bytes of an array in the order of its elements."""
        if isinstance(content, bytes):
            size = len(content)
            if size:
                self._hash.update(content)
        else:
            size = content.nbytes
            flat = content.reshape(-1, order="A").view(np.uint8)
            for first in range(0, size, _PIECE):
                self._hash.update(flat[first : first + _PIECE])
        self._hash.update(struct.pack("<Q", size))

    @property
    def text(self) -> str:
        """Such as `xxh128:99aa06d3014798d86001c324468d497f`."""
        return f"xxh128:{self._hash.hexdigest()}"


def digest_of(data: bytes | npt.NDArray[np.uint8]) -> str:
    """The digest of bytes, as `xxh128sum` prints it after its name. Only where `can_check()`."""
    made = _hash()
    assert made is not None, "ask can_check() before"
    for first in range(0, len(data), _PIECE):
        made.update(data[first : first + _PIECE])
    return f"xxh128:{made.hexdigest()}"


def check_file(file: MappedFile, size: int, digest: str) -> None:
    """Compares a file with its record. Reads all of it.

    Raises `FileError` when size or digest differ.
    """
    if file.size != size:
        raise FileError(
            file.path,
            f"it has {file.size} bytes, but {size} were written; it is damaged: restore it from a "
            "copy.",
        )
    if can_check() and digest_of(file.bytes) != digest:
        raise FileError(
            file.path,
            "its digest is not the recorded one; it is damaged: restore it from a copy.",
        )
