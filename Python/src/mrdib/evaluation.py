"""The metrics of rankings, with the definitions of the program
(`Sources/Recommenders/Evaluation/Metrics` of the project).

Let hit(r) be 1 if the item at rank r of a user's list is among the user's m items of the split.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import MrdibError
from .interactions import ItemLists
from .ranking import RankedBlock

__all__ = ["METRICS", "evaluate"]

Numbers = npt.NDArray[np.float64]

METRICS = (
    "recall",
    "ndcg",
    "precision",
    "map",
    "hit",
    "mrr",
    "coverage",
    "gini",
    "entropy",
    "popularity",
    "novelty",
    "tail",
)
_OF_LISTS = ("coverage", "gini", "entropy")
_OF_HITS = ("recall", "ndcg", "precision", "map", "hit", "mrr")


def evaluate(
    blocks: Iterable[RankedBlock],
    truth: ItemLists,
    training_counts: npt.NDArray[np.int64],
    metrics: Sequence[str],
    cutoffs: Sequence[int],
) -> dict[str, float]:
    """The metrics over all ranked users with items in `truth`, by name such as `recall@20`.

    - `blocks`: lists as long as the largest cutoff.
    - `training_counts`: how many training interactions each item has, `[I]`.

    Raises `MrdibError` for a metric that is not known.
    """
    unknown = [name for name in metrics if name not in METRICS]
    if unknown:
        raise MrdibError(
            f"Cannot compute the metric '{unknown[0]}': known are {', '.join(METRICS)}; choose "
            "some with metrics=."
        )
    sums = {f"{name}@{k}": 0.0 for name in metrics for k in cutoffs}
    exposures = {k: np.zeros(truth.item_count, dtype=np.int64) for k in cutoffs}
    of_items = {
        "popularity": training_counts,
        "novelty": np.log2(max(1, len(truth)) / np.maximum(1, training_counts)),
        "tail": _tail(training_counts),
    }
    count = 0
    for block in blocks:
        wanted = truth.counts[block.users] > 0
        users, items = block.users[wanted], block.items[wanted]
        if not len(users):
            continue
        count += len(users)
        hits = _hits(users, items, truth)
        m = truth.counts[users]
        for k in cutoffs:
            for name in metrics:
                if name in _OF_HITS:
                    sums[f"{name}@{k}"] += float(_values(name, k, hits, m).sum())
                elif name in of_items:
                    means_of_users = _means_of_items(items[:, :k], of_items[name])
                    sums[f"{name}@{k}"] += float(means_of_users.sum())
            shown = items[:, :k]
            exposures[k] += np.bincount(shown[shown >= 0], minlength=truth.item_count)
    means = {name: total / max(1, count) for name, total in sums.items()}
    for k in cutoffs:
        if "coverage" in metrics:
            means[f"coverage@{k}"] = float((exposures[k] > 0).sum() / max(1, truth.item_count))
        if "gini" in metrics:
            means[f"gini@{k}"] = _gini(exposures[k])
        if "entropy" in metrics:
            means[f"entropy@{k}"] = _entropy(exposures[k])
    return means


def _hits(
    users: npt.NDArray[np.int64], items: npt.NDArray[np.int32], truth: ItemLists
) -> npt.NDArray[np.bool_]:
    """hit(r) of every user, `[users, depth]`."""
    positions, true_items = truth.pairs(users)
    marks = positions * truth.item_count + true_items
    keys = np.arange(len(users))[:, None] * truth.item_count + items
    return np.isin(keys, marks) & (items >= 0)


def _values(
    name: str,
    k: int,
    hits: npt.NDArray[np.bool_],
    m: npt.NDArray[np.int64],
) -> Numbers:
    """A metric of hits of each user, `[users]`."""
    head = hits[:, :k]
    ranks = np.arange(1, head.shape[1] + 1)
    found: Numbers = head.sum(axis=1).astype(np.float64)
    if name == "recall":
        return found / m
    if name == "precision":
        return found / k
    if name == "map":
        precisions = head * head.cumsum(axis=1) / ranks
        total: Numbers = precisions.sum(axis=1) / np.minimum(k, m)
        return total
    if name == "ndcg":
        ideal = np.concatenate(([0.0], np.cumsum(1 / np.log2(np.arange(k) + 2))))
        gain: Numbers = (head / np.log2(ranks + 1)).sum(axis=1) / ideal[np.minimum(k, m)]
        return gain
    if name == "hit":
        return (found > 0).astype(np.float64)
    first: Numbers = (head / ranks).max(axis=1)
    return first


def _means_of_items(items: npt.NDArray[np.int32], values: npt.NDArray[Any]) -> Numbers:
    """The mean value of the items of each list, `[users]`; -1 stands for no item."""
    is_there = items >= 0
    means: Numbers = np.where(is_there, values[items], 0).sum(axis=1) / np.maximum(
        1, is_there.sum(axis=1)
    )
    return means


def _tail(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether an item is outside the short head: the most popular items, all of equal counts
    together, with at least 80 % of the interactions."""
    ordered = np.sort(counts[counts > 0])[::-1]
    if not len(ordered):
        return np.ones(len(counts), dtype=np.bool_)
    fewest = ordered[np.argmax(5 * np.cumsum(ordered) >= 4 * ordered.sum())]
    tail: npt.NDArray[np.bool_] = counts < fewest
    return tail


def _entropy(exposure: npt.NDArray[np.int64]) -> float:
    """How evenly items are recommended, in bits: 0 for a single one."""
    shares = exposure[exposure > 0] / max(1, int(exposure.sum()))
    return float(-(shares * np.log2(shares)).sum()) + 0.0


def _gini(exposure: npt.NDArray[np.int64]) -> float:
    """How unequally items are recommended: 0 equally, 1 a single one."""
    n = len(exposure)
    total = int(exposure.sum())
    if n <= 1 or total == 0:
        return 0.0
    # Whole numbers of any size, as in the program.
    weights = 2 * np.arange(1, n + 1, dtype=object) - n - 1
    weighted = int((weights * np.sort(exposure).astype(object)).sum())
    return weighted / ((n - 1) * total)
