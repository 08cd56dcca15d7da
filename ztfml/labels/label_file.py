"""Label files: a CSV beside the night, with one row per alert."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.catalogs.candids import REMEDY, check_candids, has_lost_digits
from ztfml.errors import LabelError
from ztfml.labels.text_columns import read_text_columns
from ztfml.night import Night
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)


# Possible names of the columns, in lower case without spaces and punctuation; the first one found
# is used. Without objectId, the candids alone must be trustworthy.
_COLUMNS = {
    "candid": ("candid", "icandid", "candidatecandid", "alertid"),
    "objectId": ("objectid", "iobjectid", "oid", "ztfid", "ztfobjectid", "ztfname"),
    "label": ("label", "class"),
    "evidence": ("evidence",),
    "confidence": ("confidence",),
}
_REQUIRED = ("candid", "label")

# A label is circular if it was derived from packet fields that are also features: any rule (on
# drb, rb, nneg, distnr ...), and the match with the ephemerides of the MPC that ZTF writes in
# ssdistnr, ssmagnr and ssnamenr.
_CIRCULAR = re.compile(r"^\s*rules?\b|\bssnamenr\b|\bssdistnr\b|\bMPC ephemeris match\b", re.I)
_CIRCULAR_ARTIFACT = re.compile(r"\bd?rb\b", re.I)
_CONFLICTS_SHOWN = 10
_SIMULATED = re.compile(r"^\s*simulated\b", re.I)


def read_labels(path: str | Path) -> pd.DataFrame:
    """Read a label file.

    Parameters
    ----------
    path : str or Path
        A CSV with commas, semicolons, tabs or vertical bars and the columns ``candid``,
        ``label`` (artifact, sso, star, agn, transient), ``objectId`` (also called ``oid``,
        ``object_id`` or ``ztf_id``; optional, but it protects against damaged candids), and
        optionally ``evidence`` (the source of the label) and ``confidence`` (high, medium, low;
        high if absent). Other columns are ignored.

    Returns
    -------
    pandas.DataFrame
        ``candid`` (int64), ``objectId`` ('' if absent), ``label``, ``evidence`` ('' if absent),
        ``confidence`` and ``circular`` (bool, see `is_circular`), one row per alert. The index
        counts the rows of the file below its first line, from 0; ``attrs["path"]`` is the file.

    Raises
    ------
    LabelError
        If the file is absent, empty or not a label table, contains an unknown class or
        confidence, has two labels or two objects for one alert, or has candids that were stored
        as floating-point numbers.

    Examples
    --------
    >>> read_labels("night_labels.csv").columns.tolist()
    ['candid', 'objectId', 'label', 'evidence', 'confidence', 'circular']
    """
    path = Path(path)
    table = _read_columns(path)
    if "evidence" not in table:
        log.warning("%s: there is no column evidence; no label counts as circular", path)
    for column, filler in (("objectId", ""), ("evidence", ""), ("confidence", "high")):
        if column not in table:
            table[column] = filler
        table[column] = table[column].mask(table[column] == "", filler)
    table["candid"] = _candids(table["candid"], path)
    for column, allowed in (("label", LABELS), ("confidence", CONFIDENCES)):
        _refuse_unknown(table, column, allowed, path)
        table[column] = table[column].str.lower()
    _refuse_rounded(table, path)
    table = _once(table[list(_COLUMNS)], path)
    table["circular"] = [
        is_circular(*pair) for pair in zip(table["label"], table["evidence"], strict=True)
    ]
    table.attrs["path"] = str(path)
    return table


def join_labels(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read several label files as one table.

    Parameters
    ----------
    paths : sequence of str or Path

    Returns
    -------
    pandas.DataFrame
        As from `read_labels`; the index is the file and the row in it.

    Raises
    ------
    LabelError
        As for `read_labels`, or if two files have different labels for one alert.

    Examples
    --------
    >>> join_labels(["night_labels.csv"]).index[0]
    ('night_labels.csv', 0)
    """
    joined = pd.concat([read_labels(path) for path in paths], keys=map(str, paths))
    joined = joined.drop_duplicates(["candid", "label"])
    repeated = joined["candid"].duplicated(keep=False)
    if repeated.any():
        conflicts = [
            f"{candid} {' and '.join(f'{label} ({file})' for (file, _), label in labels.items())}"
            for candid, labels in joined[repeated].groupby("candid", sort=False)["label"]
        ]
        more = len(conflicts) - _CONFLICTS_SHOWN
        raise LabelError(
            f"the label files contradict each other for {len(conflicts)} alerts: "
            f"{', '.join(conflicts[:_CONFLICTS_SHOWN])}{f' and {more} more' if more > 0 else ''}; "
            "remove one label of each"
        )
    return joined


