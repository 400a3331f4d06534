"""Makes data sets of tables: the program numbers the ids and splits."""

from __future__ import annotations

import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from .errors import MrdibError
from .program import Program, run_command
from .sources import (
    Columns,
    Features,
    find_columns,
    write_features,
    write_interactions,
    write_items,
)
from .tables import FrameTable, Table, arrow_table

if TYPE_CHECKING:
    import pandas

__all__ = ["FromTables", "Split", "split_folder"]

Split: TypeAlias = str | Mapping[str, Any] | None
"""A rule of `mrdib data split --by`, or its options such as `{"by": "time"}`; None: not yet."""


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
        found = find_columns(table, columns or {})
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".mrdib-", dir=place.parent) as folder:
            work = Path(folder)
            source = work / "interactions.csv"
            write_interactions(table, found, source)
            is_split = "label" in found or split is None
            made = place if is_split else work / place.name
            arguments = ["data", "import", str(source), "--out", str(made), "--quiet"]
            if items is not None:
                write_items(items, work / "items.jsonl")
                arguments += ["--items", str(work / "items.jsonl")]
            for name, features in (item_features or {}).items():
                path = write_features(name, features, work)
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
