"""Tables of Fink: one row per detection or limit, with the prefixes ``i:`` and ``d:``.

Reference: Möller et al. 2021, MNRAS, 501, 3272.
"""

from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import light_curves
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.names import rename_columns
from ztfml.sources.tables.night_tables import NightTables


def _recognises(content: Content) -> bool:
    names = set(content.names)
    return bool(names & {"i:objectId", "i:candid", "i:jd", "i:magpsf"}) or {
        "objectId", "jd", "tag",
    } <= names  # fmt: skip


def _read_tables(content: Content) -> NightTables:
    return light_curves(rename_columns(content.read_table(), str(content.path)), content)


FORMAT = Format(
    name="fink",
    description="a table of Fink (columns i:objectId, i:jd, ...) in CSV, JSON or parquet",
    example="fink.csv",
    recognises=_recognises,
    read_tables=_read_tables,
)
