"""What a run recorded of its epochs: `metrics.jsonl`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .errors import FileError, MrdibError
from .files import LARGEST_TEXT

if TYPE_CHECKING:
    import pandas

__all__ = ["Epoch", "Metrics", "MetricsReader"]


@dataclass(frozen=True)
class Epoch:
    """An epoch of a run. Numbers that were infinite or none are NaN."""

    number: int
    """From 0."""
    version: int
    """Of the tables, after the epoch."""
    groups: Mapping[str, Mapping[str, float]]
    """Numbers by group and name: `loss`, `stat`, `valid`, `test`, `seconds`, …"""

    def __getitem__(self, name: str) -> float:
        """A number by its whole name, such as `valid.recall@20`. Raises `KeyError`."""
        group, _, rest = name.partition(".")
        return self.groups[group][rest]

    @property
    def loss(self) -> Mapping[str, float]:
        """The terms of the loss: `total`, `ranking`, …"""
        return self.groups.get("loss", {})

    @property
    def valid(self) -> Mapping[str, float]:
        """Metrics on the validation split; empty if the epoch was not evaluated."""
        return self.groups.get("valid", {})

    @property
    def test(self) -> Mapping[str, float]:
        """Metrics on the test split; empty if the epoch was not evaluated."""
        return self.groups.get("test", {})

    @property
    def stat(self) -> Mapping[str, float]:
        """Diagnostics: mean σ, divergence per dimension, estimated mutual information, …"""
        return self.groups.get("stat", {})

    @property
    def seconds(self) -> Mapping[str, float]:
        """Wall time of `train` and `evaluate`."""
        return self.groups.get("seconds", {})

    @classmethod
    def parse(cls, line: str) -> Epoch:
        """Reads a line of the file. Raises `ValueError` for one that is none."""
        value = json.loads(line)
        groups: dict[str, dict[str, float]] = {}
        try:
            for group, numbers in value.items():
                if isinstance(numbers, dict):
                    groups[group] = {
                        name: float("nan") if number is None else float(number)
                        for name, number in numbers.items()
                    }
            return cls(int(value["epoch"]), int(value["version"]), groups)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"not an epoch: {error}") from None


class MetricsReader:
    """Follows `metrics.jsonl` while a run writes it: every epoch once, in order.

    A run that resumes writes the file again; the epochs are the same then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._ignored: IO[bytes] | None = None
        self._line = 0
        self._last = -1

    def ignore_present(self) -> None:
        """Leaves out the file that is there, which another run wrote."""
        # Held open, so that its number on the disk is not given to the new file.
        self._ignored = self._opened()

    def new_epochs(self) -> Iterator[Epoch]:
        """The epochs that were written since the last call."""
        if not self._is_current():
            if self._file is not None:
                self._file.close()
            self._file = self._opened()
            self._line = 0
        while self._file is not None:
            start = self._file.tell()
            line = self._file.readline(LARGEST_TEXT)
            if not line.endswith(b"\n"):
                # Half a line is being written.
                self._file.seek(start)
                return
            self._line += 1
            try:
                epoch = Epoch.parse(line.decode())
            except ValueError:
                raise FileError(
                    self.path, f"line {self._line} is not an epoch; the file is damaged."
                ) from None
            if epoch.number > self._last:
                self._last = epoch.number
                yield epoch

    def close(self) -> None:
        """Closes the file."""
        for file in (self._file, self._ignored):
            if file is not None:
                file.close()
        self._file = self._ignored = None

    def _opened(self) -> IO[bytes] | None:
        try:
            file = open(self.path, "rb")
        except OSError:
            return None
        if self._ignored is not None and os.path.sameopenfile(
            file.fileno(), self._ignored.fileno()
        ):
            file.close()
            return None
        return file

    def _is_current(self) -> bool:
        if self._file is None:
            return False
        try:
            found = os.stat(self.path)
        except OSError:
            return True
        own = os.fstat(self._file.fileno())
        is_same = (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino)
        return is_same and own.st_size >= self._file.tell()


class Metrics(Sequence[Epoch]):
    """The epochs of a run, and their numbers as arrays."""

    def __init__(self, epochs: Sequence[Epoch]) -> None:
        self._epochs = list(epochs)

    @classmethod
    def read(cls, path: Path) -> Metrics:
        """Reads the file of a run; no epochs if there is none yet."""
        reader = MetricsReader(path)
        try:
            return cls(list(reader.new_epochs()))
        finally:
            reader.close()

    def __len__(self) -> int:
        return len(self._epochs)

    def __getitem__(self, index: Any) -> Any:
        """An epoch by its position, or the numbers of all epochs by their name."""
        if isinstance(index, str):
            return self.array(index)
        return self._epochs[index]

    @property
    def names(self) -> list[str]:
        """Of all numbers, such as `loss.total` and `valid.recall@20`, sorted."""
        return sorted(
            {f"{group}.{name}" for e in self._epochs for group, n in e.groups.items() for name in n}
        )

    @property
    def epochs(self) -> npt.NDArray[np.int64]:
        """Their numbers, `[epochs]`."""
        return np.array([epoch.number for epoch in self._epochs], dtype=np.int64)

    def array(self, name: str) -> npt.NDArray[np.float64]:
        """A number of every epoch, `[epochs]`; NaN where an epoch lacks it.

        Raises `MrdibError` if all lack it.
        """
        group, _, rest = name.partition(".")
        values = [epoch.groups.get(group, {}).get(rest) for epoch in self._epochs]
        if all(value is None for value in values):
            raise MrdibError(f"No epoch has '{name}'; there are {', '.join(self.names)}.")
        return np.array([np.nan if value is None else value for value in values])

    def to_pandas(self) -> pandas.DataFrame:
        """A row per epoch, a column per number."""
        import pandas

        columns = {"version": [epoch.version for epoch in self._epochs]} | {
            name: self.array(name) for name in self.names
        }
        return pandas.DataFrame(columns, index=pandas.Index(self.epochs, name="epoch"))
