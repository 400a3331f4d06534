"""Makes data sets of tables: writes what `mrdib data import` reads, and lets the program number the
ids and split."""

from __future__ import annotations

import csv
import datetime
import json
import math
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import MrdibError
from .program import Program, run_command
from .tables import FrameTable, Table, arrow_table

if TYPE_CHECKING:
    import pandas

__all__ = ["Features", "FromTables", "Split", "split_folder"]

Features: TypeAlias = (
    "pandas.DataFrame | Mapping[Any, Sequence[float]] | tuple[Sequence[Any], npt.ArrayLike]"
)
"""Vectors by item id: a frame with the ids as its index, a mapping, or ids and a matrix."""

Split: TypeAlias = str | Mapping[str, Any] | None
"""A rule of `mrdib data split --by`, or its options such as `{"by": "time"}`; None: not yet."""

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


class FromTables(ABC):
    """The constructors of data sets from tables."""

    @classmethod
    @abstractmethod
    def open(cls, folder: str | os.PathLike[str]) -> Self:
        """Opens a data set's folder."""

    @classmethod
    def from_pandas(
        cls,
        interactions: pandas.DataFrame,
        out: str | os.PathLike[str],
        *,
        columns: Columns | None = None,
        items: pandas.DataFrame | None = None,
        item_features: Mapping[str, Features] | None = None,
        fill: str = "zero",
        split: Split = "random",
        overwrite: bool = False,
        program: Program = None,
    ) -> Self:
        """Makes a data set's folder of a table with a row per interaction.

        - `columns`: the names of the columns `user`, `item`, `rating`, `time`, `label`, where they
          are not usual ones; None leaves one out. Ids may be numbers or texts. A label (`train`,
          `valid`, `test`, or 0 to 2) is a split that is there already, and `split` is not used.
        - `items`: titles, categories and texts by item id (the index, or a usual name).
        - `item_features`: by modality, vectors by item id. Items without a vector get zeros or the
          mean (`fill`), and a mask says which.
        - `split`: how `mrdib data split` divides the interactions; None leaves them undivided.
        - `overwrite`: whether a data set in `out` is replaced.

        Nothing is in `out` until all is complete. Raises `ProgramError` with the program's
        sentence for what cannot be used.
        """
        return cls._make(
            FrameTable(interactions), out, columns, items, item_features, fill, split, overwrite,
            program,
        )  # fmt: skip

    @classmethod
    def from_parquet(
        cls,
        interactions: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        columns: Columns | None = None,
        items: pandas.DataFrame | None = None,
        item_features: Mapping[str, Features] | None = None,
        fill: str = "zero",
        split: Split = "random",
        overwrite: bool = False,
        program: Program = None,
    ) -> Self:
        """As `from_pandas`, from a Parquet file or a folder of some, read in parts (`pyarrow`)."""
        return cls._make(
            arrow_table(Path(interactions), "parquet"), out, columns, items, item_features, fill,
            split, overwrite, program,
        )  # fmt: skip

    @classmethod
    def from_huggingface(
        cls,
        folder: str | os.PathLike[str],
        out: str | os.PathLike[str],
        *,
        columns: Columns | None = None,
        items: pandas.DataFrame | None = None,
        item_features: Mapping[str, Features] | None = None,
        fill: str = "zero",
        split: Split = "random",
        overwrite: bool = False,
        program: Program = None,
    ) -> Self:
        """As `from_pandas`, from a data set of Hugging Face on this machine: what
        `Dataset.save_to_disk` wrote, or a downloaded folder of Parquet files (`pyarrow`).

        A `DatasetDict` whose parts are `train`, `validation` (or `valid`) and `test` keeps this
        split; `split` is not used then.
        """
        return cls._make(
            arrow_table(Path(folder), "huggingface"), out, columns, items, item_features, fill,
            split, overwrite, program,
        )  # fmt: skip

    @classmethod
    def _make(
        cls,
        table: Table,
        out: str | os.PathLike[str],
        columns: Columns | None,
        items: pandas.DataFrame | None,
        item_features: Mapping[str, Features] | None,
        fill: str,
        split: Split,
        overwrite: bool,
        program: Program,
    ) -> Self:
        place = Path(out)
        if not overwrite and place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise MrdibError(
                f"Cannot make a data set in '{place}': something is there; name another folder, "
                "or replace it with overwrite=True."
            )
        found = _columns(table, columns or {})
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".mrdib-", dir=place.parent) as folder:
            work = Path(folder)
            source = work / "interactions.csv"
            _write_interactions(table, found, source)
            is_split = "label" in found or split is None
            made = place if is_split else work / place.name
            arguments = ["data", "import", str(source), "--out", str(made), "--quiet"]
            if items is not None:
                _write_items(items, work / "items.jsonl")
                arguments += ["--items", str(work / "items.jsonl")]
            for name, features in (item_features or {}).items():
                path = work / f"{name}.npz"
                _write_features(name, features, path)
                arguments += ["--features", f"{name}={path}"]
            if item_features:
                arguments += ["--fill", fill]
            if is_split and overwrite:
                arguments.append("--overwrite")
            run_command(arguments, program)
            if not is_split:
                options = {"by": split} if isinstance(split, str) else dict(split or {})
                split_folder(made, place, options, overwrite, program)
        return cls.open(place)


def split_folder(
    folder: Path, out: Path, options: Mapping[str, Any], overwrite: bool, program: Program
) -> None:
    """Runs `mrdib data split` with options such as `by="time", ratios=(0.8, 0.1, 0.1), core=5`."""
    arguments = ["data", "split", str(folder), "--out", str(out), "--quiet"]
    for name, value in options.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            arguments.append(f"--{option}" if value else f"--no-{option}")
        elif isinstance(value, (list, tuple)):
            arguments.append(f"--{option}={','.join(str(each) for each in value)}")
        else:
            arguments.append(f"--{option}={value}")
    run_command(arguments + (["--overwrite"] if overwrite else []), program)


def _columns(table: Table, named: Columns) -> dict[str, str]:
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
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _write_interactions(table: Table, columns: dict[str, str], path: Path) -> None:
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


def _write_items(items: pandas.DataFrame, path: Path) -> None:
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


def _write_features(name: str, features: Any, path: Path) -> None:
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
