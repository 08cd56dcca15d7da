"""Open the text files of GLADE galaxies, which have no header.

``GLADE+.txt`` (Dálya et al. 2022, MNRAS 514, 1403) has 22.5 million lines of 40 fields, and
``GLADE_2.3.txt`` and ``GLADE_2.4.txt`` (Dálya et al. 2018, MNRAS 479, 2374) have 22. The fields are
separated by spaces; missing values are ``null``.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ztfml.io.tables import TableFile

# The positions of the columns that ztfml reads, counted from 0, by the number of fields. The
# redshift of GLADE+ has the peculiar velocity subtracted where it is known.
_COLUMNS = {
    40: {"PGC": 1, "ra": 8, "dec": 9, "z_cmb": 28, "z_err": 31, "d_L": 32, "d_L_err": 33},
    22: {"PGC": 0, "ra": 6, "dec": 7, "dist": 8, "dist_err": 9, "z": 10},
}


def is_glade_text(path: str | Path) -> bool:
    """Return whether a file is a text file of GLADE: 40 or 22 fields separated by spaces.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool

    Examples
    --------
    >>> is_glade_text("night_labels.csv")
    False
    """
    return bool(_columns(Path(path)))


def _columns(path):
    """The positions of the columns in a text file of GLADE; empty for other files."""
    if path.suffix.lower() not in (".txt", ".dat") or not path.is_file():
        return {}
    with open(path, "rb") as file:
        fields = file.readline(10_000).split()
    columns = _COLUMNS.get(len(fields), {})
    position = [fields[columns[name]] for name in ("ra", "dec") if name in columns]
    return columns if all(map(_is_number, position)) else {}


def open_glade_text(path: str | Path) -> TableFile:
    """Open a text file of GLADE as a table with column names.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    TableFile

    Examples
    --------
    >>> line = " ".join(["1", "7"] + ["null"] * 6 + ["10.5", "-3.0"] + ["null"] * 30)
    >>> _ = Path("GLADE+.txt").write_text(line)
    >>> open_glade_text("GLADE+.txt").read(["PGC", "ra", "d_L"]).iloc[0].tolist()
    [7.0, 10.5, nan]
    """
    path = Path(path)
    columns = _columns(path)
    units = dict.fromkeys(("d_L", "dist"), "Mpc")
    return TableFile(path, tuple(columns), lambda names: _read(path, columns, names), units)


def _read(path, columns, names) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv

    fields = [f"f{number}" for number in range(next(n for n in _COLUMNS if _COLUMNS[n] is columns))]
    wanted = [f"f{columns[name]}" for name in names]
    rows = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=fields),
        parse_options=csv.ParseOptions(delimiter=" "),
        convert_options=csv.ConvertOptions(
            include_columns=wanted,
            column_types=dict.fromkeys(wanted, pa.float64()),
            null_values=["null", ""],
        ),
    )
    return rows.rename_columns(names).to_pandas()


def _is_number(text):
    try:
        return abs(float(text)) <= 360
    except ValueError:
        return False
