"""Next to Python's libraries, for scripts/bench --against python: implicit and Cornac, and steps of
VBPR, LightGCN and FREEDOM as a user of PyTorch would write them.

The libraries are installed from PyPI into a virtual environment in the cache folder, once. Each is
measured in a process of its own (bench_python_steps.py), in turn with mrdib, with the same data and
number of threads."""

import json
import os
import shutil
import subprocess
import sys

from bench_runs import Failure, Series, Training, execute

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ["numpy", "scipy", "implicit", "cornac", "torch"]
# Library and its model, next to our model: what is compared with what.
PAIRS = [("implicit", "bpr", "bpr"), ("cornac", "bpr", "bpr"), ("cornac", "vbpr", "vbpr"),
         ("torch", "vbpr", "vbpr"), ("torch", "lightgcn", "lightgcn"),
         ("torch", "freedom", "freedom")]
# Libraries that train with one example at a time have no step to parallelise: one thread.
THREADS = {"implicit": [1], "cornac": [1], "torch": [1, 2]}


def environment():
    """The interpreter of the virtual environment, which is made if it is not there."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(cache, "mrdib", "bench-python")
    python = os.path.join(folder, "bin", "python")
    done = os.path.join(folder, "complete")
    if not os.path.exists(done):
        print(f"bench: installing {', '.join(PACKAGES)} into {folder} (once, some minutes)",
              file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        execute([sys.executable, "-m", "venv", folder])
        pip = subprocess.run([python, "-m", "pip", "install", "--quiet",
                              "--disable-pip-version-check", *PACKAGES],
                             stderr=subprocess.PIPE, text=True, errors="replace")
        if pip.returncode != 0:
            raise Failure("pip cannot install the libraries: "
                          + pip.stderr.strip().splitlines()[-1])
        with open(done, "w", encoding="utf-8"):
            pass
    return python


def compare(program, data, arguments, report):
    """Adds the table to the report."""
    python = environment()
    name = os.path.basename(os.path.normpath(data))
    rows, records = [], []
    for library, model, ours in PAIRS:
        if ours not in arguments.models:
            continue
        for threads in THREADS[library]:
            theirs, versions = Series(), ""
            mine = Training(f"mrdib {ours}", [
                "--model", ours, "--objective", "plain", "--single-process", "--shards", "1",
                "--threads", str(threads)])
            for number in range(arguments.rounds):
                print(f"{name}: {library} {model}, {threads} threads, round {number + 1} of "
                      f"{arguments.rounds}", file=sys.stderr, flush=True)
                line = execute(
                    [python, os.path.join(HERE, "bench_python_steps.py"), data, library, model,
                     str(arguments.epochs), str(threads)], limited(threads)).output
                measured = json.loads(line.splitlines()[-1])
                theirs.add(measured["seconds"])
                versions = measured["version"]
                measure_ours(mine, program, data, arguments.epochs, arguments.out)
            rows.append([f"{library} {versions}", model, str(threads), theirs.text(),
                         mine.train.text(), f"{theirs.median / mine.train.median:.2f}"])
            records.append({"library": library, "version": versions, "model": model,
                            "threads": threads, "their_seconds": theirs.record(),
                            "our_seconds": mine.train.record()})
    report.add(
        name, "next to Python's libraries",
        "Seconds of a training epoch, in turn. implicit and Cornac train with plain stochastic "
        "gradient descent, one example at a time and without batches; mrdib and the PyTorch steps "
        "with Adam and batches of 2,048.",
        ["library", "model", "threads", "its epoch", "mrdib's", "its ÷ mrdib's"], rows, records)


def measure_ours(training, program, data, epochs, out):
    seconds = training.run(program, data, 1 + epochs, out)[1]
    training.train.add([line["train"] for line in seconds[1:]])


def limited(threads):
    """Thread limits of the BLAS libraries; their defaults otherwise."""
    return {name: str(threads) for name in
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
