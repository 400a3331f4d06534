"""Data sets are read as the program reads them, and made by it of tables."""

from __future__ import annotations

import datetime
import json
import shutil
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from support import folder, needs_arrow, needs_pandas, needs_program, shop

import mrdib
from mrdib.dataset_digest import dataset_digest
from mrdib.program import run_command

if TYPE_CHECKING:
    import pandas


@needs_program
class ReadingTests(unittest.TestCase):
    def test_counts_and_digest_are_those_of_the_program(self) -> None:
        for path in (shop(), shop().parent / "generated"):
            data = mrdib.Dataset.open(path)
            stats = json.loads(run_command(["data", "stats", str(path), "--json"]))
            self.assertEqual(data.name, stats["name"])
            self.assertEqual((data.user_count, data.item_count), (stats["users"], stats["items"]))
            for split in ("train", "valid", "test"):
                self.assertEqual(len(data.pairs(split)[0]), stats[split])
            self.assertEqual(dataset_digest(data, with_features=True), stats["digest"])
            self.assertEqual(
                [(each.name, data.features[each.name].shape) for each in data.modalities],
                [(each["name"], (each["rows"], each["columns"])) for each in stats["features"]],
            )
            self.assertEqual(len(data.history), len(stats["history"]))

    def test_features_in_other_forms_have_the_digest_of_the_program(self) -> None:
        generated = shop().parent / "generated"
        made = folder() / "forms"
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(generated, made)
        features = np.load(made / "image_feat.npy")
        np.save(made / "image_feat.npy", np.asfortranarray(features.astype("<f2")))
        np.save(made / "text_feat.npy", np.load(made / "text_feat.npy").astype(">f8"))
        near = np.argsort(-(features @ features.T), axis=1)[:, :10]
        np.save(made / "text_knn10.npy", near.astype("<i8"))
        np.save(made / "text_knn5.npy", near[:, :5].astype("<i4").copy())
        stats = json.loads(run_command(["data", "stats", str(made), "--json"]))
        self.assertEqual(
            dataset_digest(mrdib.Dataset.open(made), with_features=True), stats["digest"]
        )

    def test_ids_titles_masks_and_values(self) -> None:
        data = mrdib.Dataset.open(shop())
        row = data.item_ids.row("B004")
        self.assertEqual(data.item_ids.columns["title"][row], "Title 4")
        self.assertFalse(data.masks["text"][row])
        self.assertFalse(data.features["text"][row].any())
        self.assertEqual(data.masks["text"].sum(), len(data.item_ids) - 5)
        self.assertTrue(data.masks["visual"].all())
        self.assertTrue(set(np.unique(data.interactions.ratings)) <= {1, 2, 3, 4, 5})
        self.assertGreaterEqual(data.interactions.times.min(), 1_500_000_000)

    def test_what_is_no_data_set(self) -> None:
        empty = folder() / "empty"
        empty.mkdir(exist_ok=True)
        with self.assertRaisesRegex(mrdib.FileError, "0 files that end with .inter"):
            mrdib.Dataset.open(empty)
        (empty / "a.inter").write_text("userID\titemID\tx_label\n0\t0\t0\n0\t1\tx\n")
        with self.assertRaisesRegex(mrdib.FileError, "a.inter'.*'x'.*row 1"):
            mrdib.Dataset.open(empty).train
        (empty / "a.inter").write_text("userID\titemID\n0\t0\n")
        with self.assertRaisesRegex(mrdib.MrdibError, "not split yet"):
            mrdib.Dataset.open(empty).train
        (empty / "dataset.yaml").write_text("nam: a\n")
        with self.assertRaisesRegex(mrdib.FileError, "no other keys than"):
            mrdib.Dataset.open(empty)
        shutil.rmtree(empty)

    def test_splitting_again(self) -> None:
        out = folder() / "by-time"
        data = mrdib.Dataset.open(shop().parent / "whole")
        self.assertFalse(data.is_split)
        split = data.split(out, by="time", ratios=(0.6, 0.2, 0.2), keep_cold_items=False)
        self.assertEqual(split.history[-1]["by"], "time")
        self.assertGreater(len(split.pairs("test")[0]), 0)
        with self.assertRaisesRegex(mrdib.ProgramError, "exit code 64"):
            data.split(folder() / "never", by="chance")


