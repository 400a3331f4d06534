"""Tables of interactions in parts: pandas frames, Parquet files, data sets of Hugging Face."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import FileError, MrdibError

if TYPE_CHECKING:
    import pandas

__all__ = ["FrameTable", "Table", "arrow_table"]

_ROWS = 1 << 16


class Table(ABC):
    """Columns of equal length, read in parts, so that memory does not grow with the rows."""

    columns: list[str]

    @abstractmethod
    def chunks(self, names: Sequence[str]) -> Iterator[list[list[Any]]]:
        """Some columns, a part of the rows at a time."""


class FrameTable(Table):
    """A frame of pandas."""

    def __init__(self, frame: pandas.DataFrame) -> None:
        self._frame = frame
        self.columns = list(frame.columns)

    def chunks(self, names: Sequence[str]) -> Iterator[list[list[Any]]]:
        for first in range(0, len(self._frame), _ROWS):
            rows = self._frame.iloc[first : first + _ROWS]
            yield [rows[name].tolist() for name in names]


class _ArrowTable(Table):
    """Files of Arrow's stream format or of Parquet, each of one part of a split or of none."""

    SPLIT = "split"

    def __init__(self, files: list[tuple[Path, str | None]]) -> None:
        self._files = files
        self.columns = [
            name for name in self._schema(files[0][0]) if files[0][1] is None or name != self.SPLIT
        ]
        if files[0][1] is not None:
            self.columns.append(self.SPLIT)

    def chunks(self, names: Sequence[str]) -> Iterator[list[list[Any]]]:
        for path, part in self._files:
            for batch in self._batches(path):
                missing = [n for n in names if n not in batch.schema.names and n != self.SPLIT]
                if missing:
                    raise FileError(path, f"it has no column '{missing[0]}', as others have.")
                for first in range(0, batch.num_rows, _ROWS):
                    rows = batch.slice(first, _ROWS)
                    yield [
                        [part] * rows.num_rows
                        if name == self.SPLIT and part is not None
                        else rows.column(rows.schema.get_field_index(name)).to_pylist()
                        for name in names
                    ]

    def _schema(self, path: Path) -> list[str]:
        if path.suffix == ".parquet":
            with _opened(path) as file:
                return list(file.schema_arrow.names)
        with _opened(path) as file:
            return list(file.schema.names)

    def _batches(self, path: Path) -> Iterator[Any]:
        with _opened(path) as file:
            yield from file.iter_batches(_ROWS) if path.suffix == ".parquet" else file


def _opened(path: Path) -> Any:
    """A Parquet file, or a reader of Arrow's stream."""
    import pyarrow
    import pyarrow.parquet

    try:
        if path.suffix == ".parquet":
            return pyarrow.parquet.ParquetFile(path)
        return pyarrow.ipc.open_stream(pyarrow.memory_map(str(path)))
    except (OSError, pyarrow.ArrowException) as error:
        raise FileError(path, f"it cannot be read ({str(error).splitlines()[0]}).") from None


_PARTS = {"train": "train", "valid": "valid", "validation": "valid", "dev": "valid", "test": "test"}


def arrow_table(path: Path, kind: str) -> Table:
    """The table of a Parquet file, of a folder of some, or of a data set that Hugging Face's
    `datasets` saved.

    Raises `MrdibError` without pyarrow, `FileError` for a folder that is none of these.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise MrdibError(
            f"Cannot read '{path}' without pyarrow: install it (pip install pyarrow)."
        ) from None
    if not path.exists():
        raise FileError(path, "there is no such file or folder.")
    if not path.is_dir():
        return _ArrowTable([(path, None)])
    if kind == "huggingface" and (path / "dataset_dict.json").exists():
        names = json.loads((path / "dataset_dict.json").read_text())["splits"]
        return _ArrowTable(
            _labelled(path, [(name, file) for name in names for file in _saved(path / name)])
        )
    if kind == "huggingface" and (path / "state.json").exists():
        return _ArrowTable([(file, None) for file in _saved(path)])
    files = sorted(path.glob("**/*.parquet"))
    if not files:
        raise FileError(
            path, "it holds no Parquet files, and nothing that Dataset.save_to_disk wrote."
        )
    if kind == "parquet":
        return _ArrowTable([(file, None) for file in files])
    # The hub's names are such as data/validation-00000-of-00001.parquet.
    return _ArrowTable(_labelled(path, [(file.stem.split("-")[0], file) for file in files]))


def _saved(folder: Path) -> list[Path]:
    """The files that `Dataset.save_to_disk` wrote, in their order."""
    try:
        state = json.loads((folder / "state.json").read_text())
        return [folder / str(entry["filename"]) for entry in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise FileError(folder / "state.json", "it lists no files; save the data again.") from None


def _labelled(path: Path, files: list[tuple[str, Path]]) -> list[tuple[Path, str | None]]:
    """Files with the parts of a split that their names say; without, if there is only one."""
    names = {name for name, _ in files}
    if len(names) == 1:
        return [(file, None) for _, file in files]
    unknown = names - _PARTS.keys()
    if unknown:
        raise FileError(
            path,
            f"its parts are {', '.join(sorted(names))}; a split has train, validation and test. "
            "Name the file of one part with from_parquet.",
        )
    return [(file, _PARTS[name]) for name, file in files]
