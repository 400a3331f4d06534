"""Interactions of users with items: the columns of an `.inter` file, and lists of items by user."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import FileError

__all__ = ["SPLITS", "InteractionFile", "ItemLists"]

Ids = npt.NDArray[np.int32]

SPLITS = ("train", "valid", "test")
"""The splits, by their number in the column `x_label`."""

_LARGEST_ID = 2**31 - 2
_NAMES = {
    "user": ("userID", "user_id"),
    "item": ("itemID", "item_id"),
    "label": ("x_label",),
    "rating": ("rating",),
    "time": ("timestamp",),
}


@dataclass(frozen=True)
class ItemLists:
    """Items by user, ascending and each once: user u has
    `items[offsets[u] : offsets[u + 1]]`."""

    offsets: npt.NDArray[np.int64]
    """`[U + 1]`."""
    items: Ids
    """`[pairs]`."""
    item_count: int
    """I, of the whole catalogue."""

    @classmethod
    def of(cls, users: Ids, items: Ids, user_count: int, item_count: int) -> ItemLists:
        """The lists of pairs in any order."""
        keys = np.unique(users.astype(np.int64) * item_count + items)
        rows, columns = np.divmod(keys, max(1, item_count))
        offsets = np.zeros(user_count + 1, dtype=np.int64)
        np.cumsum(np.bincount(rows, minlength=user_count), out=offsets[1:])
        return cls(offsets, columns.astype(np.int32), item_count)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, user: int) -> Ids:
        return self.items[self.offsets[user] : self.offsets[user + 1]]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many items each user has, `[U]`."""
        return np.diff(self.offsets)

    def pairs(self, users: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], Ids]:
        """All items of some users: positions in `users`, and items, `[pairs of these users]`."""
        counts = self.counts[users]
        positions = np.repeat(np.arange(len(users)), counts)
        starts = np.repeat(self.offsets[users] - np.cumsum(counts) + counts, counts)
        return positions, self.items[starts + np.arange(len(positions))]


class InteractionFile:
    """An `.inter` file: a header, then an interaction a line, columns separated by tabs."""

    def __init__(self, path: Path) -> None:
        """Reads users, items and, if the file has them, the labels of a split; ratings and times
        are read when they are used."""
        self.path = path
        try:
            with open(path, encoding="utf-8-sig", newline="\n") as file:
                header = file.readline(1 << 16)
        except FileNotFoundError:
            raise FileError(path, "there is no such file; make the data set again.") from None
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(path, f"it cannot be read ({error}).") from None
        names = [name.split(":")[0] for name in header.rstrip("\r\n").split("\t")]
        self._columns: dict[str, int] = {}
        for role, accepted in _NAMES.items():
            found = [column for column, name in enumerate(names) if name in accepted]
            if len(found) > 1:
                raise FileError(path, f"it has {len(found)} columns {accepted[0]}; keep one.")
            if found:
                self._columns[role] = found[0]
        if "user" not in self._columns or "item" not in self._columns:
            raise FileError(
                path,
                "its header should have userID and itemID, separated by a tab; make a data set "
                "with Dataset.from_pandas or mrdib data import.",
            )
        has_labels = "label" in self._columns
        table = self._read("user", "item", *(["label"] if has_labels else []))
        self.users: Ids = self._ids(table["user"])
        """`[interactions]`, row numbers from 0."""
        self.items: Ids = self._ids(table["item"])
        """`[interactions]`."""
        self.labels: npt.NDArray[np.int8] | None = None
        """`[interactions]`, positions in `SPLITS`; None if the data set is not split."""
        if has_labels:
            labels = table["label"]
            if not np.isin(labels, (0, 1, 2)).all():
                row = int(np.flatnonzero(~np.isin(labels, (0, 1, 2)))[0])
                raise FileError(path, f"line {row + 2} has the x_label {labels[row]}, not 0 to 2.")
            self.labels = labels.astype(np.int8)

    def __len__(self) -> int:
        return len(self.users)

    @cached_property
    def ratings(self) -> npt.NDArray[np.float64] | None:
        """`[interactions]`, NaN where none is known; None if the file has no ratings."""
        return self._numbers("rating")

    @cached_property
    def times(self) -> npt.NDArray[np.float64] | None:
        """`[interactions]`, seconds since 1970, NaN where none is known; None if the file has no
        times."""
        return self._numbers("time")

    def _numbers(self, role: str) -> npt.NDArray[np.float64] | None:
        if role not in self._columns:
            return None
        numbers: npt.NDArray[np.float64] = self._read(role)[role]
        return numbers

    def _read(self, *roles: str) -> npt.NDArray[Any]:
        types = {"user": "i8", "item": "i8", "label": "f8", "rating": "f8", "time": "f8"}
        columns = [self._columns[role] for role in roles]
        blanks: dict[int | str, Any] = {
            self._columns[role]: lambda text: float(text or "nan")
            for role in roles
            if role in ("rating", "time")
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of a file without rows
                rows = np.loadtxt(
                    self.path,
                    dtype=[(role, types[role]) for role in roles],
                    delimiter="\t",
                    skiprows=1,
                    usecols=columns,
                    comments=None,
                    encoding="utf-8",
                    converters=blanks or None,
                    ndmin=1,
                )
        except (ValueError, OverflowError) as error:
            detail = str(error).split(";")[0].rstrip(".")
            raise FileError(
                self.path, f"{detail}; 'mrdib data validate FOLDER' lists every problem."
            ) from None
        if not len(rows):
            raise FileError(self.path, "it has a header but no interactions; make it again.")
        return rows

    def _ids(self, ids: npt.NDArray[np.int64]) -> Ids:
        if len(ids) and (ids.min() < 0 or ids.max() > _LARGEST_ID):
            raise FileError(self.path, f"it has ids outside of 0 to {_LARGEST_ID}.")
        return ids.astype(np.int32)
