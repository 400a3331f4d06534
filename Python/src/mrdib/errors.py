"""What can go wrong. Every message is a sentence for the reader: what was attempted, on what, what
was found, and what to do."""

from __future__ import annotations

import os

__all__ = ["FileError", "MrdibError", "MrdibWarning", "ProgramError", "UnknownIdError"]


class MrdibError(Exception):
    """The base of all errors of this package."""


class FileError(MrdibError):
    """A file is missing, damaged, of another release, or not the one that belongs here."""

    def __init__(self, path: str | os.PathLike[str], problem: str) -> None:
        self.path = os.fspath(path)
        super().__init__(f"Cannot use '{self.path}': {problem}")


class ProgramError(MrdibError):
    """The program was not found, or ended with an error.

    `exit_code` is the program's (the README of the project lists them); None if it did not run.
    The command can be tried again, and resumes a run, if `may_retry`.
    """

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        self.exit_code = exit_code
        super().__init__(message)

    @property
    def may_retry(self) -> bool:
        """Whether the same command can succeed: a signal or a lost peer ended it."""
        return self.exit_code is not None and (self.exit_code < 0 or self.exit_code > 128)


class UnknownIdError(MrdibError, LookupError):
    """An id that no user or item has."""


class MrdibWarning(UserWarning):
    """A warning of the program, or something that was not checked."""
