"""What a night keeps of an alert packet, with the names of the newest schema.

The fields and their types are documented at
https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html. BOOM and Babamul write the
history as signed fluxes, in lists of detections (``prv_candidates``), limits
(``prv_nondetections``) and forced photometry (``fp_hists``).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ztfml import schema
from ztfml.schema import LIMITS, MAGNITUDES, SPELLING_OF_SIGN, fid_of, sign_of
from ztfml.sources.flux import AB_NANOJANSKY, find_zero_point, magnitudes_of_fluxes
from ztfml.sources.forced import forced_magnitude, is_good_status
from ztfml.sources.remarks import Remarks

# Schemas before 2.0 have one PS1 match, named without the suffix 1.
NEW_NAMES = {
    alias.removeprefix(column.prefix): column.name
    for column in schema.ALERT_COLUMNS
    for alias in column.aliases
}

_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
_HISTORY_LISTS = ("prv_candidates", "prv_nondetections")
_FORCED_LIST = "fp_hists"

NO_VALUES = ("", "null", "none", "nan", "na", "n/a")


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
    forced : list of dict
        The forced photometry (``fp_hists``): `jd`, `fid`, `pid`, `forcediffimflux`, ..., and
        the `zero_point` of `psfFlux`.
    stamps : list of bytes or None
        Science, template and difference image as gzipped FITS.

    Examples
    --------
    >>> alert = PacketAlert("ZTF18abukavn", 617155240115015005, "3.3", "ZTF", {}, [], [], [])
    >>> alert.candid
    617155240115015005
    """

    object_id: str
    candid: int
    schemavsn: str | None
    publisher: str | None
    candidate: dict
    previous: list
    forced: list
    stamps: list


def read_packet(packet: object, avro_schema: dict, remarks: Remarks) -> PacketAlert:
    """Take from a packet what a night keeps, with the names of the newest schema.

    Fluxes become magnitudes and limits: those of BOOM and Babamul, and forced photometry in the
    place of previous candidates (schema 3.5). Rows of forced photometry with a processing status
    other than 0 are left out.

    Parameters
    ----------
    packet : object
        A record of an avro file; its dicts are modified.
    avro_schema : dict
        The schema with which the file was written.
    remarks : Remarks
        Receives what is unreadable or left out.

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
    >>> read_packet(packet, {"version": "3.3"}, Remarks()).candidate["isdiffpos"]
    't'
    """
    candidate = packet.get("candidate") if isinstance(packet, dict) else None
    if not isinstance(packet, dict) or not isinstance(candidate, dict):
        raise RejectedPacketError(
            f"not a ZTF alert: {_record_name(avro_schema)} has no candidate record"
        )
    object_id = _object_id(packet)
    lists = [packet.get(name) or [] for name in _HISTORY_LISTS]
    previous = [row for rows in lists for row in rows]
    forced = [row for row in packet.get(_FORCED_LIST) or () if _is_good(row, remarks)]
    zero_point = None
    # All rows of a list have the same fields.
    if any(_has_flux(row) for row in (candidate, *(rows[0] for rows in (*lists, forced) if rows))):
        zero_point = _zero_point([candidate, *previous, *forced], object_id, remarks)
    _complete(candidate, zero_point, remarks)
    for field in ("jd", "fid", "magpsf"):
        if candidate.get(field) is None:
            raise RejectedPacketError(f"not a ZTF alert: the candidate has no {field}")
    # ALeRCE writes the candid only in the candidate. A candid begins with the number of nights
    # since 2017-01-01, so it is negative before; it is unique nevertheless.
    candidate["candid"] = candid = _candid(packet.get("candid") or candidate.get("candid"))
    for old, new in NEW_NAMES.items():
        if old in candidate:
            candidate.setdefault(new, candidate.pop(old))
    return PacketAlert(
        object_id,
        candid,
        packet.get("schemavsn") or avro_schema.get("version"),
        packet.get("publisher"),
        candidate,
        [_previous(row, zero_point, remarks) for row in previous if _is_good(row, remarks)],
        [_forced(row, zero_point) for row in forced],
        [_stamp(packet.get(cutout)) for cutout in _CUTOUTS],
    )


def _stamp(cutout):
    # Some brokers write the bytes directly instead of the record that ZTF writes.
    return cutout.get("stampData") if isinstance(cutout, dict) else cutout


def _record_name(avro_schema):
    if isinstance(avro_schema, dict) and "name" in avro_schema:
        return f"record {avro_schema['name']}"
    return "the record"


def _object_id(packet):
    # Schemas before 1.3 have no objectId: each alert counts as an object.
    object_id = packet.get("objectId") or packet.get("alertId")
    if object_id is None:
        raise RejectedPacketError("not a ZTF alert: it has no objectId")
    if "objectId" in packet and not str(object_id).startswith("ZTF"):
        raise RejectedPacketError(f"not a ZTF alert: object {object_id} belongs to another survey")
    return str(object_id)


