"""Vectors of a run as Parquet, with the ids and titles of their rows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, MrdibError
from .identifiers import Identifiers

__all__ = ["write_vectors"]

_ROWS = 1 << 14


def _table(
    arrow: Any, rows: range, vectors: npt.NDArray[np.float32], ids: Identifiers | None
) -> Any:
    """Some rows as a table of Arrow: `row`, `id`, further columns of the ids, `vector`."""
    columns: dict[str, Any] = {
        "row": arrow.array(np.arange(rows.start, rows.stop)),
        "id": arrow.array(
            [str(row) for row in rows] if ids is None else ids.ids[rows.start : rows.stop],
            type=arrow.string(),
        ),
    }
    for name, values in ({} if ids is None else ids.columns).items():
        part = [value or None for value in values[rows.start : rows.stop]]
        columns[name] = arrow.array(part, type=arrow.string())
    flat = np.ascontiguousarray(vectors[rows.start : rows.stop]).reshape(-1)
    columns["vector"] = arrow.FixedSizeListArray.from_arrays(
        arrow.array(flat, type=arrow.float32()), vectors.shape[1]
    )
    return arrow.table(columns)


def write_vectors(vectors: npt.NDArray[np.float32], ids: Identifiers | None, path: Path) -> None:
    """Writes `[rows, D]` part by part; the file has its name when it is complete.

    Raises `MrdibError` without pyarrow, and `FileError` if the file is there already.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MrdibError(
            "Cannot write Parquet: pyarrow is not installed; pip install pyarrow."
        ) from None
    if path.exists():
        raise FileError(path, "it exists; name another folder.")
    partial = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        writer = None
        for first in range(0, len(vectors), _ROWS):
            part = _table(pyarrow, range(first, min(first + _ROWS, len(vectors))), vectors, ids)
            if writer is None:
                writer = pyarrow.parquet.ParquetWriter(partial, part.schema)
            writer.write_table(part)
        if writer is not None:
            writer.close()
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
