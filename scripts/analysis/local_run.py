"""A run of `mrdib train` on this machine, for the scripts that disturb runs."""

import os
import re
import subprocess
import sys
import threading
import time

from run_fingerprint import fingerprint

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("MRDIB_PROGRAM", os.path.join(ROOT, ".build", "release", "mrdib"))
# A run without output for this many seconds hangs.
PATIENCE = 180


def roles_of(launcher):
    """Process id of every running role of a launcher ('mrdib train'), by name."""
    listing = subprocess.run(
        ["ps", "-o", "pid=,stat=,args=", "--ppid", str(launcher)],
        capture_output=True, text=True).stdout
    found = {}
    for line in listing.splitlines():
        pid, state, arguments = line.split(None, 2)
        if state.startswith("Z"):
            continue
        name = re.search(r"--name (\S+)", arguments)
        if name:
            found[name.group(1)] = int(pid)
        elif " coordinator " in arguments + " ":
            found["coordinator"] = int(pid)
    return found


class LocalRun:
    """`mrdib train` with its roles, and its output lines with their times."""

    def __init__(self, folder, arguments):
        self.folder = folder
        command = [PROGRAM, "train", "--run", folder] + arguments
        environment = dict(os.environ, NO_COLOR="1")
        self.lines = []
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            env=environment, text=True, errors="replace")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append((time.monotonic(), line.rstrip()))

    def text(self, last=0):
        """Its lines, or only the last of them."""
        return "\n".join(line for _, line in self.lines[-last:])

    def roles(self):
        return roles_of(self.process.pid)

    def is_over(self):
        return self.process.poll() is not None

    def wait(self):
        """Blocks until the end, and returns the exit code; None after a timeout."""
        while not self.is_over():
            last = self.lines[-1][0] if self.lines else time.monotonic()
            if time.monotonic() - last > PATIENCE:
                self.process.kill()
                return None
            time.sleep(0.1)
        self.reader.join(5)
        return self.process.returncode


def train_undisturbed(folder, arguments):
    """Trains with one worker and one server; the expected result of disturbed runs, None if it failed."""
    began = time.monotonic()
    run = LocalRun(
        os.path.join(folder, "undisturbed"), arguments + ["--workers", "1", "--servers", "1"])
    code = run.wait()
    if code != 0:
        print(run.text(), file=sys.stderr)
        print(f"The undisturbed run ended with {code}.", file=sys.stderr)
        return None
    expected = fingerprint(run.folder)
    print(f"undisturbed: {sum(name.startswith('epoch') for name in expected)} epochs in "
          f"{time.monotonic() - began:.1f} s,",
          " ".join(f"{name} {digest}" for name, digest in expected.items() if "." in name))
    return expected
