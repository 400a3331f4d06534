"""Runs of a study: trains what is missing, and compares what is there with 'mrdib compare'."""

import concurrent.futures
import json
import os
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# The outcomes of runs that have nothing left to train.
FINISHED = ("completed", "early_stopped")


class Failure(Exception):
    """A sentence about what could not be done."""


class Stopped(Exception):
    """The user's Ctrl-C."""


def program(given):
    """The mrdib program: as given, in .build/release, or on PATH."""
    built = os.path.join(ROOT, ".build", "release", "mrdib")
    found = given or (built if os.path.exists(built) else shutil.which("mrdib"))
    if not found or not os.access(found, os.X_OK):
        raise Failure(f"there is no program '{given or 'mrdib'}': build it with scripts/setup, or "
                      "name it with --mrdib")
    return os.path.abspath(found)


class Variant:
    """Settings under a name. Equal settings have the same folder in every study."""

    def __init__(self, name, settings):
        self.name = name
        self.objective = settings.get("objective", "mrdib")
        self.settings = {key: text(value) for key, value in settings.items() if key != "objective"}

    @property
    def folder(self):
        form = self.settings.get("mrdib_form", self.objective)
        rest = [f"{key}={value}" for key, value in sorted(self.settings.items())
                if key != "mrdib_form"]
        return ",".join([form] + rest)

    def described(self, base):
        """The settings that another variant does not have."""
        changed = [f"{key} {value}" for key, value in self.settings.items()
                   if base is None or base.settings.get(key) != value]
        return ", ".join(([self.objective] if base and base.objective != self.objective else [])
                         + changed)


