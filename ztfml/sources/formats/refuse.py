"""Messages for files that are not a night of ZTF alerts."""

from __future__ import annotations

import re

from ztfml.errors import DataError
from ztfml.sources.tables.companions import data_files
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.text import decode

# Names of fields of other surveys, in tables and in documents.
_OTHER_SURVEYS = {
    "diaSourceId": "LSST",
    "diaObjectId": "LSST",
    "diaSource": "LSST",
    "diaObject": "LSST",
    "dia_source": "LSST",
    "midpointMjdTai": "LSST",
}
_TITLE = re.compile(r"<title[^>]*>\s*(.*?)\s*</title>", re.I | re.S)
_SHOWN = 5

# First bytes of files that contain tables in other formats.
_OTHER_FORMATS = {
    b"SIMPLE  =": "a FITS file; write its table as CSV or parquet",
    b"PK\x03\x04": "a zip archive or an Excel file; unpack it, or export it as CSV",
    b"BZh": "compressed with bzip2; unpack it, or compress it with gzip",
    b"\xfd7zXZ": "compressed with xz; unpack it, or compress it with gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it, or compress it with gzip",
    b"\xd0\xcf\x11\xe0": "an Excel file; export it as CSV",
    b"\x89HDF": "an HDF5 file; write its table as parquet",
    b"\x80\x04": "a Python pickle, which could run any code; write the table as parquet",
    b"\x80\x05": "a Python pickle, which could run any code; write the table as parquet",
    b"\xff\xff\xff\xff": "an Arrow stream; write it as an Arrow file (feather) or parquet",
    b"\x93NUMPY": "a NumPy array; write it as a table in CSV or parquet",
    b"SQLite format 3": "an SQLite database; export its table as CSV",
}


def refuse_others(content: Content) -> None:
    """Refuse files of other surveys and error pages of brokers.

    Parameters
    ----------
    content : Content

    Raises
    ------
    DataError
        The message says what the file contains.

    Examples
    --------
    >>> from pathlib import Path
    >>> Path("page.json").write_text("<html><title>502 Bad Gateway</title></html>")
    43
    >>> refuse_others(Content("page.json"))
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: page.json: an HTML page (502 Bad Gateway): the broker answered with \
an error page; download the file again
    """
    if content.kind == "html":
        title = _TITLE.search(decode(content.head) or "")
        shown = f" ({title[1][:60]})" if title else ""
        raise DataError(
            f"{content.path}: an HTML page{shown}: the broker answered with an error page; "
            "download the file again"
        )
    for magic, what in _OTHER_FORMATS.items():
        if content.head.startswith(magic):
            raise DataError(f"{content.path}: {what}")
    if content.kind == "parquet" and content.is_gzipped:
        raise DataError(f"{content.path}: a gzipped parquet file; unpack it with gunzip")
    names = content.names
    if content.kind == "json":
        nested = [one.get("candidate") for one in content.documents[:10]]
        names = [*names, *(key for one in nested if isinstance(one, dict) for key in one)]
    if content.schema is not None and "candidate" in content.names:
        kind = content.schema.field(content.names.index("candidate")).type
        names = [*names, *(field.name for field in getattr(kind, "fields", []))]
    for name in names:
        if name in _OTHER_SURVEYS:
            raise DataError(
                f"{content.path}: an {_OTHER_SURVEYS[name]} alert ({name}); ztfml reads alerts of "
                "ZTF only"
            )


def describe(content: Content) -> str:
    """Describe a file for a message.

    Parameters
    ----------
    content : Content

    Returns
    -------
    str

    Examples
    --------
    >>> describe(Content("night_labels.csv"))
    'a table with the columns candid, objectId, label, evidence, confidence'
    """
    if content.kind == "folder":
        files = data_files(content.path)
        return f"a folder of {len(files)} files" if files else "an empty folder"
    if not content.head:
        return "an empty file"
    if content.kind == "xml":
        return "XML or a VOTable"
    if content.names:
        # A table with another delimiter has one long name.
        names = [f"{name[:60]}..." if len(name) > 60 else name for name in content.names]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return f"a table with the columns {', '.join(names[:_SHOWN])}{more}"
    return "neither a table nor avro"
