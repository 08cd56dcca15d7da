"""Open ``GLADE+.txt``, the text file of the GLADE+ galaxies (Dálya et al. 2022, MNRAS 514, 1403).

The file has 22.5 million lines of 40 fields, separated by spaces, with ``null`` for missing values
and without a header.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ztfml.io.tables import TableFile

_N_FIELDS = 40
# The positions of the columns that ztfml reads, counted from 0. The redshift has the peculiar
# velocity subtracted where it is known.
_COLUMNS = {"PGC": 1, "ra": 8, "dec": 9, "z_cmb": 28, "z_err": 31, "d_L": 32, "d_L_err": 33}


def is_glade_text(path: str | Path) -> bool:
    """Return whether a file is the text file of GLADE+: 40 fields separated by spaces.

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
    path = Path(path)
    if path.suffix.lower() not in (".txt", ".dat") or not path.is_file():
        return False
    with open(path, "rb") as file:
        fields = file.readline(10_000).split()
    return len(fields) == _N_FIELDS and _is_number(fields[8]) and _is_number(fields[9])


def open_glade_text(path: str | Path) -> TableFile:
    """Open the text file of GLADE+ as a table with column names.

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
    return TableFile(path, tuple(_COLUMNS), lambda names: _read(path, names), {"d_L": "Mpc"})


def _read(path, names) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv

    fields = [f"f{number}" for number in range(_N_FIELDS)]
    wanted = [f"f{_COLUMNS[name]}" for name in names]
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
