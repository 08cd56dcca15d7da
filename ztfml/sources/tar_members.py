"""The members of a tar archive, read as a stream without losing any silently.

tarfile takes a damaged header or a block of zeros for the end of the archive, and follows chains
of headers recursively. Here the end is the end marker followed by zeros only, everything else is a
problem, and reading continues at the next valid header.
The format is https://www.gnu.org/software/tar/manual/html_node/Standard.html.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ztfml.io.limits import MAX_MEMBER_BYTES, MAX_NAME_BYTES, MAX_SKIPPED_BYTES

TAR_MAGIC = b"ustar"
TAR_MAGIC_AT = 257

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_CHUNK = 1_000_000
_FILE_TYPES = (b"0", b"\0", b"7")
# A long name (GNU), or a header with the name and the size (POSIX).
_GNU_NAME, _PAX_HEADER = b"L", b"x"
_SPARSE = b"S"


class Member(NamedTuple):
    """A member of an archive.

    Parameters
    ----------
    name : str
        Name of a file, or of what could not be read.
    content : bytes or None
        None if there is a problem.
    problem : str
        Why the content could not be read; empty otherwise.

    Examples
    --------
    >>> Member("1.avro", b"Obj").problem
    ''
    """

    name: str
    content: bytes | None
    problem: str = ""


def read_members(stream: BinaryIO, is_compressed: bool = False) -> Iterator[Member]:
    """Yield the files in a tar archive, and what cannot be read.

    Parameters
    ----------
    stream : binary file
        The decompressed archive; it is read once from its beginning.
    is_compressed : bool
        Whether the stream decompresses a file, so that skipping a part takes as long as reading.

    Yields
    ------
    Member

    Examples
    --------
    >>> [member.problem for member in read_members(io.BytesIO(bytes(1024)))]
    []
    >>> [member.problem for member in read_members(io.BytesIO(b"not a tar archive" * 60))]
    ['offset 0: 1020 bytes without a valid tar header cannot be read']
    """
    yield from _Archive(stream, is_compressed).members()


class _Header(NamedTuple):
    name: str
    size: int
    kind: bytes


class _Archive:
    def __init__(self, stream, is_compressed):
        self._stream = stream
        self._is_compressed = is_compressed
        self._at = 0

    def members(self):
        while True:
            start = self._at
            block = self._read(_BLOCK)
            if not block:
                yield Member("", None, f"no end marker after byte {start}; packets may be missing")
                return
            if block == _ZEROS:
                block = self._after_zeros()
                if block is None:
                    return
                yield Member("", None, f"offset {start}: zeros in the middle of the archive")
                start = self._at - len(block)
            header = _parse_header(block)
            if header is None:
                header = self._find_header()
                lost = self._at - start - (_BLOCK if header else 0)
                problem = f"offset {start}: {lost} bytes without a valid tar header cannot be read"
                yield Member("", None, problem)
                if header is None:
                    return
            is_last = yield from self._member(header)
            if is_last:
                return

    def _after_zeros(self):
        """Return the first block after a run of zeros; None at the end of the archive."""
        while block := self._read(_BLOCK):
            if block.strip(b"\0"):
                return block
        return None

    def _find_header(self):
        """Return the next valid header; None at the end of the archive."""
        while block := self._read(_BLOCK):
            if header := _parse_header(block):
                return header
        return None

    def _member(self, header):
        """Yield the file that a header announces; return True if nothing is read after it."""
        is_sparse = header.kind == _SPARSE
        if header.kind in (_GNU_NAME, _PAX_HEADER):
            start = self._at
            header, is_sparse = self._long_header(header)
            if header is None:
                yield Member("", None, f"offset {start}: no valid tar header after a long name")
                return False
        name, size, kind = header
        if kind not in (*_FILE_TYPES, _SPARSE):
            self._skip(size)  # A folder, a link or a comment.
        elif is_sparse:
            yield Member(name, None, "a sparse file, which no alert packet is")
            self._skip(size)
        elif size > MAX_MEMBER_BYTES:
            yield Member(name, None, f"too large: {size} bytes, more than {MAX_MEMBER_BYTES:,}")
            if self._is_compressed and size > MAX_SKIPPED_BYTES:
                yield Member(
                    "", None, f"the archive is not read after {name}, {size} bytes of data"
                )
                return True
            self._skip(size)
        else:
            content = self._content(size)
            if len(content) < size:
                yield Member(name, None, "cannot be read to its end; the archive is cut")
            else:
                yield Member(name, content)
        return False

    def _long_header(self, header):
        """Return the header after any number of long names, and whether its file is sparse."""
        name, size, is_sparse = None, None, False
        while header is not None and header.kind in (_GNU_NAME, _PAX_HEADER):
            if header.size > MAX_NAME_BYTES:
                return None, False
            content = self._content(header.size)
            if header.kind == _GNU_NAME:
                name = content.split(b"\0")[0].decode(errors="replace")
            else:
                pax_name, pax_size, pax_sparse = _parse_pax(content)
                name, size = pax_name or name, pax_size if pax_size is not None else size
                is_sparse |= pax_sparse
            header = _parse_header(self._read(_BLOCK))
        if header is None:
            return None, False
        size = header.size if size is None else size
        return _Header(name or header.name, size, header.kind), is_sparse or header.kind == _SPARSE

    def _content(self, size):
        content = self._read(size)
        self._read(-size % _BLOCK)
        return content

    def _skip(self, size):
        rest = size + -size % _BLOCK
        if not self._is_compressed and self._stream.seekable():
            self._stream.seek(rest, io.SEEK_CUR)
            self._at += rest
            return
        while rest > 0 and (part := self._read(min(rest, _CHUNK))):
            rest -= len(part)

    def _read(self, size):
        block = self._stream.read(size)
        self._at += len(block)
        return block


def _parse_header(block):
    """Return the header in a block, or None if it is not a valid one."""
    if len(block) < _BLOCK:
        return None
    stated = _number(block[148:156])
    if stated is None or stated != sum(block) - sum(block[148:156]) + 8 * 32:
        return None
    size = _number(block[124:136])
    if size is None or size < 0:
        return None
    name = block[:100].rstrip(b"\0")
    prefix = block[345:500].rstrip(b"\0")
    # The prefix is part of the name in POSIX headers only.
    if prefix and block[TAR_MAGIC_AT : TAR_MAGIC_AT + 6] == TAR_MAGIC + b"\0":
        name = prefix + b"/" + name
    kind = block[156:157]
    # A header of a link or folder may state the size of its target, but no data follow.
    if kind in (b"1", b"2", b"3", b"4", b"5", b"6"):
        size = 0
    return _Header(name.split(b"\0")[0].decode(errors="replace"), size, kind)


def _number(field):
    """Return an octal number, or one with 8 bits per byte, or None."""
    if field[0] in (0x80, 0xFF):
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else None
    text = field.strip(b" \0")
    try:
        return int(text, 8) if text else 0
    except ValueError:
        return None


def _parse_pax(content):
    """Return name, size and whether the file is sparse, from an extended header."""
    name, size, is_sparse = None, None, False
    stream = io.BytesIO(content)
    while length := stream.read(1):
        while (digit := stream.read(1)).isdigit():
            length += digit
        if not length.isdigit() or digit != b" ":
            break
        record = stream.read(max(int(length) - len(length) - 1, 0)).rstrip(b"\n")
        key, _, value = record.partition(b"=")
        if key == b"path":
            name = value.decode(errors="replace")
        elif key == b"size" and value.isdigit():
            size = int(value)
        is_sparse |= key.startswith(b"GNU.sparse")
    return name, size, is_sparse
