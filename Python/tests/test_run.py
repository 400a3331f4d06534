"""Runs are read as the program wrote them, and ranked as it ranks."""

from __future__ import annotations

import json
import math
import shutil
import unittest

import numpy as np
from support import copy_of_run, flip, folder, needs_arrow, needs_program, shop, trained

import mrdib
from mrdib.program import run_command


def recommended(*options: str) -> list[dict]:
    """What `mrdib recommend` prints, a dictionary per user."""
    path = str(trained().path)
    text = run_command(["recommend", "--run", path, "--format", "jsonl", *options])
    return [json.loads(line) for line in text.splitlines()]


@needs_program
@needs_arrow
class ParquetTests(unittest.TestCase):
    def test_vectors_are_read_back_to_the_bit_with_their_ids(self) -> None:
        import pyarrow.parquet

        run = trained()
        paths = run.to_parquet(folder() / "parquet")
        self.assertEqual([path.name for path in paths], ["user.parquet", "item.parquet"])
        table = pyarrow.parquet.read_table(paths[1])
        self.assertEqual(table.column_names, ["row", "id", "title", "vector"])
        vectors = np.array(table["vector"].to_pylist(), dtype=np.float32)
        self.assertTrue((vectors.view(np.int32) == run.item_vectors.view(np.int32)).all())
        self.assertEqual(table["id"].to_pylist(), list(run.item_ids.ids))
        self.assertEqual(table["row"].to_pylist(), list(range(len(vectors))))
        with self.assertRaisesRegex(mrdib.FileError, "it exists"):
            run.to_parquet(folder() / "parquet")
        dense = run.to_parquet(folder() / "parquet-dense", ids="dense")
        table = pyarrow.parquet.read_table(dense[0])
        self.assertEqual(table.column_names, ["row", "id", "vector"])
        self.assertEqual(table["id"].to_pylist()[:3], ["0", "1", "2"])


@needs_program
class RecordTests(unittest.TestCase):
    def test_metrics_are_those_of_the_file(self) -> None:
        lines = (trained().path / "metrics.jsonl").read_text().splitlines()
        written = [json.loads(line) for line in lines]
        metrics = trained().metrics
        self.assertEqual(list(metrics.epochs), [0, 1, 2, 3])
        for group in ("loss", "stat", "valid", "test", "seconds"):
            for name in written[0][group]:
                found = metrics[f"{group}.{name}"]
                self.assertEqual(list(found), [epoch[group][name] for epoch in written])
        self.assertEqual(metrics[2].loss["total"], written[2]["loss"]["total"])
        self.assertEqual(metrics[2]["valid.recall@20"], written[2]["valid"]["recall@20"])
        with self.assertRaisesRegex(mrdib.MrdibError, "No epoch has 'loss.tot'.*loss.total"):
            metrics["loss.tot"]

    def test_null_is_nan_and_a_missing_number_too(self) -> None:
        run = mrdib.Run.open(copy_of_run("nulls"))
        (run.path / "metrics.jsonl").write_text(
            '{"epoch":0,"version":1,"loss":{"total":null,"other":1}}\n'
            '{"epoch":1,"version":2,"loss":{"total":2.5}}\n{"epoch":2,"ver'
        )
        self.assertEqual(len(run.metrics), 2, "half a line is still being written")
        self.assertTrue(math.isnan(run.metrics["loss.total"][0]))
        self.assertTrue(math.isnan(run.metrics["loss.other"][1]))
        (run.path / "metrics.jsonl").write_text('{"epoch":0,"version":1}\n[]\n')
        with self.assertRaisesRegex(mrdib.FileError, "metrics.jsonl': line 2 is not an epoch"):
            mrdib.Run.open(run.path).metrics

    def test_settings_have_their_types(self) -> None:
        config = trained().config
        self.assertEqual(config["model"], "vbpr")
        self.assertEqual(config["topk"], [5, 10, 20, 50])
        self.assertEqual(config["learning_rate"], 0.01)
        self.assertEqual(config["adam_epsilon"], 1e-8)
        self.assertIs(config["stochastic"], True)
        self.assertEqual(config["checkpoint_folder"], "")
        self.assertEqual(config["data"], str(shop()))
        self.assertGreater(trained().environment["cpu_cores"], 0)

    def test_files_of_other_releases_are_refused(self) -> None:
        for name, key, read in (
            ("summary.json", "schema_version", lambda run: run.summary),
            ("environment.json", "schema_version", lambda run: run.environment),
            ("best.json", "format_version", lambda run: run.model),
        ):
            run = mrdib.Run.open(copy_of_run("newer"))
            value = json.loads((run.path / name).read_text())
            value[key] = 99
            (run.path / name).write_text(json.dumps(value))
            with self.assertRaisesRegex(mrdib.FileError, f"{name}': its {key} is 99"):
                read(run)

    def test_other_folders_are_no_runs(self) -> None:
        with self.assertRaisesRegex(mrdib.FileError, "not the directory of a run"):
            mrdib.Run.open(shop())


