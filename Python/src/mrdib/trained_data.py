"""The settings and the data set that a run was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .dataset import Dataset
from .dataset_digest import dataset_digest
from .description import Modality
from .digests import can_check
from .errors import FileError
from .files import read_text
from .identifiers import Identifiers
from .yaml_subset import Plain, read_yaml

__all__ = ["check_identifiers", "find_dataset", "read_settings"]


def read_settings(path: Path) -> Mapping[str, Any]:
    """The settings in a run's `config.resolved.yaml`, by name, with their types."""
    value = read_yaml(read_text(path, "restore the run from a copy."), path)
    if not isinstance(value, dict):
        raise FileError(path, "it holds no settings; restore it from a copy.")

    def typed(each: Any) -> Any:
        if isinstance(each, list):
            return [typed(element) for element in each]
        return each.value() if isinstance(each, Plain) else each

    return {name: typed(each) for name, each in value.items()}


def find_dataset(run: Path, folder: Path, settings: Mapping[str, Any]) -> Dataset:
    """The data set in a folder, with the modalities of the run.

    Raises `FileError` if it is not there, or not what the run was trained on.
    """
    if not folder.is_dir():
        raise FileError(
            folder,
            f"the data of '{run}' is not there; name its folder with Run.open(..., data=FOLDER).",
        )
    named = [str(each).partition(":") for each in settings.get("modalities") or []]
    masks = {each.file: each.mask for each in Dataset(folder).modalities} if named else {}
    data = Dataset(
        folder,
        modalities=[Modality(name, file, masks.get(file)) for name, _, file in named] or None,
    )
    recorded = settings.get("data_digest")
    # A run that treats its features records the digest of what it made of them, which only the
    # program can compute.
    is_treated = (
        bool(settings.get("missing_rate"))
        or bool(settings.get("shuffle_modality"))
        or settings.get("missing", "filled") != "filled"
        or settings.get("nan_rows", "refused") != "refused"
    )
    # Models without features record a digest without them.
    if can_check() and not is_treated and all(dataset_digest(data, uses) != recorded for uses in (False, True)):
        raise FileError(
            folder,
            f"it is not the data that '{run}' was trained on (its digest is another); name the "
            "right folder with Run.open(..., data=FOLDER).",
        )
    return data


def check_identifiers(table: Identifiers | None, recorded: str | None) -> Identifiers | None:
    """A table of ids, compared with the digest of its ids when the model was trained.

    Raises `FileError` if they have changed.
    """
    if table is not None and recorded and can_check() and table.digest() != recorded:
        raise FileError(
            table.path,
            "its ids have changed since the model was trained, so rows would get the ids of "
            "others; put the file of that time back, or use ids='dense'.",
        )
    return table
