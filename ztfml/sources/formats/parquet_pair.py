"""The parquet pair: ``NAME.parquet`` with alerts, ``NAME_prv_candidates.parquet`` with history."""

from pathlib import Path

from ztfml.io.alert_table import with_prefixes
from ztfml.io.columns import check_required
from ztfml.io.companions import history_beside
from ztfml.night import Night
from ztfml.schema import ALERT_COLUMNS, ALERT_INPUTS, HISTORY_COLUMNS
from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import find_forced, find_history, with_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.names import canonical_name, rename_columns, required_names
from ztfml.sources.tables.nested import HISTORY_LISTS
from ztfml.sources.tables.night_tables import NightTables

_PREFIX = "candidate."
_ENOUGH = 3


def _recognises(content: Content) -> bool:
    # A damaged file with this suffix gets the error message of the parquet reader.
    is_damaged = content.kind not in ("folder", "parquet") and content.path.suffix == ".parquet"
    if is_damaged:
        return True
    # The history of a flattened table may be a column, instead of a file of its own.
    is_nested = any(name in content.names for name in HISTORY_LISTS)
    if content.kind != "parquet" or (is_nested and find_history(content.path) is None):
        return False
    return _has_candidates(content.names)


def _has_candidates(names):
    if "candidate.jd" in names:
        return True
    # Without a time under any name, the error message must name the column candidate.jd.
    fields = required_names(name for name in names if name.startswith(_PREFIX))
    return len(fields) >= _ENOUGH and "jd" not in required_names(names)


def _read_tables(content: Content) -> NightTables:
    alerts = rename_columns(content.read_table(), str(content.path))
    check_required(with_prefixes(alerts).column_names, ALERT_INPUTS, str(content.path))
    return with_history(NightTables(str(content.path), alerts=alerts), content)


def _read(path: Path) -> Night:
    history = find_history(path)
    is_pair = history is None or (
        history.is_file()
        and history == history_beside(path)
        and _has_usual_names(history, HISTORY_COLUMNS)
    )
    if is_pair and _has_usual_names(path, ALERT_COLUMNS):
        return Night.load(path)
    # A folder of parts, a table in another format, or names in another spelling.
    # All columns of a night need much memory; forced photometry is read only with them.
    all_columns = find_forced(path) is not None
    return _read_tables(Content(path, all_columns=all_columns)).to_night()


def _read_alerts(path: Path) -> Night:
    return Night.load_alerts(path) if _has_usual_names(path, ALERT_COLUMNS) else _read(path)


def _has_usual_names(path, columns):
    """Check that no column of the schema is in the file under another name only."""
    names = Content(path).names
    known = {canonical_name(name) for name in names}
    if "psfFluxErr" in known and "magpsf" not in known:
        return False  # Magnitudes follow from fluxes.
    absent = (c for c in columns if not {c.in_file, *c.aliases} & set(names))
    return not any(column.name in known for column in absent)


FORMAT = Format(
    name="parquet",
    description="a parquet file of alerts, with NAME_prv_candidates.parquet beside it",
    example="night.parquet",
    recognises=_recognises,
    read_tables=_read_tables,
    read=_read,
    read_alerts=_read_alerts,
    read_with_history=Night.load,
)
