"""Files in object stores (``s3://``, ``gs://``) and in memory (``memory://``), through pyarrow.fs.

An object appears when it is complete, so a killed process leaves nothing.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ztfml.errors import DataError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import fs

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://")
SCHEMES = ("s3", "gs", "gcs", "memory")


def is_remote(path: object) -> bool:
    """Check whether a path is an address, such as ``s3://bucket/night.parquet``.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool

    Examples
    --------
    >>> is_remote("s3://bucket/night.parquet"), is_remote("nights/night.parquet")
    (True, False)
    """
    return isinstance(path, str) and _ADDRESS.match(path) is not None


def open_address(address: str) -> tuple[fs.FileSystem, str]:
    """Find the file system of an address, and the path in it.

    Parameters
    ----------
    address : str
        With a scheme of `SCHEMES`. Options of pyarrow may follow, for example
        ``?endpoint_override=host:9000&scheme=http``.

    Returns
    -------
    filesystem : pyarrow.fs.FileSystem
    path : str

    Raises
    ------
    DataError
        If the scheme is not supported, or the address is not valid.

    Examples
    --------
    >>> open_address("memory://nights/night.parquet")[1]
    '/nights/night.parquet'
    """
    from pyarrow import fs

    scheme = _ADDRESS.match(address).group(1)  # type: ignore[union-attr]
    if scheme not in SCHEMES:
        names = ", ".join(f"{name}://" for name in SCHEMES)
        raise DataError(f"{address}: this kind of address cannot be opened; use {names} or a path")
    with naming(address):
        if scheme == "memory":
            try:
                import fsspec
            except ImportError as error:
                raise DataError(
                    f"{address}: needs the package fsspec; install it with pip install fsspec"
                ) from error
            filesystem, path = fsspec.core.url_to_fs(address)
            return fs.PyFileSystem(fs.FSSpecHandler(filesystem)), path
        return fs.FileSystem.from_uri(address)


@contextmanager
def naming(address: str) -> Iterator[None]:
    """Name the address in the error if the store cannot be reached or refuses access.

    Parameters
    ----------
    address : str

    Raises
    ------
    DataError
        If the block raises an error of the store. FileNotFoundError is passed on.

    Examples
    --------
    >>> with naming("s3://bucket"):
    ...     raise OSError("access denied")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: s3://bucket: cannot be used (access denied); check the address, ...
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, ValueError, NotImplementedError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DataError(
            f"{address}: cannot be used ({first}); check the address, the network and the "
            "credentials"
        ) from error


class RemotePlace:
    """A folder in an object store, with the methods of `ztfml.io.places.LocalPlace`.

    Parameters
    ----------
    address : str

    Examples
    --------
    >>> place = RemotePlace("memory://a_place")
    >>> with place.write("cells/1.txt") as file:
    ...     _ = file.write(b"new")
    >>> place.files("cells"), place.folders(""), place.open("cells/1.txt").read()
    (['1.txt'], ['cells'], b'new')
    """

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._filesystem, self._path = open_address(self.address)

    def __str__(self) -> str:
        return self.address.partition("?")[0]

    def files(self, folder: str) -> list[str]:
        """Return the sorted names of the files in a folder, without hidden ones."""
        found = self._found(folder)
        return _visible(info.base_name for info in found if info.is_file)

    def folders(self, folder: str) -> list[str]:
        """Return the sorted names of the folders in a folder."""
        if self._filesystem.type_name != "gcs":
            found = self._found(folder)
            return _visible(info.base_name for info in found if not info.is_file)
        # Arrow lists a folder of Google's store only if somebody made an object for it.
        n_folder = len(self._at(folder).strip("/"))
        paths = [info.path[n_folder:].strip("/") for info in self._found(folder, recursive=True)]
        return _visible({path.partition("/")[0] for path in paths if "/" in path})

    def _found(self, folder, recursive=False):
        from pyarrow import fs

        selector = fs.FileSelector(self._at(folder), allow_not_found=True, recursive=recursive)
        with naming(str(self)):
            try:
                return self._filesystem.get_file_info(selector)
            except (FileNotFoundError, NotADirectoryError):  # As fsspec reports it.
                return []

    def _at(self, name):
        return f"{self._path}/{name}".rstrip("/")

    def open(self, name: str) -> pa.NativeFile:
        """Read a file; if it does not exist, FileNotFoundError is raised."""
        import pyarrow as pa

        with naming(str(self)), self._filesystem.open_input_stream(self._at(name)) as stream:
            return pa.BufferReader(stream.read())

    @contextmanager
    def write(self, name: str) -> Iterator[BinaryIO]:
        """Write a new file, complete or absent.

        Yields
        ------
        binary file
        """
        buffer = io.BytesIO()
        yield buffer
        with naming(str(self)), self._filesystem.open_output_stream(self._at(name)) as stream:
            stream.write(buffer.getbuffer())

    def remove(self, name: str) -> None:
        """Remove a file, if it exists."""
        with naming(str(self)):
            try:
                self._filesystem.delete_file(self._at(name))
            except FileNotFoundError:
                return

    def is_folder_or_absent(self) -> bool:
        """Whether the place can be a folder."""
        with naming(str(self)):
            return not self._filesystem.get_file_info(self._path).is_file


