"""Ranks all items for users by inner product, as the program does.

Products have the shape that they have in the program, 128 users (padded with zeros) by at most
8,192 items, because a product's rounding can depend on its shape. With the same BLAS kernels the
scores have the same bits; with others they differ in their last bits, and only items whose scores
are that close can change places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import MrdibError
from .interactions import ItemLists

__all__ = ["BLOCK_USERS", "RankedBlock", "rank"]

BLOCK_USERS = 128
_TILE_ITEMS = 8192


@dataclass(frozen=True)
class RankedBlock:
    """The best items of some users, best first; equal scores by ascending row."""

    users: npt.NDArray[np.int64]
    """Rows, `[block]`."""
    items: npt.NDArray[np.int32]
    """Rows, `[block, k]`; −1 at the end for users with fewer items."""
    scores: npt.NDArray[np.float32]
    """`[block, k]`; NaN where there is no item."""


def rank(
    user_vectors: npt.NDArray[np.float32],
    item_vectors: npt.NDArray[np.float32],
    users: npt.NDArray[np.int64],
    k: int,
    excluded: Sequence[ItemLists] = (),
) -> Iterator[RankedBlock]:
    """The best `k` items of each user, block by block; memory does not grow with the users.

    Raises `MrdibError` for a score that is not finite.
    """
    k = min(k, len(item_vectors))
    padded = np.zeros((BLOCK_USERS, user_vectors.shape[1]), dtype=np.float32)
    for first in range(0, len(users), BLOCK_USERS):
        block = users[first : first + BLOCK_USERS]
        padded[: len(block)] = user_vectors[block]
        padded[len(block) :] = 0
        yield _rank_block(padded, item_vectors, block, k, excluded)


def _rank_block(
    padded: npt.NDArray[np.float32],
    item_vectors: npt.NDArray[np.float32],
    block: npt.NDArray[np.int64],
    k: int,
    excluded: Sequence[ItemLists],
) -> RankedBlock:
    masks = [lists.pairs(block) for lists in excluded]
    rows: list[npt.NDArray[np.int64]] = []
    items: list[npt.NDArray[np.int64]] = []
    scores: list[npt.NDArray[np.float32]] = []
    for first in range(0, len(item_vectors), _TILE_ITEMS):
        tile = np.matmul(padded, item_vectors[first : first + _TILE_ITEMS].T)[: len(block)]
        _check_finite(tile, block, first)
        for positions, masked in masks:
            inside = (masked >= first) & (masked < first + tile.shape[1])
            tile[positions[inside], masked[inside] - first] = -np.inf
        found = _best_of_tile(tile, k)
        rows.append(found[0])
        items.append(found[1] + first)
        scores.append(tile[found])
    return _merged(block, k, np.concatenate(rows), np.concatenate(items), np.concatenate(scores))


def _check_finite(tile: npt.NDArray[np.float32], block: npt.NDArray[np.int64], first: int) -> None:
    finite = np.isfinite(tile)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise MrdibError(
            f"Cannot rank items for user {block[row]}: the score of item {first + column} is "
            f"{tile[row, column]}, so the run has diverged; train with a lower learning_rate."
        )


def _best_of_tile(
    tile: npt.NDArray[np.float32], k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Rows and columns of all scores that are not below the row's k-th best."""
    if tile.shape[1] <= k:
        bound = np.full((len(tile), 1), -np.inf, dtype=np.float32)
    else:
        bound = np.partition(tile, tile.shape[1] - k, axis=1)[:, [tile.shape[1] - k]]
    found = np.nonzero((tile >= bound) & (tile > -np.inf))
    return found[0], found[1]


def _merged(
    block: npt.NDArray[np.int64],
    k: int,
    rows: npt.NDArray[np.int64],
    items: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float32],
) -> RankedBlock:
    """The best k of each row, of candidates in any order."""
    order = np.lexsort((items, -scores, rows))
    rows, items, scores = rows[order], items[order], scores[order]
    ranks = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = ranks < k
    best = np.full((len(block), k), -1, dtype=np.int32)
    best_scores = np.full((len(block), k), np.nan, dtype=np.float32)
    best[rows[kept], ranks[kept]] = items[kept]
    best_scores[rows[kept], ranks[kept]] = scores[kept]
    return RankedBlock(block, best, best_scores)
