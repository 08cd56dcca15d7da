"""The record of a batch: ``manifest.jsonl`` and ``failed.csv`` in the output folder.

Each line of the manifest is written when an output is complete, so a run that is killed at any
moment loses only the nights that it was processing.
"""

import csv
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside

MANIFEST = "manifest.jsonl"
FAILED = "failed.csv"
_LOCK = ".lock"


class Manifest:
    """The nights of an output folder: the output of each, and what it was made from.

    Parameters
    ----------
    folder : Path
        An existing folder.
    command : str
        The command that writes the folder.
    name : str, optional
        Name of the folder in messages.

    Raises
    ------
    DataError
        If the folder contains outputs of another command.

    Examples
    --------
    >>> Path("batch").mkdir()
    >>> manifest = Manifest(Path("batch"), "rank")
    >>> manifest.record({"output": "a.csv", "night": "/nights/a.parquet", "inputs": "1"})
    >>> Manifest(Path("batch"), "rank").entries["a.csv"]["night"]
    '/nights/a.parquet'
    """

    def __init__(self, folder: Path, command: str, name: str = ""):
        self.folder = folder
        self.command = command
        self.path = folder / MANIFEST
        self.entries: dict[str, dict[str, Any]] = {}
        self.failed: dict[str, str] = {}
        for entry in _lines(self.path):
            self.entries[entry["output"]] = entry
            if entry.get("command", command) != command:
                raise DataError(
                    f"{name or folder}: contains the outputs of ztfml {entry['command']}; use one "
                    "folder per command"
                )
        if (folder / FAILED).is_file():
            with open(folder / FAILED, newline="", encoding="utf-8") as file:
                rows = [row for row in csv.reader(file) if len(row) == 2]
            self.failed = dict(rows[1:])  # type: ignore[arg-type]

    @property
    def owners(self) -> dict[str, str]:
        """The label of the night of each output name."""
        return {name: entry["night"] for name, entry in self.entries.items()}

    def is_done(self, name: str, inputs: str, settings: str, size: int | None) -> bool:
        """Check whether an output exists and was made from these inputs with these settings.

        Parameters
        ----------
        name : str
            File name of the output.
        inputs, settings : str
            Digests of `ztfml.nights.fingerprints`.
        size : int or None
            Size of the output in bytes, if it exists.

        Returns
        -------
        bool
        """
        entry = self.entries.get(name, {})
        made_from = (entry.get("inputs"), entry.get("settings"))
        return made_from == (inputs, settings) and size is not None and size == entry.get("size")

    def reserve(self, names: dict[str, str]) -> None:
        """Write the names of all outputs before the work, so that later runs choose the same.

        Parameters
        ----------
        names : dict of str to str
            The output of each night, by the label of the night.
        """
        for night, name in names.items():
            if self.entries.get(name, {}).get("night") != night:
                self.entries[name] = {"output": name, "night": night, "command": self.command}
        with write_beside(self.path) as part:
            text = "".join(json.dumps(entry) + "\n" for entry in self.entries.values())
            part.write_text(text, encoding="utf-8")

    def record(self, entry: dict[str, Any]) -> None:
        """Append a night that is done.

        Parameters
        ----------
        entry : dict
            With the keys ``output``, ``night``, ``inputs``, ``settings`` and ``size``.
        """
        entry = {**entry, "command": self.command}
        self.entries[entry["output"]] = entry
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        self._set_failed(entry["night"], None)

    def fail(self, night: str, error: str) -> None:
        """Write a night that failed to ``failed.csv``.

        Parameters
        ----------
        night : str
            Label of the night.
        error : str
            One sentence.
        """
        self._set_failed(night, error)

    def _set_failed(self, night, error):
        before = dict(self.failed)
        self.failed.pop(night, None)
        if error is not None:
            self.failed[night] = error
        path = self.folder / FAILED
        if not self.failed:
            path.unlink(missing_ok=True)
        elif self.failed != before:
            with write_beside(path) as part, open(part, "w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([("night", "error"), *self.failed.items()])


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Prevent two runs from writing to one folder. The lock ends with the process.

    Parameters
    ----------
    folder : Path

    Raises
    ------
    DataError
        If another run uses the folder.

    Examples
    --------
    >>> with locked(Path(".")):
    ...     pass
    """
    descriptor = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise DataError(
                f"{folder}: another run of ztfml writes to this folder; wait for its end, or use "
                "another folder"
            ) from error
        except OSError:
            pass  # A file system without locks.
        yield
    finally:
        os.close(descriptor)


def _lines(path):
    """Read the entries; a kill or a full disk can leave an incomplete line."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if _is_entry(entry):
            yield entry


def _is_entry(entry):
    if not isinstance(entry, dict):
        return False
    output, night = entry.get("output"), entry.get("night")
    # A damaged manifest must not name files outside the folder.
    return isinstance(output, str) and isinstance(night, str) and Path(output).name == output