def is_circular(label: str, evidence: str) -> bool:
    """Return True if a label was derived from fields that are also features.

    A test on such labels only measures how well a model reproduces the rule, so metrics are
    given with and without them.

    Parameters
    ----------
    label : str
    evidence : str

    Returns
    -------
    bool

    Examples
    --------
    >>> is_circular("sso", "MPC ephemeris match (ZTF ssnamenr=1644, 0.0as, |dmag|=0.4)")
    True
    >>> is_circular("star", "vsx(1.5as xmatch):RRAB")
    False
    >>> is_circular("artifact", "simulated: dipole, drb 0.03")
    False
    """
    if _SIMULATED.search(evidence):
        return False
    return bool(
        _CIRCULAR.search(evidence) or (label == "artifact" and _CIRCULAR_ARTIFACT.search(evidence))
    )


def is_simulated(evidence: str) -> bool:
    """Return True if a label belongs to a simulated alert.

    >>> is_simulated("simulated: RRAB"), is_simulated("vsx: RRAB")
    (True, False)
    """
    return bool(_SIMULATED.search(evidence))


def label_rows(night: Night, labels: pd.DataFrame) -> np.ndarray:
    """Find the row of each alert in a label table, by candid.

    Parameters
    ----------
    night : Night
    labels : pandas.DataFrame
        Output of `read_labels` or `join_labels`.

    Returns
    -------
    ndarray of int64, shape (n_alerts,)
        Rows of ``labels``, -1 if an alert has no label.

    Raises
    ------
    LabelError
        If a candid belongs to another object in the night, or has lost its last digits.

    Examples
    --------
    >>> labels = read_labels("night_labels.csv")
    >>> rows = label_rows(night, labels)
    >>> bool((labels["candid"].to_numpy()[rows] == night.alerts["candid"]).all())
    True
    """
    candids = labels["candid"].to_numpy(np.int64)
    check_candids(night, candids, labels.get("objectId"), lambda row: _place(labels, row))
    return pd.Index(candids).get_indexer(night.alerts["candid"].to_numpy())


def _place(labels, position):
    """Return the file and the row of a position in a label table."""
    at = labels.index[position]
    path, row = at if isinstance(at, tuple) else (labels.attrs.get("path", "labels"), at)
    return f"{path}: {_row(row)}"


def _row(index):
    """Return the number of a row as spreadsheets count: the first line is row 1."""
    return f"row {index + 2}"


def labels_of(night: Night, labels: pd.DataFrame) -> np.ndarray:
    """Return the label of each alert of a night.

    Parameters
    ----------
    night : Night
    labels : pandas.DataFrame
        Output of `read_labels`.

    Returns
    -------
    ndarray of str, shape (n_alerts,)
        ``''`` if an alert has no label.

    Examples
    --------
    >>> labels = read_labels("night_labels.csv")
    >>> bool((labels_of(night, labels[:0]) == "").all())
    True
    """
    with_empty = np.append(labels["label"].to_numpy(str), "")
    return with_empty[label_rows(night, labels)]


