"""Packet files in folders and tar archives, read as a stream.

Archives are not extracted, and memory does not grow with the number of files.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from ztfml.errors import DataError
from ztfml.io.gunzip import GZIP_MAGIC, gunzip
from ztfml.io.limits import MAX_MEMBER_BYTES, MAX_PACKET_FILE_BYTES
from ztfml.sources.tar_members import TAR_MAGIC, TAR_MAGIC_AT, read_members

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")

PACKET_SUFFIXES = (".avro", ".avro.gz")
AVRO_MAGIC = b"Obj\x01"
_SCHEMA_PATTERNS = ("*.avsc", "*schema*.json")


class PacketFile(NamedTuple):
    """The content of a packet file, or why it cannot be read.

    Parameters
    ----------
    name : str
        Path of the file, or of the archive and the member.
    content : bytes or None
        None if there is a problem.
    folder : str
        The folder of the file or archive, where avro schemas may be.
    problem : str
    schemas : tuple of bytes
        Schemas in JSON that were delivered with the content.

    Examples
    --------
    >>> PacketFile("a.avro", b"", ".").problem
    ''
    """

    name: str
    content: bytes | None
    folder: str
    problem: str = ""
    schemas: tuple[bytes, ...] = ()


def find_files(paths: Iterable[str | Path]) -> list[Path]:
    """List packet files and archives.

    Parameters
    ----------
    paths : iterable of str or Path
        Files, which are listed whatever their name except avro schemas (``.avsc``), and folders,
        which are searched recursively for packets and archives.

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
            files += [path] if path.suffix != ".avsc" else []
        else:
            raise DataError(
                f"{path}: there is no such file or folder; name avro packets, tar archives of "
                "them, or folders"
            )
    return files


def find_schemas(folder: str | Path) -> list[bytes]:
    """Read the avro schemas in a folder, for messages without a schema.

    Parameters
    ----------
    folder : str or Path
        Schemas are the files ``*.avsc`` and ``*schema*.json``.

    Returns
    -------
    list of bytes

    Examples
    --------
    >>> find_schemas(".")
    []
    """
    folder = Path(folder)
    paths = sorted({path for pattern in _SCHEMA_PATTERNS for path in folder.glob(pattern)})
    return [path.read_bytes() for path in paths if path.is_file()]


def _is_packet_file(path):
    has_suffix = path.name.endswith((*PACKET_SUFFIXES, *ARCHIVE_SUFFIXES))
    return has_suffix and not path.name.startswith(".") and path.is_file()


def contents_of(files: Iterable[Path]) -> Iterator[PacketFile]:
    """Yield the content of each packet file and archive member, in order.

    Parameters
    ----------
    files : iterable of Path
        Packet files, gzipped or not, and archives.

    Yields
    ------
    PacketFile
        With a problem for each file or part of an archive that cannot be read.

    Examples
    --------
    >>> (file,) = contents_of([Path("night_labels.csv")])
    >>> file.name, file.content[:15]
    ('night_labels.csv', b'candid,objectId')
    """
    for path in files:
        folder = str(path.parent)
        try:
            if path.name.endswith(ARCHIVE_SUFFIXES) or _contains_tar(path):
                yield from _members(path, folder)
            else:
                yield PacketFile(str(path), _read_file(path), folder)
        except DataError as error:
            yield PacketFile(str(path), None, folder, f"too large: {error}")
        except (OSError, EOFError, zlib.error) as error:
            reason = "cannot be read to its end; the packets before the error are kept"
            yield PacketFile(str(path), None, folder, f"{reason} ({error})")


def is_tar(head: bytes) -> bool:
    """Return True if the (decompressed) first bytes of a file are those of a tar archive.

    >>> is_tar(b"Obj")
    False
    """
    return head[TAR_MAGIC_AT : TAR_MAGIC_AT + len(TAR_MAGIC)] == TAR_MAGIC


def gunzip_head(head: bytes, n_bytes: int = 1024) -> bytes:
    """Decompress the first bytes of a file if it is gzipped, else return them unchanged.

    >>> gunzip_head(gzip.compress(b"objectId,candid"), 8)
    b'objectId'
    """
    if not head.startswith(GZIP_MAGIC):
        return head
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, n_bytes)
    except zlib.error:
        return head  # Damaged: the reader of the whole file reports it.


def _read_file(path):
    if path.stat().st_size > MAX_PACKET_FILE_BYTES:
        raise DataError(f"it has more than {MAX_PACKET_FILE_BYTES:,} bytes")
    return gunzip(path.read_bytes(), MAX_PACKET_FILE_BYTES)


def _contains_tar(path):
    if path.name.endswith(".avro"):
        return False
    with open(path, "rb") as file:
        return is_tar(gunzip_head(file.read(4096)))


def _members(path, folder):
    is_gzipped = _is_gzipped(path)
    opener = gzip.open if is_gzipped else open
    with opener(path, "rb") as stream:
        for name, content, problem in read_members(stream, is_gzipped):
            label = f"{path}/{name}" if name else str(path)
            if problem:
                yield PacketFile(label, None, folder, problem)
            elif not Path(name).name.startswith("."):
                try:
                    yield PacketFile(label, gunzip(content, MAX_MEMBER_BYTES), folder)
                except DataError as error:
                    yield PacketFile(label, None, folder, f"too large: {error}")
                except (EOFError, zlib.error) as error:
                    yield PacketFile(label, None, folder, f"damaged ({error})")


def _is_gzipped(path):
    # The suffix is not reliable: some download tools unpack a .tar.gz and keep its name.
    with open(path, "rb") as file:
        return file.read(2) == GZIP_MAGIC
