"""A run of `mrdib train` on this machine, for the scripts that disturb runs."""

import os
import re
import shutil
import signal
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

    def kill(self):
        """`kill -9` of all processes, the launcher last: it would start others."""
        self.process.send_signal(signal.SIGSTOP)
        for pid in self.roles().values():
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.reader.join(5)

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


class Disks:
    """The folders of a run with `checkpoint_copies=2`, one for every server and the coordinator's, as
    if each were the disk of a machine."""

    def __init__(self, folder, servers):
        self.folder = folder
        self.servers = [os.path.join(folder, f"server-{rank}") for rank in range(servers)]
        os.makedirs(folder, exist_ok=True)

    def settings(self):
        return ["--set", "checkpoint_copies=2", "--set", f"checkpoint_folder={self.folder}"]

    def files(self, disk):
        """Names of the files of a disk's checkpoints, by checkpoint: 'v0000000118-g2'."""
        found = {}
        for place, _, names in os.walk(disk):
            if re.fullmatch(r"v\d+-g\d+", os.path.basename(place)):
                found.setdefault(os.path.basename(place), set()).update(names)
        return found

    def are_whole(self):
        """Whether any one disk can be lost: the newest checkpoint has two copies of all rows, on two
        disks, and a copy of the records."""
        disks = [self.files(disk) for disk in self.servers]
        complete = {name for disk in disks for name, files in disk.items()
                    if "manifest.json" in files}
        if not complete:
            return False
        newest = max(complete, key=lambda name: [int(part) for part in
                                                 re.findall(r"\d+", name)][::-1])
        held = [disk.get(newest, set()) for disk in disks]
        rows = [f"server-{rank}-of-{len(disks)}.safetensors" for rank in range(len(disks))]
        return (all(sum(name in files for files in held) > 1 for name in rows)
                and any("records.json" in files for files in held))

    def lose_server(self, rank):
        self.empty(self.servers[rank])

    def lose_coordinator(self, run):
        """The run directory and the coordinator's manifests."""
        shutil.rmtree(run, ignore_errors=True)
        for name in os.listdir(self.folder):
            path = os.path.join(self.folder, name)
            if path not in self.servers:
                shutil.rmtree(path, ignore_errors=True)

    def empty(self, disk):
        """Another machine's disk is in place at once: no process sees a part of the old one."""
        lost = f"{disk}.lost"
        if os.path.isdir(disk):
            os.rename(disk, lost)
        os.makedirs(disk, exist_ok=True)
        shutil.rmtree(lost, ignore_errors=True)


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
