"""Readers of files: what they read, and that damage gives a sentence and nothing else."""

from __future__ import annotations

import ctypes.util
import random
import unittest
from collections.abc import Callable
from pathlib import Path

import numpy as np
from support import folder

from mrdib import digests
from mrdib.errors import FileError
from mrdib.files import MappedFile
from mrdib.identifiers import Identifiers
from mrdib.interactions import InteractionFile
from mrdib.npy import mapped_array, mapped_matrix
from mrdib.records import Metrics
from mrdib.safetensors import SafetensorsFile
from mrdib.yaml_subset import Plain, read_yaml


class YAMLTests(unittest.TestCase):
    def read(self, text: str) -> object:
        return read_yaml(text, Path("some.yaml"))

    def test_what_mrdib_writes(self) -> None:
        text = """
# comment
name: shop-2  # behind
path: "/a \\"b\\" \\u002a \\U0001F600#1"
modalities:
  - name: text
    file: text_feat.npy
  - {name: audio, file: 'it''s.npy'}
flat:
- a
- 1e-08
list: [recall, 5, true, ""]
nothing:
empty: []
"""
        found = self.read(text)
        self.assertEqual(
            found,
            {
                "name": "shop-2", "path": '/a "b" * 😀#1', "flat": ["a", "1e-08"],
                "modalities": [{"name": "text", "file": "text_feat.npy"},
                               {"name": "audio", "file": "it's.npy"}],
                "list": ["recall", "5", "true", ""], "nothing": "", "empty": [],
            },
        )  # fmt: skip
        self.assertEqual(self.read("# only a comment\n"), {})

    def test_plain_words_have_values_and_quoted_ones_do_not(self) -> None:
        words = {"5": 5, "-3": -3, "1e-08": 1e-8, ".5": 0.5, "true": True, "no": "no", "": None,
                 "010": 10.0, "recall@20": "recall@20"}  # fmt: skip
        for word, value in words.items():
            self.assertEqual(Plain(word).value(), value, word)
        found = self.read('a: "5"\nb: 5\n')
        assert isinstance(found, dict)
        self.assertNotIsInstance(found["a"], Plain)
        self.assertIsInstance(found["b"], Plain)

    def test_everything_else_is_refused_with_its_line(self) -> None:
        for text, line in (
            ("a: 1\nb: *name\n", 2), ("a: &x 1\n", 1), ("a: |\n  text\n", 1), ("a: 1\na: 2\n", 2),
            ("a: [1, 2\n", 1), ("a: 'x\n", 1), ('a: "x" y\n', 1), ("a:\n    b: 1\n  c: 2\n", 3),
            ("words\n", 1), ("a: {b}\n", 1), ('a: "\\q"\n', 1), ("[" * 50, 1), ("a: !t x\n", 1),
        ):  # fmt: skip
            with self.assertRaisesRegex(FileError, f"'some.yaml': line {line} ", msg=text):
                self.read(text)


