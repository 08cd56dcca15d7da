"""Read the columns of CSV files that people edit, with other spellings of their names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from ztfml.errors import LabelError
from ztfml.io.limits import MAX_TEXT_COLUMNS
from ztfml.io.regular import refuse_pipe

_DELIMITERS = (",", ";", "\t", "|")


def read_text_columns(
    path: str | Path, spellings: Mapping[str, Sequence[str]], missing: str, expected: str
) -> pd.DataFrame:
    """Read columns of a CSV as text, because a candid has 19 digits and must not become a float.

    Parameters
    ----------
    path : str or Path
        A CSV with commas, semicolons, tabs or vertical bars, in UTF-8, or in UTF-16 with a byte
        order mark. Lines that begin with ``#`` before the header are comments.
    spellings : dict of str to sequence of str
        Possible names of each column, in lower case without spaces and punctuation; the first
        that the file has is read.
    missing : str
        What to do if there is no such file, for the message.
    expected : str
        What the file must contain, for the message.

    Returns
    -------
    pandas.DataFrame
        The columns that were found, as text without spaces at the ends. The index is the line
        after the header.

    Raises
    ------
    LabelError
        If the file cannot be read, is empty, or has a column twice.

    Examples
    --------
    >>> _ = Path("some.csv").write_text("ZTF ID; Class\\nZTF18abukavn; agn\\n")
    >>> names = {"objectId": ("objectid", "ztfid"), "label": ("label", "class")}
    >>> read_text_columns("some.csv", names, "write it", "write names and classes").values.tolist()
    [['ZTF18abukavn', 'agn']]
    """
    refuse_pipe(path, LabelError)
    try:
        encoding = _encoding(path)
        n_comments, header = _find_header(path, encoding)
        if max(map(header.count, _DELIMITERS)) >= MAX_TEXT_COLUMNS:
            raise LabelError(f"{path}: has more than {MAX_TEXT_COLUMNS:,} columns; {expected}")
        table = pd.read_csv(
            path, sep=max(_DELIMITERS, key=header.count), dtype=str, keep_default_na=False,
            skipinitialspace=True, skip_blank_lines=False, skiprows=n_comments, index_col=False,
            encoding=encoding,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LabelError(f"{path}: there is no such file; {missing}") from error
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"{path}: the file is empty; {expected}") from error
    except (OSError, UnicodeError, pd.errors.ParserError) as error:
        first = str(error).strip().split("\n")[0]
        raise LabelError(f"{path}: cannot be read as CSV ({first}); {expected}") from error
    found = _find_columns(table.columns, spellings)
    # pandas renames repeated columns.
    twice = [name for name in found.values() if f"{name}.1" in table.columns]
    if twice:
        raise LabelError(f"{path}: two columns have the name {twice[0]}; keep one of them")
    table.index += n_comments
    table = table[list(found.values())].set_axis(list(found), axis=1)
    return table.fillna("").apply(lambda column: column.str.strip())


def _encoding(path):
    """Return the encoding of a text file by its first bytes; spreadsheets write marks there."""
    with open(path, "rb") as file:
        head = file.read(2)
    return "utf-16" if head in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _find_header(path, encoding):
    """Return the number of comments and blank lines before the header, and the header."""
    with open(path, encoding=encoding) as file:
        for number, line in enumerate(file):
            if line.strip() and not line.startswith("#"):
                if encoding == "utf-16" and not line.isascii():
                    raise UnicodeError("this is not a text file")
                return number, line
    raise pd.errors.EmptyDataError


def _find_columns(names, spellings):
    plain = {re.sub(r"[\W_]", "", str(name)).lower(): name for name in names[::-1]}
    found = {
        column: next((plain[name] for name in possible if name in plain), None)
        for column, possible in spellings.items()
    }
    return {column: name for column, name in found.items() if name is not None}