def text(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


class Runs:
    """The runs below a folder: runs/DATA/MODEL/VARIANT/seed-S."""

    def __init__(self, mrdib, out, jobs=1, epochs=1000, patience=None, options=()):
        """patience: evaluations without improvement by model, with the entry 'default'."""
        self.mrdib, self.out, self.jobs, self.epochs = mrdib, out, jobs, epochs
        self.patience = patience or {"default": 20}
        self.options = [part for option in options for part in ("--set", option)]
        self.failures = {}
        self.lock, self.children, self.is_stopping = threading.Lock(), set(), False

    def folder(self, data, model, variant, seed):
        name = os.path.basename(os.path.normpath(data))
        return os.path.join(self.out, "runs", name, model, variant.folder, f"seed-{seed}")

    def command(self, data, model, variant, seed, folder, epochs=None):
        patience = self.patience.get(model, self.patience["default"])
        command = [
            self.mrdib, "train", "--data", data, "--model", model, "--objective",
            variant.objective, "--single-process", "--shards", "1", "--threads", "1", "--epochs",
            str(epochs or self.epochs), "--seed", str(seed), "--run", folder, "--quiet", "--json",
            "--set", f"stopping_step={patience}"] + self.options
        for key, value in variant.settings.items():
            command += ["--set", f"{key}={value}"]
        return command

    def execute(self, command):
        """Runs a program; returns its status, output and errors."""
        with self.lock:
            if self.is_stopping:
                raise Stopped()
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     text=True, errors="replace")
            self.children.add(child)
        try:
            output, errors = child.communicate()
        finally:
            with self.lock:
                self.children.discard(child)
        if self.is_stopping:
            raise Stopped()
        return child.returncode, output, errors

    def train(self, wanted):
        """Trains what is not finished of (data, model, variant, seed); runs that exist are resumed,
        and finished ones cost nothing."""
        wanted = list({self.folder(*run): run for run in wanted}.values())
        done = 0
        begin = time.monotonic()
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=self.jobs)
        futures = {pool.submit(self.train_one, *run): run for run in wanted}
        try:
            for future in concurrent.futures.as_completed(futures):
                data, model, variant, seed = futures[future]
                done += 1
                line = future.result()
                print(f"[{done}/{len(wanted)}, {time.monotonic() - begin:.0f} s] "
                      f"{os.path.basename(os.path.normpath(data))} {model} {variant.folder} "
                      f"seed {seed}: {line}", file=sys.stderr, flush=True)
        except (KeyboardInterrupt, Stopped):
            self.stop()
            raise KeyboardInterrupt from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def train_one(self, data, model, variant, seed):
        folder = self.folder(data, model, variant, seed)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        status, output, errors = self.execute(self.command(data, model, variant, seed, folder))
        if status != 0:
            sentence = last_line(errors) or f"exit code {status}"
            self.failures[folder] = sentence
            return f"failed: {sentence}"
        summary = json.loads(output)
        if summary["outcome"] not in FINISHED:
            self.failures[folder] = f"it was stopped: {summary['message']}"
            return "stopped"
        # A finished run is not resumed; its checkpoints are the largest files.
        shutil.rmtree(os.path.join(folder, "checkpoints"), ignore_errors=True)
        metric = summary["selection"]["metric"].split(".")[1]
        return (f"test {metric} {summary['test'][metric]:.4f}, best epoch "
                f"{summary['best_epoch']} of {summary['epochs_run']}")

    def stop(self):
        """Ends the runs that this study started; each saves where it is."""
        with self.lock:
            self.is_stopping = True
            for child in self.children:
                child.terminate()

    def finished(self, data, model, variant, seeds):
        folders = {seed: self.folder(data, model, variant, seed) for seed in seeds}
        return {seed: folder for seed, folder in folders.items()
                if folder not in self.failures and summary_of(folder).get("outcome") in FINISHED}

    def costs(self, data, model, variant, seeds):
        """Best epoch, epochs, seconds per epoch and seconds of training up to the best epoch: means
        over seeds; None without a finished run."""
        rows = []
        for folder in self.finished(data, model, variant, seeds).values():
            summary, seconds = summary_of(folder), epoch_seconds(folder)
            rows.append((summary["best_epoch"], summary["epochs_run"],
                         statistics.median(seconds[1:] or seconds),
                         sum(seconds[:summary["best_epoch"] + 1])))
        if not rows:
            return None
        names = ["best_epoch", "epochs", "seconds_per_epoch", "seconds_to_best"]
        return {name: statistics.mean(row[i] for row in rows) for i, name in enumerate(names)}

    def compare(self, data, model, variants, seeds, metrics, split="test", groups=False):
        """What 'mrdib compare' says of variants against the first of them.

        Returns: by the variant's folder the row of its report, and the whole report."""
        present = [(variant, self.finished(data, model, variant, seeds)) for variant in variants]
        present = [(variant, folders) for variant, folders in present if folders]
        if not present or present[0][0].folder != variants[0].folder:
            return {}, None
        paths = [folder for _, folders in present for folder in folders.values()]
        command = [self.mrdib, "compare", *paths, "--split", split, "--json"]
        for metric in metrics:
            command += ["--metric", metric]
        if groups:
            command.append("--groups")
        status, output, errors = self.execute(command)
        if status != 0:
            raise Failure(f"'mrdib compare' of {model} on '{data}' ended with {status}: "
                          f"{last_line(errors)}")
        report = json.loads(output)
        if len(report["rows"]) != len(present):
            raise Failure(f"{len(present)} variants of {model} on '{data}' are "
                          f"{len(report['rows'])} configurations to 'mrdib compare': two of "
                          + ", ".join(variant.name for variant, _ in present)
                          + " have the same settings")
        # Configurations are in the order in which their runs are named.
        return {variant.folder: row for (variant, _), row in zip(present, report["rows"])}, report


def summary_of(folder):
    """What a run reports at its end; empty before."""
    try:
        with open(os.path.join(folder, "summary.json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def epoch_seconds(folder):
    """Seconds of training in each epoch of a run."""
    with open(os.path.join(folder, "metrics.jsonl"), encoding="utf-8") as file:
        return [json.loads(line)["seconds"]["train"] for line in file]


def last_line(errors):
    lines = [line for line in errors.strip().splitlines() if line]
    return lines[-1].removeprefix("mrdib: ") if lines else ""
