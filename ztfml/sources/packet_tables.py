"""Arrow tables of alerts and previous candidates, from packets."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ztfml.io.forced_schema import FORCED_SCHEMA
from ztfml.schema import INDEXED_BY_OBJECT
from ztfml.sources.avro_packets import PacketAlert
from ztfml.sources.forced import add_fluxes

# The fields of a candidate in schemas 1.3 to 4.02 with their types, in the order of the packet
# (https://zwickytransientfacility.github.io/ztf-avro-alert/schema.html).
_CANDIDATE_FIELDS = """
    jd:double fid:int pid:long diffmaglim:float pdiffimfilename:string programpi:string
    programid:int candid:long isdiffpos:string tblid:long nid:int rcid:int field:int
    xpos:float ypos:float ra:double dec:double magpsf:float sigmapsf:float chipsf:float
    magap:float sigmagap:float distnr:float magnr:float sigmagnr:float chinr:float
    sharpnr:float sky:float magdiff:float fwhm:float classtar:float mindtoedge:float
    magfromlim:float seeratio:float aimage:float bimage:float aimagerat:float
    bimagerat:float elong:float nneg:int nbad:int rb:float ssdistnr:float ssmagnr:float
    ssnamenr:string sumrat:float magapbig:float sigmagapbig:float ranr:double decnr:double
    sgmag1:float srmag1:float simag1:float szmag1:float sgscore1:float distpsnr1:float
    ndethist:int ncovhist:int jdstarthist:double jdendhist:double scorr:double tooflag:int
    objectidps1:long objectidps2:long sgmag2:float srmag2:float simag2:float szmag2:float
    sgscore2:float distpsnr2:float objectidps3:long sgmag3:float srmag3:float simag3:float
    szmag3:float sgscore3:float distpsnr3:float nmtchps:int rfid:long jdstartref:double
    jdendref:double nframesref:int rbversion:string dsnrms:float ssnrms:float dsdiff:float
    magzpsci:float magzpsciunc:float magzpscirms:float nmatches:int clrcoeff:float
    clrcounc:float zpclrcov:float zpmed:float clrmed:float clrrms:float neargaia:float
    neargaiabright:float maggaia:float maggaiabright:float exptime:float drb:float
    drbversion:string
"""
_HISTORY_FIELDS = """
    jd fid pid diffmaglim programid candid isdiffpos nid rcid field ra dec magpsf sigmapsf
    chipsf magap sigmagap distnr magnr sigmagnr chinr sharpnr sky magdiff fwhm classtar
    mindtoedge magfromlim seeratio aimage bimage aimagerat bimagerat elong nneg nbad rb
    ssdistnr ssmagnr ssnamenr sumrat magapbig sigmagapbig ranr decnr scorr magzpsci
    magzpsciunc magzpscirms
"""

_ARROW = {
    "double": pa.float64(),
    "float": pa.float32(),
    "int": pa.int32(),
    "long": pa.int64(),
    "string": pa.string(),
}
CANDIDATE = pa.struct(
    [
        (name, _ARROW[kind])
        for name, kind in (field.split(":") for field in _CANDIDATE_FIELDS.split())
    ]
)
PREVIOUS = pa.struct([CANDIDATE.field(name) for name in _HISTORY_FIELDS.split()])
# Fluxes of BOOM, which repeat the magnitudes or become magnitudes.
_FLUX_FIELDS = """
    band psfFlux psfFluxErr snr snr_psf apFlux apFluxErr snr_ap zp
