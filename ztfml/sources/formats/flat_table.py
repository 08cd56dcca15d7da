"""Flat tables: one row per alert or detection, with or without the prefix ``candidate.``."""

from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import find_history, with_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.names import rename_columns, required_names
from ztfml.sources.tables.night_tables import NightTables

_ENOUGH = 3
_MEASURED = {"jd", "fid", "magpsf"}


def _recognises(content: Content) -> bool:
    found = required_names(content.names)
    # A folder may also contain tables that ztfml wrote, such as a ranked list.
    return len(found) >= _ENOUGH and (not content.in_folder or found >= _MEASURED)


def _read_tables(content: Content) -> NightTables:
    name = str(content.path)
    rows = rename_columns(content.read_table(), name)
    # With a history of their own, all rows are alerts.
    if not content.in_folder and find_history(content.path):
        return with_history(NightTables(name, alerts=rows), content)
    return NightTables(name, rows=rows)


FORMAT = Format(
    name="flat",
    description="a table in parquet, Arrow, CSV, TSV or JSON with objectId, candid, jd, fid, "
    "magpsf, ..., with or without the prefix candidate.",
    example="alerts.csv.gz",
    recognises=_recognises,
    read_tables=_read_tables,
)