def purchases() -> pandas.DataFrame:
    """600 rows with ids that are hard on readers, ratings and times."""
    import pandas

    random = np.random.default_rng(3)
    return pandas.DataFrame(
        {
            "user_id": [f'u "{n}", ü' for n in random.integers(0, 40, 600)],
            "item_id": random.integers(1000, 1030, 600),
            "rating": random.integers(1, 6, 600),
            "timestamp": pandas.Timestamp("2021-05-01")
            + pandas.to_timedelta(random.integers(0, 10**6, 600), unit="s"),
        }
    )


@needs_program
@needs_pandas
class PandasTests(unittest.TestCase):
    def setUp(self) -> None:
        self.out = folder() / "made"
        shutil.rmtree(self.out, ignore_errors=True)

    def test_rows_come_back_as_they_were(self) -> None:
        frame = purchases()
        found = mrdib.Dataset.from_pandas(frame, self.out, split=None).to_pandas()
        self.assertEqual(list(found["user"]), list(frame["user_id"]))
        self.assertEqual(list(found["item"]), [str(item) for item in frame["item_id"]])
        self.assertEqual(list(found["rating"]), list(frame["rating"]))
        seconds = frame["timestamp"].astype("datetime64[s]").astype("int64")
        self.assertEqual(list(found["timestamp"]), list(seconds))

    def test_features_and_titles_are_matched_by_id(self) -> None:
        import pandas

        frame = purchases()
        ids = sorted(frame["item_id"].unique())
        random = np.random.default_rng(4)
        text = pandas.DataFrame(random.normal(size=(len(ids) - 2, 6)), index=ids[:-2])
        audio = {item: random.normal(size=3) for item in ids}
        image = (np.array(ids), random.normal(size=(len(ids), 4)).astype(np.float32))
        items = pandas.DataFrame(
            {"title": [f"Title\n{i}" for i in ids], "tags": [["a", "b"]] * len(ids)}, index=ids
        )
        data = mrdib.Dataset.from_pandas(
            frame, self.out, items=items, fill="mean",
            item_features={"text": text, "audio": audio, "visual": image},
            split={"by": "leave-one-out", "core": 2},
        )  # fmt: skip
        self.assertEqual({each.name for each in data.modalities}, {"text", "audio", "visual"})
        for row, id in enumerate(data.item_ids.ids):
            item = int(id)
            np.testing.assert_allclose(data.features["audio"][row], audio[item], rtol=1e-6)
            np.testing.assert_array_equal(data.features["visual"][row], image[1][ids.index(item)])
            if item in text.index:
                np.testing.assert_allclose(data.features["text"][row], text.loc[item], rtol=1e-6)
            self.assertEqual(data.masks["text"][row], item in text.index)
            self.assertEqual(data.item_ids.columns["title"][row], f"Title {item}")
            self.assertEqual(data.item_ids.columns["categories"][row], "a | b")
        steps = [step["step"] for step in data.history]
        self.assertEqual(steps, ["import", "features", "features", "features", "split"])
        self.assertEqual(data.history[-1]["by"], "leave-one-out")

    def test_a_split_that_is_there_is_kept(self) -> None:
        frame = purchases().drop_duplicates(["user_id", "item_id"]).reset_index(drop=True)
        frame["split"] = ["test" if n % 7 == 0 else "valid" if n % 7 == 1 else "train"
                          for n in range(len(frame))]  # fmt: skip
        found = mrdib.Dataset.from_pandas(frame, self.out).to_pandas()
        self.assertEqual(list(found["split"]), list(frame["split"]))

    def test_what_cannot_be_used_is_named(self) -> None:
        import pandas

        make = mrdib.Dataset.from_pandas
        frame = purchases()
        with self.assertRaisesRegex(mrdib.MrdibError, "column of users among who, item_id"):
            make(frame.rename(columns={"user_id": "who"}), self.out)
        with self.assertRaisesRegex(mrdib.MrdibError, "the role 'buyers'"):
            make(frame, self.out, columns={"buyers": "user_id"})
        gap = frame.astype({"rating": float})
        gap.loc[4, "rating"] = None
        with self.assertRaisesRegex(mrdib.MrdibError, "row 4: it has no rating.*'rating': None"):
            make(gap, self.out)
        self.assertNotIn(
            "rating", make(gap, self.out, columns={"rating": None}, split=None).to_pandas()
        )
        with self.assertRaisesRegex(mrdib.MrdibError, "something is there"):
            make(frame, self.out)
        make(frame, self.out, overwrite=True)
        gap = frame.astype({"user_id": object})
        gap.loc[2, "user_id"] = None
        with self.assertRaisesRegex(mrdib.MrdibError, "the user '' in row 2"):
            make(gap, self.out, overwrite=True)
        with self.assertRaisesRegex(mrdib.MrdibError, "features 'text': they are not vectors"):
            make(frame, self.out, overwrite=True, item_features={"text": {1000: [1], 1001: [1, 2]}})
        with self.assertRaisesRegex(mrdib.MrdibError, "features '../text': names are"):
            make(frame, self.out, overwrite=True, item_features={"../text": {1000: [1]}})
        with self.assertRaisesRegex(mrdib.ProgramError, "exit code"):
            make(frame, self.out, overwrite=True, split={"core": 500})
        self.assertEqual(len(pandas.unique(mrdib.Dataset.open(self.out).to_pandas()["user"])), 40)
        left = [path.name for path in folder().iterdir() if path.name.startswith(".mrdib-")]
        self.assertEqual(left, [], "nothing half-done is left behind")


