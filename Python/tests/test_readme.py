"""The example of the page is a program that runs."""

from __future__ import annotations

import contextlib
import io
import os
import re
import unittest
from pathlib import Path

from support import folder, needs_pandas, needs_program

import mrdib

PAGE = Path(__file__).parent.parent / "README.md"


@needs_program
@needs_pandas
class ExampleTests(unittest.TestCase):
    def test_the_blocks_run_one_after_the_other(self) -> None:
        blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
        self.assertGreater(len(blocks), 4)
        names: dict[str, object] = {}
        output = io.StringIO()
        before = Path.cwd()
        place = folder() / "example"
        place.mkdir()
        os.chdir(place)
        try:
            with contextlib.redirect_stdout(output):
                for block in blocks:
                    exec(compile(block, str(PAGE), "exec"), names)
        finally:
            os.chdir(before)
        # What comments promise is what was printed.
        for promised in re.findall(
            r"print\(.*\)\s+# (<.*>|\(.*\))$", "".join(blocks), re.MULTILINE
        ):
            self.assertIn(promised, output.getvalue())
        run = names["run"]
        assert isinstance(run, mrdib.Run)
        # Users like what is near their taste, so a model must be better than chance (20 of 150).
        self.assertGreater(run.summary["test"]["recall@20"], 0.25)


if __name__ == "__main__":
    unittest.main()