@needs_program
class ModelTests(unittest.TestCase):
    def test_vectors_are_those_of_export(self) -> None:
        out = folder() / "export"
        run_command(["export", "--run", str(trained().path), "--out", str(out)])
        for name, vectors in (
            ("user", trained().user_vectors), ("item", trained().item_vectors)
        ):  # fmt: skip
            np.testing.assert_array_equal(vectors, np.load(out / f"{name}.npy"))
            self.assertFalse(vectors.flags.writeable)
            self.assertFalse(vectors.flags.owndata, "the numbers stay in the file")

    def test_parameters_have_the_shapes_of_the_tables(self) -> None:
        parameters = trained().model.parameters
        for name, shape in trained().checkpoint().shapes.items():
            if not name.startswith("final."):
                self.assertEqual(parameters[name].shape, shape)

    def test_damage_is_found(self) -> None:
        cases = (
            ("user.npy", lambda run: run.user_vectors),
            ("item.npy", lambda run: run.item_vectors),
            ("parameters.safetensors", lambda run: run.model.parameters),
        )
        for name, read in cases:
            run = mrdib.Run.open(copy_of_run("damaged-model"))
            flip(run.model.folder / name)
            with self.assertRaisesRegex(mrdib.FileError, f"{name}': its digest is not"):
                read(mrdib.Run.open(run.path))
            path = run.model.folder / name
            path.write_bytes(path.read_bytes()[:-4])
            with self.assertRaisesRegex(mrdib.FileError, name):
                read(mrdib.Run.open(run.path))
            path.unlink()
            with self.assertRaisesRegex(mrdib.FileError, f"{name}': there is no such file"):
                read(mrdib.Run.open(run.path))


@needs_program
class EvaluationOfRunTests(unittest.TestCase):
    def test_the_metrics_of_the_run_are_computed_again(self) -> None:
        for split in ("valid", "test"):
            recorded = trained().summary[split]
            again = trained().evaluate(split)
            self.assertEqual(again.keys(), recorded.keys())
            self.assertEqual(len(again), 48)
            for name, value in recorded.items():
                self.assertAlmostEqual(again[name], value, delta=1e-12, msg=f"{split} {name}")

    def test_some_metrics_at_other_cutoffs(self) -> None:
        found = trained().evaluate("test", metrics=["recall"], cutoffs=[3, 20])
        self.assertEqual(found.keys(), {"recall@3", "recall@20"})
        self.assertAlmostEqual(found["recall@20"], trained().summary["test"]["recall@20"])
        self.assertLess(found["recall@3"], found["recall@20"])
        with self.assertRaisesRegex(mrdib.MrdibError, "the metric 'auc': known are recall"):
            trained().evaluate("test", metrics=["auc"])
        with self.assertRaisesRegex(mrdib.MrdibError, "'train'; name one of valid, test"):
            trained().evaluate("train")

    def test_modalities_of_the_settings(self) -> None:
        run = mrdib.train(
            shop(), folder() / "named", model="vbpr", epochs=1, single_process=True,
            settings={"modalities": ["audio:text_feat.npy"], "alpha2": 0},
        ).finish()  # fmt: skip
        self.assertEqual([each.name for each in run.dataset.modalities], ["audio"])
        again = run.evaluate("test", metrics=["ndcg"], cutoffs=[50])
        self.assertAlmostEqual(again["ndcg@50"], run.summary["test"]["ndcg@50"], delta=1e-12)

    def test_a_model_without_features(self) -> None:
        run = mrdib.train(
            shop(), folder() / "bpr", model="bpr", epochs=2, single_process=True
        ).finish()
        for name, value in run.summary["valid"].items():
            self.assertAlmostEqual(run.evaluate("valid")[name], value, delta=1e-12)


