"""A data set's folder in the layout of MMRec, as `docs/Data.md` of the project describes it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .digests import ContentDigest
from .errors import FileError, MrdibError
from .files import MappedFile, read_text
from .identifiers import Identifiers
from .importing import FromTables, split_folder
from .interactions import SPLITS, InteractionFile, ItemLists
from .npy import mapped_array, mapped_matrix
from .program import Program
from .yaml_subset import read_yaml

if TYPE_CHECKING:
    import pandas

__all__ = ["Dataset", "Modality"]


@dataclass(frozen=True)
class Modality:
    """One kind of item features, in files of the data set's folder."""

    name: str
    file: str
    mask: str | None = None
    """Which items have it: a boolean per item; None if all have."""


_STANDARD = (Modality("visual", "image_feat.npy"), Modality("text", "text_feat.npy"))


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
        if not self.folder.is_dir():
            raise FileError(self.folder, "there is no such folder; name one with NAME.inter.")
        description = self._description()
        self._interactions = self.folder / self._text(
            description, "interactions", self._found_interactions
        )
        self.name = self._text(description, "name", lambda: self._interactions.stem)
        self.modalities = tuple(modalities or self._modalities(description))
        """In the order in which models number them."""
        self.history: list[dict[str, str]] = [
            {str(key): str(value) for key, value in step.items()}
            for step in description.get("history") or []
        ]
        """How the folder was made, oldest step first, each with its `step` and settings."""
        self._tables = {
            kind: self.folder / str(description[key])
            if key in description
            else Identifiers.find(self.folder, kind)
            for kind, key in (("user", "users"), ("item", "items"))
        }

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Dataset:
        """Opens a folder."""
        return cls(folder)

    def __repr__(self) -> str:
        return f"<mrdib.Dataset '{self.folder}': {self.user_count} users, {self.item_count} items>"

    # Description

    def _description(self) -> dict[str, Any]:
        path = self.folder / "dataset.yaml"
        if not path.exists():
            return {}
        value = read_yaml(read_text(path, ""), path)
        known = {"name", "interactions", "modalities", "users", "items", "history"}
        if not isinstance(value, dict) or not value.keys() <= known:
            raise FileError(path, f"expected no other keys than {', '.join(sorted(known))}.")
        for key in ("modalities", "history"):
            elements = value.get(key) or []
            if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
                raise FileError(path, f"'{key}' must be a list of entries with keys.")
        return value

    @staticmethod
    def _text(description: dict[str, Any], key: str, default: Any) -> str:
        value = description.get(key)
        return str(value) if value else str(default())

    def _found_interactions(self) -> str:
        own = f"{self.folder.resolve().name}.inter"
        found = sorted(path.name for path in self.folder.glob("*.inter"))
        if own in found:
            return own
        if len(found) != 1:
            raise FileError(
                self.folder,
                f"it has {len(found)} files that end with .inter; name the right one in "
                "dataset.yaml (interactions: NAME.inter), or make a data set with "
                "Dataset.from_pandas.",
            )
        return found[0]

    def _modalities(self, description: dict[str, Any]) -> list[Modality]:
        if "modalities" not in description:
            return [each for each in _STANDARD if (self.folder / each.file).exists()]
        try:
            return [
                Modality(str(each["name"]), str(each["file"]), each.get("mask"))
                for each in description["modalities"] or []
            ]
        except KeyError as error:
            raise FileError(
                self.folder / "dataset.yaml", f"a modality has no {error}; give name and file."
            ) from None

    # Interactions

    @cached_property
    def interactions(self) -> InteractionFile:
        """Users, items, labels, ratings and times, in the order of the file."""
        return InteractionFile(self._interactions)

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
        return self._identifiers("user", self.user_count)

    @cached_property
    def item_ids(self) -> Identifiers | None:
        """The original ids of items, with titles; None if the folder has none."""
        return self._identifiers("item", self.item_count)

    def _identifiers(self, kind: str, count: int) -> Identifiers | None:
        path = self._tables[kind]
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

    # Identity

    def digest(self, with_features: bool) -> str:
        """The digest of what training depends on, as a run records it; only where digests can be
        computed. With features it reads all of them."""
        users, items = self.pairs("train")
        digest = ContentDigest()
        digest.add_number(self.item_count)
        digest.add(users)
        digest.add(items)
        for lists in (self.valid, self.test):
            digest.add(lists.counts.astype(np.int32))
            digest.add(lists.items)
        for modality in self.modalities if with_features else ():
            digest.add(self._feature_digest(modality).encode())
        return digest.text

    def _feature_digest(self, modality: Modality) -> str:
        matrix = self.features[modality.name]
        is_fortran = not matrix.flags.c_contiguous
        is_big_endian = matrix.dtype.str.startswith(">")
        digest = ContentDigest()
        digest.add(modality.name.encode())
        digest.add_number(matrix.shape[0])
        digest.add_number(matrix.shape[1])
        kind = (
            f"{matrix.dtype.str[1:]} {'F' if is_fortran else 'C'} {'>' if is_big_endian else '<'}"
        )
        digest.add(kind.encode())
        digest.add(matrix)
        for count, path in self._neighbours(modality):
            digest.add(b"neighbours")
            digest.add_number(count)
            digest.add(mapped_matrix(MappedFile(path)).astype(np.int32))
        return digest.text

    def _neighbours(self, modality: Modality) -> list[tuple[int, Path]]:
        """The precomputed nearest items that belong to features, by ascending k."""
        path = self.folder / modality.file
        if not path.name.endswith("_feat.npy"):
            return []
        prefix = path.name.removesuffix("_feat.npy") + "_knn"
        found = []
        for each in path.parent.glob(f"{prefix}*.npy"):
            digits = each.name.removeprefix(prefix).removesuffix(".npy")
            if digits.isdecimal() and str(int(digits)) == digits and int(digits) > 0:
                found.append((int(digits), each))
        return sorted(found)
