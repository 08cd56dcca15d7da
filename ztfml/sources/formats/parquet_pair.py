"""The parquet pair: ``NAME.parquet`` with alerts, ``NAME_prv_candidates.parquet`` with history."""

from ztfml.night import Night
from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import with_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.names import rename_columns
from ztfml.sources.tables.night_tables import NightTables


def _recognises(content: Content) -> bool:
    # A damaged file with this suffix gets the error message of the parquet reader.
    is_damaged = content.kind not in ("folder", "parquet") and content.path.suffix == ".parquet"
    return is_damaged or (content.kind == "parquet" and "candidate.jd" in content.names)


def _read_tables(content: Content) -> NightTables:
    alerts = rename_columns(content.read_table(), str(content.path))
    return with_history(NightTables(str(content.path), alerts=alerts), content)


FORMAT = Format(
    name="parquet",
    description="a parquet file of alerts, with NAME_prv_candidates.parquet beside it",
    example="night.parquet",
    recognises=_recognises,
    read_tables=_read_tables,
    read=Night.load,
    read_alerts=Night.load_alerts,
    read_with_history=Night.load,
)
