"""Read the columns of a night as clean arrays: one type, one unit, NaN for missing values.

A night has millions of rows. Row groups and columns are therefore read in parallel, and each
part is cleaned directly into its place in the final array, so that the peak memory is little
more than the size of these arrays.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ztfml.cpus import cpu_count
from ztfml.errors import DataError
from ztfml.io.column_kinds import KINDS
from ztfml.io.parquet import READ_OPTIONS, open_parquet
from ztfml.io.similar import most_similar
from ztfml.schema import ALERT_COLUMNS, Column

# Smaller tasks cost more to start than they gain.
_VALUES_PER_TASK = 1_000_000
_ROWS_PER_TASK = 2_000


def read_columns(path: str | Path, columns: Sequence[Column]) -> dict[str, Any]:
    """Read and clean the columns of a schema that a parquet file contains.

    Parameters
    ----------
    path : str or Path
    columns : sequence of Column
        For example `ztfml.schema.ALERT_COLUMNS`.

    Returns
    -------
    dict of str to ndarray, pandas.Series or EncodedText
        By `Column.name`: int64 for ids, int8 for signs (+1, -1, 0 unknown) and bands (0
        unknown), text as a Series, and numbers as float64 with NaN for missing values.

    Raises
    ------
    DataError
        If the file is unreadable, or a required column is absent, has the wrong type or has
        mostly invalid values.

    Examples
    --------
    >>> from ztfml.schema import ALERT_COLUMNS
    >>> read_columns("night.parquet", ALERT_COLUMNS)["magpsf"].dtype
    dtype('float64')
    """
    file = open_parquet(path)
    arrow = file.schema_arrow
    found = _find_columns(arrow.names, columns, path, _unnamed_index(arrow))
    text = [name for name in found.values() if _is_text(arrow.field(name).type)]
    sizes = [file.metadata.row_group(k).num_rows for k in range(file.num_row_groups)]
    ends = np.cumsum([0, *sizes])
    out = {column: KINDS[column.kind].allocate(ends[-1]) for column in found}

    runs = _join_small_groups(sizes)

    def read_part(batch, run):
        # Each task opens the file itself, because a reader must not be shared between threads.
        # The raw values are freed as soon as they have been cleaned.
        reader = pq.ParquetFile(path, metadata=file.metadata, read_dictionary=text, **READ_OPTIONS)
        try:
            names = [found[column] for column in batch]
            table = reader.read_row_groups(run, names, use_threads=False)
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
            raise DataError(
                f"{path}: the file is damaged or truncated; write or download it again"
            ) from error
        rows = slice(ends[run[0]], ends[run[-1] + 1])
        return [
            KINDS[column.kind].read(column, table[found[column]], path, out[column][rows])
            for column in batch
        ]

    # Threads work here because Arrow and the compiled loops release the lock of Python. Tasks
    # start column by column, so that the first columns are finished while others are read.
    with ThreadPoolExecutor(cpu_count()) as threads:
        reading = {}
        for batch in _batches(list(found), max(1, _VALUES_PER_TASK // max([1, *sizes]))):
            parts = [threads.submit(read_part, batch, run) for run in runs]
            reading |= {column: (parts, place) for place, column in enumerate(batch)}
        return {
            column.name: KINDS[column.kind].finish(
                column, [part.result()[place] for part in parts], path, out[column]
            )
            for column, (parts, place) in reading.items()
        }


def _join_small_groups(sizes):
    """Return lists of successive row groups, each list with enough rows for one task.

    A task takes 1 ms to start, and some writers store a few rows in each group.
    """
    runs, n_rows = [], _ROWS_PER_TASK
    for group, size in enumerate(sizes):
        if n_rows >= _ROWS_PER_TASK:
            runs.append([])
            n_rows = 0
        runs[-1].append(group)
        n_rows += size
    return runs


def _batches(values, size):
    return [values[k : k + size] for k in range(0, len(values), size)]


def _is_text(arrow_type):
    return pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type)


def _unnamed_index(arrow_schema):
    # Some writers store objectId as an unnamed pandas index, which then contains text.
    name = "__index_level_0__"
    if name in arrow_schema.names and "string" in str(arrow_schema.field(name).type):
        return name
    return None


def select_columns(
    table: pa.Table, columns: Sequence[Column], name: str, is_flat: bool = False
) -> dict[str, Any]:
    """Clean the columns of a schema that an Arrow table contains.

    Parameters
    ----------
    table : pyarrow.Table
    columns : sequence of Column
        For example `ztfml.schema.HISTORY_COLUMNS`.
    name : str
        Name of the table in messages.
    is_flat : bool
        Whether the user's table has no prefixes, so that messages omit them.

    Returns
    -------
    dict
        See `read_columns`.

    Raises
    ------
    DataError
        See `read_columns`.

    Examples
    --------
    >>> from ztfml.schema import HISTORY_COLUMNS
    >>> history = pa.Table.from_pandas(night.history_frame().reset_index())
    >>> sorted(set(select_columns(history, HISTORY_COLUMNS, "night")["isdiffpos"].tolist()))
    [-1, 0, 1]
    """
    found = _find_columns(table.column_names, columns, name, is_flat=is_flat)
    return {
        column.name: _read_whole(column, table.column(in_file), name)
        for column, in_file in found.items()
    }


def check_required(names: Sequence[str], columns: Sequence[Column], where: str) -> None:
    """Raise an error if a required column is absent.

    Parameters
    ----------
    names : sequence of str
        Columns of the file.
    columns : sequence of Column
    where : str
        Used in the message.

    Raises
    ------
    DataError
        The message names the first absent column.

    Examples
    --------
    >>> from ztfml.schema import ALERT_COLUMNS
    >>> check_required(["objectId", "candid"], ALERT_COLUMNS, "night")
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: night: the column candidate.jd (Julian date at the start of the \
exposure) is missing (the columns are objectId, candid); add it to the export
    """
    _find_columns(names, columns, where)


def _to_rename(column, names):
    """Suggest a similar column that ztfml does not know under another meaning."""
    known = {name for one in ALERT_COLUMNS for name in (one.in_file, one.name, *one.aliases)}
    # Without prefixes, which make all names similar.
    unknown = {name.rpartition(".")[2]: name for name in names if name not in known}
    # The numbers of PS1 sources (objectidps1, ...) are not names.
    unknown = {name: full for name, full in unknown.items() if not name.startswith("objectidps")}
    found = most_similar(column.name, unknown, cutoff=0.82)
    return "" if found is None else f"rename {unknown[found]}, or "


def _find_columns(names, columns, where, index_name=None, is_flat=False):
    """Map each column of the schema to its name in the file."""
    found = {}
    for column in columns:
        candidates = [name for name in (column.in_file, *column.aliases) if name in names]
        if not candidates and column.name == "objectId" and index_name:
            candidates = [index_name]
        if candidates:
            found[column] = candidates[0]
        elif column.required:
            shown = ", ".join(list(names)[:5]) + (", ..." if len(names) > 5 else "")
            raise DataError(
                f"{where}: the column {column.name if is_flat else column.in_file} "
                f"({column.meaning}) is missing (the columns are {shown}); "
                f"{_to_rename(column, names)}add it to the export"
            )
    counts = Counter(names)
    repeated = [name for name in found.values() if counts[name] > 1]
    if repeated:
        raise DataError(
            f"{where}: the column {repeated[0]} occurs {counts[repeated[0]]} times; keep one"
        )
    return found


def _read_whole(column, array, name):
    kind = KINDS[column.kind]
    out = kind.allocate(len(array))
    return kind.finish(column, [kind.read(column, array, name, out)], name, out)
