"""The studies of scripts/study that have tables of means and spreads over seeds."""

from __future__ import annotations

import json
import subprocess
import sys
import unittest
from pathlib import Path

import support
from mrdib.program import find_program, run_command

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "analysis"))
import study_modalities as modalities  # noqa: E402 (the path is known only now)


def run_of(value: float, groups: list | None = None) -> dict:
    """What a run's summary has of one seed."""
    metrics = dict.fromkeys(modalities.METRICS, value)
    return {"test": metrics, "groups": {"test": groups or []}}


class TableTests(unittest.TestCase):
    def test_spreads_are_over_seeds(self):
        one = modalities.spread({11: 0.2, 12: 0.3, 13: None})
        self.assertEqual(one["runs"], 2)
        self.assertAlmostEqual(one["mean"], 0.25)
        self.assertAlmostEqual(one["deviation"], 0.0707107, 6)
        self.assertEqual(modalities.spread_text(one), "0.2500 ± 0.0707")
        self.assertEqual(modalities.spread_text(one, "percent"), "+25.0 ± 7.1 %")
        self.assertIsNone(modalities.spread({11: 0.2})["deviation"])
        self.assertEqual(modalities.spread_text(modalities.spread({})), "–")

    def test_contributions_are_paired_by_seed(self):
        def cell(values):
            return modalities.cell({seed: run_of(value) for seed, value in values.items()})

        row = {"cells": {"both": cell({11: 0.30, 12: 0.20}), "text only": cell({11: 0.25, 12: 0.1}),
                         "vision only": cell({11: 0.15})}}  # fmt: skip
        found = modalities.contributions(row, "recall@20")
        # Seed 12 has no run of vision alone.
        self.assertEqual(list(found["vision"]["by_seed"]), [11])
        self.assertAlmostEqual(found["vision"]["mean"], 0.2)
        self.assertAlmostEqual(found["text"]["mean"], 1.0)
        self.assertAlmostEqual(found["share"]["mean"], 1 / 6)

    def test_groups_are_averaged_by_what_items_have(self):
        def group(fewest, most, users, value):
            return {"kind": "modalities", "fewest": fewest, "most": most, "users": users,
                    "metrics": dict.fromkeys(modalities.METRICS, value)}  # fmt: skip

        other = {**group(0, 9, 1, 9), "kind": "items"}
        cell = modalities.cell({
            11: run_of(0.1, [group(2, 2, 10, 0.2), group(0, 0, 4, 0.0), other]),
            12: run_of(0.3, [group(2, 2, 20, 0.4), other]),
        })  # fmt: skip
        self.assertEqual([(one["fewest"], one["most"]) for one in cell["groups"]], [(0, 0), (2, 2)])
        self.assertEqual(cell["groups"][1]["users"], 15)
        self.assertAlmostEqual(cell["groups"][1]["metrics"]["recall@20"]["mean"], 0.3)


class StudyTests(unittest.TestCase):
    """Whole studies with the program, on generated data."""

    @classmethod
    def setUpClass(cls):
        cls.work = support.folder() / "study"
        cls.data = cls.work / "data"
        cls.work.mkdir()
        run_command(
            ["data", "generate", "--out", str(cls.data), "--users", "120", "--items", "70",
             "--interactions", "10"])  # fmt: skip

    def study(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "study"), *arguments, "--data", str(self.data),
             "--out", str(self.work / "out"), "--mrdib", str(find_program()), "--epochs", "2",
             "--seeds", "11,12"],
            capture_output=True, text=True, check=False)  # fmt: skip

    def content(self, name: str) -> dict:
        return json.loads((self.work / "out" / f"{name}.json").read_text(encoding="utf-8"))

    def test_missing(self):
        arguments = ["missing", "--models", "vbpr,pop", "--rates", "0,0.5"]
        first = self.study(*arguments)
        self.assertEqual(first.returncode, 0, first.stderr)
        content = self.content("missing")
        self.assertEqual(
            [(row["model"], row["side"]) for row in content["rows"]],
            [("vbpr", "plain"), ("vbpr", "gated"), ("pop", "plain")])  # fmt: skip
        cell = content["rows"][1]["cells"]["50 %"]
        self.assertEqual(cell["metrics"]["recall@20"]["runs"], 2)
        self.assertIsNotNone(cell["metrics"]["recall@20"]["deviation"])
        self.assertEqual([group["most"] for group in cell["groups"]], [0, 1, 2])
        # The seeds removed modalities from other items, and popularity does not notice.
        popularity = content["rows"][2]["cells"]
        self.assertEqual(popularity["0 %"]["metrics"], popularity["50 %"]["metrics"])
        page = (self.work / "out" / "missing.md").read_text(encoding="utf-8")
        self.assertRegex(page, r"\| data \| vbpr \| gated \| 0\.\d{4} ± 0\.\d{4} \| .* %\) \|")
        again = self.study(*arguments)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(content["rows"], self.content("missing")["rows"])

    def test_vision_and_neighbours(self):
        done = self.study("vision", "--models", "viral,vbpr", "--set", "input_width=pad")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = self.content("vision")["rows"]
        self.assertEqual(list(rows[0]["cells"]), ["both", "concat", "text only", "vision only"])
        self.assertEqual(list(rows[1]["cells"]), ["both", "text only", "vision only"])
        for row in rows:
            found = row["contributions"]["recall@20"]
            both = row["cells"]["both"]["metrics"]["recall@20"]["by_seed"]["11"]
            text = row["cells"]["text only"]["metrics"]["recall@20"]["by_seed"]["11"]
            self.assertAlmostEqual(found["vision"]["by_seed"]["11"], both / text - 1)
        done = self.study("neighbours", "--models", "freedom", "--counts", "3,10")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(list(self.content("neighbours")["rows"][0]["cells"]), ["3", "10"])

    def test_refused(self):
        done = self.study("gains", "--models", "vbpr,pop")
        self.assertEqual(done.returncode, 1)
        self.assertIn("pop cannot be trained with MRdIB", done.stderr)
        done = self.study("vision", "--models", "vbpr", "--text", "title")
        self.assertEqual(done.returncode, 1)
        self.assertIn("has the modalities visual, text", done.stderr)
