"""What scripts/encode-texts refuses, before it installs an encoder."""

from __future__ import annotations

import subprocess
import sys
import unittest
from pathlib import Path

import support

ROOT = Path(__file__).resolve().parents[2]


class RefusedTests(unittest.TestCase):
    def encode(self, *arguments: str) -> subprocess.CompletedProcess:
        self.environment = support.folder() / "encoders"
        return subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "encode-texts"), *arguments, "--environment",
             str(self.environment), "--out", str(support.folder() / "texts.npz")],
            capture_output=True, text=True, check=False)  # fmt: skip

    def refused(self, sentence: str, *arguments: str) -> None:
        done = self.encode(*arguments)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertFalse(self.environment.exists(), "an encoder was installed for nothing")

    def test_fewer_descriptions_than_items(self):
        shop = support.folder() / "texts-shop"
        shop.mkdir()
        table = "itemID\tid\ttitle\n0\ta\tTea\n1\tb\tCup\n"
        (shop / "items.tsv").write_text(table, encoding="utf-8")
        few = support.folder() / "few.txt"
        few.write_text("a green tin\n", encoding="utf-8")
        self.refused("has 1 lines and", str(shop), "--descriptions", str(few))

    def test_nothing_to_encode(self):
        empty = support.folder() / "empty-shop"
        empty.mkdir()
        self.refused("it has no items.tsv", str(empty))
        blank = support.folder() / "blank.txt"
        blank.write_text("\n\n", encoding="utf-8")
        self.refused("no item has a text", str(blank))
