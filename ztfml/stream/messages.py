"""Decode messages of a stream: ZTF, BOOM and Babamul avro, and the avro of Fink.

ZTF, BOOM and Babamul send avro files. Fink sends a record without its schema, and the schema as
JSON in the key of the message (https://github.com/astrolabsoftware/fink-client).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ztfml.io.limits import MAX_SCHEMA_BYTES
from ztfml.sources.archives import PacketFile
from ztfml.sources.decode import DecodedBatch, decode


class Message(NamedTuple):
    """A message of a stream.

    Parameters
    ----------
    topic : str
    partition, offset : int
        Position in the topic.
    key, value : bytes or None

    Examples
    --------
    >>> Message("ztf_20240601_programid1", 3, 120, None, b"Obj").name
    'ztf_20240601_programid1/3/120'
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def name(self) -> str:
        """Topic, partition and offset, which identify the message."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def decode_messages(messages: Iterable[Message]) -> Iterator[DecodedBatch]:
    """Decode messages to tables.

    Parameters
    ----------
    messages : iterable of Message

    Yields
    ------
    DecodedBatch
        `skipped` names what cannot be decoded, by `Message.name`.

    Examples
    --------
    >>> next(decode_messages([Message("ztf", 0, 5, None, b"text")])).skipped
    [('ztf/0/5', 'not an avro file')]
    """
    return decode(map(_packet_file, messages))


def _packet_file(message: Message) -> PacketFile:
    key = message.key or b""
    is_schema = key.lstrip().startswith(b"{") and len(key) <= MAX_SCHEMA_BYTES
    content = message.value or b""
    return PacketFile(message.name, content, "", schemas=(key,) if is_schema else ())
