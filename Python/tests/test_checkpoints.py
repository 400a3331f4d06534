"""Checkpoints of several servers have the rows that the program exports."""

from __future__ import annotations

import json
import unittest
from pathlib import Path

import numpy as np
from support import copy_of_run, flip, folder, needs_program, shop, trained

import mrdib
from mrdib.program import run_command
from mrdib.safetensors import SafetensorsFile


@needs_program
class CheckpointTests(unittest.TestCase):
    def test_tables_and_states_are_those_of_the_export(self) -> None:
        checkpoint = trained().checkpoint()
        self.assertEqual(len(checkpoint.manifest["shards"]), 2)
        out = folder() / "exported"
        run_command(
            ["checkpoint", "export", str(checkpoint.folder), "--out", str(out), "--with-state"]
        )
        exported = SafetensorsFile(out / "parameters.safetensors")
        compared = 0
        for name, array in exported.items():
            table, _, state = name.partition("/")
            found = checkpoint.state(table, state) if state else checkpoint[table]
            np.testing.assert_array_equal(found, array, err_msg=name)
            compared += 1
        self.assertGreater(compared, 20)
        self.assertEqual(checkpoint.states, ["exp_avg", "exp_avg_sq"])
        with self.assertRaises(KeyError):
            checkpoint["nothing"]
        with self.assertRaisesRegex(mrdib.MrdibError, "no state 'momentum' of a table 'user'"):
            checkpoint.state("user", "momentum")

    def test_rows_that_lack_no_steps_need_no_program(self) -> None:
        run = mrdib.train(
            shop(), folder() / "sgd", model="bpr", epochs=2, single_process=True,
            settings={"optimizer": "sgd", "learning_rate": 0.1,
                      "checkpoint_folder": str(folder() / "shared")},
        ).finish()  # fmt: skip
        self.assertEqual(run.checkpoint().folder.parent.parent, folder() / "shared")
        alone = mrdib.Checkpoint(run.checkpoint().folder, program="/no/mrdib")
        np.testing.assert_array_equal(alone["user"], run.checkpoint()["user"])
        self.assertEqual(alone.states, [])
        behind = mrdib.Checkpoint(trained().checkpoint().folder, program="/no/mrdib")
        self.assertEqual(behind["final.item"].shape, behind.shapes["final.item"])
        with self.assertRaises(mrdib.ProgramError) as caught:
            behind["user"]
        self.assertIn("so the program is needed", caught.exception.__notes__[0])

    def test_the_newest_comes_first(self) -> None:
        versions = [checkpoint.version for checkpoint in trained().checkpoints]
        self.assertEqual(versions, sorted(versions, reverse=True))
        self.assertGreater(len(versions), 0)

    def newest(self, name: str) -> Path:
        return mrdib.Run.open(copy_of_run(name)).checkpoint().folder

    def test_damage_is_found(self) -> None:
        path = self.newest("damaged-rows") / "server-1-of-2.safetensors"
        flip(path)
        with self.assertRaisesRegex(mrdib.FileError, "server-1-of-2.*digest is not the recorded"):
            mrdib.Checkpoint(path.parent)["user"]
        path = self.newest("damaged-manifest") / "manifest.json"
        path.write_text(path.read_text().replace('"epoch" : ', '"epoch" : 1'))
        with self.assertRaisesRegex(mrdib.FileError, "does not match its digest"):
            mrdib.Checkpoint(path.parent)
        path.unlink()
        with self.assertRaisesRegex(mrdib.FileError, "not all servers have written"):
            mrdib.Checkpoint(path.parent)

    def test_other_formats_and_places_are_refused(self) -> None:
        path = self.newest("newer-manifest") / "manifest.json"
        value = json.loads(path.read_text())
        path.write_text(json.dumps(value | {"format_version": 4}))
        with self.assertRaisesRegex(mrdib.FileError, "its format_version is 4"):
            mrdib.Checkpoint(path.parent)
        moved = self.newest("misplaced")
        moved = moved.rename(moved.with_name("v0000009999-g1"))
        with self.assertRaisesRegex(mrdib.FileError, "not of this folder"):
            mrdib.Checkpoint(moved)


if __name__ == "__main__":
    unittest.main()