@needs_program
@needs_pandas
@needs_arrow
class ArrowTests(unittest.TestCase):
    def make(self, name: str) -> Path:
        path = folder() / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def test_a_parquet_file_gives_what_its_frame_gives(self) -> None:
        frame = purchases()
        path = folder() / "purchases.parquet"
        frame.to_parquet(path, row_group_size=100)
        of_file = mrdib.Dataset.from_parquet(path, self.make("of-file") / "set")
        of_frame = mrdib.Dataset.from_pandas(frame, self.make("of-frame") / "set")
        for name in ("set.inter", "users.tsv", "items.tsv", "dataset.yaml"):
            self.assertEqual(
                (of_file.folder / name).read_bytes(), (of_frame.folder / name).read_bytes(), name
            )
        with self.assertRaisesRegex(mrdib.FileError, "no such file"):
            mrdib.Dataset.from_parquet(folder() / "none.parquet", folder() / "never")
        (folder() / "text.parquet").write_text("no Parquet")
        with self.assertRaisesRegex(mrdib.FileError, "text.parquet': it cannot be read"):
            mrdib.Dataset.from_parquet(folder() / "text.parquet", folder() / "never")

    def save(self, frame: pandas.DataFrame, path: Path) -> None:
        """The layout of `Dataset.save_to_disk`: two files in Arrow's stream format, and a list."""
        import pyarrow

        path.mkdir(parents=True)
        names = [f"data-{n:05}-of-00002.arrow" for n in range(2)]
        half = len(frame) // 2
        for name, rows in zip(names, (frame[:half], frame[half:]), strict=True):
            table = pyarrow.Table.from_pandas(rows, preserve_index=False)
            with pyarrow.ipc.new_stream(str(path / name), table.schema) as stream:
                stream.write_table(table)
        state = {"_data_files": [{"filename": name} for name in names], "_split": None}
        (path / "state.json").write_text(json.dumps(state))

    def test_a_saved_data_set(self) -> None:
        frame = purchases()
        self.save(frame, self.make("saved"))
        made = mrdib.Dataset.from_huggingface(folder() / "saved", self.make("of-saved"), split=None)
        self.assertEqual(list(made.to_pandas()["user"]), list(frame["user_id"]))
        self.assertEqual(
            made.interactions.times[0],
            frame["timestamp"][0].replace(tzinfo=datetime.UTC).timestamp(),
        )

    def test_the_parts_of_a_saved_dictionary_are_the_split(self) -> None:
        frame = purchases().drop_duplicates(["user_id", "item_id"])
        path = self.make("dictionary")
        parts = {"train": frame[:300], "validation": frame[300:350], "test": frame[350:]}
        for name, rows in parts.items():
            self.save(rows, path / name)
        (path / "dataset_dict.json").write_text(json.dumps({"splits": list(parts)}))
        made = mrdib.Dataset.from_huggingface(path, self.make("of-dictionary")).to_pandas()
        self.assertEqual(
            list(made["split"]), ["train"] * 300 + ["valid"] * 50 + ["test"] * len(frame[350:])
        )
        (path / "dataset_dict.json").write_text(json.dumps({"splits": ["train", "others"]}))
        (path / "test").rename(path / "others")
        with self.assertRaisesRegex(mrdib.FileError, "its parts are others, train"):
            mrdib.Dataset.from_huggingface(path, folder() / "never")


if __name__ == "__main__":
    unittest.main()
