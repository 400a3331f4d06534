"""Data sets and runs that the tests share, made by the program once."""

from __future__ import annotations

import atexit
import csv
import json
import os
import random
import shutil
import tempfile
import unittest
from functools import cache
from pathlib import Path

import mrdib
from mrdib.errors import ProgramError
from mrdib.program import find_program, run_command

ALL_METRICS = [
    "recall", "ndcg", "precision", "map", "hit", "mrr", "coverage", "gini", "entropy",
    "popularity", "novelty", "tail",
]  # fmt: skip


@cache
def folder() -> Path:
    """A folder for the files of this process."""
    made = Path(tempfile.mkdtemp(prefix="mrdib-tests-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


@cache
def shop() -> Path:
    """A split data set with original ids, titles and two modalities, one of which some items
    lack."""
    work = folder()
    generated = work / "generated"
    run_command(
        ["data", "generate", "--out", str(generated), "--users", "260", "--items", "120",
         "--interactions", "14"]
    )  # fmt: skip
    source = mrdib.Dataset.open(generated)
    with open(work / "ratings.csv", "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["user_id", "item_id", "rating", "timestamp"])
        numbers = zip(source.interactions.users, source.interactions.items, strict=True)
        for position, (user, item) in enumerate(numbers):
            rows.writerow([f"Ü {user}", f"B{item:03}", 1 + position % 5, 1_500_000_000 + position])
    with open(work / "items.jsonl", "w", encoding="utf-8") as file:
        for item in range(120):
            file.write(json.dumps({"item_id": f"B{item:03}", "title": f"Title {item}"}) + "\n")
    (work / "ids.txt").write_text("".join(f"B{item:03}\n" for item in range(120)))
    numbered = random.Random(1)
    with open(work / "text.csv", "w", encoding="utf-8") as file:
        for item in range(5, 120):
            numbers = ",".join(f"{numbered.gauss(0, 1):.4f}" for _ in range(12))
            file.write(f"B{item:03},{numbers}\n")
    run_command(
        ["data", "import", str(work / "ratings.csv"), "--items", str(work / "items.jsonl"),
         "--features", f"visual={generated / 'image_feat.npy'}", "--ids", str(work / "ids.txt"),
         "--out", str(work / "whole"), "--quiet"]
    )  # fmt: skip
    run_command(["data", "features", str(work / "whole"), "--add", f"text={work / 'text.csv'}"])
    run_command(
        ["data", "split", str(work / "whole"), "--out", str(work / "shop"), "--quiet",
         "--ratios", "0.7,0.15,0.15"]
    )  # fmt: skip
    return work / "shop"


@cache
def trained() -> mrdib.Run:
    """A run on `shop` with checkpoints of two servers."""
    return mrdib.train(
        shop(), folder() / "run", model="vbpr", epochs=4, workers=1, servers=2, threads=1,
        settings={"metrics": ALL_METRICS, "learning_rate": 0.01},
    ).finish()  # fmt: skip


def copy_of_run(name: str) -> Path:
    """A copy that a test may damage."""
    made = folder() / name
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(trained().path, made)
    return made


def flip(path: Path, position: int = -1) -> None:
    """Changes a byte of a file."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def has_program() -> bool:
    """Whether the program is there."""
    try:
        find_program()
    except ProgramError:
        return False
    return True


needs_program = unittest.skipUnless(
    has_program() or "CI" in os.environ, "the program mrdib is not there (MRDIB_PROGRAM)"
)


def module_exists(name: str) -> bool:
    """Whether an optional package is installed."""
    try:
        __import__(name)
    except ImportError:
        return False
    return True


needs_pandas = unittest.skipUnless(module_exists("pandas"), "pandas is not installed")
needs_arrow = unittest.skipUnless(module_exists("pyarrow"), "pyarrow is not installed")