def _read_columns(path):
    table = read_text_columns(path, _COLUMNS, _ELSEWHERE, _EXPECTED)
    missing = [column for column in _REQUIRED if column not in table]
    if missing:
        hint = "" if missing != ["candid"] or "objectId" not in table else _BY_OBJECT
        raise LabelError(f"{path}: the column {missing[0]} is missing; {_EXPECTED}{hint}")
    table = table[(table != "").any(axis=1)]
    if table.empty:
        raise LabelError(f"{path}: contains no labels; {_EXPECTED}")
    return table


_ELSEWHERE = "put the labels there, or give their file with --labels"
_EXPECTED = "write a CSV with the columns candid, objectId, label, evidence and confidence"
_BY_OBJECT = ", or convert labels of objects with ztfml label NIGHT --catalog objects=FILE"
_OTHER_CLASSES = ", or convert other classes with ztfml label NIGHT --catalog objects=FILE"


def _candids(text, path):
    whole = text.str.fullmatch(r"\d{1,19}").to_numpy(bool)
    if not whole.all():
        row = int(np.argmin(whole))
        raise LabelError(
            f"{path}: {_row(text.index[row])}: the candid {text.iloc[row]!r} is not a whole number "
            f"of up to 19 digits ({(~whole).sum()} such rows); {REMEDY}"
        )
    try:
        return text.to_numpy(object).astype(np.int64)
    except OverflowError as error:
        raise LabelError(
            f"{path}: a candid is too large for 64 bits; export the candids again"
        ) from error


def _refuse_unknown(table, column, allowed, path):
    known = table[column].str.lower().isin(allowed).to_numpy()
    if not known.all():
        row = int(np.argmin(known))
        raise LabelError(
            f"{path}: {_row(table.index[row])}: the {column} {table[column].iloc[row]!r} is not "
            f"one of {', '.join(allowed)} ({(~known).sum()} such rows); correct it"
            f"{_OTHER_CLASSES if column == 'label' else ''}"
        )


def _once(table, path):
    named = table[table["objectId"] != ""].drop_duplicates(["candid", "objectId"])
    shared = named["candid"].duplicated(keep=False)
    if shared.any():
        candid = named.loc[shared, "candid"].iloc[0]
        rows = named[named["candid"] == candid]
        raise LabelError(
            f"{path}: {_row(rows.index[1])}: the candid {candid} is of "
            f"{rows['objectId'].iloc[1]} in this row, but of {rows['objectId'].iloc[0]} in "
            f"{_row(rows.index[0])} "
            f"({named.loc[shared, 'candid'].nunique()} such candids); {REMEDY}"
        )
    pairs = table.drop_duplicates(["candid", "label"])
    twice = pairs["candid"].duplicated(keep=False)
    if twice.any():
        candid = pairs.loc[twice, "candid"].iloc[0]
        both = " and ".join(pairs.loc[pairs["candid"] == candid, "label"])
        raise LabelError(
            f"{path}: the alert {candid} has the labels {both}; keep one label per alert "
            f"({pairs.loc[twice, 'candid'].nunique()} such alerts)"
        )
    if len(pairs) < len(table):
        log.info("%s: ignored %d repeated rows", path, len(table) - len(pairs))
    return pairs


def _refuse_rounded(table, path):
    """Refuse candids that were rounded, where no object name can confirm them."""
    rounded = has_lost_digits(table["candid"]) & (table["objectId"] == "").to_numpy()
    # By chance one candid in 100 looks rounded.
    if rounded.sum() > 0.5 * (table["objectId"] == "").sum():
        row = int(np.argmax(rounded))
        raise LabelError(
            f"{path}: {_row(table.index[row])}: the candid {table['candid'].iloc[row]} was stored "
            f"as a floating-point number and has lost its last digits ({rounded.sum()} such rows); "
            f"{REMEDY}, and add the column objectId"
        )
