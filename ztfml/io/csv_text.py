"""Read CSV files of people as text, with a check of their header and of every row."""

import csv
from pathlib import Path

import pandas as pd

from ztfml.errors import DataError, ZtfmlError
from ztfml.io.limits import MAX_TEXT_COLUMNS
from ztfml.io.regular import refuse_pipe


def read_csv_text(
    path: str | Path, remedy: str, error: type[ZtfmlError] = DataError, n_rows: int | None = None
) -> pd.DataFrame:
    """Read all columns of a CSV file as text.

    Parameters
    ----------
    path : str or Path
    remedy : str
        The end of the error messages.
    error : type
        The class of the errors.
    n_rows : int, optional
        Read only the first rows.

    Returns
    -------
    pandas.DataFrame
        Without spaces around the values; empty cells are ''.

    Raises
    ------
    ZtfmlError
        If the file does not exist, is empty or not UTF-8, if two columns have one name, or if a
        row has more or fewer fields than the header.

    Examples
    --------
    >>> read_csv_text("night_labels.csv", "correct it", n_rows=2).shape
    (2, 5)
    """
    refuse_pipe(path, error)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True, skipinitialspace=True)
            header = [name.strip() for name in next(rows, [])]
            _check_header(header, path, remedy, error)
            return _read_rows(rows, header, path, remedy, error, n_rows)
    except FileNotFoundError as cause:
        raise error(f"{path}: there is no such file; {remedy}") from cause
    except UnicodeDecodeError as cause:
        raise error(f"{path}: cannot be read as CSV (it is not UTF-8 text); {remedy}") from cause
    except (OSError, csv.Error) as cause:
        reason = getattr(cause, "strerror", None) or cause
        raise error(f"{path}: cannot be read as CSV ({reason}); {remedy}") from cause


def _check_header(header, path, remedy, error):
    if not any(header):
        raise error(f"{path}: the file is empty; {remedy}")
    if len(header) > MAX_TEXT_COLUMNS:
        raise error(f"{path}: has more than {MAX_TEXT_COLUMNS:,} columns; {remedy}")
    repeated = next((name for k, name in enumerate(header) if name in header[:k]), None)
    if repeated is not None:
        raise error(f"{path}: two columns have the name {repeated!r}; keep one of them")


def _read_rows(rows, header, path, remedy, error, n_rows):
    found = []
    for row in rows:
        if not row:
            continue
        if n_rows is not None and len(found) == n_rows:
            break
        if len(row) != len(header):
            raise error(
                f"{path}: line {rows.line_num} has {len(row)} fields, but the header has "
                f"{len(header)}; put text with commas in quotes"
            )
        found.append([cell.strip() for cell in row])
    return pd.DataFrame(found, columns=header, dtype="str")
