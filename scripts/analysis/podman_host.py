"""Podman on this machine, for the scripts that run containers."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PACKAGES = ["podman", "runc", "conmon", "netavark", "aardvark-dns", "containernetworking-plugins",
            "iptables", "catatonit", "uidmap", "debootstrap"]


class Failure(Exception):
    """What a check found wrong, in one sentence."""


def say(text):
    print(text, flush=True)


def require(condition, text):
    if not condition:
        raise Failure(text)


class Podman:
    """Podman with a folder for what a check writes.

    Where both versions of control groups are mounted, Podman's usual runtime refuses to start, so
    another is named in a configuration of its own; the machine's is left as it is.
    """

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(os.environ)
        self.install()
        if os.path.isdir("/sys/fs/cgroup/unified"):
            path = os.path.join(folder, "containers.conf")
            with open(path, "w") as file:
                file.write('[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=4096:4096"]\n'
                           '[engine]\nruntime="runc"\n')
            self.environment["CONTAINERS_CONF"] = path

    def install(self):
        if shutil.which("podman"):
            return
        require(os.geteuid() == 0, "Podman is not installed: run this script as root, or install "
                + " ".join(PACKAGES) + ".")
        say("installing " + " ".join(PACKAGES))
        for command in (["apt-get", "update", "-qq"],
                        ["apt-get", "install", "-y", "-qq", "--no-install-recommends"] + PACKAGES):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL,
                           env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))

    def python(self, *packages):
        """The folder of programs of a virtual environment with these packages."""
        folder = os.path.join(self.folder, "venv")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([os.path.join(folder, "bin", "pip"), "install", "--quiet"] + list(packages),
                       check=True)
        return os.path.join(folder, "bin")

    def run(self, *arguments, check=True, timeout=600, text=None):
        """`podman ARGUMENTS`; what it printed, without blanks at the ends."""
        command = ["podman"] + list(arguments)
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True,
                              timeout=timeout, input=text)
        if check and done.returncode != 0:
            raise Failure(f"'{' '.join(command)}' ended with {done.returncode}: "
                          + done.stderr.strip()[-2000:])
        return done.stdout.strip() if check else done

    def inspect(self, name, form):
        return self.run("inspect", "--format", form, name)

    def crash(self, container):
        """Ends a container's processes as a crash would: `podman kill` would say that it is wanted."""
        os.kill(int(self.inspect(container, "{{.State.Pid}}")), 9)

    def volume(self, name):
        return self.run("volume", "inspect", "--format", "{{.Mountpoint}}", name)

    def build(self, image):
        """Builds the image from the Dockerfile as it is. Base images that cannot be pulled are made
        here. Git's copies of packages on this machine, if it has any, are seen by the build."""
        for base in ("docker.io/library/debian:bookworm-slim", "docker.io/library/swift:6.3-bookworm"):
            if self.run("image", "exists", base, check=False).returncode != 0 \
                    and self.run("pull", "--quiet", base, check=False).returncode != 0:
                subprocess.run([os.path.join(ROOT, "scripts", "base-images")], check=True,
                               env=self.environment)
                break
        command = ["build", "--quiet", "--format", "docker", "--network", "host"]
        copies = subprocess.run(
            ["git", "config", "--get-regexp", r"^url\./.*\.insteadof$"], capture_output=True,
            text=True).stdout
        for copy in sorted({line.split(".insteadof")[0][len("url."):] for line in copies.splitlines()}):
            command += ["--volume", f"{copy}:{copy}:ro"]
        began = time.monotonic()
        self.run(*command, "-f", os.path.join(ROOT, "Deploy", "docker", "Dockerfile"), "-t", image,
                 ROOT, timeout=3600)
        say(f"built {image} in {time.monotonic() - began:.0f} s")


def wait_until(condition, seconds, text, interval=0.2):
    """Blocks until the condition holds, and returns its value; fails after a time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(interval)
    raise Failure(f"{text} (waited {seconds} s).")


def epochs_of(run):
    """How many epochs a run directory has recorded."""
    try:
        with open(os.path.join(run, "metrics.jsonl")) as file:
            return sum(1 for line in file if line.endswith("\n"))
    except FileNotFoundError:
        return 0


def outcome_of(run):
    """The outcome in summary.json; None before the run has ended."""
    try:
        with open(os.path.join(run, "summary.json")) as file:
            return json.load(file)["outcome"]
    except (FileNotFoundError, ValueError):
        return None


def temporary_folder():
    return tempfile.mkdtemp(prefix="mrdib-containers-")
