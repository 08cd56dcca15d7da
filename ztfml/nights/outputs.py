"""The output folder of a batch, on this computer or in an object store."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ztfml.io.output_paths import check_writable_folder
from ztfml.io.remote import copy_in, copy_out, list_files, remove_remote
from ztfml.io.staging import folder_for_copies
from ztfml.nights.manifest import FAILED, MANIFEST, locked
from ztfml.nights.staged import Location

_SECONDS_BETWEEN_UPLOADS = 30.0


class Outputs:
    """The output folder of a batch on this computer.

    Parameters
    ----------
    folder : Path
        An existing folder.

    Attributes
    ----------
    folder : Path
        The folder of the manifest.

    Examples
    --------
    >>> Outputs(Path(".")).size("no.csv")
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def at(self, name: str) -> Location:
        """Return the location of an output."""
        return self.folder / name

    def size(self, name: str) -> int | None:
        """Return the size of an output in bytes, or None if it does not exist."""
        path = self.folder / name
        return path.stat().st_size if path.exists() else None

    def save(self, at_once: bool = False) -> None:
        """Save the manifest; here every record is on disk at once."""


class RemoteOutputs(Outputs):
    """The output folder of a batch in an object store.

    The manifest is a file on this computer, which is copied to the store every half minute and at
    the end. A run that is killed loses the records since the last copy; the next run repeats
    these nights.

    Parameters
    ----------
    address : str
    folder : Path
        An empty temporary folder for the manifest.

    Examples
    --------
    >>> Path("manifest").mkdir()
    >>> RemoteOutputs("memory://ranked/", Path("manifest")).at("a.csv")
    'memory://ranked/a.csv'
    """

    def __init__(self, address: str, folder: Path) -> None:
        super().__init__(folder)
        path, _, options = address.partition("?")
        self._path, self._options = path.rstrip("/"), f"?{options}" if options else ""
        self._files = list_files(self._path + self._options)
        for name in (MANIFEST, FAILED):
            if name in self._files:
                copy_in(str(self.at(name)), folder / name)
        self._saved = time.monotonic()

    def __str__(self) -> str:
        return self._path

    def at(self, name: str) -> Location:
        """Return the address of an output."""
        return f"{self._path}/{name}{self._options}"

    def size(self, name: str) -> int | None:
        """Return the size of an output at the start of the run, or None if it did not exist."""
        return self._files[name][0] if name in self._files else None

    def save(self, at_once: bool = False) -> None:
        """Copy the manifest to the store if the last copy is old enough.

        Parameters
        ----------
        at_once : bool
            Whether to copy it in any case.
        """
        if not at_once and time.monotonic() - self._saved < _SECONDS_BETWEEN_UPLOADS:
            return
        for name in (MANIFEST, FAILED):
            if (self.folder / name).exists():
                copy_out(self.folder / name, str(self.at(name)))
            elif name == FAILED:
                remove_remote(str(self.at(name)))
        self._saved = time.monotonic()


@contextmanager
def opened(folder: Location) -> Iterator[Outputs]:
    """Create the output folder of a batch, and keep other runs out of it.

    Folders in object stores are not locked.

    Parameters
    ----------
    folder : Path or str

    Yields
    ------
    Outputs

    Raises
    ------
    DataError
        If it cannot be written, or another run uses it.

    Examples
    --------
    >>> with opened(Path("outputs")) as outputs:
    ...     outputs.folder.name
    'outputs'
    """
    if isinstance(folder, Path):
        check_writable_folder(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):
            yield Outputs(folder)
        return
    with folder_for_copies() as local:
        outputs = RemoteOutputs(folder, local)
        try:
            yield outputs
        finally:
            if (local / MANIFEST).exists():
                outputs.save(at_once=True)
