"""Folders of files on this computer or in an object store, with writes that are complete or absent.

Files are written once and never changed, so neither locks nor renames are necessary.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ztfml.errors import DataError
from ztfml.io.atomic import name_full_disk
from ztfml.io.remote import RemotePlace, is_remote
from ztfml.io.switch import sync
from ztfml.io.temporary import temporary_beside

if TYPE_CHECKING:
    import pyarrow as pa


def place_of(path: str | Path) -> Place:
    """Return the place of a path or address.

    Parameters
    ----------
    path : str or Path
        A folder, or an address such as ``s3://bucket/store``.

    Returns
    -------
    LocalPlace or RemotePlace

    Examples
    --------
    >>> str(place_of("a_place")), str(place_of("memory://a_place"))
    ('a_place', 'memory://a_place')
    """
    return RemotePlace(path) if isinstance(path, str) and is_remote(path) else LocalPlace(path)


class LocalPlace:
    """A folder on this computer.

    Parameters
    ----------
    path : str or Path

    Examples
    --------
    >>> place = LocalPlace("a_place")
    >>> with place.write("cells/1.txt") as file:
    ...     _ = file.write(b"new")
    >>> place.files("cells"), place.folders("")
    (['1.txt'], ['cells'])
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    def files(self, folder: str) -> list[str]:
        """Return the sorted names of the files in a folder, without hidden ones."""
        return self._names(folder, is_folder=False)

    def folders(self, folder: str) -> list[str]:
        """Return the sorted names of the folders in a folder."""
        return self._names(folder, is_folder=True)

    def _names(self, folder, is_folder):
        try:
            with os.scandir(self.path / folder) as entries:
                return sorted(
                    entry.name
                    for entry in entries
                    if entry.is_dir() == is_folder and not entry.name.startswith(".")
                )
        except (FileNotFoundError, NotADirectoryError):
            return []

    def open(self, name: str) -> pa.NativeFile:
        """Open a file; if it does not exist, FileNotFoundError is raised."""
        import pyarrow as pa

        return pa.OSFile(str(self.path / name))

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Write a new file, complete or absent.

        A power failure does not undo it. Leftovers of killed processes in the folder are removed.

        Yields
        ------
        binary file
        """
        target = self.path / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # One name for all files, so that leftovers are recognised.
            with temporary_beside(target.with_name("file")) as part:
                with name_full_disk(target), open(part, "wb") as file:
                    yield file
                sync(part)
                os.replace(part, target)
                sync(target.parent)
        except OSError as error:
            raise DataError(
                f"{target}: cannot be written ({error.strerror}); make {self.path} writable"
            ) from error

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        with suppress(FileNotFoundError):
            os.unlink(self.path / name)

    def is_folder_or_absent(self) -> bool:
        """Whether the place can be a folder."""
        return self.path.is_dir() or not self.path.exists()


Place = LocalPlace | RemotePlace