"""
KNOWN_FIELDS = frozenset([*CANDIDATE.names, *_FLUX_FIELDS.split()])

TOP_LEVEL = pa.schema(
    [("objectId", "string"), ("candid", "int64"), ("schemavsn", "string"), ("publisher", "string")]
)
ALERTS_SCHEMA = pa.schema(
    [*TOP_LEVEL, *(field.with_name(f"candidate.{field.name}") for field in CANDIDATE)]
)
HISTORY_SCHEMA = pa.schema([("objectId", "string"), *PREVIOUS], metadata=INDEXED_BY_OBJECT)

# A night of 10 million history rows has about 150,000 rows per part.
N_PARTS = 64

# Forced photometry (fp_hists) as packets contain it, with the zero point of psfFlux.
FORCED = pa.struct(
    [
        ("jd", "float64"), ("fid", "int32"), ("pid", "int64"), ("programid", "int32"),
        ("field", "int32"), ("rcid", "int32"), ("rfid", "int64"), ("procstatus", "string"),
        ("forcediffimflux", "float64"), ("forcediffimfluxunc", "float64"),
        ("psfFlux", "float64"), ("psfFluxErr", "float64"), ("zero_point", "float64"),
        ("diffmaglim", "float32"), ("magzpsci", "float32"),
    ]
)  # fmt: skip

# Raised here and in Arrow if a value does not have the type of the schema.
CONVERSION_ERRORS = (pa.ArrowException, ValueError, TypeError, AttributeError, OverflowError)


class PacketTables(NamedTuple):
    """Alerts, their previous candidates and their forced photometry.

    Parameters
    ----------
    alerts : pyarrow.Table
        Columns of `ALERTS_SCHEMA`.
    history : pyarrow.Table
        Columns of ``with_origin(HISTORY_SCHEMA)``.
    forced : pyarrow.Table
        Columns of ``with_origin(FORCED_SCHEMA)``.

    Examples
    --------
    >>> to_tables([]).history.num_rows
    0
    """

    alerts: pa.Table
    history: pa.Table
    forced: pa.Table

    def select(self, rows: Sequence[int]) -> PacketTables:
        """Return the tables of some of the alerts.

        Parameters
        ----------
        rows : sequence of int
            Positions of the alerts.

        Returns
        -------
        PacketTables
        """
        kept = pa.array(rows, pa.int64())
        position = np.full(len(self.alerts), -1)
        position[kept.to_numpy()] = np.arange(len(kept))

        def rows_of(table):
            table = table.filter(pc.is_in(table["alert"], value_set=kept))
            k = table.schema.get_field_index("alert")
            return table.set_column(k, "alert", pa.array(position[table["alert"].to_numpy()]))

        return PacketTables(self.alerts.take(kept), rows_of(self.history), rows_of(self.forced))


def with_origin(schema: pa.Schema) -> pa.Schema:
    """Add to a schema of history rows where each row comes from.

    Parameters
    ----------
    schema : pyarrow.Schema

    Returns
    -------
    pyarrow.Schema
        With `alert` (position of the alert in its table), `alert_jd` (its time), and `part` (the
        part of the merge that the row belongs to).

    Examples
    --------
    >>> with_origin(pa.schema([("jd", "float64")])).names
    ['jd', 'alert', 'alert_jd', 'part']
    """
    origin = [("alert", "int64"), ("alert_jd", "float64"), ("part", "int32")]
    return pa.schema([*schema, *(pa.field(*field) for field in origin)])


def to_tables(alerts: Sequence[PacketAlert]) -> PacketTables:
    """Convert alerts to tables.

    Parameters
    ----------
    alerts : sequence of PacketAlert

    Returns
    -------
    PacketTables

    Raises
    ------
    pyarrow.ArrowException, ValueError, TypeError, AttributeError, OverflowError
        If a value has the wrong type (`CONVERSION_ERRORS`).

    Examples
    --------
    >>> rows = [{"jd": 2459000.5, "fid": 1}, {"jd": 2459003.5, "fid": 2}]
    >>> alert = PacketAlert("ZTF18abukavn", 1, "3.3", "ZTF", {"jd": 2459005.5}, rows, [], [])
    >>> history = to_tables([alert]).history
    >>> history["objectId"].to_pylist(), history["alert_jd"].to_pylist()
    (['ZTF18abukavn', 'ZTF18abukavn'], [2459005.5, 2459005.5])
    """
    candidates = pa.array([alert.candidate for alert in alerts], CANDIDATE)
    top = [
        pa.array([alert.object_id for alert in alerts], pa.string()),
        pa.array([alert.candid for alert in alerts], pa.int64()),
        pa.array([alert.schemavsn for alert in alerts], pa.string()),
        pa.array([alert.publisher for alert in alerts], pa.string()),
    ]
    part = pa.array([part_of(alert.object_id) for alert in alerts], pa.int32())

    def rows_of(lists, kind):
        rows = pa.array(lists, pa.list_(kind))
        columns = dict(zip(kind.names, rows.flatten().flatten(), strict=True))
        return columns, pc.list_parent_indices(rows)

    return assemble(
        top,
        dict(zip(CANDIDATE.names, candidates.flatten(), strict=True)),
        part,
        rows_of([alert.previous for alert in alerts], PREVIOUS),
        rows_of([alert.forced for alert in alerts], FORCED),
    )


# Columns of rows of several alerts, and the position of the alert of each row.
_Rows = tuple[dict[str, pa.Array], pa.Array | np.ndarray]


def assemble(
    top: Sequence[pa.Array],
    candidate: dict[str, pa.Array],
    part: pa.Array,
    history: _Rows,
    forced: _Rows,
) -> PacketTables:
    """Make tables of columns.

    Parameters
    ----------
    top : sequence of pyarrow.Array
        Arrays `objectId`, `candid`, `schemavsn` and `publisher`, one value per alert.
    candidate : dict of str to pyarrow.Array
        The fields of `CANDIDATE`.
    part : pyarrow.Array
        The part of the merge that each alert belongs to (`part_of`).
    history, forced : tuple
        Columns with the fields of `PREVIOUS` and `FORCED`, and the alert of each row.

    Returns
    -------
    PacketTables
    """
    alerts = pa.table([*top, *(candidate[name] for name in CANDIDATE.names)], schema=ALERTS_SCHEMA)

    def rows_of(rows, schema, add=lambda table: table):
        columns, alert = rows
        alert = pa.array(alert, pa.int64())
        origin = {"alert": alert, "alert_jd": candidate["jd"].take(alert), "part": part.take(alert)}
        table = add(pa.table({"objectId": top[0].take(alert), **columns, **origin}))
        schema = with_origin(schema)
        return table.select(schema.names).cast(schema)

    return PacketTables(
        alerts, rows_of(history, HISTORY_SCHEMA), rows_of(forced, FORCED_SCHEMA, add_fluxes)
    )


def part_of(object_id: str) -> int:
    """Return the part of the merge that the rows of an object belong to.

    >>> part_of("ZTF18abukavn")
    31
    """
    return zlib.crc32(object_id.encode()) % N_PARTS
