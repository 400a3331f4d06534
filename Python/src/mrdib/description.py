"""What a data set's folder holds: `dataset.yaml`, and conventions for what it does not say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import FileError
from .files import read_text
from .identifiers import Identifiers
from .yaml_subset import read_yaml

__all__ = ["DatasetDescription", "Modality"]


@dataclass(frozen=True)
class Modality:
    """One kind of item features, in files of the data set's folder."""

    name: str
    file: str
    mask: str | None = None
    """Which items have it: a boolean per item; None if all have."""


_STANDARD = (Modality("visual", "image_feat.npy"), Modality("text", "text_feat.npy"))
_KEYS = ("name", "interactions", "modalities", "users", "items", "history")


class DatasetDescription:
    """The names of a folder's files."""

    def __init__(self, folder: Path) -> None:
        """Raises `FileError` if the folder is no data set, or its description cannot be read."""
        self.folder = folder
        if not folder.is_dir():
            raise FileError(folder, "there is no such folder; name one with NAME.inter.")
        written = self._written()
        self.interactions = folder / str(written.get("interactions") or self._only_interactions())
        self.name = str(written.get("name") or self.interactions.stem)
        self.modalities = self._modalities(written)
        self.history = [
            {str(key): str(value) for key, value in step.items()}
            for step in written.get("history") or []
        ]
        self.users = self._table(written, "users", "user")
        """The table of original ids; None if there is none."""
        self.items = self._table(written, "items", "item")

    def _written(self) -> dict[str, Any]:
        path = self.folder / "dataset.yaml"
        if not path.exists():
            return {}
        value = read_yaml(read_text(path, ""), path)
        if not isinstance(value, dict) or not value.keys() <= set(_KEYS):
            raise FileError(path, f"expected no other keys than {', '.join(_KEYS)}.")
        for key in ("modalities", "history"):
            elements = value.get(key) or []
            if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
                raise FileError(path, f"'{key}' must be a list of entries with keys.")
        return value

    def _only_interactions(self) -> str:
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

    def _modalities(self, written: dict[str, Any]) -> tuple[Modality, ...]:
        if "modalities" not in written:
            return tuple(
                Modality(each.name, each.file, self._mask_next_to(each.file))
                for each in _STANDARD
                if (self.folder / each.file).exists()
            )
        try:
            return tuple(
                Modality(str(each["name"]), str(each["file"]), each.get("mask"))
                for each in written["modalities"] or []
            )
        except KeyError as error:
            raise FileError(
                self.folder / "dataset.yaml", f"a modality has no {error}; give name and file."
            ) from None

    def _mask_next_to(self, file: str) -> str | None:
        """The mask that belongs to features by its name."""
        mask = file.removesuffix("_feat.npy") + "_mask.npy"
        return mask if (self.folder / mask).exists() else None

    def _table(self, written: dict[str, Any], key: str, kind: str) -> Path | None:
        if key in written:
            return self.folder / str(written[key])
        return Identifiers.find(self.folder, kind)
