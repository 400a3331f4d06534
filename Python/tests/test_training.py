"""Training from Python: epochs as they come, and what ends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
import unittest
from pathlib import Path

import numpy as np
from support import folder, needs_program, shop

import mrdib
from mrdib.errors import ProgramError
from mrdib.program import find_program

FOREVER = {"model": "bpr", "epochs": 100_000, "settings": {"stopping_step": 100_000}}


def processes(run: Path) -> list[int]:
    """The processes that have a run's directory on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(run).encode() in entry.read_bytes():
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return [process for process in found if process != os.getpid()]


@needs_program
class TrainingTests(unittest.TestCase):
    def test_every_epoch_comes_once_and_a_finished_run_shows_them_again(self) -> None:
        run = folder() / "finished"
        training = mrdib.train(shop(), run, model="bpr", epochs=5, workers=1, servers=1)
        epochs = list(training)
        self.assertEqual([epoch.number for epoch in epochs], [0, 1, 2, 3, 4])
        self.assertEqual(epochs, list(training.run.metrics))
        self.assertEqual(list(training), epochs)
        self.assertEqual(training.run.summary["epochs_run"], 5)

    def test_leaving_the_loop_stops_the_program_and_the_next_resumes(self) -> None:
        run = folder() / "left"
        for epoch in mrdib.train(mrdib.Dataset.open(shop()), run, workers=1, servers=1, **FOREVER):
            if epoch.number == 2:
                self.assertTrue(processes(run))
                break
        self.assertEqual(processes(run), [])
        before = list(mrdib.Run.open(run).metrics)
        self.assertEqual(mrdib.Run.open(run).summary["outcome"], "interrupted")
        with mrdib.train(shop(), run, workers=1, servers=1, **FOREVER) as training:
            seen = []
            for epoch in training:
                seen.append(epoch)
                if len(seen) == len(before) + 2:
                    break
        self.assertEqual(processes(run), [])
        self.assertEqual([epoch.number for epoch in seen], list(range(len(before) + 2)))
        self.assertEqual([e.loss for e in seen[: len(before)]], [e.loss for e in before])

    def test_an_exception_in_the_loop_stops_the_program_while_it_is_held(self) -> None:
        run = folder() / "raised"
        training = mrdib.train(shop(), run, single_process=True, **FOREVER)

        def cell() -> None:
            for _ in training:
                self.assertTrue(processes(run))
                raise KeyboardInterrupt

        try:
            cell()
        except KeyboardInterrupt as error:
            # A notebook keeps the exception with its frames.
            self.assertIsNotNone(error.__traceback__)
            self.assertEqual(processes(run), [])
        self.assertEqual(training.run.summary["outcome"], "interrupted")

    def test_overwriting_shows_no_epoch_of_the_run_before(self) -> None:
        run = folder() / "overwritten"
        options = {"model": "bpr", "single_process": True}
        first = list(mrdib.train(shop(), run, epochs=6, seed=1, **options))
        failing = mrdib.train(shop(), run, overwrite=True, settings={"alhpa1": 0.1})
        for _ in range(2):
            with self.assertRaisesRegex(ProgramError, "exit code 78"):
                list(failing)
        self.assertEqual(list(mrdib.Run.open(run).metrics), first)
        again = mrdib.train(shop(), run, epochs=3, seed=2, overwrite=True, **options)
        second = list(again)
        self.assertEqual([epoch.number for epoch in second], [0, 1, 2])
        self.assertNotEqual(first[0].loss, second[0].loss)
        self.assertEqual(list(again), second, "it begins from scratch once")

    def test_failures_have_the_sentence_of_the_program(self) -> None:
        training = mrdib.train(shop(), folder() / "failed", settings={"alhpa1": 0.1})
        with self.assertRaises(ProgramError) as caught:
            list(training)
        self.assertEqual(caught.exception.exit_code, 78)
        self.assertIn("there is no setting 'alhpa1'; did you mean 'alpha1'?", str(caught.exception))
        with self.assertRaisesRegex(ProgramError, "exit code 66.*no such folder"):
            list(mrdib.train(folder() / "nothing", folder() / "failed"))

    def test_a_missing_program(self) -> None:
        with self.assertRaisesRegex(ProgramError, "'/no/mrdib' of program=: there is no such"):
            list(mrdib.train(shop(), folder() / "failed", program="/no/mrdib"))

    def test_settings_are_written_as_yaml(self) -> None:
        run = mrdib.train(
            shop(), folder() / "settings", model="vbpr", epochs=1, single_process=True,
            settings={"topk": [3, np.int64(7)], "selection_metric": "recall@7",
                      "learning_rate": np.float64(1e-05), "stochastic": np.bool_(False),
                      "metrics": ["recall", "map"]},
        ).finish()  # fmt: skip
        found = {key: run.config[key] for key in ("topk", "learning_rate", "stochastic", "metrics")}
        self.assertEqual(
            found, {"topk": [3, 7], "learning_rate": 1e-05, "stochastic": False,
                    "metrics": ["recall", "map"]},
        )  # fmt: skip


@needs_program
class EndOfPythonTests(unittest.TestCase):
    def start(self, name: str, body: str) -> tuple[subprocess.Popen[str], Path]:
        """A process of Python that trains, after its first epoch."""
        run = folder() / name
        # A shell that starts the tests in the background makes them ignore interrupts.
        code = f"""
            import signal
            signal.signal(signal.SIGINT, signal.default_int_handler)
            import mrdib
            training = mrdib.train(
                {str(shop())!r}, {str(run)!r}, workers=1, servers=1, **{FOREVER!r})
            """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code) + textwrap.dedent(body)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=os.environ | {"MRDIB_PROGRAM": find_program()},
        )  # fmt: skip
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "0\n")
        return process, run

    def test_an_interrupt_stops_the_program(self) -> None:
        process, run = self.start(
            "interrupted", "for epoch in training: print(epoch.number, flush=True)"
        )
        self.assertTrue(processes(run))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertIn("KeyboardInterrupt", errors)
        self.assertEqual(processes(run), [])
        self.assertEqual(mrdib.Run.open(run).summary["outcome"], "interrupted")

    def test_the_end_of_python_stops_the_program(self) -> None:
        process, run = self.start(
            "ended", "epochs = iter(training)\nprint(next(epochs).number, flush=True)"
        )
        process.communicate(timeout=60)
        deadline = time.monotonic() + 10
        while processes(run) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(processes(run), [])
        self.assertEqual(mrdib.Run.open(run).summary["outcome"], "interrupted")


if __name__ == "__main__":
    unittest.main()
