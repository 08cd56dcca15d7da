"""Nested tables: one object per row, with its alerts and its light curve as nested columns.

`ztfml export` writes them, as a HATS catalogue. LSDB and nested-pandas read them.
"""

from ztfml.io.nested import unnest
from ztfml.io.parquet import open_parquet
from ztfml.sources.formats.record import Format
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.forced import forced_of_rows
from ztfml.sources.tables.night_tables import NightTables

_REQUIRED = ("objectId", "alerts", "lc")


def _recognises(content: Content) -> bool:
    return content.kind == "parquet" and all(name in content.names for name in _REQUIRED)


def _read_tables(content: Content) -> NightTables:
    table = open_parquet(content.path).read()
    history = unnest(table, "lc")
    tables = NightTables(str(content.path), alerts=unnest(table, "alerts"), history=history)
    if "forced" not in table.column_names:
        return tables
    forced = forced_of_rows(unnest(table, "forced"), str(content.path), history)
    return NightTables(tables.name, tables.alerts, history, forced=forced)


FORMAT = Format(
    name="objects",
    description="a parquet file with one object per row, as ztfml export writes it",
    example="night_hats/",
    recognises=_recognises,
    read_tables=_read_tables,
)
