"""Starts the program and follows a run while it trains."""

from __future__ import annotations

import atexit
import json
import os
import re
import weakref
from collections.abc import Generator, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from .dataset import Dataset
from .errors import MrdibError
from .program import Command, Program
from .records import Epoch, MetricsReader
from .run import Run

__all__ = ["Training", "train"]

_POLL_SECONDS = 0.1

Scalar = bool | int | float | str | np.bool_ | np.number
Value = Scalar | Sequence[Scalar]


def train(
    data: Dataset | str | os.PathLike[str],
    run: str | os.PathLike[str],
    *,
    model: str | None = None,
    objective: str | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    workers: int | None = None,
    servers: int | None = None,
    threads: int | None = None,
    settings: Mapping[str, Value] | None = None,
    configs: Sequence[str | os.PathLike[str]] = (),
    single_process: bool = False,
    overwrite: bool = False,
    program: Program = None,
) -> Training:
    """A run to be trained: iterating starts the program and yields every epoch when it is done.

        for epoch in mrdib.train("shop", "runs/shop", model="vbpr", epochs=20):
            print(epoch.number, epoch.loss["total"], epoch.valid["recall@20"])

    - `data`: a data set or its folder.
    - `run`: the run's directory. A run that was stopped there is resumed, and the epochs that it
      has are yielded first; `overwrite` begins again.
    - `settings`: by name, as `mrdib config keys` lists them; `configs`: YAML files of settings.
    - `program`: the program; else the environment's MRDIB_PROGRAM, else `mrdib` on the PATH.
    """
    folder = data.folder if isinstance(data, Dataset) else data
    arguments = ["train", f"--data={os.fspath(folder)}", f"--run={os.fspath(run)}", "--quiet"]
    options = {
        "model": model, "objective": objective, "epochs": epochs, "seed": seed,
        "workers": workers, "servers": servers, "threads": threads,
    }  # fmt: skip
    arguments += [f"--{name}={value}" for name, value in options.items() if value is not None]
    arguments += [f"--config={os.fspath(path)}" for path in configs]
    for name, value in (settings or {}).items():
        arguments.append(f"--set={name}={_text(name, value)}")
    arguments += ["--single-process"] if single_process else []
    return Training(Path(run), arguments, overwrite, program)


def _text(name: str, value: Value) -> str:
    """A value of a setting as YAML."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Real):
        return repr(float(value))
    if isinstance(value, str):
        is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_.@/-]*", value)
        return value if is_plain else json.dumps(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(_text(name, each) for each in value)}]"
    raise MrdibError(
        f"Cannot set '{name}' to {value!r}: expected a number, text, truth value or list of them."
    )


class Training:
    """A run of the program; what `train` returns.

    Leaving the loop, `close()`, the end of a `with` block, Ctrl-C and the end of Python stop the
    program: it writes a last checkpoint, and iterating again resumes the run.
    """

    def __init__(
        self, run: Path, arguments: Sequence[str], overwrite: bool, program: Program
    ) -> None:
        self.path = run
        """The run's directory."""
        self._arguments = list(arguments)
        self._overwrite = overwrite
        self._program = program
        self._iterator: weakref.ref[Generator[Epoch, None, None]] | None = None

    def __iter__(self) -> Generator[Epoch, None, None]:
        """Starts the program and yields the epochs of the run, each once.

        Raises `ProgramError` with the program's sentence if it fails.
        """
        self.close()
        iterator = self._epochs()
        # A weak reference: a loop that is left drops the iterator, which closes it at once.
        self._iterator = weakref.ref(iterator)
        return iterator

    def _epochs(self) -> Generator[Epoch, None, None]:
        reader = MetricsReader(self.path / "metrics.jsonl")
        if self._overwrite:
            reader.ignore_present()
        arguments = [*self._arguments, *(["--overwrite"] if self._overwrite else [])]
        command = Command(arguments, self._program)
        try:
            atexit.register(command.stop)
            has_ended = False
            while not has_ended:
                has_ended = command.has_ended(_POLL_SECONDS)
                for epoch in reader.new_epochs():
                    # What was begun from scratch is resumed when it is iterated again.
                    self._overwrite = False
                    yield epoch
            command.conclude()
        finally:
            command.close()
            atexit.unregister(command.stop)
            reader.close()

    def close(self) -> None:
        """Stops the program if it runs, and waits for its end."""
        iterator = self._iterator() if self._iterator is not None else None
        if iterator is not None:
            iterator.close()

    def finish(self) -> Run:
        """Trains to the end and opens the run."""
        for _ in self:
            pass
        return self.run

    @property
    def run(self) -> Run:
        """The run as it is on disk now."""
        return Run.open(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
