"""The best model of a run: `best.json` and the files that it names, mapped into memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .digests import check_file
from .errors import FileError
from .files import MappedFile, read_json, schema
from .npy import mapped_matrix
from .safetensors import SafetensorsFile

__all__ = ["BestModel"]

Vectors = npt.NDArray[np.float32]

_FORMAT = 3
_PARAMETERS_FORMAT = "mrdib-parameters-1"
_NAMES = {"user.npy", "item.npy", "parameters.safetensors"}


class BestModel:
    """Final vectors and parameters. Models rank by the inner product of final vectors.

    The files are opened at once and compared with their digests when they are first used. They stay
    readable if a run that is training replaces the model.
    """

    def __init__(self, run: Path) -> None:
        """Raises `FileError` if the run has no model, or one of another release."""
        while True:
            record = self._record(run)
            try:
                self._open(run, record)
                return
            except FileError:
                # A run that is training may have replaced the model and deleted its files.
                if self._record(run) == record:
                    raise

    @staticmethod
    def _record(run: Path) -> dict[str, Any]:
        path = run / "best.json"
        record = read_json(path, "name the directory of a run that finished an evaluation.")
        schema(record, "format_version", _FORMAT, path)
        try:
            is_known = {entry["name"] for entry in record["files"]} == _NAMES and re.fullmatch(
                r"models/epoch-\d+(-again)?", record["folder"]
            )
            record["epoch"], record["version"]
        except (KeyError, TypeError):
            is_known = False
        if not is_known:
            raise FileError(path, "it is damaged; restore it from a copy, or train again.")
        return record

    def _open(self, run: Path, record: dict[str, Any]) -> None:
        self.folder = run / record["folder"]
        self.epoch = int(record["epoch"])
        """The epoch whose model it is, from 0."""
        self.version = int(record["version"])
        self.identifiers: Mapping[str, str] = record.get("identifiers") or {}
        """Digests of the original ids of `users` and `items`, where the data had some."""
        self._records = {entry["name"]: entry for entry in record["files"]}
        self._user_file = MappedFile(self.folder / "user.npy")
        self._item_file = MappedFile(self.folder / "item.npy")
        self._parameter_file = SafetensorsFile(self.folder / "parameters.safetensors")
        found = self._parameter_file.metadata.get("format")
        if found != _PARAMETERS_FORMAT:
            raise FileError(
                self._parameter_file.file.path,
                f"its format is '{found}', and this package reads '{_PARAMETERS_FORMAT}'; use the "
                "package of the release that wrote it.",
            )

    def _checked(self, file: MappedFile) -> MappedFile:
        record = self._records[file.path.name]
        check_file(file, int(record["bytes"]), str(record["digest"]))
        return file

    @cached_property
    def users(self) -> Vectors:
        """Final user vectors, `[U, D]`, not writable."""
        return mapped_matrix(self._checked(self._user_file), "<f4")

    @cached_property
    def items(self) -> Vectors:
        """Final item vectors, `[I, D]`, not writable."""
        items = mapped_matrix(self._checked(self._item_file), "<f4")
        if items.shape[1] != self.users.shape[1]:
            raise FileError(
                self._item_file.path,
                f"its vectors have {items.shape[1]} numbers, those of users {self.users.shape[1]}; "
                "restore the run from a copy, or train again.",
            )
        return items

    @cached_property
    def parameters(self) -> Mapping[str, npt.NDArray[np.float32]]:
        """Every table that training changes by name, `[rows, width]`, without the optimizer's
        state; not writable."""
        self._checked(self._parameter_file.file)
        return self._parameter_file