def _visible(names):
    return sorted(name for name in names if name and not name.startswith("."))


def list_files(address: str, recursive: bool = False) -> dict[str, tuple[int, int]]:
    """List the files of a folder in an object store.

    Parameters
    ----------
    address : str
    recursive : bool
        Whether to list the files in folders of the folder, too.

    Returns
    -------
    dict of str to (int, int)
        Size in bytes and time of modification in ns (0 if unknown), by path in the folder. It is
        empty if there is no such folder.

    Raises
    ------
    DataError
        If the store cannot be used.

    Examples
    --------
    >>> with RemotePlace("memory://listed").write("a/1.txt") as file:
    ...     _ = file.write(b"new")
    >>> {name: size for name, (size, _) in list_files("memory://listed", recursive=True).items()}
    {'a/1.txt': 3}
    """
    from pyarrow import fs

    filesystem, path = open_address(address)
    path = path.rstrip("/")
    selector = fs.FileSelector(path, allow_not_found=True, recursive=recursive)
    with naming(address):
        try:
            found = filesystem.get_file_info(selector)
        except (FileNotFoundError, NotADirectoryError):  # As fsspec reports it.
            return {}
    # fsspec puts a slash before the path, or not.
    n_folder = len(path.strip("/"))
    return {
        info.path.strip("/")[n_folder:].lstrip("/"): (info.size, info.mtime_ns or 0)
        for info in found
        if info.is_file
    }


def copy_in(address: str, target: Path) -> None:
    """Copy a file or folder to this computer, with its time of modification.

    Parameters
    ----------
    address : str
    target : Path
        Left absent if there is nothing at the address.

    Raises
    ------
    DataError
        If the store cannot be used.

    Examples
    --------
    >>> with RemotePlace("memory://copies").write("a.txt") as file:
    ...     _ = file.write(b"new")
    >>> copy_in("memory://copies/a.txt", Path("copied.txt"))
    >>> Path("copied.txt").read_text()
    'new'
    """
    import os

    from pyarrow import fs

    filesystem, path = open_address(address)
    with naming(address):
        info = filesystem.get_file_info(path)
        if info.type == fs.FileType.Directory:
            target.mkdir(parents=True, exist_ok=True)
            found = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
        else:
            found = [info]
        for one in found:
            if not one.is_file:
                continue
            local = target / one.path[len(path) :].lstrip("/") if one is not info else target
            local.parent.mkdir(parents=True, exist_ok=True)
            with filesystem.open_input_stream(one.path) as source, open(local, "wb") as file:
                while block := source.read(1 << 23):
                    file.write(block)
            if one.mtime_ns is not None:
                os.utime(local, ns=(one.mtime_ns, one.mtime_ns))


def copy_out(source: Path, address: str) -> None:
    """Copy a file to an object store; it appears there when it is complete.

    Parameters
    ----------
    source : Path
    address : str

    Raises
    ------
    DataError
        If the store cannot be used.

    Examples
    --------
    >>> copy_out(Path("night.parquet"), "memory://copies/night.parquet")
    >>> RemotePlace("memory://copies").files("")[-1]
    'night.parquet'
    """
    filesystem, path = open_address(address)
    with (
        naming(address),
        open(source, "rb") as file,
        filesystem.open_output_stream(path) as stream,
    ):
        while block := file.read(1 << 23):
            stream.write(block)


def remove_remote(address: str) -> None:
    """Remove a file of an object store, if it exists.

    Parameters
    ----------
    address : str

    Examples
    --------
    >>> remove_remote("memory://copies/no.txt")
    """
    filesystem, path = open_address(address)
    with naming(address):
        try:
            filesystem.delete_file(path)
        except FileNotFoundError:
            return
