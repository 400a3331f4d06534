"""The digest of a data set, by which a run knows the data that it was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .description import Modality
from .digests import ContentDigest
from .files import MappedFile
from .npy import mapped_matrix

if TYPE_CHECKING:
    from .dataset import Dataset

__all__ = ["dataset_digest"]


def dataset_digest(data: Dataset, with_features: bool) -> str:
    """The digest of what training depends on: the split interactions, the number of items and,
    for models that use them, the features with their precomputed neighbours.

    Only where digests can be computed. With features it reads all of them.
    """
    users, items = data.pairs("train")
    digest = ContentDigest()
    digest.add_number(data.item_count)
    digest.add(users)
    digest.add(items)
    for lists in (data.valid, data.test):
        digest.add(lists.counts.astype(np.int32))
        digest.add(lists.items)
    for modality in data.modalities if with_features else ():
        digest.add(_feature_digest(data, modality).encode())
    return digest.text


def _feature_digest(data: Dataset, modality: Modality) -> str:
    matrix = data.features[modality.name]
    order = "C" if matrix.flags.c_contiguous else "F"
    digest = ContentDigest()
    digest.add(modality.name.encode())
    digest.add_number(matrix.shape[0])
    digest.add_number(matrix.shape[1])
    digest.add(f"{matrix.dtype.str[1:]} {order} {matrix.dtype.str[0]}".encode())
    digest.add(matrix)
    for count, path in _neighbours(data.folder / modality.file):
        digest.add(b"neighbours")
        digest.add_number(count)
        digest.add(mapped_matrix(MappedFile(path)).astype(np.int32))
    mask = data.masks.get(modality.name)
    if mask is not None and not mask.all():
        digest.add(b"mask")
        digest.add(mask.astype(np.int32))
        digest.add(b"filled")
    return digest.text


def _neighbours(features: Path) -> list[tuple[int, Path]]:
    """The precomputed nearest items that belong to features, by ascending k."""
    if not features.name.endswith("_feat.npy"):
        return []
    prefix = features.name.removesuffix("_feat.npy") + "_knn"
    found = []
    for path in features.parent.glob(f"{prefix}*.npy"):
        digits = path.name.removeprefix(prefix).removesuffix(".npy")
        if digits.isdecimal() and str(int(digits)) == digits and int(digits) > 0:
            found.append((int(digits), path))
    return sorted(found)
