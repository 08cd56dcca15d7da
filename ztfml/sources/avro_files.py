"""The records of avro files, read without trust in their content.

The container is read here rather than by fastavro for three reasons: the schema is parsed once
for all files that share it (1.2 ms per packet become 0.7 ms), sizes are checked before memory is
allocated, and nothing of a damaged file is lost silently.
The format is https://avro.apache.org/docs/1.11.1/specification/#object-container-files.
"""

from __future__ import annotations

import bz2
import io
import itertools
import lzma
import zlib
from collections.abc import Iterator, Sequence

import fastavro

from ztfml.io.gunzip import GZIP_MAGIC
from ztfml.io.limits import MAX_PACKET_BYTES, MAX_SCHEMA_BYTES
from ztfml.sources.archives import AVRO_MAGIC
from ztfml.sources.avro_schemas import BadSchemaError, parse_schema

_SYNC_BYTES = 16
# The wire format of Confluent begins a message with a zero and the number of its schema.
_CONFLUENT_PREFIX = 5


class BadAvroError(Exception):
    """An avro file is damaged; the message gives the reason.

    >>> str(BadAvroError("empty file"))
    'empty file'
    """


def read_records(content: bytes, schemas: Sequence[bytes] = ()) -> Iterator[tuple[object, dict]]:
    """Yield the records of an avro file, each with the schema it was written with.

    A file may consist of several avro files, one after the other. After a damaged block, reading
    continues with the next one. A file with one readable block and damage around it is refused.

    Parameters
    ----------
    content : bytes
        The whole file.
    schemas : sequence of bytes
        Schemas in JSON for messages without one, as in live streams. The schema that fits all
        bytes of the file is used.

    Yields
    ------
    record : object
        A dict for an alert packet.
    avro_schema : dict

    Raises
    ------
    BadAvroError
        If the file is not avro, empty or damaged, after all readable records.

    Examples
    --------
    >>> list(read_records(b"objectId,candid"))
    Traceback (most recent call last):
    ...
    ztfml.sources.avro_files.BadAvroError: not an avro file
    """
    if not content:
        raise BadAvroError("empty file")
    if content.startswith(AVRO_MAGIC):
        yield from _Container(content).records()
    else:
        yield from _read_messages(content, schemas)


