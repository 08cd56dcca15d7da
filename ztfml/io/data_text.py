"""Tables as CSV or JSON text, for other programs."""

import json

import pandas as pd

from ztfml.io.safe_text import safe_table

# JavaScript, and programs that read JSON like it, lose digits of larger integers.
_EXACT_IN_JSON = 2**53


def as_csv(frame: pd.DataFrame) -> str:
    """Write a table as CSV.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    str
        With a header. Cells that a spreadsheet would take for a formula begin with an apostrophe.

    Examples
    --------
    >>> as_csv(pd.DataFrame({"label": ["agn"], "alerts": [61]}))
    'label,alerts\\nagn,61\\n'
    """
    return safe_table(frame).to_csv(index=False, lineterminator="\n")


def as_json(frame: pd.DataFrame) -> str:
    """Write a table as a JSON list with one object per row.

    Parameters
    ----------
    frame : pandas.DataFrame

    Returns
    -------
    str
        Missing and infinite numbers are null. Integers with more than 15 digits, such as candids,
        are text, because many programs read numbers as float64.

    Examples
    --------
    >>> print(as_json(pd.DataFrame({"candid": [2472400150015010001], "z": [np.nan]})), end="")
    [
    {"candid": "2472400150015010001", "z": null}
    ]
    """
    columns = {}
    for name in frame.columns:
        values = frame[name].tolist()
        if any(isinstance(value, int) and abs(value) > _EXACT_IN_JSON for value in values):
            values = [str(value) for value in values]
        columns[str(name)] = [_plain(value) for value in values]
    rows = zip(*columns.values(), strict=True)
    lines = [
        json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, allow_nan=False)
        for row in rows
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _plain(value):
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    return None if pd.isna(value) else str(value)
