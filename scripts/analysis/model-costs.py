"""Measures what every model costs: seconds per training epoch, per evaluation and per recommendation, and peak
memory, plain and (where it applies) with MRdIB in the same run.

usage: python3 scripts/analysis/model-costs.py DATA [--epochs 4] [--rounds 2] [--models bpr,vbpr]
                                               [--set KEY=VALUE ...] [--name NAME] [--report FILE]

Each model is trained in one process on one thread. The rounds of a model alternate between plain and MRdIB, so that
what else the machine does hits both; the ratio of the two is that of medians. The first epoch of a run is left out
(graphs are built and buffers touched for the first time), unless it is the only one. Peak memory is the whole
process: data, worker, server and coordinator.

MRdIB must cost nothing once trained. The evaluation and a recommendation are timed for both, and the shapes of the
matrices that rank are compared: the script fails if they differ.

Prints a Markdown table. With --report the table replaces what stands between
    <!-- model-costs NAME: begin --> and <!-- model-costs NAME: end -->
in the file, or is added at its end; NAME is by default the data set's folder. Needs no packages.
"""
import argparse
import ast
import datetime
import json
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PLAIN_ONLY = ["bpr", "lightgcn", "grcn"]
BACKBONES = ["vbpr", "freedom", "mgcn", "soil", "mmgcn", "dualgnn"]
MODELS = PLAIN_ONLY + BACKBONES
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Failure(Exception):
    """A sentence about what could not be measured."""


def run(command):
    """Runs a program; returns its output, seconds, and peak memory in MiB."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        if process.returncode != 0:
            last = errors.read().decode(errors="replace").strip().splitlines()[-3:]
            raise Failure(f"'{' '.join(command)}' ended with {process.returncode}: {' | '.join(last)}")
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def npy_shape(path):
    """The shape of a stored matrix."""
    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise Failure(f"'{path}' is no NPY file")
        version = file.read(2)[0]
        length = struct.unpack("<H" if version == 1 else "<I", file.read(2 if version == 1 else 4))[0]
        return ast.literal_eval(file.read(length).decode("latin1"))["shape"]


class Measurement:
    """What was measured of one model with one objective, over all rounds."""

    def __init__(self):
        self.train, self.evaluate, self.recommend, self.peaks = [], [], [], []
        self.shapes = None

    def add(self, program, data, model, objective, arguments, folder):
        directory = os.path.join(folder, "run")
        _, _, peak = run(
            [program, "train", "--data", data, "--model", model, "--objective", objective, "--single-process",
             "--shards", "1", "--epochs", str(arguments.epochs), "--quiet", "--run", directory, "--overwrite"]
            + [part for setting in arguments.settings for part in ("--set", setting)])
        with open(os.path.join(directory, "metrics.jsonl")) as file:
            seconds = [json.loads(line)["seconds"] for line in file]
        steady = seconds[1:] or seconds
        self.train += [epoch["train"] for epoch in steady]
        self.evaluate += [epoch["evaluate"] for epoch in steady if "evaluate" in epoch]
        self.peaks.append(peak)
        for user in range(3):
            _, elapsed, _ = run([program, "recommend", "--run", directory, "--user", str(user), "--top", "20"])
            self.recommend.append(elapsed)
        with open(os.path.join(directory, "best.json")) as file:
            best = os.path.join(directory, json.load(file)["folder"])
        self.shapes = [npy_shape(os.path.join(best, f"{side}.npy")) for side in ("user", "item")]
        shutil.rmtree(directory)

    def row(self, model, objective, plain):
        train = statistics.median(self.train)
        ratio = f"{train / statistics.median(plain.train):.3f}" if plain else ""
        users, items = self.shapes
        return (f"| {model} | {objective} | {train:.3f} | {min(self.train):.3f}–{max(self.train):.3f} | {ratio} "
                f"| {statistics.median(self.evaluate):.3f} | {1000 * statistics.median(self.recommend):.0f} "
                f"| {users[0]:,} + {items[0]:,} × {users[1]} | {max(self.peaks):,.0f} |")


HEADER = """\
| model | objective | train, s/epoch | lowest–highest | MRdIB ÷ plain | evaluate, s | recommend, ms | ranked with | peak, MiB |
|---|---|---|---|---|---|---|---|---|"""


def measure(program, model, arguments, folder):
    """The rows of one model."""
    objectives = ["plain"] + (["mrdib"] if model in BACKBONES else [])
    measured = {objective: Measurement() for objective in objectives}
    for _ in range(arguments.rounds):
        for objective in objectives:
            measured[objective].add(program, arguments.data, model, objective, arguments, folder)
    plain = measured["plain"]
    if any(other.shapes != plain.shapes for other in measured.values()):
        raise Failure(f"{model} ranks with matrices of other shapes under MRdIB: "
                      + ", ".join(f"{name} {value.shapes}" for name, value in measured.items()))
    return [
        measured[objective].row(model, objective, plain if objective != "plain" else None)
        for objective in objectives
    ]


def machine(program):
    """A line about the machine and how fast it is at this moment."""
    facts = dict(line.split("\t", 1) for line in run([program, "doctor"])[0].splitlines() if "\t" in line)
    return ", ".join(facts[key].split(" (")[0] for key in ("processor", "OpenBLAS kernels", "matrix product") if key in facts)


def write_report(path, name, text):
    """Puts the text between the markers of a name."""
    begin, end = f"<!-- model-costs {name}: begin -->", f"<!-- model-costs {name}: end -->"
    page = open(path, encoding="utf-8").read() if os.path.exists(path) else "# Costs of the models\n"
    block = f"{begin}\n{text}\n{end}"
    if begin in page and end in page:
        page = page[:page.index(begin)] + block + page[page.index(end) + len(end):]
    else:
        page = page.rstrip("\n") + "\n\n" + block + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def main():
    parser = argparse.ArgumentParser(description="Measures what every model costs on a data set.")
    parser.add_argument("data", help="the data set's folder")
    parser.add_argument("--epochs", type=int, default=4, help="epochs of a run; the first is left out")
    parser.add_argument("--rounds", type=int, default=2, help="runs per model and objective")
    parser.add_argument("--models", default=",".join(MODELS), help="models, separated by commas")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="a setting of all runs")
    parser.add_argument("--name", help="what the report calls this table")
    parser.add_argument("--report", help="a Markdown file to write the table into")
    parser.add_argument("--program", default=os.path.join(ROOT, ".build/release/mrdib"), help="the built program")
    arguments = parser.parse_args()
    models = [model for model in arguments.models.split(",") if model]
    unknown = [model for model in models if model not in MODELS]
    if unknown or arguments.epochs < 1 or arguments.rounds < 1:
        parser.error(f"there is no model {unknown[0]}; there are {', '.join(MODELS)}" if unknown
                     else "--epochs and --rounds are at least 1")
    name = arguments.name or os.path.basename(os.path.abspath(arguments.data))

    lines = [
        f"`{name}`, {datetime.date.today():%Y-%m}: {machine(arguments.program)}; {arguments.rounds} × "
        f"{arguments.epochs} epochs"
        + (f", {' '.join(arguments.settings)}" if arguments.settings else "") + ".", "", *HEADER.splitlines()]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory(prefix="model-costs-") as folder:
        for model in models:
            rows = measure(arguments.program, model, arguments, folder)
            print("\n".join(rows), flush=True)
            lines += rows
    if arguments.report:
        write_report(arguments.report, name, "\n".join(lines))


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"model-costs: {failure}")
