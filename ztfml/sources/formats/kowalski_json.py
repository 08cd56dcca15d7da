"""JSON documents with ``candidate`` and ``prv_candidates``, from Kowalski, Fritz and BOOM.

Reference: Duev et al. 2019, MNRAS, 489, 3582.
"""

from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import with_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.nested import HISTORY_LISTS, tables_of_documents
from ztfml.sources.tables.night_tables import NightTables


def _recognises(content: Content) -> bool:
    if content.kind != "json":
        return False
    return any(
        isinstance(one.get("candidate"), dict) or isinstance(one.get(HISTORY_LISTS[0]), list)
        for one in content.documents
    )


def _read_tables(content: Content) -> NightTables:
    tables = tables_of_documents(content.documents, str(content.path), content.all_columns)
    has_history = any(key in one for one in content.documents for key in HISTORY_LISTS)
    return tables if has_history else with_history(tables, content)


FORMAT = Format(
    name="kowalski",
    description="JSON documents of Kowalski, Fritz or BOOM: a list, or a list below data",
    example="kowalski.json",
    recognises=_recognises,
    read_tables=_read_tables,
)
