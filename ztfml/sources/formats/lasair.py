"""Objects of Lasair: JSON with a list ``candidates`` of detections and non-detections.

Reference: Smith et al. 2019, RNAAS, 3, 26.
"""

from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import with_history
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.documents import rows_to_table
from ztfml.sources.tables.names import rename_columns
from ztfml.sources.tables.night_tables import NightTables

# Fields of the object that packets have in the candidate of the latest alert.
_OBJECT_FIELDS = ("ndethist", "ncovhist", "jdstarthist", "sgscore1", "distpsnr1")


def _recognises(content: Content) -> bool:
    return content.kind == "json" and any(
        isinstance(one.get("candidates"), list) for one in content.documents
    )


def _read_tables(content: Content) -> NightTables:
    name = str(content.path)
    rows = [row for document in content.documents for row in _rows(document)]
    table = rename_columns(rows_to_table(rows, content.all_columns), name)
    tables = NightTables(name, rows=table, one_alert_per_object=True)
    return with_history(tables, content)


def _rows(document):
    about = document.get("objectData")
    about = about if isinstance(about, dict) else {}
    shared = {key: about[key] for key in _OBJECT_FIELDS if about.get(key) is not None}
    for row in [*(document.get("candidates") or ()), *(document.get("noncandidates") or ())]:
        row = {**shared, "objectId": document.get("objectId"), **row}
        if not row.get("candid"):
            # Lasair writes the limit as a magnitude, too.
            row |= {"candid": None, "magpsf": None, "sigmapsf": None}
        yield row


FORMAT = Format(
    name="lasair",
    description="JSON objects of Lasair, with the list candidates",
    example="lasair.json",
    recognises=_recognises,
    read_tables=_read_tables,
)
