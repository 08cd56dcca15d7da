"""Packets of ZTF decoded to tables by compiled code, without a Python object for each value.

A packet that this reader does not know exactly, or that is damaged, is left to
`ztfml.sources.avro_files`, which reads everything and gives the reasons. Both give the same tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.compiled import cached
from ztfml.schema import SPELLING_OF_SIGN, sign_of
from ztfml.sources.archives import AVRO_MAGIC
from ztfml.sources.avro_packets import NO_VALUES, note_bad_status
from ztfml.sources.avro_program import (
    ALERT,
    BEGIN,
    BYTES,
    DOUBLE,
    END,
    FLOAT,
    GROUP,
    HISTORY,
    KIND,
    LIST,
    LONG,
    NULL_BRANCH,
    PHOTOMETRY,
    RECORD,
    SLOT,
    TEXT,
    Program,
    program_of,
)
from ztfml.sources.forced import is_good_status
from ztfml.sources.packet_tables import CANDIDATE, FORCED, PREVIOUS, PacketTables, assemble, part_of
from ztfml.sources.remarks import Remarks

_SYNC_BYTES = 16
# Positions in the joined packets have 31 bits.
_MAX_BYTES = 1 << 30


class Columns(NamedTuple):
    """The values of a group: bits of 64 bits, or position and length of a text.

    Parameters
    ----------
    values : ndarray of int64, shape (n_rows, n_slots)
    is_null : ndarray of uint8, shape (n_rows, n_slots)
    """

    values: np.ndarray
    is_null: np.ndarray


def decode_packets(
    contents: Sequence[bytes], remarks: Remarks
) -> tuple[PacketTables, Program] | None:
    """Decode packet files that have the same schema.

    Parameters
    ----------
    contents : sequence of bytes
        Avro files with one packet each.
    remarks : Remarks
        Receives what is left out.

    Returns
    -------
    tables : PacketTables
    program : Program
        Of the schema. None is returned instead of both if one of the files is anything else.

    Examples
    --------
    >>> decode_packets([b"text"], Remarks())
    """
    header = _Header.of(contents[0]) if contents else None
    if header is None or not all(content.startswith(header.content) for content in contents):
        return None
    ends = np.cumsum([len(content) for content in contents])
    if ends[-1] > _MAX_BYTES:
        return None
    data = np.frombuffer(b"".join(contents), np.uint8)
    begins = np.concatenate([[0], ends[:-1]]) + len(header.content)
    groups = _read(data, begins, ends, header.program)
    if groups is None:
        return None
    tables = _Group.tables(data, groups, header.program, remarks)
    return None if tables is None else (tables, header.program)


class _Header(NamedTuple):
    """The bytes before the sync marker of an avro file, and the instructions of its schema."""

    content: bytes
    program: Program

    @classmethod
    def of(cls, content):
        if not content.startswith(AVRO_MAGIC):
            return None
        data = np.frombuffer(content, np.uint8)
        end, schema_begin, schema_end = _find_schema(data, len(AVRO_MAGIC))
        program = program_of(content[schema_begin:schema_end]) if end > 0 else None
        return None if program is None else cls(content[:end], program)


@cached
def _find_schema(data, at):
    """Find the schema in a header without compression: end of the header, begin, end."""
    begin = end = -1
    count, at = _long(data, at, len(data))
    if at < 0 or not 0 < count <= 8:
        return -1, -1, -1
    for _ in range(count):
        key, at = _long(data, at, len(data))
        if at < 0 or not 0 <= key <= len(data) - at:
            return -1, -1, -1
        key_at, at = at, at + key
        size, at = _long(data, at, len(data))
        if at < 0 or not 0 <= size <= len(data) - at:
            return -1, -1, -1
        # avro.schema has 11 letters, avro.codec 10.
        if key == 11 and data[key_at + 5] == ord("s"):
            begin, end = at, at + size
        elif key == 10 and data[key_at + 5] == ord("c") and (size != 4 or data[at] != ord("n")):
            return -1, -1, -1
        at += size
    closing, at = _long(data, at, len(data))
    if at < 0 or closing != 0 or begin < 0:
        return -1, -1, -1
    return at, begin, end


@cached
def _long(data, at, end):
    """Read an integer in the zigzag coding; the new position is -1 if there is none."""
    value = np.uint64(0)
    shift = np.uint64(0)
    while at < end and shift < 70:
        byte = np.uint64(data[at])
        at += 1
        value |= (byte & np.uint64(0x7F)) << shift
        if byte < 0x80:
            return np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1)), at
        shift += np.uint64(7)
    return np.int64(0), -1


@cached
def _value(data, at, end, kind):
    """Read a number or text: its bits, or position and length; the new position or -1."""
    if kind == LONG:
        return _long(data, at, end)
    if kind in (TEXT, BYTES):
        size, at = _long(data, at, end)
        if at < 0 or size < 0 or size > end - at:
            return np.int64(0), -1
        return np.int64(at) << 32 | size, at + size
    size = 8 if kind == DOUBLE else (4 if kind == FLOAT else 1)
    if size > end - at:
        return np.int64(0), -1
    bits = np.uint64(0)
    for k in range(size):
        bits |= np.uint64(data[at + k]) << np.uint64(8 * k)
    return np.int64(bits), at + size


@cached
def _is_ascii(data, text):
    begin, highest = text >> 32, 0
    for k in range(begin, begin + (text & 0xFFFFFFFF)):
        highest = max(highest, data[k])
    return highest < 128


@cached
def _fields(data, at, end, fields, first, last, values, is_null, row):
    """Read the fields of a record into a row; without rows, only move on."""
    for f in range(first, last):
        field = fields[f]
        keep = field[SLOT] >= 0 and row < len(values)
        if field[NULL_BRANCH] >= 0:
            branch, at = _long(data, at, end)
            if at < 0 or branch < 0 or branch > 1:
                return -1
            if branch == field[NULL_BRANCH]:
                if keep:
                    is_null[row, field[SLOT]] = 1
                continue
        value, at = _value(data, at, end, field[KIND])
        if at < 0:
            return -1
        if keep:
            values[row, field[SLOT]] = value
        elif field[SLOT] < 0 and field[KIND] == TEXT and not _is_ascii(data, value):
            return -1  # Perhaps it is damaged. What is kept is checked later.
    return at


@cached
def _packet(data, at, end, fields, n_top, values, is_null, rows):
    """Read a packet; `rows` are the next rows of each group. Returns the new position or -1."""
    for f in range(n_top):
        field = fields[f]
        group = field[GROUP]
        if field[KIND] != RECORD and field[KIND] != LIST:
            at = _fields(data, at, end, fields, f, f + 1, values[0], is_null[0], rows[0])
            if at < 0:
                return -1
            continue
        if field[NULL_BRANCH] >= 0:
            branch, at = _long(data, at, end)
            if at < 0 or branch < 0 or branch > 1:
                return -1
            if branch == field[NULL_BRANCH]:
                if group == ALERT:
                    return -1
                continue
        target = max(group, 0)
        # Values that are not kept have no slot, so the row does not matter.
        count = np.int64(1)
        while count != 0:
            if field[KIND] == LIST:
                count, at = _long(data, at, end)
                if count < 0 and at >= 0:
                    count = -count
                    _, at = _long(data, at, end)
                if at < 0 or count < 0 or count > end - at:
                    return -1
            for _ in range(count):
                at = _fields(
                    data, at, end, fields, field[BEGIN], field[END], values[target],
                    is_null[target], rows[target],
                )  # fmt: skip
                if at < 0:
                    return -1
                if group >= 0:
                    rows[group] += 1
            if field[KIND] != LIST:
                break
    rows[0] += 1
    return at


@cached(nogil=True)
def _packets(data, begins, ends, fields, n_top, values, is_null, counts):
    """Read packets; `counts` are the rows of each group after each packet. True if all is well."""
    rows = np.zeros(4, np.int64)
    for k in range(len(begins)):
        sync, at, end = begins[k], begins[k] + _SYNC_BYTES, ends[k]
        if at > end:
            return False
        count, at = _long(data, at, end)
        if at < 0 or count != 1:
            return False
        size, at = _long(data, at, end)
        if at < 0 or size != end - at - _SYNC_BYTES:
            return False
        end -= _SYNC_BYTES
        for b in range(_SYNC_BYTES):
            if data[sync + b] != data[end + b]:
                return False
        if _packet(data, at, end, fields, n_top, values, is_null, rows) != end:
            return False
        counts[k] = rows
    return True


def _read(data, begins, ends, program):
    """Return the values of each group and the number of rows after each packet, or None."""
    counts = np.zeros((len(begins), 4), np.int64)
    for n_rows in (lambda: np.zeros(4, np.int64), lambda: counts[-1]):
        n = n_rows()
        shapes = [(n[group], len(slots)) for group, slots in enumerate(program.slots)]
        values = tuple(np.zeros(shape, np.int64) for shape in shapes)
        is_null = tuple(np.zeros(shape, np.uint8) for shape in shapes)
        if not _packets(data, begins, ends, program.fields, program.n_top, values, is_null, counts):
            return None
    return [Columns(*pair) for pair in zip(values, is_null, strict=True)], counts


class _Group:
    """One group of values as Arrow arrays."""

    def __init__(self, data, columns, slots):
        self._data = data
        self._columns = columns
        self._slots = {slot.name: (k, slot.kind) for k, slot in enumerate(slots)}
        self._n_rows = len(columns.values)

    @classmethod
    def tables(cls, data, read, program, remarks):
        """Make the tables of packets, or None if a value needs the other reader."""
        columns, counts = read
        packet, alert, history, photometry = (
            cls(data, one, slots) for one, slots in zip(columns, program.slots, strict=True)
        )
        try:
            top = [packet.array(name, kind) for name, kind in _TOP]
            top[2] = _or_version(top[2], program.version)
            candidate = {field.name: alert.array(field.name, field.type) for field in CANDIDATE}
            candidate["candid"] = top[1]
            _check(top, candidate)
            previous = {field.name: history.array(field.name, field.type) for field in PREVIOUS}
            for rows in (candidate, previous):
                rows["isdiffpos"] = _spelled(rows["isdiffpos"])
            forced = {field.name: photometry.array(field.name, field.type) for field in FORCED}
        except (_OtherReaderError, pa.ArrowException):
            return None
        alert_of = [
            np.repeat(np.arange(len(counts)), np.diff(counts[:, group], prepend=0))
            for group in (HISTORY, PHOTOMETRY)
        ]
        if photometry.has("procstatus"):
            forced, alert_of[1] = _good(forced, alert_of[1], remarks)
        part = pa.array([part_of(name) for name in top[0].to_pylist()], pa.int32())
        return assemble(top, candidate, part, (previous, alert_of[0]), (forced, alert_of[1]))

    def has(self, name):
        """Whether the packets have a field."""
        return name in self._slots

    def array(self, name, kind):
        """Return a column; all values are null if the packets do not have it."""
        if name not in self._slots:
            return pa.nulls(self._n_rows, kind)
        k, read_as = self._slots[name]
        values = np.ascontiguousarray(self._columns.values[:, k])
        is_null = self._columns.is_null[:, k].astype(bool)
        if read_as == TEXT:
            return self._text(values, is_null)
        if read_as == FLOAT:
            values = values.astype(np.uint32).view(np.float32)
        elif read_as == DOUBLE:
            values = values.view(np.float64)
        elif pa.types.is_int32(kind) and not (values == values.astype(np.int32)).all():
            raise _OtherReaderError
        with np.errstate(over="ignore"):
            return pa.array(values.astype(kind.to_pandas_dtype()), kind, mask=is_null)

    def _text(self, values, is_null):
        begin, size = values >> 32, values & 0xFFFFFFFF
        offsets = np.concatenate([[0], np.cumsum(size)]).astype(np.int32)
        content = np.empty(offsets[-1], np.uint8)
        _gather(self._data, begin, offsets, content)
        bitmap = pa.py_buffer(np.packbits(~is_null, bitorder="little").tobytes())
        array = pa.StringArray.from_buffers(
            len(values), pa.py_buffer(offsets), pa.py_buffer(content), bitmap, int(is_null.sum())
        )
        array.validate(full=True)  # An error if it is not UTF-8.
        return array


class _OtherReaderError(Exception):
    """A value means something that only `avro_packets.read_packet` knows."""


_TOP = (("objectId", pa.string()), ("candid", pa.int64()), ("schemavsn", pa.string()),
        ("publisher", pa.string()))  # fmt: skip


@cached(nogil=True)
def _gather(data, begin, offsets, content):
    for k in range(len(begin)):
        n = offsets[k + 1] - offsets[k]
        content[offsets[k] : offsets[k + 1]] = data[begin[k] : begin[k] + n]


def _or_version(schemavsn, version):
    empty = pc.fill_null(pc.equal(schemavsn, ""), True)
    return pc.if_else(empty, pa.scalar(version, pa.string()), schemavsn)


def _check(top, candidate):
    """Raise an error unless all packets are alerts of ZTF with a candid, a time and a magnitude."""
    needed = [top[0], top[1], *(candidate[name] for name in ("jd", "fid", "magpsf"))]
    is_ztf = pc.all(pc.starts_with(top[0], "ZTF")).as_py()
    if any(one.null_count for one in needed) or not is_ztf or pc.any(pc.equal(top[1], 0)).as_py():
        raise _OtherReaderError


def _spelled(isdiffpos):
    """Write signs as t and f."""
    encoded = isdiffpos.dictionary_encode()
    spelled = []
    for spelling in encoded.dictionary.to_pylist():
        sign = sign_of(spelling)
        if sign == 0 and spelling.strip().lower() not in NO_VALUES:
            raise _OtherReaderError
        spelled.append(SPELLING_OF_SIGN[sign])
    return pa.array(spelled, pa.string()).take(encoded.indices)


def _good(forced, alert_of, remarks):
    """Leave out forced photometry that was not processed without a warning."""
    status = forced["procstatus"].dictionary_encode()
    good = [is_good_status(one) for one in status.dictionary.to_pylist()]
    is_good = pa.array(good, pa.bool_()).take(status.indices).fill_null(False).to_numpy(False)
    for row in np.flatnonzero(~is_good):
        note_bad_status(forced["procstatus"][row].as_py(), remarks)
    mask = pa.array(is_good)
    kept = {name: column.filter(mask) for name, column in forced.items()}
    kept["procstatus"] = pa.array(["0"] * int(is_good.sum()), pa.string())
    return kept, alert_of[is_good]
