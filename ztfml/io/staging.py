"""Local copies of remote files for one command, and the way back for those that it changed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ztfml.io.companions import (
    companion,
    forced_beside,
    galaxies_beside,
    history_beside,
    labels_beside,
)
from ztfml.io.remote import copy_in, copy_out, remove_remote
from ztfml.io.temporary import temporary_beside


@contextmanager
def folder_for_copies() -> Iterator[Path]:
    """Make a temporary folder for copies of remote files, and remove it at the end.

    It is in the folder that ``TMPDIR`` names. The next run removes it if this one is killed.

    Yields
    ------
    Path

    Examples
    --------
    >>> with folder_for_copies() as folder:
    ...     list(folder.iterdir())
    []
    """
    beside = Path(tempfile.gettempdir()) / "ztfml_remote"
    with temporary_beside(beside, is_folder=True) as folder:
        yield folder


class Staging:
    """Copies of remote files in a temporary folder.

    A file is copied together with the files that belong to it (history, forced photometry, labels,
    galaxies, fetched light curves). After the work, all files that are new or changed are copied
    to the store, and those that were removed are removed there.

    Parameters
    ----------
    folder : Path
        An empty temporary folder.

    Examples
    --------
    >>> Path("staged").mkdir()
    >>> staging = Staging(Path("staged"))
    >>> path = staging.copy("memory://bucket/a.txt")
    >>> _ = path.write_text("new")
    >>> staging.upload()
    ['memory://bucket/a.txt']
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The local copy of each remote folder.
        self._copies: dict[tuple[str, str], Path] = {}
        self._before: dict[Path, tuple[int, int]] = {}
        self._asked: set[str] = set()

    def copy(self, address: str) -> Path:
        """Copy a file or folder, if it exists, and return the local path.

        Parameters
        ----------
        address : str
            ``s3://bucket/folder/name``; options may follow, for example
            ``?endpoint_override=host:9000``.

        Returns
        -------
        Path

        Raises
        ------
        DataError
            If the store cannot be used.
        """
        path, _, options = address.partition("?")
        parent, _, name = path.rstrip("/").rpartition("/")
        key = (parent, options)
        local = self._copies.setdefault(key, self._folder / str(len(self._copies)))
        local.mkdir(exist_ok=True)
        target = local / name
        beside = [
            history_beside(target), forced_beside(target), labels_beside(target),
            galaxies_beside(target), companion(target, "_marks.csv"),
            companion(target, "_fetched"), companion(target, ".skipped.csv"),
        ]  # fmt: skip
        for one in dict.fromkeys([target, *beside]):
            source = self._address(key, one.name)
            if source not in self._asked:
                self._asked.add(source)
                copy_in(source, one)
                self._before |= {file: _state(file) for file in _files(one)}
        return target

    def upload(self) -> list[str]:
        """Copy new and changed files to the store, and remove those that were removed.

        The file of a night is copied after those that belong to it.

        Returns
        -------
        list of str
            The addresses of the files that were copied.

        Raises
        ------
        DataError
            If the store cannot be used.
        """
        written = []
        for key, local in self._copies.items():
            files = sorted(_files(local), key=lambda file: (-len(file.name), file.name))
            for file in files:
                if self._before.get(file) != _state(file):
                    address = self._address(key, file.relative_to(local).as_posix())
                    copy_out(file, address)
                    written.append(address.partition("?")[0])
            gone = [file for file in self._before if local in file.parents and not file.exists()]
            for file in gone:
                remove_remote(self._address(key, file.relative_to(local).as_posix()))
        return written

    def translate(self, text: str) -> str:
        """Replace local names in a message by the addresses."""
        for (parent, _), local in self._copies.items():
            text = text.replace(f"{local}/", f"{parent}/")
        return text

    @staticmethod
    def _address(key, name):
        parent, options = key
        return f"{parent}/{name}" + (f"?{options}" if options else "")


def _files(path):
    if path.is_file():
        return [path]
    found = (file for file in path.rglob("*") if file.is_file())
    return [file for file in found if not file.name.startswith(".")]


def _state(file):
    status = file.stat()
    return status.st_size, status.st_mtime_ns
