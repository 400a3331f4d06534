"""Timed runs of the program, for scripts/bench."""

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time


class Failure(Exception):
    """A sentence about what could not be measured."""


class Usage:
    """What a process and its children took: seconds, CPU-seconds, peak MiB of the largest."""

    def __init__(self, output, seconds, usage):
        self.output, self.seconds = output, seconds
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss / 1024


def execute(command, environment=None):
    """Runs a program to its end."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=errors,
                                   env=dict(os.environ, **(environment or {})))
        try:
            # The usage of a process contains that of the children which it has waited for.
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            last = errors.read().decode(errors="replace").strip().splitlines()[-3:]
            raise Failure(f"'{' '.join(command)}' ended with {process.returncode}: "
                          f"{' | '.join(last)}")
        return Usage(output.read().decode(errors="replace"), seconds, usage)


class Series:
    """Repeated measurements of one quantity."""

    def __init__(self, values=()):
        self.values = list(values)

    def add(self, values):
        self.values += values

    @property
    def median(self):
        return statistics.median(self.values) if self.values else None

    def record(self):
        if not self.values:
            return None
        return {"median": self.median, "least": min(self.values), "most": max(self.values),
                "count": len(self.values)}

    def text(self, digits=3):
        if not self.values:
            return "–"
        return (f"{self.median:.{digits}f} ({min(self.values):.{digits}f}–"
                f"{max(self.values):.{digits}f})")


class Training:
    """A way to train, measured in several rounds."""

    def __init__(self, name, options):
        self.name, self.options = name, options
        self.train, self.evaluate, self.cpu, self.peak = Series(), Series(), Series(), Series()

    def measure(self, program, data, epochs, folder):
        """One round: a run of one epoch, and one of some more, whose difference is the cost of
        epochs without what a start costs."""
        first = self.run(program, data, 1, folder)
        whole = self.run(program, data, 1 + epochs, folder)
        lines = whole[1][1:]
        self.train.add([line["train"] for line in lines])
        self.evaluate.add([line["evaluate"] for line in lines if "evaluate" in line])
        self.cpu.add([(whole[0].cpu - first[0].cpu) / epochs])
        self.peak.add([whole[0].peak])

    def run(self, program, data, epochs, folder):
        directory = os.path.join(folder, "run")
        usage = execute([program, "train", "--data", data, "--epochs", str(epochs), "--quiet",
                         "--run", directory, "--overwrite", *self.options])
        with open(os.path.join(directory, "metrics.jsonl"), encoding="utf-8") as file:
            seconds = [json.loads(line)["seconds"] for line in file]
        shutil.rmtree(directory)
        return usage, seconds

    def record(self):
        return {"name": self.name, "options": self.options, "train_seconds": self.train.record(),
                "evaluate_seconds": self.evaluate.record(), "cpu_seconds": self.cpu.record(),
                "peak_mib": self.peak.record()}


def measure_in_turn(trainings, program, data, epochs, rounds, report):
    """All of them in each round, so that what else the machine does hits all alike."""
    with tempfile.TemporaryDirectory(prefix="mrdib-bench-") as folder:
        for number in range(rounds):
            for training in trainings:
                report(f"{training.name}, round {number + 1} of {rounds}")
                training.measure(program, data, epochs, folder)


def ratio(numerator, denominator):
    """A ratio of medians, or a dash."""
    if not numerator.values or not denominator.values or denominator.median == 0:
        return "–"
    return f"{numerator.median / denominator.median:.2f}"
