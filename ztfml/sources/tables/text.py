"""Read delimited text (CSV, TSV, ECSV) as Arrow tables, without loss of digits."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ztfml.errors import DataError
from ztfml.sources.tables.names import canonical_name

log = logging.getLogger(__name__)

_DELIMITERS = (",", "\t", ";", "|", " ")
_NULL = ["", "null", "NULL", "Null", "None", "NaN", "nan", "NAN", "NA", "N/A", "<NA>", "--", "\\N"]
# Text, even if all values are digits.
_TEXT = ("objectId", "candid", "isdiffpos", "ssnamenr", "drbversion", "tag")
_DECIMAL_COMMA = re.compile(r"(^|;)\s*\"?-?\d+,\d+\"?\s*(;|$)", re.M)


def text_header(head: bytes) -> tuple[list[str], str]:
    """Return the column names and the delimiter of a table in text.

    Parameters
    ----------
    head : bytes
        The first bytes of the file.

    Returns
    -------
    names : list of str
        Empty if this is not text.
    delimiter : str
        The one with which most names are known.

    Examples
    --------
    >>> text_header(b"candid;jd;fid\\n1;2459000,5;1\\n")
    (['candid', 'jd', 'fid'], ';')
    """
    text = decode(head)
    if text is None:
        return [], ","
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return [], ","
    found = []
    for delimiter in _DELIMITERS:
        names = [name.strip().strip("\"'") for name in lines[0].split(delimiter)]
        found.append((sum(canonical_name(name) is not None for name in names), names, delimiter))
    _, names, delimiter = max(found, key=lambda one: one[0])
    return names, delimiter


def decode(content: bytes) -> str | None:
    """Decode text in UTF-8 or UTF-16, with or without a byte order mark; None if it is binary.

    >>> decode(b"\\xef\\xbb\\xbfcandid"), decode(b"PAR1\\x00\\x15")
    ('candid', None)
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content[: len(content) // 2 * 2].decode("utf-16", errors="replace")
    if b"\0" in content[:4096]:
        return None
    return content.decode("utf-8-sig", errors="replace")


def read_text_table(path: Path, content: bytes) -> pa.Table:
    """Read a table in text.

    Parameters
    ----------
    path : Path
        Used in messages.
    content : bytes
        The whole file, decompressed.

    Returns
    -------
    pyarrow.Table
        Names, ids and flags as text, other columns as numbers where all values are numbers.

    Raises
    ------
    DataError
        If it cannot be read.

    Examples
    --------
    >>> table = read_text_table(Path("a.csv"), b"candid,jd\\r\\n617155240115015005,\\r\\n")
    >>> table.to_pylist()
    [{'candid': '617155240115015005', 'jd': None}]
    """
    names, delimiter = text_header(content[:65536])
    text = decode(content) or ""
    lines = text.splitlines(keepends=True)
    skip = 0
    while skip < len(lines) and (not lines[skip].strip() or lines[skip].startswith("#")):
        skip += 1
    body = "".join(lines[skip:]).encode()
    has_decimal_comma = delimiter == ";" and _DECIMAL_COMMA.search(text[:65536]) is not None
    bad_rows = []

    def count_bad_row(row):
        bad_rows.append(row.text)
        return "skip"

    try:
        table = csv.read_csv(
            io.BytesIO(body),
            # One block, so that the types follow from all rows.
            read_options=csv.ReadOptions(block_size=min(len(body) + 1, 2**31 - 1)),
            parse_options=csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=count_bad_row
            ),
            convert_options=csv.ConvertOptions(
                column_types={n: pa.string() for n in names if canonical_name(n) in _TEXT},
                null_values=_NULL,
                strings_can_be_null=True,
                decimal_point="," if has_decimal_comma else ".",
            ),
        )
    except pa.ArrowException as error:
        first = str(error).split("\n")[0]
        raise DataError(
            f"{path}: cannot be read as a table in text ({first}); export it as CSV with a header"
        ) from error
    if bad_rows:
        log.warning(
            "%s: %d rows do not have %d fields and are ignored (for example %.60r)",
            path, len(bad_rows), len(names), bad_rows[0],
        )  # fmt: skip
    return _trimmed(table)


def _trimmed(table):
    """Remove the spaces around text, with which some programs align columns."""
    columns = [
        pc.utf8_trim_whitespace(column) if pa.types.is_string(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)