def _candid(candid):
    if isinstance(candid, str) and candid.strip().lstrip("-").isdigit():
        return int(candid)
    if not isinstance(candid, int) or isinstance(candid, bool):
        found = f" (it is {candid!r})" if candid is not None else ""
        raise RejectedPacketError(f"not a ZTF alert: it has no candid{found}")
    return candid


def _complete(row, zero_point, remarks):
    """Write isdiffpos as t or f, and add the band and the magnitude that are given otherwise."""
    fid = row.get("fid")
    if fid is None and "band" in row:
        row["fid"] = _fid(row["band"], remarks)
    elif isinstance(fid, str):
        row["fid"] = _fid(fid, remarks)
    spelling = row.get("isdiffpos")
    sign = sign_of(spelling)
    if sign == 0 and spelling is not None and str(spelling).strip().lower() not in NO_VALUES:
        remarks.add("values of isdiffpos are unreadable and count as unknown", repr(spelling))
    if _has_flux(row):
        sign = _add_magnitude(row, zero_point, sign)
    row["isdiffpos"] = SPELLING_OF_SIGN[sign]


def _fid(band, remarks):
    fid = fid_of(band)
    if fid is None and band is not None:
        remarks.add("rows are in another band than g, r and i", repr(band))
    return fid


def _add_magnitude(row, zero_point, sign):
    """Add magnitude and limit from a flux where they are missing; return the sign."""
    flux, error = _number(row.get("psfFlux")), _number(row.get("psfFluxErr"))
    zero_point = math.nan if zero_point is None else zero_point
    found = magnitudes_of_fluxes([flux], [error], [zero_point])
    if not _is_between(row.get("magpsf"), MAGNITUDES):
        row["magpsf"] = _valid(found.magpsf[0], MAGNITUDES)
        row["sigmapsf"] = None if row["magpsf"] is None else _finite(found.sigmapsf[0])
    if row["magpsf"] is None:
        if not _is_between(row.get("diffmaglim"), LIMITS):
            row["diffmaglim"] = _valid(found.diffmaglim[0], LIMITS)
        return 0
    return sign or int(found.sign[0]) or (flux > 0) - (flux < 0)


def _has_flux(row):
    return "psfFlux" in row or "psfFluxErr" in row


def _zero_point(rows, object_id, remarks):
    """Return the zero point of the fluxes of a packet, from its magnitudes if it has any."""
    rows = [row for row in rows if _has_flux(row)]
    magnitudes = [_valid(row.get("magpsf"), MAGNITUDES) for row in rows]
    pairs = [
        (_number(row.get("psfFlux")), mag)
        for row, mag in zip(rows, magnitudes, strict=True)
        if mag is not None
    ]
    flux, magpsf = zip(*pairs, strict=True) if pairs else ((), ())
    errors = [_number(row.get("psfFluxErr")) for row in rows]
    zero_point = find_zero_point(flux, magpsf, errors)
    if zero_point is None and not pairs:
        return AB_NANOJANSKY  # The unit that BOOM and Babamul document.
    if zero_point is None:
        remarks.add(
            "packets have fluxes that contradict their magnitudes and are ignored", object_id
        )
    return zero_point


def _is_good(row, remarks):
    if "procstatus" not in row or is_good_status(row["procstatus"]):
        return True
    note_bad_status(row["procstatus"], remarks)
    return False


def note_bad_status(procstatus: object, remarks: Remarks) -> None:
    """Count a row of forced photometry that is left out.

    >>> remarks = Remarks()
    >>> note_bad_status("56", remarks)
    >>> remarks.sentences()[0].endswith("are left out (for example procstatus 56)")
    True
    """
    remarks.add(
        "rows of forced photometry with a procstatus other than 0 are left out",
        f"procstatus {procstatus}",
    )


def _previous(row, zero_point, remarks):
    if "forcediffimflux" in row:
        flux, error = row["forcediffimflux"], row.get("forcediffimfluxunc")
        # If the flux could not be measured, the limit of the image remains.
        row.update(forced_magnitude(flux, error, row.get("magzpsci")))
    _complete(row, zero_point, remarks)
    return row


FORCED_COPIED = (
    "jd", "pid", "programid", "field", "rcid", "rfid", "magzpsci", "diffmaglim", "procstatus",
    "forcediffimflux", "forcediffimfluxunc", "psfFlux", "psfFluxErr",
)  # fmt: skip


def _forced(row, zero_point):
    """Return a row of forced photometry, with the zero point of its psfFlux."""
    kept = {name: row.get(name) for name in FORCED_COPIED}
    kept["fid"] = row["fid"] if row.get("fid") is not None else fid_of(row.get("band"))
    kept["zero_point"] = zero_point
    status = kept["procstatus"]
    kept["procstatus"] = None if status is None else "0"  # Others are left out.
    return kept


def _number(value):
    return float(value) if value is not None else math.nan


def _finite(value):
    return float(value) if math.isfinite(value) else None


def _is_between(value, bounds):
    return value is not None and bounds[0] <= value <= bounds[1]


def _valid(value, bounds):
    return float(value) if _is_between(value, bounds) else None
