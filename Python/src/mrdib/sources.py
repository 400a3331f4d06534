"""Writes what `mrdib data import` reads: CSV of interactions, JSON of items, npz of features."""

from __future__ import annotations

import csv
import datetime
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import MrdibError
from .tables import Table

if TYPE_CHECKING:
    import pandas

__all__ = [
    "Columns",
    "Features",
    "find_columns",
    "write_features",
    "write_interactions",
    "write_items",
]

Features: TypeAlias = (
    "pandas.DataFrame | Mapping[Any, Sequence[float]] | tuple[Sequence[Any], npt.ArrayLike]"
)
"""Vectors by item id: a frame with the ids as its index, a mapping, or ids and a matrix."""

Columns: TypeAlias = Mapping[str, str | None]
"""Names of columns by role."""

_NAMES = {
    "user": ("user_id", "user", "userID", "userId", "reviewerID", "customer_id"),
    "item": ("item_id", "item", "itemID", "itemId", "parent_asin", "asin", "product_id"),
    "rating": ("rating", "stars", "overall", "score"),
    "time": ("timestamp", "time", "date", "created_at"),
    "label": ("x_label", "split"),
}
_HEADER = {"user": "user_id", "item": "item_id", "rating": "rating", "time": "timestamp",
           "label": "x_label"}  # fmt: skip
_REQUIRED = ("user", "item")
_LABELS = {"train": 0, "valid": 1, "validation": 1, "test": 2}
_UNUSABLE_IN_IDS = re.compile(r"[\t\n\r\0]")


def find_columns(table: Table, named: Columns) -> dict[str, str]:
    """The columns to use, by role, in the order in which they are written."""
    unknown = named.keys() - _NAMES.keys()
    if unknown:
        raise MrdibError(
            f"columns= names the role '{min(unknown)}'; roles are {', '.join(_NAMES)}."
        )
    found: dict[str, str] = {}
    for role, usual in _NAMES.items():
        first = next((name for name in usual if name in table.columns), None)
        name = named.get(role, first)
        if name not in table.columns and (name is not None or role in _REQUIRED):
            raise MrdibError(
                f"Cannot find the column of {role}s{f' ({name})' if name else ''} among "
                f"{', '.join(map(str, table.columns))}; name it with columns={{'{role}': NAME}}."
            )
        if name is not None:
            found[role] = name
    return found


def _is_missing(value: object) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def _id(value: object) -> str:
    """An id as text; whole numbers in floating point, as tables with gaps have them, are whole."""
    if isinstance(value, (float, np.floating)) and value.is_integer():
        return str(int(value))
    return str(value)


def write_interactions(table: Table, columns: dict[str, str], path: Path) -> None:
    """Writes a row per interaction, part by part.

    Raises `MrdibError` for a row without a value, or with an id that no table of ids can hold.
    """
    known: set[str] = set()

    def text(role: str, value: object, row: int) -> object:
        if role in _REQUIRED:
            id = "" if _is_missing(value) else _id(value)
            if id not in known:
                if not id or _UNUSABLE_IN_IDS.search(id):
                    raise MrdibError(
                        f"Cannot use the {role} {id!r} in row {row}: an id has at least one "
                        "character, and no tab or line break; leave the row out."
                    )
                known.add(id)
            return id
        if _is_missing(value):
            raise MrdibError(
                f"Cannot use row {row}: it has no {role}; fill it, leave the row out, or leave the "
                f"column out with columns={{'{role}': None}}."
            )
        if role == "label":
            return _LABELS.get(str(value), value)
        if isinstance(value, datetime.datetime):
            utc = value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
            return repr(utc.timestamp())
        return value

    row = 0
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_HEADER[role] for role in columns)
        for chunk in table.chunks(list(columns.values())):
            for values in zip(*chunk, strict=True):
                writer.writerow(
                    [text(role, value, row) for role, value in zip(columns, values, strict=True)]
                )
                row += 1


def write_items(items: pandas.DataFrame, path: Path) -> None:
    """Writes an object per item with its id and what is known of it."""
    names = [name for name in _NAMES["item"] if name in items.columns]
    ids: Iterable[Any] = items[names[0]] if names else items.index
    others = [str(name) for name in items.columns if name not in names[:1]]
    with open(path, "w", encoding="utf-8") as file:
        for id, *values in zip(ids, *(items[name] for name in others), strict=True):
            entry: dict[str, Any] = {"item_id": _id(id)}
            for name, value in zip(others, values, strict=True):
                if isinstance(value, (list, tuple, np.ndarray)):
                    entry[name] = [str(each) for each in value]
                elif not _is_missing(value):
                    entry[name] = str(value)
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def write_features(name: str, features: Any, folder: Path) -> Path:
    """Writes the vectors of a modality with their ids, in single precision, as `NAME.npz`.

    Raises `MrdibError` unless there is a vector of the same width for each id.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name):
        raise MrdibError(
            f"Cannot add the features {name!r}: names are 1 to 32 letters, digits, '_' or '-'."
        )
    path = folder / f"{name}.npz"
    if isinstance(features, tuple):
        ids, rows = features
    elif isinstance(features, Mapping):
        ids, rows = list(features), list(features.values())
    else:
        ids, rows = list(features.index), features.to_numpy()
    try:
        matrix = np.ascontiguousarray(rows, dtype=np.float32)
    except (ValueError, TypeError) as error:
        raise MrdibError(
            f"Cannot use the features '{name}': they are not vectors of one width ({error})."
        ) from None
    if matrix.ndim != 2 or len(matrix) != len(ids) or not len(matrix):
        raise MrdibError(
            f"Cannot use the features '{name}': there are {len(ids)} ids and an array of the "
            f"shape {matrix.shape}; give a row per id."
        )
    np.savez(path, ids=np.array([_id(id) for id in ids]), embeddings=matrix)
    return path
