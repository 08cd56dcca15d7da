"""Packet files in folders and tar archives, read as a stream.

Archives are not extracted, and memory does not grow with the number of files.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ztfml.errors import DataError

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")
AVRO_MAGIC = b"Obj\x01"

_PACKET_SUFFIXES = (".avro", ".avro.gz")
_GZIP_MAGIC = b"\x1f\x8b"
_TAR_MAGIC = b"ustar"
_TAR_MAGIC_AT = 257


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """List packet files and archives.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, which are listed whatever their name, and folders, which are searched recursively
        for packets and archives.

    Returns
    -------
    list of Path
        The files of each folder in alphabetical order.

    Raises
    ------
    DataError
        If a path does not exist.

    Examples
    --------
    >>> find_files(["night.parquet"])[0].name, find_files(["."])
    ('night.parquet', [])
    """
    files = []
    for path in map(Path, paths):
        if path.is_dir():
            files += sorted(file for file in path.rglob("*") if _is_packet_file(file))
        elif path.is_file():
            files.append(path)
        else:
            raise DataError(
                f"{path}: there is no such file or folder; name avro packets, tar archives of "
                "them, or folders"
            )
    return files


def _is_packet_file(path):
    has_suffix = path.name.endswith((*_PACKET_SUFFIXES, *ARCHIVE_SUFFIXES))
    return has_suffix and not path.name.startswith(".") and path.is_file()


def contents_of(
    files: Iterable[Path], skipped: list[tuple[str, str]]
) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each packet file and archive member.

    Parameters
    ----------
    files : iterable of Path
        Packet files, gzipped or not, and archives.
    skipped : list of (str, str)
        Name and reason are appended for each file that cannot be read to its end.

    Yields
    ------
    name : str
    content : bytes

    Examples
    --------
    >>> ((name, content),) = contents_of([Path("night_labels.csv")], [])
    >>> content[:15]
    b'candid,objectId'
    """
    for path in files:
        try:
            if path.name.endswith(ARCHIVE_SUFFIXES) or _contains_tar(path):
                yield from _members(path)
            else:
                content = path.read_bytes()
                is_gzipped = content.startswith(_GZIP_MAGIC)
                yield str(path), gzip.decompress(content) if is_gzipped else content
        except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
            reason = "cannot be read to its end; the packets before the error are kept"
            skipped.append((str(path), f"{reason} ({error})"))


def is_tar(head: bytes) -> bool:
    """Return True if the (decompressed) first bytes of a file are those of a tar archive.

    >>> is_tar(b"Obj")
    False
    """
    return head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + len(_TAR_MAGIC)] == _TAR_MAGIC


def gunzip_head(head: bytes, n_bytes: int = 1024) -> bytes:
    """Decompress the first bytes of a file if it is gzipped, else return them unchanged.

    >>> gunzip_head(gzip.compress(b"objectId,candid"), 8)
    b'objectId'
    """
    if not head.startswith(_GZIP_MAGIC):
        return head
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, n_bytes)
    except zlib.error:
        return head  # Damaged: the reader of the whole file reports it.


def _contains_tar(path):
    if path.name.endswith(".avro"):
        return False
    with open(path, "rb") as file:
        return is_tar(gunzip_head(file.read(4096)))


def _members(path):
    # gzip.open notices any truncation of the file; tarfile's reader of compressed streams takes
    # a cut between two members for the end of the archive.
    opener = gzip.open if _is_gzipped(path) else open
    with opener(path, "rb") as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # Otherwise tarfile keeps a record of every member.
            if member.isfile() and not Path(member.name).name.startswith("."):
                yield f"{path}/{member.name}", archive.extractfile(member).read()
        while stream.read(1 << 20):  # gzip verifies its checksum at the end of the file.
            pass


def _is_gzipped(path):
    # The suffix is not reliable: some download tools unpack a .tar.gz and keep its name.
    with open(path, "rb") as file:
        return file.read(2) == _GZIP_MAGIC
