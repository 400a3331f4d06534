"""A data set's folder in the layout of MMRec, as `docs/Data.md` of the project describes it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .description import DatasetDescription, Modality
from .errors import FileError, MrdibError
from .files import MappedFile
from .identifiers import Identifiers
from .importing import FromTables, split_folder
from .interactions import SPLITS, InteractionFile, ItemLists
from .npy import mapped_array, mapped_matrix
from .program import Program

if TYPE_CHECKING:
    import pandas

__all__ = ["Dataset"]


class Dataset(FromTables):
    """A data set: interactions, their split, features and original ids.

    Rows are numbered from 0: U users, I items. Files are read when they are used; features stay
    in their files. `from_pandas`, `from_parquet` and `from_huggingface` make one.
    """

    def __init__(
        self, folder: str | os.PathLike[str], *, modalities: Sequence[Modality] | None = None
    ) -> None:
        """Finds out what a folder holds. `modalities` replaces the folder's own list.

        Raises `FileError` if it is no data set.
        """
        self.folder = Path(folder)
        description = DatasetDescription(self.folder)
        self.name = description.name
        self.modalities = description.modalities if modalities is None else tuple(modalities)
        """In the order in which models number them."""
        self.history = description.history
        """How the folder was made, oldest step first, each with its `step` and settings."""
        self._description = description

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Dataset:
        """Opens a folder."""
        return cls(folder)

    def __repr__(self) -> str:
        return f"<mrdib.Dataset '{self.folder}': {self.user_count} users, {self.item_count} items>"

    # Interactions

    @cached_property
    def interactions(self) -> InteractionFile:
        """Users, items, labels, ratings and times, in the order of the file."""
        return InteractionFile(self._description.interactions)

    @property
    def is_split(self) -> bool:
        """Whether interactions are divided into training, validation and test."""
        return self.interactions.labels is not None

    @cached_property
    def user_count(self) -> int:
        """U."""
        users = self.interactions.users
        return int(users.max()) + 1 if len(users) else 0

    @cached_property
    def item_count(self) -> int:
        """I: the rows of features where there are any, else the largest id + 1."""
        items = self.interactions.items
        count = int(items.max()) + 1 if len(items) else 0
        for modality in self.modalities:
            path = self.folder / modality.file
            if path.exists():
                rows = mapped_matrix(MappedFile(path)).shape[0]
                if rows < count:
                    raise FileError(
                        path, f"it has {rows} rows, but there are {count} items; make it again."
                    )
                count = rows
        return count

    def pairs(self, split: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Users and items of a split's rows, in the order of the file."""
        labels = self.interactions.labels
        if split not in SPLITS:
            raise MrdibError(f"There is no split '{split}'; splits are {', '.join(SPLITS)}.")
        if labels is None:
            raise MrdibError(
                f"Cannot take the split '{split}' of '{self.folder}': it is not split yet; split "
                "it with Dataset.split."
            )
        chosen = labels == SPLITS.index(split)
        return self.interactions.users[chosen], self.interactions.items[chosen]

    @cached_property
    def train(self) -> ItemLists:
        """The training items of every user."""
        return ItemLists.of(*self.pairs("train"), self.user_count, self.item_count)

    @cached_property
    def valid(self) -> ItemLists:
        """The validation items of every user that has training items."""
        return self._held_out("valid")

    @cached_property
    def test(self) -> ItemLists:
        """The test items of every user that has training items."""
        return self._held_out("test")

    def _held_out(self, split: str) -> ItemLists:
        users, items = self.pairs(split)
        kept = self.train.counts[users] > 0
        return ItemLists.of(users[kept], items[kept], self.user_count, self.item_count)

    # Features and ids

    @cached_property
    def features(self) -> Mapping[str, npt.NDArray[Any]]:
        """The features of every modality by name, `[I, columns]`, mapped into memory."""
        return {
            each.name: mapped_matrix(MappedFile(self.folder / each.file))
            for each in self.modalities
        }

    @cached_property
    def masks(self) -> Mapping[str, npt.NDArray[np.bool_]]:
        """By modality, which items have it, `[I]`."""
        return {
            each.name: np.ones(self.item_count, dtype=bool)
            if each.mask is None
            else mapped_array(MappedFile(self.folder / each.mask)).astype(bool)
            for each in self.modalities
        }

    @cached_property
    def user_ids(self) -> Identifiers | None:
        """The original ids of users; None if the folder has none."""
        return self._identifiers(self._description.users, "user", self.user_count)

    @cached_property
    def item_ids(self) -> Identifiers | None:
        """The original ids of items, with titles; None if the folder has none."""
        return self._identifiers(self._description.items, "item", self.item_count)

    @staticmethod
    def _identifiers(path: Path | None, kind: str, count: int) -> Identifiers | None:
        if path is None:
            return None
        table = Identifiers(path, kind)
        if len(table) != count:
            raise FileError(
                path,
                f"it has {len(table)} rows, but the data set has {count} {kind}s; make it again.",
            )
        return table

    def to_pandas(self) -> pandas.DataFrame:
        """A row per interaction: `user` and `item` (original ids, else row numbers), and `rating`,
        `timestamp` (seconds since 1970) and `split` where they are known."""
        import pandas

        rows = self.interactions
        columns: dict[str, Any] = {}
        for key, numbers, table in (
            ("user", rows.users, self.user_ids), ("item", rows.items, self.item_ids)
        ):  # fmt: skip
            columns[key] = numbers if table is None else np.array(table.ids, dtype=object)[numbers]
        if rows.ratings is not None:
            columns["rating"] = rows.ratings
        if rows.times is not None:
            columns["timestamp"] = rows.times
        if rows.labels is not None:
            columns["split"] = np.array(SPLITS, dtype=object)[rows.labels]
        return pandas.DataFrame(columns)

    # Split

    def split(
        self,
        out: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        program: Program = None,
        **options: Any,
    ) -> Dataset:
        """Divides the interactions into training, validation and test, as a new folder.

        `options` are those of `mrdib data split`, such as `by="time"`, `ratios=(0.8, 0.1, 0.1)`,
        `core=5`, `replace_split=True`. Raises `ProgramError` with the program's sentence.
        """
        split_folder(self.folder, Path(out), options, overwrite, program)
        return Dataset.open(out)