class FileTests(unittest.TestCase):
    def write(self, name: str, data: bytes) -> Path:
        path = folder() / name
        path.write_bytes(data)
        return path

    def test_arrays_of_numpy(self) -> None:
        for number, array in enumerate(
            (np.arange(6, dtype="<f4").reshape(2, 3), np.asfortranarray(np.eye(3, 4)),
             np.ones((2, 2), dtype=">f8"), np.zeros((0, 3), dtype="<f2"))
        ):  # fmt: skip
            path = folder() / f"array-{number}.npy"
            np.save(path, array)
            np.testing.assert_array_equal(mapped_matrix(MappedFile(path)), array)
        path = folder() / "objects.npy"
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
        with self.assertRaisesRegex(FileError, "pickled objects"):
            mapped_array(MappedFile(path))
        np.save(path, np.zeros(3))
        with self.assertRaisesRegex(FileError, "not a matrix"):
            mapped_matrix(MappedFile(path))

    def test_tables_of_ids(self) -> None:
        path = self.write("users.tsv", "userID\tid\n0\tB\n1\tü 2\n".encode())
        self.assertEqual(Identifiers(path, "user").ids, ["B", "ü 2"])
        path = self.write("map.csv", b"asin\titemID\r\nX\t1\r\nY\t0\r\n")
        self.assertEqual(Identifiers(path, "item").ids, ["Y", "X"])
        for text, problem in (
            (b"userID\tid\n0\tB\n2\tC\n", "not numbered"), (b"userID\tid\n0\tB\n1\tB\n", "twice"),
            (b"userID\tid\n0\tB\n0\tC\n", "line 3 repeats row 0"), (b"a\tb\n", "header"),
            (b"userID\tid\n0\n", "line 2"), (b"userID\tid\n0\t\n", "line 2"),
            (b"userID\tid\n0\t\xff\n", "not UTF-8"), (b"userID\tid\n", "not numbered"),
        ):  # fmt: skip
            with self.assertRaisesRegex(FileError, problem):
                Identifiers(self.write("users.tsv", text), "user")

    def test_interactions_of_both_dialects(self) -> None:
        text = b"\xef\xbb\xbfx_label\tuser_id:token\titem_id:token\trating:float\n2.0\t1\t0\t\n"
        found = InteractionFile(self.write("a.inter", text))
        self.assertEqual((found.users[0], found.items[0]), (1, 0))
        assert found.labels is not None and found.ratings is not None
        self.assertEqual(found.labels[0], 2)
        self.assertTrue(np.isnan(found.ratings[0]))
        self.assertIsNone(found.times)
        for text, problem in (
            (b"userID\titemID\n0\t-1\n", "ids outside"), (b"userID\titemID\n0\n", "a.inter"),
            (b"userID\titemID\tx_label\n0\t0\t3\n", "line 2 has the x_label 3"),
            (b"userID,itemID\n0,1\n", "separated by a tab"),
            (b"userID\titemID\n", "no interactions"),
        ):  # fmt: skip
            with self.assertRaisesRegex(FileError, problem):
                InteractionFile(self.write("a.inter", text))

    def test_damage_gives_a_sentence_and_nothing_else(self) -> None:
        npy = folder() / "good.npy"
        np.save(npy, np.arange(12, dtype="<f4").reshape(3, 4))
        header = (
            b'{"__metadata__":{"a":"b"},"t":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}'
        )
        tensors = len(header).to_bytes(8, "little") + header + bytes(16)
        yaml = b'name: "a\\u0041"\nm:\n  - name: x\n    file: y\nlist: [a, {b: c}]\n'
        epoch = b'{"epoch":0,"version":1,"loss":{"total":1.5,"a":null}}\n'
        readers: list[tuple[bytes, Callable[[Path], object]]] = [
            (npy.read_bytes(), lambda path: mapped_array(MappedFile(path))),
            (tensors, lambda path: dict(SafetensorsFile(path))),
            (yaml, lambda path: read_yaml(path.read_text(errors="replace"), path)),
            (b"itemID\tid\ttitle\n0\tB\tx\n1\tC\ty\n", lambda path: Identifiers(path, "item")),
            (b"userID\titemID\tx_label\n0\t1\t0\n1\t1\t2\n", InteractionFile),
            (epoch + epoch.replace(b"0", b"1", 1), Metrics.read),
        ]
        numbers = random.Random(5)
        refused = 0
        for good, read in readers:
            read(self.write("damaged", good))
            for _ in range(100):
                data = bytearray(good)
                for _ in range(numbers.randint(1, 3)):
                    position = numbers.randrange(len(data))
                    data[position] = numbers.choice((0, 0x22, 0x39, 0xFF, numbers.randrange(256)))
                if numbers.random() < 0.3:
                    del data[numbers.randrange(len(data)) :]
                try:
                    read(self.write("damaged", bytes(data)))
                except FileError as error:
                    self.assertIn("damaged", str(error))
                    refused += 1
        self.assertGreater(refused, 200)


class DigestTests(unittest.TestCase):
    @unittest.skipUnless(ctypes.util.find_library("xxhash"), "libxxhash is not installed")
    def test_digests_are_those_of_xxh128sum(self) -> None:
        self.assertTrue(digests.can_check())
        self.assertEqual(digests.digest_of(b""), "xxh128:99aa06d3014798d86001c324468d497f")
        library = digests._library()
        assert library is not None
        for size in (0, 1, 100, 300, 5000):
            data = np.arange(size, dtype=np.int64).astype(np.uint8)
            own = digests._LibraryHash(library)
            own.update(data[: size // 3])
            own.update(data[size // 3 :])
            self.assertEqual(f"xxh128:{own.hexdigest()}", digests.digest_of(data))


if __name__ == "__main__":
    unittest.main()
