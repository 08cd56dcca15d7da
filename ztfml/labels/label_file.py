"""Label files: a CSV beside the night, with one row per alert."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.errors import LabelError
from ztfml.night import Night
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)


_REQUIRED = ("candid", "objectId", "label")

# A label is circular if it was derived from packet fields that are also features: any rule (on
# drb, rb, nneg, distnr ...), and the match with the ephemerides of the MPC that ZTF writes in
# ssdistnr, ssmagnr and ssnamenr.
_CIRCULAR = re.compile(r"^\s*rules?\b|\bssnamenr\b|\bssdistnr\b|\bMPC ephemeris match\b", re.I)
_CIRCULAR_ARTIFACT = re.compile(r"\bd?rb\b", re.I)
_SIMULATED = re.compile(r"^\s*simulated\b", re.I)


def read_labels(path: str | Path) -> pd.DataFrame:
    """Read a label file.

    Parameters
    ----------
    path : str or Path
        A CSV with ``candid``, ``objectId``, ``label`` (artifact, sso, star, agn, transient)
        and optionally ``evidence`` (the source of the label) and ``confidence`` (high, medium,
        low; high if absent). Other columns are ignored.

    Returns
    -------
    pandas.DataFrame
        ``candid`` (int64), ``objectId``, ``label``, ``evidence`` ('' if absent),
        ``confidence`` and ``circular`` (bool, see `is_circular`), one row per alert.

    Raises
    ------
    LabelError
        If the file is absent, empty or not a label table, contains an unknown class or
        confidence, or has two labels for one alert.

    Examples
    --------
    >>> read_labels("night_labels.csv").columns.tolist()
    ['candid', 'objectId', 'label', 'evidence', 'confidence', 'circular']
    """
    path = Path(path)
    table = _read_text_columns(path)
    for column, filler in (("evidence", ""), ("confidence", "high")):
        if column not in table:
            table[column] = filler
        table[column] = table[column].mask(table[column] == "", filler)
    table["candid"] = _candids(table["candid"], path)
    _refuse_unknown(table, "label", LABELS, path)
    _refuse_unknown(table, "confidence", CONFIDENCES, path)
    table = _once(table, path)
    table["circular"] = [
        is_circular(*pair) for pair in zip(table["label"], table["evidence"], strict=True)
    ]
    return table


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
        Output of `read_labels`.

    Returns
    -------
    ndarray of int64, shape (n_alerts,)
        Rows of ``labels``, -1 if an alert has no label.

    Examples
    --------
    >>> labels = read_labels("night_labels.csv")
    >>> rows = label_rows(night, labels)
    >>> bool((labels["candid"].to_numpy()[rows] == night.alerts["candid"]).all())
    True
    """
    candids = night.alerts["candid"].to_numpy()
    return pd.Index(labels["candid"].to_numpy(np.int64)).get_indexer(candids)


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


def _read_text_columns(path):
    try:
        # All columns as text: a candid has 19 digits and must not become a float.
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError as error:
        raise LabelError(
            f"{path}: there is no such file; put the labels there, or give their file with --labels"
        ) from error
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"{path}: the file is empty; {_EXPECTED}") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        first = str(error).strip().split("\n")[0]
        raise LabelError(f"{path}: cannot be read as CSV ({first}); {_EXPECTED}") from error
    missing = [column for column in _REQUIRED if column not in table]
    if missing:
        raise LabelError(f"{path}: the column {missing[0]} is missing; {_EXPECTED}")
    if table.empty:
        raise LabelError(f"{path}: contains no labels; {_EXPECTED}")
    columns = [c for c in (*_REQUIRED, "evidence", "confidence") if c in table]
    return table[columns].apply(lambda column: column.str.strip())


_EXPECTED = "write a CSV with the columns candid, objectId, label, evidence and confidence"


def _candids(text, path):
    whole = text.str.fullmatch(r"\d{1,19}").to_numpy(bool)
    if not whole.all():
        row = int(np.argmin(whole))
        raise LabelError(
            f"{path}: row {row + 2}: the candid {text.iloc[row]!r} is not a whole number of up to "
            "19 digits; export it as text or as a 64-bit integer, not from a spreadsheet"
        )
    try:
        return text.to_numpy(object).astype(np.int64)
    except OverflowError as error:
        raise LabelError(
            f"{path}: a candid is too large for 64 bits; export the candids again"
        ) from error


def _refuse_unknown(table, column, allowed, path):
    known = table[column].isin(allowed).to_numpy()
    if not known.all():
        row = int(np.argmin(known))
        raise LabelError(
            f"{path}: row {row + 2}: the {column} {table[column].iloc[row]!r} is not one of "
            f"{', '.join(allowed)}; correct it"
        )


def _once(table, path):
    pairs = table.drop_duplicates(["candid", "label"])
    twice = pairs["candid"].duplicated(keep=False)
    if twice.any():
        candid = pairs.loc[twice, "candid"].iloc[0]
        both = " and ".join(pairs.loc[pairs["candid"] == candid, "label"])
        raise LabelError(
            f"{path}: the alert {candid} has the labels {both}; keep one label per alert "
            f"({pairs.loc[twice, 'candid'].nunique()} alerts have more than one)"
        )
    if len(pairs) < len(table):
        log.info("%s: ignored %d repeated rows", path, len(table) - len(pairs))
    return pairs.reset_index(drop=True)