@needs_program
class RecommendationTests(unittest.TestCase):
    def check(self, found: mrdib.Recommendations, printed: list[dict]) -> None:
        self.assertEqual(found.users, [user["user_id"] for user in printed])
        for items, user in zip(found, printed, strict=True):
            self.assertEqual([item.item for item in items], [i["item_id"] for i in user["items"]])
            self.assertEqual([item.row for item in items], [i["item"] for i in user["items"]])
            self.assertEqual([item.title for item in items], [i["title"] for i in user["items"]])
            np.testing.assert_allclose(
                [item.score for item in items], [i["score"] for i in user["items"]],
                rtol=1e-5, atol=1e-6,
            )  # fmt: skip

    def test_all_users_get_what_the_program_prints(self) -> None:
        self.check(trained().recommend(k=10), recommended("--all"))

    def test_some_users_in_their_order(self) -> None:
        users = ["Ü 7", "Ü 200", "Ü 7"]
        options = [word for user in users for word in ("--user", user)]
        self.check(trained().recommend(users, k=4), recommended(*options, "--top", "4"))

    def test_what_is_left_out(self) -> None:
        run = trained()
        for seen, option in ((False, "--include-seen"), ("all", "--exclude-all")):
            self.check(
                run.recommend(["Ü 3"], k=120, exclude_seen=seen),
                recommended("--user", "Ü 3", "--top", "120", option),
            )
        row = run.user_ids.row("Ü 3")
        left = run.recommend(["Ü 3"], k=120)
        self.assertEqual(len(left[0]), 120 - len(run.dataset.train[row]))
        self.assertEqual(left.item_rows[0, -1], -1)

    def test_dense_ids_and_blocks(self) -> None:
        run = trained()
        dense = run.recommend([5], k=3, ids="dense")
        self.assertEqual(dense.users, [5])
        self.assertEqual([i.item for i in dense[0]], [i.row for i in dense[0]])
        blocks = list(run.recommend_in_blocks(k=3))
        self.assertEqual([len(block) for block in blocks], [128, 128, 4])
        rows = np.concatenate([block.item_rows for block in blocks])
        np.testing.assert_array_equal(rows, run.recommend(k=3).item_rows)
        self.assertEqual(len(run.recommend([], k=3)), 0)
        self.assertEqual(run.recommend(5, k=3, ids="dense")[0], dense[0])
        self.assertEqual(run.recommend("Ü 3", k=3)[0], run.recommend(["Ü 3"], k=3)[0])

    def test_unknown_users(self) -> None:
        with self.assertRaisesRegex(mrdib.UnknownIdError, "no user 'x'.*users.tsv.*look like 'Ü"):
            trained().recommend(["x"])
        with self.assertRaisesRegex(mrdib.UnknownIdError, "no user 260: rows count from 0 to 259"):
            trained().recommend([260], ids="dense")
        with self.assertRaisesRegex(mrdib.MrdibError, "0 items"):
            trained().recommend(k=0)

    def test_data_that_was_moved_or_is_other(self) -> None:
        run = mrdib.Run.open(copy_of_run("moved"))
        text = (run.path / "config.resolved.yaml").read_text()
        (run.path / "config.resolved.yaml").write_text(text.replace(f'"{shop()}"', '"/nowhere"'))
        with self.assertRaisesRegex(mrdib.FileError, "'/nowhere': the data of .* is not there"):
            mrdib.Run.open(run.path).recommend(k=1)
        moved = mrdib.Run.open(run.path, data=shop())
        self.assertEqual(moved.recommend(["Ü 1"], k=1)[0], trained().recommend(["Ü 1"], k=1)[0])
        with self.assertRaisesRegex(mrdib.FileError, "not the data that"):
            mrdib.Run.open(run.path, data=folder() / "generated").recommend(k=1)

    def test_changed_ids_are_refused(self) -> None:
        copy = folder() / "renamed"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(shop(), copy)
        table = copy / "items.tsv"
        table.write_text(table.read_text().replace("B005", "B999"))
        run = mrdib.Run.open(trained().path, data=copy)
        with self.assertRaisesRegex(mrdib.FileError, "items.tsv': its ids have changed"):
            run.recommend(k=1)
        self.assertEqual(len(run.recommend([0], k=1, ids="dense")), 1)


if __name__ == "__main__":
    unittest.main()
