"""The parts of scripts/bench that need no data: kernels, and the exchange with a server."""

import itertools
import json
import os
import subprocess
import tempfile

from bench_runs import Failure, Series, execute

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMITS = {"GFLOP/s": "sgemm", "GB/s": "copy"}
ADAM_MODES = ["lazy", "closed", "lazy_exact"]


def ratio(numerator, denominator):
    """Of the highest rates: those of the rounds in which other programs disturbed least."""
    return f"{max(numerator.values) / max(denominator.values):.2f}"


def tail(entry):
    """The 99th percentile against the median of the same round: its median over rounds."""
    return Series(high / middle for high, middle in zip(
        entry["p99"].values, entry["median"].values)).text(1)


def program():
    """The measuring program, which is built if it is not there."""
    path = os.path.join(ROOT, ".build/release/measure-engine")
    if not os.access(path, os.X_OK):
        execute(["swift", "build", "-c", "release", "--product", "measure-engine",
                 "--package-path", ROOT])
    return path


def kernels(report, rounds, quick):
    command = [program(), "kernels", "--rounds", str(rounds)]
    results = json.loads(execute(command + (["--small", "--seconds", "0.01"] if quick else []))
                         .output)
    series = [(result, Series(result["rates"])) for result in results]
    limits = {unit: next(rates for result, rates in series if result["name"].startswith(name))
              for unit, name in LIMITS.items()}
    rows, products = [], None
    for result, rates in series:
        if result["name"].endswith(": products"):
            products = rates
        near = ratio(rates, products) if result["group"] == "rankings" else ""
        rows.append([result["group"], result["name"], f"{rates.text(1)} {result['unit']}",
                     ratio(rates, limits[result["unit"]]), near])
    report.add(
        "this machine", "kernels",
        "One thread, work per processor second: median, least and most over rounds, and ratios of "
        "the most. A pass over memory counts the bytes that it must "
        "read and write if no cache holds them. Rankings are those of an evaluation: products, "
        "masks, the best items, metrics.",
        ["group", "what", "rate", "÷ the limit (sgemm, copy)", "÷ its products"], rows,
        [{**{key: result[key] for key in ("group", "name", "unit")}, "rate": rates.record()}
         for result, rates in series])


class Wire:
    """Rounds of raw libzmq and of a worker with a server, in turn."""

    def __init__(self, rounds, quick, folder):
        self.rounds = rounds
        # Of the server: one, or as many as there are processors.
        self.threads = sorted({1, os.cpu_count() or 1})
        self.seconds = "0.05" if quick else "1"
        self.table = ["--rows", "20000" if quick else "500000", "--width", "64"]
        self.batches = (2048, 512) if quick else (16384, 4096)
        self.program = program()
        self.raw_program = os.path.join(folder, "bench_messages")
        execute(["clang", "-O2", os.path.join(ROOT, "scripts/analysis/bench_messages.c"), "-lzmq",
                 "-o", self.raw_program])
        self.raw, self.ours = {}, {}

    def run(self, say):
        for number in range(self.rounds):
            say(f"wire, round {number + 1} of {self.rounds}")
            for rows in self.batches:
                output = execute([self.raw_program, str(rows), "64", self.seconds]).output
                for line in output.splitlines()[1:]:
                    pattern, _, window, *numbers = line.split("\t")
                    self.note(self.raw, (pattern, None, rows, int(window)), dict(zip(
                        ("bytes", "median", "p99", "processor"), map(float, numbers))))
            for threads, mode in itertools.product(self.threads, ADAM_MODES):
                for result in self.exchange(mode, threads):
                    kind = result["name"]
                    if kind != "push" and mode != ADAM_MODES[0]:
                        continue
                    name = f"push, adam_mode {mode}" if kind == "push" else kind
                    self.note(self.ours, (name, threads, result["rows"], result["window"]), {
                        "rows": result["rows_per_second"], "bytes": result["bytes_per_second"],
                        "worker": result["worker_seconds"], "server": result["server_seconds"],
                        "processor": result["worker_seconds"] + result["server_seconds"],
                        "median": result["median"], "p99": result["p99"]})

    @staticmethod
    def note(table, key, numbers):
        entry = table.setdefault(key, {name: Series() for name in numbers})
        for name, value in numbers.items():
            entry[name].add([value])

    def exchange(self, mode, threads):
        server = subprocess.Popen(
            [self.program, "serve", *self.table, "--adam", mode, "--threads", str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            endpoint = server.stdout.readline().strip()
            if not endpoint:
                raise Failure("the server of the measurement did not start")
            return json.loads(execute([
                self.program, "wire", *self.table, "--server", endpoint, "--server-process",
                str(server.pid), "--batch", str(self.batches[0]), "--small-batch",
                str(self.batches[1]), "--seconds", self.seconds]).output)
        finally:
            server.stdin.close()
            server.wait()


def wire(report, rounds, quick, say):
    with tempfile.TemporaryDirectory(prefix="mrdib-bench-") as folder:
        measured = Wire(rounds, quick, folder)
        measured.run(say)
    raw_rows = [
        [f"raw libzmq, {pattern}", "", f"{rows:,}", str(window), "", gigabytes(entry["bytes"]),
         "", entry["processor"].text(2), entry["median"].text(2), entry["p99"].text(2),
         tail(entry)]
        for (pattern, _, rows, window), entry in measured.raw.items()]
    rows = []
    for (name, threads, count, window), entry in measured.ours.items():
        peer = measured.raw.get(("pull" if name == "pull" else "push", None, count,
                                 window if name == "pull" else 4))
        rows.append([
            name, str(threads), f"{count:,}", str(window), millions(entry["rows"]),
            gigabytes(entry["bytes"]), ratio(entry["bytes"], peer["bytes"]) if peer else "",
            entry["processor"].text(2), entry["median"].text(2), entry["p99"].text(2),
            tail(entry)])
    report.add(
        "this machine", "wire",
        "One server process with a table of rows of 64 floats and Adam, one worker process, over "
        "the loopback. The server has one thread, or as many as there are processors, which it "
        "shares with the worker. A push ends when the server has applied it; 'messages' are "
        "pushes that the server has counted already. Medians over rounds, ratios to raw libzmq of "
        "the highest rates. Processor seconds are those of both processes, all threads.",
        ["what", "server threads", "rows of a message", "under way", "million rows/s", "GB/s",
         "÷ raw libzmq", "processor s per GB", "median ms", "p99 ms", "p99 ÷ median"],
        raw_rows + rows,
        [{"name": name, "server_threads": threads, "rows": count, "window": window,
          **{key: series.record() for key, series in entry.items()}}
         for table in (measured.raw, measured.ours)
         for (name, threads, count, window), entry in table.items()])


def gigabytes(series):
    return Series(value / 1e9 for value in series.values).text(2)


def millions(series):
    return Series(value / 1e6 for value in series.values).text(2)
