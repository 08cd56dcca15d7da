"""Histories and forced photometry in files of their own."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from ztfml.errors import DataError
from ztfml.io.companions import companion, forced_beside, history_beside
from ztfml.schema import FORCED_SUFFIX, HISTORY_SUFFIX
from ztfml.sources.tables.content import Content
from ztfml.sources.tables.forced import forced_of_rows
from ztfml.sources.tables.names import (
    HISTORY_NAMES,
    canonical_name,
    rename_columns,
    without_prefix,
)
from ztfml.sources.tables.nested import HISTORY_LISTS, tables_of_documents, tables_of_nested
from ztfml.sources.tables.night_tables import (
    NightTables,
    concat_forced,
    select_history,
    stack,
)

log = logging.getLogger(__name__)

_SUFFIXES = (
    "", ".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".json", ".json.gz", ".feather",
)  # fmt: skip


def find_history(path: str | Path) -> Path | None:
    """Find the history that belongs to a night, with the suffix of the night or another one.

    Parameters
    ----------
    path : str or Path
        The file or folder of the alerts.

    Returns
    -------
    Path or None

    Examples
    --------
    >>> find_history("night.csv").name, find_history("other.csv")
    ('night_prv_candidates.parquet', None)
    """
    return _find(path, history_beside(path), HISTORY_SUFFIX)


def find_forced(path: str | Path) -> Path | None:
    """Find the forced photometry that belongs to a night, in parquet or another format.

    Parameters
    ----------
    path : str or Path
        The file or folder of the alerts.

    Returns
    -------
    Path or None

    Examples
    --------
    >>> find_forced("night.parquet")
    """
    return _find(path, forced_beside(path), FORCED_SUFFIX)


def _find(path, first, ending):
    others = [companion(path, ending + suffix) for suffix in _SUFFIXES]
    return next((one for one in (first, *others) if one.exists() and one != Path(path)), None)


def light_curves(rows: pa.Table, content: Content) -> NightTables:
    """Make tables of light curves: one row per detection or limit, with the files beside them.

    Parameters
    ----------
    rows : pyarrow.Table
        With ztfml's column names.
    content : Content

    Returns
    -------
    NightTables

    Examples
    --------
    >>> rows = pa.table({"objectId": ["ZTF18abukavn"], "jd": [2459000.5]})
    >>> len(light_curves(rows, Content("night.parquet")).rows)
    1
    """
    name = str(content.path)
    return with_history(NightTables(name, rows=rows, one_alert_per_object=True), content)


def with_history(tables: NightTables, content: Content) -> NightTables:
    """Add the history and forced photometry beside a file, unless it is a part of a folder.

    Parameters
    ----------
    tables : NightTables
    content : Content

    Returns
    -------
    NightTables

    Examples
    --------
    >>> with_history(NightTables("night"), Content("night.parquet")).history.num_rows > 0
    True
    """
    if content.in_folder:
        return tables
    tables = _with_forced(tables, content)
    beside = find_history(content.path)
    if beside is None:
        if not len(tables.history) and not len(tables.rows):
            log.warning(
                "%s: %s not found; the alerts have no history",
                content.path, history_beside(content.path).name,
            )  # fmt: skip
        return tables
    history = read_history(beside, content.all_columns)
    return replace(tables, history=stack([tables.history, history]))


def _with_forced(tables, content):
    beside = find_forced(content.path)
    if beside is None or not content.all_columns:
        return tables
    return replace(tables, forced=concat_forced([tables.forced, read_forced_rows(beside)]))


def read_forced_rows(path: str | Path) -> pa.Table:
    """Read forced photometry from a file of its own, in any format of tables.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    pyarrow.Table
        Columns of `ztfml.io.forced_schema.FORCED_SCHEMA`.

    Raises
    ------
    DataError
        If it cannot be read.

    Examples
    --------
    >>> from ztfml.io.forced_schema import FORCED_SCHEMA
    >>> import pyarrow.parquet as pq
    >>> pq.write_table(FORCED_SCHEMA.empty_table(), "a_fp_hists.parquet")
    >>> len(read_forced_rows("a_fp_hists.parquet"))
    0
    """
    content = Content(path, all_columns=True)
    if content.kind == "folder":
        return concat_forced([read_forced_rows(part) for part in data_files(content.path)])
    if content.kind not in ("parquet", "arrow", "json", "text"):
        raise DataError(f"{path}: not forced photometry; use a table in parquet, CSV or JSON")
    try:
        return forced_of_rows(content.read_table(), str(path))
    except pa.ArrowException as error:  # Text that is not UTF-8.
        raise DataError(
            f"{path}: the file is damaged ({str(error).splitlines()[0]}); write it again"
        ) from error


def read_history(path: str | Path, all_columns: bool = False) -> pa.Table:
    """Read a history in any format: a table, documents with nested rows, or a folder.

    Parameters
    ----------
    path : str or Path
    all_columns : bool
        Whether to read also the columns that ztfml does not use.

    Returns
    -------
    pyarrow.Table

    Raises
    ------
    DataError
        If it cannot be read, or has no column that ztfml knows.

    Examples
    --------
    >>> read_history("night_prv_candidates.parquet").column_names[:3]
    ['objectId', 'jd', 'fid']
    """
    content = Content(path, all_columns=all_columns)
    if not content.path.exists():
        raise DataError(f"{path}: there is no such file; use the path of a history")
    if content.kind == "folder":
        return stack([read_history(part, all_columns) for part in data_files(content.path)])
    if content.kind not in ("parquet", "arrow", "json", "text"):
        raise DataError(f"{path}: not a history; use a table in parquet, CSV or JSON")
    if content.kind == "json" and any(isinstance(d.get(HISTORY_LISTS[0]), list)
                                      for d in content.documents):  # fmt: skip
        tables = tables_of_documents(content.documents, str(path), all_columns)
        return stack([tables.history, without_prefix(tables.rows)])
    if any(name in HISTORY_LISTS for name in content.names):
        return tables_of_nested(content.read_table(), str(path), all_columns).history
    known = {canonical_name(name) for name in content.names} & set(HISTORY_NAMES)
    if not known:
        raise DataError(
            f"{path}: not a history: the columns are {', '.join(content.names[:5])}; use a table "
            "with objectId, jd, fid, magpsf, sigmapsf"
        )
    return select_history(rename_columns(content.read_table(), str(path)), all_columns)


def data_files(folder: Path) -> list[Path]:
    """List the files of a data set in a folder, without markers and hidden files.

    Spark and Dask write ``_SUCCESS``, ``_metadata``, ``_temporary`` and hidden checksums.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Path
        In alphabetical order.

    Examples
    --------
    >>> Path("night_prv_candidates.parquet") in data_files(Path("."))
    True
    """
    files = []
    for file in sorted(folder.rglob("*")):
        parts = file.relative_to(folder).parts
        if file.is_file() and not any(part.startswith((".", "_")) for part in parts):
            files.append(file)
    return files
