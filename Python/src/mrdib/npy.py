"""Arrays of NumPy's npy files, mapped into memory. Pickled objects are not read."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError
from .files import MappedFile

__all__ = ["mapped_array", "mapped_matrix"]

_HEADER_BYTES = 1 << 16


def mapped_array(file: MappedFile) -> npt.NDArray[Any]:
    """The array of an npy file, without a copy."""
    stream = io.BytesIO(file.bytes[:_HEADER_BYTES].tobytes())
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        else:
            shape, is_fortran, dtype = np.lib.format.read_array_header_2_0(stream)
    except Exception as error:  # NumPy's parser raises errors of many kinds for a damaged header
        raise FileError(file.path, f"it is not an npy file ({error}); copy it again.") from None
    if dtype.hasobject:
        raise FileError(file.path, "it holds pickled objects, which are not read; use numbers.")
    return file.array(stream.tell(), dtype, shape, "F" if is_fortran else "C")


def mapped_matrix(file: MappedFile, dtype: str | None = None) -> npt.NDArray[Any]:
    """The matrix of an npy file, `[rows, columns]`, without a copy.

    Raises `FileError` for another number of dimensions or, if `dtype` is given, another type.
    """
    array = mapped_array(file)
    if array.ndim != 2 or (dtype is not None and array.dtype != np.dtype(dtype)):
        raise FileError(
            file.path,
            f"it holds {array.dtype} of the shape {array.shape}, not a matrix"
            f"{'' if dtype is None else f' of {np.dtype(dtype)}'}; copy it again.",
        )
    return array
