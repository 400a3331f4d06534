"""The best items of users, with their original ids and titles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .identifiers import Identifiers

if TYPE_CHECKING:
    import pandas

__all__ = ["Recommendations", "RecommendedItem"]


@dataclass(frozen=True)
class RecommendedItem:
    """An item of a user's list."""

    item: str | int
    """The original id; the row if the data set has none."""
    row: int
    score: float
    title: str | None
    """None if it is not known."""


class Recommendations(Sequence[list[RecommendedItem]]):
    """A list of items per user, best first, in the order in which users were named."""

    def __init__(
        self,
        user_rows: npt.NDArray[np.int64],
        item_rows: npt.NDArray[np.int32],
        scores: npt.NDArray[np.float32],
        user_ids: Identifiers | None,
        item_ids: Identifiers | None,
    ) -> None:
        self.user_rows = user_rows
        """`[users]`."""
        self.item_rows = item_rows
        """`[users, k]`; −1 at the end where a user has fewer items."""
        self.scores = scores
        """`[users, k]`; NaN where there is no item."""
        self._user_ids = user_ids
        self._item_ids = item_ids

    @property
    def users(self) -> list[str | int]:
        """The ids of the users; their rows if the data set has no ids."""
        return [int(row) if self._user_ids is None else self._user_ids.ids[row]
                for row in self.user_rows]  # fmt: skip

    def __len__(self) -> int:
        return len(self.user_rows)

    def __getitem__(self, index: Any) -> Any:
        """The list of a user, by the position of the user."""
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        return [
            self._item(int(row), float(score))
            for row, score in zip(self.item_rows[index], self.scores[index], strict=True)
            if row >= 0
        ]

    def _item(self, row: int, score: float) -> RecommendedItem:
        if self._item_ids is None:
            return RecommendedItem(row, row, score, None)
        title = self._item_ids.columns.get("title", [])
        return RecommendedItem(
            self._item_ids.ids[row], row, score, (title[row] or None) if title else None
        )

    def to_pandas(self) -> pandas.DataFrame:
        """A row per recommended item: `user`, `rank` (from 1), `item`, `score`, `title`."""
        import pandas

        return pandas.DataFrame(
            [
                (user, rank, item.item, item.score, item.title)
                for user, items in zip(self.users, self, strict=True)
                for rank, item in enumerate(items, 1)
            ],
            columns=["user", "rank", "item", "score", "title"],
        )
