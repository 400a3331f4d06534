"""Finds the program `mrdib`, runs its commands, and turns their ends into results or errors."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Sequence
from typing import IO

from .errors import MrdibWarning, ProgramError

__all__ = ["Command", "find_program", "run_command"]

Program = str | os.PathLike[str] | None

_STOP_SECONDS = 60
"""The program writes a last checkpoint for at most 30 s, then closes its processes."""
_KILL_SECONDS = 10
_MOST_MESSAGE_BYTES = 1 << 18
_MOST_NOTED_LINES = 20


def find_program(program: Program = None) -> str:
    """The path of the program: the argument, else the environment's MRDIB_PROGRAM, else `mrdib`
    on the PATH.

    Raises `ProgramError` if there is none.
    """
    for name, place in (
        (program, "program="),
        (os.environ.get("MRDIB_PROGRAM"), "MRDIB_PROGRAM"),
        ("mrdib", "the PATH"),
    ):
        if not name:
            continue
        found = shutil.which(os.fspath(name))
        if found is not None:
            return found
        raise ProgramError(
            f"Cannot find the program '{os.fspath(name)}' of {place}: there is no such executable "
            "file. Build it with scripts/setup and install it with scripts/install, or name it "
            "with program= or MRDIB_PROGRAM."
        )
    raise AssertionError("the PATH is always looked through")


class Command:
    """A running command. Its messages go to a file without a name, so that it never waits for a
    reader."""

    def __init__(
        self, arguments: Sequence[str], program: Program = None, output: IO[bytes] | None = None
    ) -> None:
        path = find_program(program)
        self.name = " ".join(["mrdib", *arguments[:2]]).split(" --")[0]
        self._messages = tempfile.TemporaryFile()
        try:
            # A session of its own: Ctrl-C reaches Python alone, which then stops the command once.
            self.process = subprocess.Popen(
                [path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if output is None else output,
                stderr=self._messages,
                start_new_session=True,
            )
        except OSError as error:
            self._messages.close()
            raise ProgramError(
                f"Cannot start '{path}': {error.strerror}. Name another program with program= or "
                "MRDIB_PROGRAM."
            ) from None

    def has_ended(self, seconds: float) -> bool:
        """Waits at most that long for the end."""
        try:
            self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self) -> None:
        """Asks the command to stop, waits for its end, and kills it if it does not come."""
        for number, seconds in (
            (signal.SIGINT, _STOP_SECONDS), (signal.SIGTERM, _KILL_SECONDS)
        ):  # fmt: skip
            if self.process.poll() is not None:
                return
            self.process.send_signal(number)
            try:
                if self.has_ended(seconds):
                    return
            except KeyboardInterrupt:
                # A second Ctrl-C ends the program at once, too.
                self.process.send_signal(number)
                self.has_ended(_KILL_SECONDS)
                raise
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """Stops the command if it runs, and forgets its messages."""
        self.stop()
        self._messages.close()

    def messages(self) -> list[str]:
        """The last lines of its stderr."""
        size = os.fstat(self._messages.fileno()).st_size
        first = max(0, size - _MOST_MESSAGE_BYTES)
        data = os.pread(self._messages.fileno(), _MOST_MESSAGE_BYTES, first)
        return [line for line in data.decode(errors="replace").splitlines() if line.strip()]

    def conclude(self) -> None:
        """Passes on its warnings, after the end.

        Raises `ProgramError` with the command's own sentence if it failed.
        """
        lines = self.messages()
        for line in lines:
            if line.startswith("warning: "):
                warnings.warn(line.removeprefix("warning: "), MrdibWarning, stacklevel=4)
        code = self.process.returncode
        if code == 0:
            return
        sentences = [line for line in lines if line.startswith(("mrdib: ", "Error: "))]
        others = [line for line in lines if line not in sentences[-1:]]
        if sentences:
            reason = sentences[-1].split(": ", 1)[1]
        elif code < 0:
            reason = f"signal {-code} ended it"
        else:
            reason = lines[-1] if lines else "it printed no reason"
        error = ProgramError(f"{self.name} failed (exit code {code}): {reason}", code)
        if others:
            # Shown below the message: which lines of a file are damaged, for instance.
            error.add_note("\n".join(others[-_MOST_NOTED_LINES:]))
        raise error


def run_command(arguments: Sequence[str], program: Program = None) -> str:
    """Runs a command to its end and returns what it printed.

    Raises `ProgramError` if it failed. An exception on the way, such as Ctrl-C, stops it.
    """
    with tempfile.TemporaryFile() as output:
        command = Command(arguments, program, output)
        try:
            while not command.has_ended(3600):
                pass
            command.conclude()
        finally:
            command.close()
        output.seek(0)
        return output.read().decode(errors="replace")
