"""Alert packets in avro: the records of a file, and what a night keeps of each.

The fields and their types are documented at
https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import fastavro

from ztfml import schema
from ztfml.schema import SPELLING_OF_SIGN, sign_of
from ztfml.sources.archives import AVRO_MAGIC
from ztfml.sources.forced import forced_magnitude

# Schemas before 2.0 have one PS1 match, named without the suffix 1.
_NEW_NAME = {
    alias.removeprefix(column.prefix): column.name
    for column in schema.ALERT_COLUMNS
    for alias in column.aliases
}

_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")

# True == 1 and False == 0 as keys, so this covers booleans and numbers as well.


class RejectedPacketError(Exception):
    """A file or record is not a readable ZTF alert; the message gives the reason.

    >>> str(RejectedPacketError("empty file"))
    'empty file'
    """


class PacketAlert(NamedTuple):
    """The parts of a packet that are kept.

    Parameters
    ----------
    object_id : str
    candid : int
    schemavsn : str or None
        Version of the packet schema.
    publisher : str or None
    candidate : dict
        The fields of the candidate, with the names of the newest schema.
    previous : list of dict
        The previous candidates.
    stamps : list of bytes or None
        Science, template and difference image as gzipped FITS.
    n_forced : int
        Number of rows of forced photometry (``fp_hists``), which are not kept.

    Examples
    --------
    >>> alert = PacketAlert("ZTF18abukavn", 617155240115015005, "3.3", "ZTF", {}, [], [], 0)
    >>> alert.candid
    617155240115015005
    """

    object_id: str
    candid: int
    schemavsn: str | None
    publisher: str | None
    candidate: dict
    previous: list
    stamps: list
    n_forced: int


def read_records(content: bytes) -> Iterator[tuple[object, dict]]:
    """Yield the records of an avro file, each with the schema it was written with.

    Parameters
    ----------
    content : bytes
        The whole file.

    Yields
    ------
    record : object
        A dict for an alert packet.
    avro_schema : dict

    Raises
    ------
    RejectedPacketError
        If the file is not avro, empty or damaged.

    Examples
    --------
    >>> list(read_records(b"objectId,candid"))
    Traceback (most recent call last):
    ...
    ztfml.sources.avro_packets.RejectedPacketError: not an avro file
    """
    if not content:
        raise RejectedPacketError("empty file")
    if not content.startswith(AVRO_MAGIC):
        raise RejectedPacketError("not an avro file")
    # On damaged bytes fastavro raises many types: IndexError, EOFError, struct.error,
    # UnicodeDecodeError, OverflowError, ...
    try:
        reader = fastavro.block_reader(io.BytesIO(content))
        blocks = list(reader)
    except Exception as error:
        raise RejectedPacketError(f"avro file cut short or damaged ({error})") from error
    if not blocks:
        raise RejectedPacketError("the file contains no packet")
    for block in blocks:
        records = iter(block)
        while True:
            try:
                record = next(records)
            except StopIteration:
                break
            except Exception as error:
                raise RejectedPacketError(f"avro record damaged ({error})") from error
            yield record, reader.writer_schema


def read_packet(packet: Any, avro_schema: dict) -> PacketAlert:
    """Take from a packet what a night keeps, with the names of the newest schema.

    Forced photometry in the place of previous candidates (schema 3.5) becomes magnitudes and
    limits.

    Parameters
    ----------
    packet : object
        A record of an avro file; its dicts are modified.
    avro_schema : dict
        The schema with which the file was written.

    Returns
    -------
    PacketAlert

    Raises
    ------
    RejectedPacketError
        If the record is not a ZTF alert.

    Examples
    --------
    >>> candidate = {"jd": 2459000.5, "fid": 1, "magpsf": 18.5, "isdiffpos": "1"}
    >>> packet = {"objectId": "ZTF18abukavn", "candid": 617155240115015005, "candidate": candidate}
    >>> read_packet(packet, {"version": "3.3"}).candidate["isdiffpos"]
    't'
    """
    candidate = packet.get("candidate") if isinstance(packet, dict) else None
    if not isinstance(candidate, dict):
        raise RejectedPacketError(
            f"not a ZTF alert: {_record_name(avro_schema)} has no candidate record"
        )
    object_id = _object_id(packet)
    for field in ("jd", "fid", "magpsf"):
        if candidate.get(field) is None:
            raise RejectedPacketError(f"not a ZTF alert: the candidate has no {field}")
    # ALeRCE writes the candid only in the candidate. A candid begins with the number of nights
    # since 2017-01-01, so it is negative before; it is unique nevertheless.
    candid = packet.get("candid") or candidate.get("candid")
    if not isinstance(candid, int):
        raise RejectedPacketError("not a ZTF alert: it has no candid")
    _to_newest_schema(candidate)
    candidate["candid"] = candid
    version = packet.get("schemavsn") or avro_schema.get("version")
    return PacketAlert(
        object_id,
        candid,
        version,
        packet.get("publisher"),
        candidate,
        [_previous(row) for row in packet.get("prv_candidates") or ()],
        [_stamp(packet.get(cutout)) for cutout in _CUTOUTS],
        len(packet.get("fp_hists") or ()),
    )


def _stamp(cutout):
    # Some brokers write the bytes directly instead of the record that ZTF writes.
    return cutout.get("stampData") if isinstance(cutout, dict) else cutout


def _record_name(avro_schema):
    return f"record {avro_schema['name']}" if "name" in avro_schema else "the record"


def _object_id(packet):
    # Schemas before 1.3 have no objectId: each alert counts as an object.
    object_id = packet.get("objectId") or packet.get("alertId")
    if object_id is None:
        raise RejectedPacketError("not a ZTF alert: it has no objectId")
    if "objectId" in packet and not str(object_id).startswith("ZTF"):
        raise RejectedPacketError(f"not a ZTF alert: object {object_id} belongs to another survey")
    return str(object_id)


def _to_newest_schema(candidate):
    """Rename fields of older schemas, and write isdiffpos as t or f."""
    candidate["isdiffpos"] = SPELLING_OF_SIGN[sign_of(candidate.get("isdiffpos"))]
    for old, new in _NEW_NAME.items():
        if old in candidate:
            candidate.setdefault(new, candidate.pop(old))


def _previous(row):
    if "forcediffimflux" in row:
        flux, error = row["forcediffimflux"], row.get("forcediffimfluxunc")
        # If the flux could not be measured, the limit of the image remains.
        row.update(forced_magnitude(flux, error, row.get("magzpsci")))
    row["isdiffpos"] = SPELLING_OF_SIGN[sign_of(row.get("isdiffpos"))]
    return row
