"""The original ids of a data set's users or items, by row: `users.tsv`, `items.tsv`, or MMRec's
mappings."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .digests import ContentDigest
from .errors import FileError, UnknownIdError
from .files import MappedFile

__all__ = ["Identifiers"]

_COLUMNS = {"user": ("userID", ("id", "user_id")), "item": ("itemID", ("id", "asin", "item_id"))}
_FILES = {
    "user": ("users.tsv", "u_id_mapping.csv"),
    "item": ("items.tsv", "i_id_mapping.csv"),
}


class Identifiers:
    """The ids of rows 0, 1, 2, …, and of items what else is known: titles, categories, texts."""

    def __init__(self, path: Path, kind: str) -> None:
        """Reads a table; `kind` is `user` or `item`.

        Raises `FileError` with the line of a row that is not one of the table.
        """
        self.path = path
        self.kind = kind
        self.ids: list[str] = []
        """By row."""
        self.columns: dict[str, list[str]] = {}
        """Of items: `title`, `categories` (joined with ` | `) and `text`, as far as the file has
        them; empty where nothing is known."""
        self._read()

    @staticmethod
    def find(folder: Path, kind: str) -> Path | None:
        """The table of a folder that names none; None if it has none."""
        for name in _FILES[kind]:
            if (folder / name).exists():
                return folder / name
        return None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {id: row for row, id in enumerate(self.ids)}

    def row(self, id: object) -> int:
        """The row of an id. Raises `UnknownIdError`."""
        found = self._rows.get(str(id))
        if found is None:
            shown = ", ".join(f"'{self.ids[row]}'" for row in sorted({0, len(self) // 2}))
            raise UnknownIdError(
                f"There is no {self.kind} '{id}': '{self.path}' has no such id. Ids look like "
                f"{shown}; row numbers need ids='dense'."
            )
        return found

    def rows(self, ids: Iterable[object]) -> npt.NDArray[np.int64]:
        """The rows of several ids, in their order."""
        return np.array([self.row(id) for id in ids], dtype=np.int64)

    def digest(self) -> str:
        """The digest of the ids in the order of rows, as `best.json` records it; only where
        digests can be computed."""
        digest = ContentDigest()
        for id in self.ids:
            digest.add(id.encode())
        return digest.text

    def _read(self) -> None:
        dense_name, id_names = _COLUMNS[self.kind]
        file = MappedFile(self.path)
        try:
            lines = file.bytes.tobytes().decode("utf-8-sig").split("\n")
        except UnicodeDecodeError:
            raise FileError(self.path, "it is not UTF-8 text; save it as UTF-8.") from None
        names = lines[0].removesuffix("\r").split("\t")
        id_name = next((name for name in id_names if name in names), None)
        if dense_name not in names or id_name is None:
            raise FileError(
                self.path,
                f"its header should have {dense_name} and {id_names[0]}, separated by a tab; make "
                "the data set again.",
            )
        dense, original = names.index(dense_name), names.index(id_name)
        others = {
            name: names.index(name)
            for name in ("title", "categories", "text")
            if self.kind == "item" and name in names
        }
        found: dict[int, list[str]] = {}
        for number, line in enumerate(lines[1:], 2):
            fields = line.removesuffix("\r").split("\t")
            if fields == [""]:
                continue
            if len(fields) != len(names) or not fields[dense].isdecimal() or not fields[original]:
                raise FileError(
                    self.path,
                    f"line {number} does not have the {len(names)} columns of the header, with a "
                    "row number and an id; make the data set again.",
                )
            found[int(fields[dense])] = fields
            if len(found) != number - 1:
                raise FileError(self.path, f"line {number} repeats row {fields[dense]}.")
        if not found or max(found) != len(found) - 1:
            raise FileError(
                self.path, "its rows are not numbered 0, 1, 2, …; make the data set again."
            )
        rows = [found[row] for row in range(len(found))]
        self.ids = [fields[original] for fields in rows]
        if len(set(self.ids)) != len(self.ids):
            raise FileError(self.path, "it has an id twice; every id may have one row.")
        self.columns = {
            name: [fields[column] for fields in rows] for name, column in others.items()
        }
