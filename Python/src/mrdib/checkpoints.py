"""Checkpoints of a run, by table: parameters and the optimizer's states."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .digests import can_check, check_file, digest_of
from .errors import FileError, MrdibError, ProgramError
from .files import read_json, read_text, schema
from .program import Program, run_command
from .safetensors import SafetensorsFile

__all__ = ["Checkpoint"]

_FORMAT = 3
_SHARD_FORMAT = "mrdib-checkpoint-2"
_FOLDER = re.compile(r"v(\d{10,})-g(\d+)")


class Checkpoint(Mapping[str, npt.NDArray[np.float32]]):
    """The tables of a checkpoint by name, `[rows, width]`.

    Each server of the run wrote a file with its rows; here they are put together. A file is
    compared with its digest before its rows are used.

    With an optimizer that moves rows when they are next used (`adam` does by default), the rows of
    a file may lack steps. What the program makes of such tables is read then (`mrdib checkpoint
    export`).
    """

    def __init__(self, folder: str | os.PathLike[str], program: Program = None) -> None:
        """Opens a folder such as `checkpoints/v0000000118-g2`.

        Raises `FileError` if it is incomplete, damaged or of another release.
        """
        self.folder = Path(folder)
        self._program = program
        path = self.folder / "manifest.json"
        missing = "not all servers have written their files: use another checkpoint."
        self.manifest: Mapping[str, Any] = read_json(path, missing)
        """What `manifest.json` holds."""
        schema(dict(self.manifest), "format_version", _FORMAT, path)
        try:
            self._read()
        except (KeyError, TypeError, ValueError, AttributeError):
            raise FileError(
                path, "it lacks fields of a manifest; use another checkpoint."
            ) from None
        self._check_digest(path)

    def _read(self) -> None:
        manifest = self.manifest
        self.version = int(manifest["version"])
        """Of the tables."""
        self.epoch = int(manifest["epoch"])
        """The epoch that the version belongs to, from 0."""
        self.generation = int(manifest["generation"])
        self.configuration = str(manifest["configuration"])
        """The settings of the run, as YAML."""
        self.states = [str(state["name"]) for state in manifest["optimizer"]["states"]]
        """The names of the optimizer's states, such as `exp_avg`."""
        self.shapes = {
            str(table["name"]): (int(table["rows"]), int(table["width"]))
            for table in manifest["tables"]
        }
        """Rows and width by table."""
        self._rules = {str(table["name"]): str(table["rule"]) for table in manifest["tables"]}
        self._shards = [
            (str(shard["file"]), int(shard["bytes"]), str(shard["digest"]))
            for shard in manifest["shards"]
        ]
        int(manifest["step"])
        count = len(self._shards)
        for rank, (file, _, _) in enumerate(self._shards):
            if file != f"server-{rank}-of-{count}.safetensors":
                raise ValueError

    def _check_digest(self, path: Path) -> None:
        """The digest is that of the manifest with an empty one in its place."""
        digest = str(self.manifest["digest"])
        name = f"v{self.version:010d}-g{self.generation}"
        if path.parent.resolve().name != name:
            raise FileError(path, f"it is of '{name}', not of this folder; use another checkpoint.")
        parts = read_text(path, "").split(f'"digest" : "{digest}"')
        if can_check() and (
            len(parts) != 2 or digest_of('"digest" : ""'.join(parts).encode()) != digest
        ):
            raise FileError(path, "its content does not match its digest; use another checkpoint.")

    @staticmethod
    def folders(folder: Path) -> list[Path]:
        """The folders of all complete checkpoints in a folder of checkpoints, newest first."""
        found = []
        for path in folder.iterdir() if folder.is_dir() else ():
            match = _FOLDER.fullmatch(path.name)
            if match and (path / "manifest.json").exists():
                found.append((int(match.group(2)), int(match.group(1)), path))
        return [path for _, _, path in sorted(found, reverse=True)]

    @cached_property
    def _files(self) -> list[SafetensorsFile]:
        files = []
        for rank, (name, size, digest) in enumerate(self._shards):
            file = SafetensorsFile(self.folder / name)
            check_file(file.file, size, digest)
            expected = {
                "format": _SHARD_FORMAT, "run": str(self.manifest["run"]), "rank": str(rank),
                "version": str(self.version), "generation": str(self.generation),
            }  # fmt: skip
            for key, value in expected.items():
                if file.metadata.get(key) != value:
                    raise FileError(
                        file.file.path,
                        f"its {key} is '{file.metadata.get(key)}', and by its manifest it should "
                        f"be '{value}'; use another checkpoint.",
                    )
            files.append(file)
        return files

    def __repr__(self) -> str:
        return f"<mrdib.Checkpoint '{self.folder}': epoch {self.epoch}, {len(self)} tables>"

    def __len__(self) -> int:
        return len(self.shapes)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __getitem__(self, name: str) -> npt.NDArray[np.float32]:
        """The parameters of a table, `[rows, width]`."""
        if name not in self.shapes:
            raise KeyError(name)
        return self._current(name, name)

    def state(self, name: str, state: str) -> npt.NDArray[np.float32]:
        """A state of the optimizer, `[rows, width]`, or `[rows, 1]` if it is one number per row.

        Raises `MrdibError` if the table has none, as final vectors have not.
        """
        tensor = f"{name}/{state}"
        if name not in self.shapes or not all(tensor in file for file in self._files):
            raise MrdibError(
                f"There is no state '{state}' of a table '{name}' in '{self.folder}'; tables are "
                f"{', '.join(self.shapes)}, and states {', '.join(self.states) or 'none'}."
            )
        return self._current(name, tensor)

    def _current(self, table: str, tensor: str) -> npt.NDArray[np.float32]:
        """A tensor of all rows, with all steps up to the checkpoint's version."""
        values: npt.NDArray[np.float32]
        values = self._exported[tensor] if self._lacks_steps(table) else self._whole(table, tensor)
        return values

    def _lacks_steps(self, table: str) -> bool:
        """Whether a row was updated before, but not by the last step of its group."""
        rule = self._rules[table]
        if rule not in ("model", "discriminator") or not self.manifest["optimizer"].get(
            "tracks_updates", False
        ):
            return False
        last = self._whole(table, f"{table}/updates")
        done = int(self.manifest["step"]) if rule == "model" else self.version
        return bool(((last > 0) & (last < done)).any())

    @cached_property
    def _exported(self) -> SafetensorsFile:
        with tempfile.TemporaryDirectory(prefix="mrdib-") as out:
            try:
                run_command(
                    ["checkpoint", "export", str(self.folder), "--out", out, "--with-state"],
                    self._program,
                )
            except ProgramError as error:
                error.add_note(
                    f"Tables of '{self.folder}' lack steps that the optimizer applies when rows "
                    "are next used, so the program is needed to read them."
                )
                raise
            # It stays mapped after the folder is gone.
            return SafetensorsFile(Path(out) / "parameters.safetensors")

    def _whole(self, table: str, tensor: str) -> npt.NDArray[Any]:
        count = self.shapes[table][0]
        parts: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = []
        for file in self._files:
            try:
                parts.append((file[f"{table}/rows"], file[tensor]))
            except KeyError as error:
                raise FileError(
                    file.file.path, f"it has no tensor {error}; use another checkpoint."
                ) from None
        rows = np.concatenate([rows for rows, _ in parts])
        if len(rows) != count or not np.array_equal(np.sort(rows), np.arange(count)):
            raise FileError(
                self.folder, f"its files have not each of the {count} rows of '{table}' once; "
                "use another checkpoint.",
            )  # fmt: skip
        if len(parts) == 1:
            return parts[0][1]  # the rows of a file ascend
        whole = np.empty((count, *parts[0][1].shape[1:]), dtype=parts[0][1].dtype)
        for rows, values in parts:
            whole[rows] = values
        return whole
