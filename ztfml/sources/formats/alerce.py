"""Light curves of ALeRCE: detections, with non-detections in the same or another file.

Reference: Förster et al. 2021, AJ, 161, 242.
"""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa

from ztfml.errors import DataError
from ztfml.sources.formats.record import Format
from ztfml.sources.tables.companions import light_curves
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.documents import rows_to_table
from ztfml.sources.tables.names import OBJECT_NAME, rename_columns
from ztfml.sources.tables.night_tables import NightTables, stack

_LISTS = ("detections", "non_detections")
# Columns that only ALeRCE has.
_OWN_NAMES = {"magpsf_corr", "has_stamp", "mag_corr", "step_id_corr", "parent_candid"}
_LIMIT_NAMES = {"mjd", "fid", "diffmaglim"}
_NOT_DETECTED = re.compile(r"non_?-?detections?", re.I)


def _recognises(content: Content) -> bool:
    if content.kind == "json" and any(
        isinstance(d.get(_LISTS[0]), list) for d in content.documents
    ):
        return True
    names = set(content.names)
    if "oid" in names and names & {"mjd", "jd"}:
        return True
    return "mjd" in names and bool(names & _OWN_NAMES or names >= _LIMIT_NAMES)


def _read_tables(content: Content) -> NightTables:
    name = str(content.path)
    if content.kind == "json" and any(key in d for d in content.documents for key in _LISTS):
        found = rows_to_table(_rows_of_documents(content.documents), content.all_columns)
        rows = rename_columns(found, name)
    else:
        rows = rename_columns(content.read_table(), name)
    rows = _with_object(rows, content.path)
    if not content.in_folder:
        limits = _non_detections_beside(content.path)
        if limits is not None:
            beside = Content(limits, all_columns=content.all_columns)
            more = rename_columns(beside.read_table(), str(limits))
            rows = stack([rows, _with_object(more, limits, rows)])
    return light_curves(rows, content)


def _rows_of_documents(documents):
    rows = []
    for document in documents:
        names = {key: document[key] for key in ("oid", "objectId") if document.get(key)}
        for key in _LISTS:
            for row in document.get(key) or ():
                # Newer answers have fields of the survey in a record of their own.
                rows.append({**names, **_without_records(row.get("extra_fields") or {}), **row})
    return rows


def _without_records(fields):
    if not isinstance(fields, dict):
        return {}
    return {key: one for key, one in fields.items() if not isinstance(one, dict | list)}


def _with_object(rows: pa.Table, path: Path, others: pa.Table | None = None) -> pa.Table:
    """Add the name of the object, which queries of one object omit."""
    if "objectId" in rows.column_names and rows["objectId"].null_count < len(rows):
        return rows
    name = re.search(OBJECT_NAME, path.name)
    if name:
        object_id = name[0]
    elif others is not None and len(others["objectId"].unique()) == 1:
        object_id = others["objectId"][0].as_py()
    else:
        raise DataError(
            f"{path}: the column oid (ZTF name of the object) is missing; add it, or put the name "
            "into the file name, e.g. ZTF18abukavn_detections.csv"
        )
    if "objectId" in rows.column_names:
        rows = rows.drop_columns(["objectId"])
    return rows.append_column("objectId", pa.array([object_id] * len(rows), pa.string()))


def _non_detections_beside(path: Path) -> Path | None:
    """Find the file of non-detections that belongs to a file of detections."""
    if _NOT_DETECTED.search(path.name):
        return None
    stem, dot, suffixes = path.name.partition(".")
    base = re.sub(r"[_-]?detections?$", "", stem, flags=re.I)
    for ending in ("non_detections", "nondetections", "non-detections", "non_detection"):
        for start in (f"{base}_" if base else "", f"{stem}_"):
            found = path.with_name(f"{start}{ending}{dot}{suffixes}")
            if found.is_file():
                return found
    return None


FORMAT = Format(
    name="alerce",
    description="detections of ALeRCE: JSON with detections and non_detections, or CSV, with "
    "NAME_non_detections.csv beside it",
    example="alerce.json",
    recognises=_recognises,
    read_tables=_read_tables,
)
