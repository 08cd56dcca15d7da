"""Instructions for the compiled reader of packets, made from the schema of ZTF's packets.

`ztfml.sources.avro_columns` follows them. Only what ZTF itself writes has instructions: records of
numbers and texts, lists of such records, and ``null`` as the alternative of each. A schema with
anything else (fluxes of brokers, old names beside new ones, logical types) has none, and its
packets are read by fastavro.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ztfml.sources.avro_packets import FORCED_COPIED, NEW_NAMES
from ztfml.sources.avro_schemas import BadSchemaError, parse_schema
from ztfml.sources.packet_tables import CANDIDATE, FORCED, PREVIOUS, TOP_LEVEL

LONG, FLOAT, DOUBLE, TEXT, BYTES, BOOLEAN, RECORD, LIST = range(8)
"""Kinds of fields."""

KIND, NULL_BRANCH, SLOT, GROUP, BEGIN, END = range(6)
"""Columns of the instructions of a field."""

PACKET, ALERT, HISTORY, PHOTOMETRY = range(4)
"""Groups of values: the packet itself, its candidate, previous candidates, forced photometry."""

NOT_KEPT = -1

_KINDS = {
    "int": LONG, "long": LONG, "float": FLOAT, "double": DOUBLE, "string": TEXT, "bytes": BYTES,
    "boolean": BOOLEAN,
}  # fmt: skip
# The conversions of Arrow that cannot fail and lose nothing more than the type of the column does.
_CONVERTIBLE = {
    "int": {"int32", "int64"}, "long": {"int32", "int64"}, "float": {"float", "double"},
    "double": {"float", "double"}, "string": {"string"},
}  # fmt: skip
_GROUPS = {"candidate": ALERT, "prv_candidates": HISTORY, "fp_hists": PHOTOMETRY}
_KEPT = {
    PACKET: {field.name: field.type for field in TOP_LEVEL},
    ALERT: {field.name: field.type for field in CANDIDATE},
    HISTORY: {field.name: field.type for field in PREVIOUS},
    PHOTOMETRY: {name: FORCED.field(name).type for name in (*FORCED_COPIED, "fid")},
}
# Fields that have a meaning of their own for `avro_packets.read_packet`.
_SPECIAL = {
    PACKET: {"prv_nondetections", "alertId"},
    ALERT: {"psfFlux", "psfFluxErr", "band", "procstatus"},
    HISTORY: {"psfFlux", "psfFluxErr", "band", "procstatus", "forcediffimflux"},
    PHOTOMETRY: {"psfFlux", "psfFluxErr", "band"},
}
_REQUIRED = {PACKET: {"objectId", "candid", "candidate"}, ALERT: {"jd", "fid", "magpsf"}}


class Slot(NamedTuple):
    """A value that is kept: its name in the newest schema and its type in the packet."""

    name: str
    kind: int


class Program(NamedTuple):
    """The instructions for one schema.

    Parameters
    ----------
    fields : ndarray of int64, shape (n, 6)
        `KIND`, `NULL_BRANCH` (or -1), `SLOT` (or `NOT_KEPT`), `GROUP` and, for records and lists,
        the rows `BEGIN` to `END` of their fields.
    n_top : int
        The first rows are the fields of the packet.
    slots : tuple of tuple of Slot
        The values that are kept, for each group.
    version : str or None
        The version of the schema.
    unknown_fields : frozenset of str
        Fields of the candidate that have no column.
    """

    fields: np.ndarray
    n_top: int
    slots: tuple[tuple[Slot, ...], ...]
    version: str | None
    unknown_fields: frozenset[str]


class _NoProgramError(Exception):
    """The schema has something that the compiled reader does not know."""


@lru_cache(maxsize=64)
def program_of(text: bytes) -> Program | None:
    """Make the instructions for a schema.

    Parameters
    ----------
    text : bytes
        The schema in JSON.

    Returns
    -------
    Program or None
        None if the packets need `avro_packets.read_packet`.

    Examples
    --------
    >>> program_of(b'{"type": "record", "name": "alert", "fields": []}')
    """
    try:
        return _Compiler().program(parse_schema(text))
    except (BadSchemaError, _NoProgramError):
        return None


class _Compiler:
    def __init__(self):
        self._named = {}
        self._slots = {group: [] for group in _KEPT}
        self._unknown = set()

    def program(self, schema):
        if not isinstance(schema, dict) or schema.get("type") != "record":
            raise _NoProgramError
        top, nested = [], []
        self._check_names(schema, PACKET)
        for field in schema["fields"]:
            kind, null_branch = self._type_of(field["type"])
            if isinstance(kind, str):
                top.append(self._scalar(field["name"], kind, null_branch, PACKET))
                continue
            is_list = kind["type"] == "array"
            group = _GROUPS.get(field["name"], NOT_KEPT)
            if (group == ALERT) == is_list and group != NOT_KEPT:
                raise _NoProgramError
            record = self._record_of(kind["items"]) if is_list else kind
            begin = len(nested)
            nested += self._scalars(record, group)
            top.append(
                [LIST if is_list else RECORD, null_branch, NOT_KEPT, group, begin, len(nested)]
            )
        for row in top:
            row[BEGIN] += len(top)
            row[END] += len(top)
        return Program(
            np.array(top + nested, np.int64),
            len(top),
            tuple(tuple(self._slots[group]) for group in (PACKET, ALERT, HISTORY, PHOTOMETRY)),
            schema.get("version"),
            frozenset(self._unknown),
        )

    def _scalars(self, record, group):
        if group != NOT_KEPT:
            self._check_names(record, group)
        rows = []
        for field in record["fields"]:
            kind, null_branch = self._type_of(field["type"])
            if not isinstance(kind, str):
                raise _NoProgramError
            rows.append(self._scalar(field["name"], kind, null_branch, group))
        return rows

    def _check_names(self, record, group):
        names = [field["name"] for field in record["fields"]]
        if group == ALERT:
            new = [NEW_NAMES.get(name, name) for name in names]
            self._unknown = set(new) - set(_KEPT[ALERT])
            names += [name for name in set(new) if new.count(name) > 1]
        is_special = not _SPECIAL[group].isdisjoint(names)
        if is_special or len(set(names)) < len(names) or _REQUIRED.get(group, set()) - set(names):
            raise _NoProgramError

    def _scalar(self, name, kind, null_branch, group):
        slot = NOT_KEPT
        if group == ALERT:
            name = NEW_NAMES.get(name, name)
        if group != NOT_KEPT and name in _KEPT[group]:
            if str(_KEPT[group][name]) not in _CONVERTIBLE.get(kind, ()):
                raise _NoProgramError
            slot = len(self._slots[group])
            self._slots[group].append(Slot(name, _KINDS[kind]))
        return [_KINDS[kind], null_branch, slot, group, 0, 0]

    def _type_of(self, schema):
        """Return a primitive's name or a complex type, and the branch of null in its union."""
        if not isinstance(schema, list):
            return self._plain(schema), -1
        if len(schema) != 2 or "null" not in schema:
            raise _NoProgramError
        null_branch = schema.index("null")
        return self._plain(schema[1 - null_branch]), null_branch

    def _plain(self, schema):
        if isinstance(schema, str):
            schema = self._named.get(schema, schema)
            if isinstance(schema, dict) or schema in _KINDS:
                return schema
            raise _NoProgramError
        if not isinstance(schema, dict) or "logicalType" in schema:
            raise _NoProgramError
        if schema["type"] == "array":
            return schema
        if schema["type"] == "record":
            return self._record_of(schema)
        return self._plain(schema["type"])

    def _record_of(self, schema):
        if isinstance(schema, str):
            schema = self._named.get(schema)
        if not isinstance(schema, dict) or schema["type"] != "record":
            raise _NoProgramError
        self._named[schema["name"]] = schema
        return schema