class _Container:
    """Reads one avro file, or several that follow each other."""

    def __init__(self, content):
        self._content = content
        self._at = 0

    def records(self):
        problems = []
        n_blocks = 0
        first_block = []
        is_whole = True
        while self._at < len(self._content):
            if self._content.startswith(AVRO_MAGIC, self._at):
                schema, codec, sync = self._read_header()
                continue
            start = self._at
            try:
                count, block = self._read_block(sync)
            except BadAvroError as problem:
                problems.append(str(problem))
                is_whole = False
                self._at = self._after_next_sync(start, sync)
                continue
            n_blocks += 1
            records = self._records_of(block, codec, schema, count, problems)
            if n_blocks == 1:
                first_block = list(records)
                continue
            yield from first_block
            first_block = []
            yield from records
        # A single packet that is followed by something else is not what its writer wrote.
        if is_whole:
            yield from first_block
        if problems:
            more = f"; and {len(problems) - 1} more blocks" if len(problems) > 1 else ""
            raise BadAvroError(f"{problems[0]}{more}")
        if not n_blocks:
            raise BadAvroError("the file contains no packet")

    def _records_of(self, block, codec, schema, count, problems):
        """Yield the records of a block, and note why there are no more."""
        try:
            yield from _read_all(_decompress_block(block, codec), schema, count)
        except BadAvroError as problem:
            problems.append(str(problem))

    def _after_next_sync(self, start, sync):
        """Return the position after the next sync marker; a damaged block ends there."""
        found = self._content.find(sync, max(start, self._at))
        return len(self._content) if found < 0 else found + _SYNC_BYTES

    def _read_header(self):
        try:
            self._at += len(AVRO_MAGIC)
            metadata = {}
            while count := self._read_long():
                if count < 0:  # The size of the block of entries follows.
                    self._read_long()
                for _ in range(abs(count)):
                    key = self._take(self._read_long(), MAX_SCHEMA_BYTES)
                    metadata[key] = self._take(self._read_long(), MAX_SCHEMA_BYTES)
            sync = self._take(_SYNC_BYTES, _SYNC_BYTES)
            schema = parse_schema(metadata.get(b"avro.schema", b""))
        except BadSchemaError as error:
            raise BadAvroError(f"avro file damaged ({error})") from error
        return schema, metadata.get(b"avro.codec", b"null").decode(errors="replace"), sync

    def _read_block(self, sync):
        count, size = self._read_long(), self._read_long()
        block = self._take(size, MAX_PACKET_BYTES)
        if self._take(_SYNC_BYTES, _SYNC_BYTES) != sync:
            self._at -= _SYNC_BYTES
            raise BadAvroError("avro file damaged (wrong sync marker after a block)")
        return count, block

    def _read_long(self):
        """Read an integer of 64 bits with the zigzag coding of avro."""
        value = 0
        for shift in range(0, 70, 7):
            if self._at >= len(self._content):
                raise BadAvroError("avro file cut short")
            byte = self._content[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (value >> 1) ^ -(value & 1)
        raise BadAvroError("avro file damaged (an integer has more than 64 bits)")

    def _take(self, size, limit):
        if size > limit:
            raise BadAvroError(f"avro block of {size} bytes, more than {limit:,} bytes")
        if size < 0:
            raise BadAvroError(f"avro file damaged (a block of {size} bytes)")
        if self._at + size > len(self._content):
            raise BadAvroError("avro file cut short")
        part = self._content[self._at : self._at + size]
        self._at += size
        return part


_DECOMPRESSORS = {
    "deflate": lambda: zlib.decompressobj(wbits=-zlib.MAX_WBITS),
    "bzip2": bz2.BZ2Decompressor,
    "xz": lzma.LZMADecompressor,
}


def _decompress_block(block, codec):
    if codec == "null":
        return block
    if codec != "snappy" and codec not in _DECOMPRESSORS:
        raise BadAvroError(f"avro codec {codec[:20]!r} is not supported")
    try:
        if codec == "snappy":
            return _decompress_snappy(block)
        # One byte more than the limit shows that there is too much.
        block = _DECOMPRESSORS[codec]().decompress(block, MAX_PACKET_BYTES + 1)
    except BadAvroError:
        raise
    # Each library has its own types of errors.
    except Exception as error:
        raise BadAvroError(f"avro block damaged ({error})") from error
    if len(block) > MAX_PACKET_BYTES:
        raise _too_large()
    return block


def _decompress_snappy(block):
    import cramjam

    block = block[:-4]  # A checksum follows the data.
    if cramjam.snappy.decompress_raw_len(block) > MAX_PACKET_BYTES:
        raise _too_large()
    return bytes(cramjam.snappy.decompress_raw(block))


def _too_large():
    return BadAvroError(f"avro block larger than {MAX_PACKET_BYTES:,} bytes after decompression")


def _read_all(block, schema, count=None):
    """Yield the records of a block; without a count, as many as it has."""
    # Each record has at least one byte.
    if count is not None and not 0 < count <= len(block):
        raise BadAvroError(f"avro block damaged (it declares {count} records)")
    stream = io.BytesIO(block)
    for _ in range(count) if count is not None else itertools.count():
        if count is None and stream.tell() == len(block):
            return
        # On damaged bytes fastavro raises many types: IndexError, EOFError, struct.error,
        # UnicodeDecodeError, OverflowError, ...
        try:
            record = fastavro.schemaless_reader(stream, schema, None)
        except Exception as error:
            raise BadAvroError(f"avro record damaged ({error})") from error
        yield record, schema
    if stream.tell() != len(block):
        raise BadAvroError(
            f"avro block damaged ({len(block) - stream.tell()} bytes follow its {count} records)"
        )


def _read_messages(content, schemas):
    """Yield messages without a schema, with the first schema that fits all bytes."""
    if not schemas:
        kind = "a gzipped file" if content.startswith(GZIP_MAGIC) else "not an avro file"
        raise BadAvroError(kind)
    if len(content) > MAX_PACKET_BYTES:
        raise BadAvroError(
            f"not an avro file, and no message: more than {MAX_PACKET_BYTES:,} bytes"
        )
    for text in schemas:
        for start in (0, _CONFLUENT_PREFIX):
            try:
                schema = parse_schema(text)
                found = list(_read_all(content[start:], schema))
            except (BadAvroError, BadSchemaError):
                continue
            # A record that fits by chance is not an alert.
            if found and all(isinstance(record, dict) for record, _ in found):
                yield from found
                return
    raise BadAvroError(
        f"not an avro file, and none of {len(schemas)} schemas beside it fits the message"
    )
