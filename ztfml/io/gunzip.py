"""Decompress gzip with a limit on the size of the result."""

from __future__ import annotations

import zlib

from ztfml.errors import DataError

GZIP_MAGIC = b"\x1f\x8b"


def gunzip(content: bytes, max_bytes: int) -> bytes:
    """Decompress bytes if they are gzipped, else return them unchanged.

    Parameters
    ----------
    content : bytes
    max_bytes : int
        Largest size of the result. One megabyte can decompress to one gigabyte.

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        If the result would be larger.
    EOFError, zlib.error
        If the content is truncated or damaged.

    Examples
    --------
    >>> import gzip
    >>> gunzip(gzip.compress(b"objectId"), 100), gunzip(b"objectId", 100)
    (b'objectId', b'objectId')
    """
    if not content.startswith(GZIP_MAGIC):
        return content
    parts, room = [], max_bytes
    while content.startswith(GZIP_MAGIC):  # A file may have several parts.
        decoder = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        parts.append(decoder.decompress(content, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise DataError(f"it decompresses to more than {max_bytes:,} bytes")
        if not decoder.eof:
            raise EOFError("the compressed data end too early")
        content = decoder.unused_data
    return b"".join(parts)
