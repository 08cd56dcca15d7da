"""Light curves of ANTARES: one row per detection or limit, with the prefixes ``ant_`` and ``ztf_``.

Reference: Matheson et al. 2021, AJ, 161, 107.
"""

from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import light_curves
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.names import rename_columns, required_names
from ztfml.sources.tables.night_tables import NightTables

_ENOUGH = 3


def _recognises(content: Content) -> bool:
    # Not ztf_object_id, which other brokers also write.
    names = [name for name in content.names if name.lower().startswith(("ant_", "ztf_"))]
    return len(required_names(names) - {"objectId"}) >= _ENOUGH


def _read_tables(content: Content) -> NightTables:
    return light_curves(rename_columns(content.read_table(), str(content.path)), content)


FORMAT = Format(
    name="antares",
    description="light curves of ANTARES (columns ztf_object_id, ztf_jd, ztf_magpsf, ...) in CSV, "
    "JSON or parquet",
    example="antares.csv",
    recognises=_recognises,
    read_tables=_read_tables,
)
