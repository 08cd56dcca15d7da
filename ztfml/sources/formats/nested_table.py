"""Nested tables: one alert per row, with its candidate and its history as nested columns.

Fink's data transfer, BOOM and exports of Kowalski write parquet in this way.
"""

from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import with_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.nested import HISTORY_LISTS, tables_of_nested
from ztfml.sources.tables.night_tables import NightTables


def _recognises(content: Content) -> bool:
    is_table = content.schema is not None or content.kind == "text"
    return is_table and any(name in content.names for name in ("candidate", *HISTORY_LISTS))


def _read_tables(content: Content) -> NightTables:
    tables = tables_of_nested(content.read_table(), str(content.path), content.all_columns)
    has_history = any(name in content.names for name in HISTORY_LISTS)
    return tables if has_history else with_history(tables, content)


FORMAT = Format(
    name="nested",
    description="a parquet file with nested columns candidate and prv_candidates (or JSON text)",
    example="fink_transfer.parquet",
    recognises=_recognises,
    read_tables=_read_tables,
)
