"""Ranking and metrics against plain versions of themselves."""

from __future__ import annotations

import math
import unittest

import numpy as np

from mrdib.errors import MrdibError
from mrdib.evaluation import METRICS, evaluate
from mrdib.interactions import ItemLists
from mrdib.ranking import rank


def lists(pairs: list[tuple[int, int]], users: int, items: int) -> ItemLists:
    columns = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return ItemLists.of(columns[:, 0], columns[:, 1], users, items)


class ItemListTests(unittest.TestCase):
    def test_lists_are_ascending_and_without_repetitions(self) -> None:
        found = lists([(2, 5), (0, 3), (2, 1), (2, 5)], 4, 6)
        self.assertEqual([list(found[user]) for user in range(4)], [[3], [], [1, 5], []])
        positions, items = found.pairs(np.array([2, 3, 0]))
        self.assertEqual((list(positions), list(items)), ([0, 0, 2], [1, 5, 3]))


class RankingTests(unittest.TestCase):
    def test_equal_scores_rank_by_row_across_tiles(self) -> None:
        random = np.random.default_rng(1)
        # Small whole numbers: many equal scores, and products without rounding.
        users = random.integers(-2, 3, (130, 3)).astype(np.float32)
        items = random.integers(-2, 3, (9000, 3)).astype(np.float32)
        excluded = lists(
            [(u, i) for u in range(130) for i in random.integers(0, 9000, 40)], 130, 9000
        )
        chosen = np.array([129, 3, *range(128)])
        blocks = list(rank(users, items, chosen, 25, [excluded]))
        self.assertEqual([len(block.users) for block in blocks], [128, 2])
        rows = np.concatenate([block.items for block in blocks])
        for user, found in zip(chosen, rows, strict=True):
            scores = items @ users[user]
            scores[excluded[user]] = -np.inf
            expected = sorted(range(9000), key=lambda item: (-scores[item], item))[:25]
            self.assertEqual(list(found), expected)

    def test_lists_end_where_items_do(self) -> None:
        users, items = np.ones((1, 2), np.float32), np.ones((3, 2), np.float32)
        block = next(rank(users, items, np.array([0]), 5, [lists([(0, 1)], 1, 3)]))
        self.assertEqual(block.items.tolist(), [[0, 2, -1]])
        self.assertTrue(math.isnan(block.scores[0, 2]))

    def test_a_diverged_model_is_reported(self) -> None:
        users, items = np.ones((2, 1), np.float32), np.array([[1], [np.nan]], np.float32)
        with self.assertRaisesRegex(MrdibError, "user 1: the score of item 1 is nan"):
            list(rank(users, items, np.array([1]), 1))


class MetricTests(unittest.TestCase):
    def test_metrics_are_their_definitions(self) -> None:
        random = np.random.default_rng(2)
        users, items, cutoffs = 40, 30, [1, 4, 10]
        vectors = random.normal(size=(users, 4)).astype(np.float32)
        targets = random.normal(size=(items, 4)).astype(np.float32)
        train = lists([(u, i) for u in range(users) for i in random.integers(0, 30, 6)], 40, 30)
        # The last users have nothing to be found; some have more than the largest cutoff.
        pairs = [(u, i) for u in range(35) for i in random.integers(0, 30, random.integers(1, 16))]
        truth = lists(pairs, 40, 30)
        counts = np.bincount(train.items, minlength=30)
        blocks = list(rank(vectors, targets, np.arange(users), 10, [train]))
        found = evaluate(blocks, truth, counts, METRICS, cutoffs)
        ranked = {user: [int(i) for i in row if i >= 0]
                  for block in blocks
                  for user, row in zip(block.users, block.items, strict=True)}  # fmt: skip
        for k in cutoffs:
            expected = self.plain(ranked, truth, counts, k)
            for name, value in expected.items():
                self.assertAlmostEqual(found[f"{name}@{k}"], value, delta=1e-12, msg=f"{name}@{k}")

    @staticmethod
    def plain(
        ranked: dict[int, list[int]], truth: ItemLists, counts: np.ndarray, k: int
    ) -> dict[str, float]:
        of_users = (
            "recall", "ndcg", "precision", "map", "hit", "mrr", "popularity", "novelty", "tail",
        )  # fmt: skip
        sums = dict.fromkeys(of_users, 0.0)
        head, taken = set(), 0
        for count in sorted({int(c) for c in counts} - {0}, reverse=True):
            if 5 * taken < 4 * int(counts.sum()):
                same = {int(item) for item in np.flatnonzero(counts == count)}
                head |= same
                taken += count * len(same)
        exposure = [0] * truth.item_count
        users = [user for user in ranked if len(truth[user])]
        for user in users:
            own = set(truth[user].tolist())
            top = ranked[user][:k]
            hits = [r for r, item in enumerate(top, 1) if item in own]
            sums["recall"] += len(hits) / len(own)
            sums["precision"] += len(hits) / k
            ideal = sum(1 / math.log2(r + 1) for r in range(1, min(k, len(own)) + 1))
            sums["ndcg"] += sum(1 / math.log2(r + 1) for r in hits) / ideal
            precisions = sum((n + 1) / r for n, r in enumerate(hits))
            sums["map"] += precisions / min(k, len(own))
            sums["hit"] += bool(hits)
            sums["mrr"] += 1 / hits[0] if hits else 0
            bits = [math.log2(len(truth) / max(1, int(counts[item]))) for item in top]
            sums["novelty"] += sum(bits) / len(top)
            sums["tail"] += sum(item not in head for item in top) / len(top)
            sums["popularity"] += sum(int(counts[item]) for item in top) / len(top)
            for item in top:
                exposure[item] += 1
        values = {name: total / len(users) for name, total in sums.items()}
        n = len(exposure)
        values["coverage"] = sum(count > 0 for count in exposure) / n
        shares = [count / sum(exposure) for count in exposure if count]
        values["entropy"] = -sum(share * math.log2(share) for share in shares)
        weighted = sum((2 * i - n - 1) * c for i, c in enumerate(sorted(exposure), 1))
        values["gini"] = weighted / ((n - 1) * sum(exposure))
        return values


if __name__ == "__main__":
    unittest.main()
