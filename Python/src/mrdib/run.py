"""A run's directory: metrics, result, settings, the best model, checkpoints, recommendations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .checkpoints import Checkpoint
from .dataset import Dataset
from .errors import FileError, MrdibError, UnknownIdError
from .evaluation import evaluate
from .files import read_json, schema
from .identifiers import Identifiers
from .interactions import ItemLists
from .model import BestModel
from .parquet import write_vectors
from .ranking import RankedBlock, rank
from .recommendations import Recommendations
from .records import Metrics
from .trained_data import check_identifiers, find_dataset, read_settings

__all__ = ["Run"]

_SCHEMA = 1
_EVALUATED = ("valid", "test")

Seen = bool | Literal["all"]


class Run:
    """A run. Files are read when they are used; those of a run that is training may be newer each
    time that it is opened."""

    def __init__(self, path: Path, data: Path | None = None) -> None:
        self.path = path
        self._data = data

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, data: str | os.PathLike[str] | None = None
    ) -> Run:
        """Opens a run's directory.

        `data` is the folder of the data set, if it was moved after training. Raises `FileError` if
        the directory holds no run.
        """
        run = cls(Path(path), None if data is None else Path(data))
        if not (run.path / "config.resolved.yaml").exists():
            is_sweep = (run.path / "runs").is_dir()
            raise FileError(
                run.path,
                "it is the folder of a sweep; name one of its runs, which are in its folder runs."
                if is_sweep
                else "it is not the directory of a run: there is no config.resolved.yaml.",
            )
        return run

    def __repr__(self) -> str:
        return f"<mrdib.Run '{self.path}': {self.config.get('model')} on {self.data_folder}>"

    # Records

    @cached_property
    def metrics(self) -> Metrics:
        """What was recorded of every epoch: losses, diagnostics, metrics, seconds."""
        return Metrics.read(self.path / "metrics.jsonl")

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """The result: `best_epoch`, `valid` and `test` metrics, `selection`, …"""
        return self._record("summary.json", "the run has not ended; train it to the end.")

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """Machine, versions and command of the first start."""
        return self._record("environment.json", "restore the run from a copy.")

    def _record(self, name: str, missing: str) -> Mapping[str, Any]:
        path = self.path / name
        value = read_json(path, missing)
        schema(value, "schema_version", _SCHEMA, path)
        return value

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """Every setting of the run by name, defaults included."""
        return read_settings(self.path / "config.resolved.yaml")

    # Model

    @cached_property
    def model(self) -> BestModel:
        """The best model by validation: vectors and parameters, mapped into memory."""
        return BestModel(self.path)

    @property
    def user_vectors(self) -> npt.NDArray[np.float32]:
        """Final user vectors of the best model, `[U, D]`, not writable."""
        return self.model.users

    @property
    def item_vectors(self) -> npt.NDArray[np.float32]:
        """Final item vectors of the best model, `[I, D]`, not writable."""
        return self.model.items

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """All complete checkpoints, newest first. Raises `MrdibError` for an object store."""
        folder = self.path / "checkpoints"
        if named := self.config.get("checkpoint_folder"):
            if str(named).startswith("s3://"):
                raise MrdibError(
                    f"The checkpoints of '{self.path}' are in {named}: write one into files with "
                    "mrdib checkpoint export."
                )
            folder = Path(str(named)) / str(self.summary["run_id"])
        return [Checkpoint(path) for path in Checkpoint.folders(folder)]

    def checkpoint(self) -> Checkpoint:
        """The newest complete checkpoint. Raises `MrdibError` if there is none."""
        found = self.checkpoints
        if not found:
            raise MrdibError(f"There is no checkpoint of '{self.path}'; the run may have ended.")
        return found[0]

    def to_parquet(
        self,
        folder: str | os.PathLike[str],
        *,
        ids: Literal["original", "dense"] = "original",
    ) -> list[Path]:
        """Writes the vectors as `user.parquet` and `item.parquet`: `row`, `id`, titles where they
        are known, and `vector`, a list of D 32-bit numbers. Needs pyarrow.

        Raises `FileError` if the files are there already.
        """
        made = Path(folder)
        made.mkdir(parents=True, exist_ok=True)
        tables = self._tables(ids)
        paths = []
        for name, vectors, table in zip(
            ("user", "item"), (self.user_vectors, self.item_vectors), tables, strict=True
        ):
            paths.append(made / f"{name}.parquet")
            write_vectors(vectors, table, paths[-1])
        return paths

    # Data

    @property
    def data_folder(self) -> Path:
        """Where the data set is."""
        return self._data or Path(str(self.config.get("data", "")))

    @cached_property
    def dataset(self) -> Dataset:
        """The data set that the run was trained on.

        Raises `FileError` if it is not there any more, or is other data.
        """
        return find_dataset(self.path, self.data_folder, self.config)

    @cached_property
    def user_ids(self) -> Identifiers | None:
        """The original ids of users; None if the data set has none."""
        return check_identifiers(self.dataset.user_ids, self.model.identifiers.get("users"))

    @cached_property
    def item_ids(self) -> Identifiers | None:
        """The original ids of items, with titles; None if the data set has none."""
        return check_identifiers(self.dataset.item_ids, self.model.identifiers.get("items"))

    # Ranking

    def recommend(
        self,
        users: Iterable[object] | int | None = None,
        k: int = 10,
        *,
        exclude_seen: Seen = True,
        ids: Literal["original", "dense"] = "original",
    ) -> Recommendations:
        """The best `k` items of some users, as `mrdib recommend` prints them.

        - `users`: one or several, by original ids where the data set has some and `ids` is
          `original`, else by rows; None for all.
        - `exclude_seen`: leaves out the items of the training data; `"all"` those of validation
          and test, too.

        Raises `UnknownIdError` for an id that no user has.
        """
        parts = list(self.recommend_in_blocks(users, k, exclude_seen=exclude_seen, ids=ids))
        if not parts:
            empty = np.empty((0, k))
            return Recommendations(
                np.empty(0, np.int64), empty.astype(np.int32), empty.astype(np.float32), None, None
            )
        return Recommendations(
            np.concatenate([part.user_rows for part in parts]),
            np.concatenate([part.item_rows for part in parts]),
            np.concatenate([part.scores for part in parts]),
            *self._tables(ids),
        )

    def recommend_in_blocks(
        self,
        users: Iterable[object] | int | None = None,
        k: int = 10,
        *,
        exclude_seen: Seen = True,
        ids: Literal["original", "dense"] = "original",
    ) -> Iterator[Recommendations]:
        """As `recommend`, at most 128 users at a time, so that memory does not grow with them."""
        if k < 1:
            raise MrdibError(f"Cannot recommend {k} items: ask for at least one (k=).")
        excluded: list[ItemLists] = []
        if exclude_seen:
            excluded = [self.dataset.train]
            excluded += [self.dataset.valid, self.dataset.test] if exclude_seen == "all" else []
        tables = self._tables(ids)
        for block in self._ranked(self._rows(users, tables[0]), k, excluded):
            yield Recommendations(block.users, block.items, block.scores, *tables)

    def _tables(self, ids: str) -> tuple[Identifiers | None, Identifiers | None]:
        return (self.user_ids, self.item_ids) if ids == "original" else (None, None)

    def _rows(
        self, users: Iterable[object] | int | None, table: Identifiers | None
    ) -> npt.NDArray[np.int64]:
        count = len(self.user_vectors)
        if users is None:
            return np.arange(count)
        if isinstance(users, (str, int)):
            users = [users]
        if table is not None:
            return table.rows(users)
        rows = []
        for user in users:
            text = str(user)
            if not text.isdecimal() or int(text) >= count:
                raise UnknownIdError(
                    f"There is no user {text}: rows count from 0 to {count - 1}, and no original "
                    "ids are used."
                )
            rows.append(int(text))
        return np.array(rows, dtype=np.int64)

    def _ranked(
        self, users: npt.NDArray[np.int64], k: int, excluded: Sequence[ItemLists]
    ) -> Iterator[RankedBlock]:
        shape = (len(self.user_vectors), len(self.item_vectors))
        if any((len(lists), lists.item_count) != shape for lists in excluded):
            raise FileError(
                self.model.folder,
                f"its {shape[0]} users and {shape[1]} items are not those of the data; restore the "
                "run from a copy, or train again.",
            )
        return rank(self.user_vectors, self.item_vectors, users, k, excluded)

    def evaluate(
        self,
        split: str = "test",
        *,
        metrics: Sequence[str] | None = None,
        cutoffs: Sequence[int] | None = None,
    ) -> dict[str, float]:
        """The metrics of the best model on a split, by name such as `recall@20`.

        All items but those of a user's training data are ranked. By default the metrics and
        cutoffs are the run's, and the result is that of its summary: the same numbers to the last
        bits if NumPy computes with the kernels of the program's OpenBLAS (see `ranking`).
        """
        if split not in _EVALUATED:
            raise MrdibError(f"Cannot evaluate on '{split}'; name one of {', '.join(_EVALUATED)}.")
        chosen = list(self.config["metrics"] if metrics is None else metrics)
        depths = sorted({int(k) for k in (self.config["topk"] if cutoffs is None else cutoffs)})
        if not depths or depths[0] < 1:
            raise MrdibError("Cannot evaluate without cutoffs: name some above 0 with cutoffs=.")
        truth: ItemLists = getattr(self.dataset, split)
        train = self.dataset.train
        users = np.flatnonzero(truth.counts > 0)
        return evaluate(
            self._ranked(users, depths[-1], [train]),
            truth,
            np.bincount(train.items, minlength=train.item_count),
            chosen,
            depths,
        )
