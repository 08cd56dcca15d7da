"""Labels that people give: a CSV beside the night, one row an alert."""

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.errors import LabelError
from ztfml.taxonomy import CONFIDENCES, LABELS

log = logging.getLogger(__name__)


_REQUIRED = ("candid", "objectId", "label")

# A label is circular when it was read from packet fields that are features as well: any
# rule (on drb, rb, nneg, distnr ...), and the asteroid match that ZTF ships in ssdistnr,
# ssmagnr and ssnamenr, which is a match with the ephemerides of the MPC.
_CIRCULAR = re.compile(r"^\s*rules?\b|\bssnamenr\b|\bssdistnr\b|\bMPC ephemeris match\b", re.I)
_CIRCULAR_ARTIFACT = re.compile(r"\bd?rb\b", re.I)
_SIMULATED = re.compile(r"^\s*simulated\b", re.I)


def read_labels(path):
    """Read a label file.

    Parameters
    ----------
    path : str or Path
        A CSV with ``candid``, ``objectId``, ``label`` (artifact, sso, star, agn, transient)
        and optionally ``evidence`` (how it is known) and ``confidence`` (high, medium, low;
        high where it is not said). Other columns are passed over.

    Returns
    -------
    pandas.DataFrame
        ``candid`` (int64), ``objectId``, ``label``, ``evidence`` ('' where not said),
        ``confidence`` and ``circular`` (bool, see `is_circular`), one row an alert.

    Raises
    ------
    LabelError
        If the file is absent, empty or no such table, names an unknown class or confidence,
        or gives one alert two labels.

    Examples
    --------
    >>> read_labels("ztf_alerts_2460235.5_labels.csv")["label"].value_counts()  # doctest: +SKIP
    sso    142
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


def is_circular(label, evidence):
    """Tell whether a label was read from fields that are also features.

    A model that is tested on such labels is tested on finding the rule again, so figures
    are given with them and without them.

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


def is_simulated(evidence):
    """Tell whether a label comes with a simulated alert.

    >>> is_simulated("simulated: RRAB"), is_simulated("vsx: RRAB")
    (True, False)
    """
    return bool(_SIMULATED.search(evidence))


def label_rows(night, labels):
    """Find each alert's row in a label table, by candid.

    Parameters
    ----------
    night : Night
    labels : pandas.DataFrame
        As of `read_labels`.

    Returns
    -------
    ndarray of int64, shape (n_alerts,)
        Positions in ``labels``, -1 where an alert has no label.

    Examples
    --------
    >>> label_rows(night, labels)   # doctest: +SKIP
    array([-1,  0,  1])
    """
    wanted = night.alerts["candid"].to_numpy()
    return pd.Index(labels["candid"].to_numpy(np.int64)).get_indexer(wanted)


def labels_of(night, labels):
    """Give each alert of a night its label.

    Parameters
    ----------
    night : Night
    labels : pandas.DataFrame
        As of `read_labels`.

    Returns
    -------
    ndarray of str, shape (n_alerts,)
        ``''`` where an alert has no label.

    Examples
    --------
    >>> labels_of(night, read_labels("night_labels.csv"))   # doctest: +SKIP
    array(['', 'star', 'sso'], dtype='<U9')
    """
    with_none = np.append(labels["label"].to_numpy(str), "")
    return with_none[label_rows(night, labels)]


def _read_text_columns(path):
    try:
        # Everything as text: a candid has 19 digits and must not become a float on the way.
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True)
    except FileNotFoundError as error:
        raise LabelError(
            f"{path}: there is no such file; put the labels there or name them with --labels"
        ) from error
    except pd.errors.EmptyDataError as error:
        raise LabelError(f"{path}: the file is empty; {_WANTED}") from error
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        first = str(error).strip().split("\n")[0]
        raise LabelError(f"{path}: cannot be read as CSV ({first}); {_WANTED}") from error
    lacking = [column for column in _REQUIRED if column not in table]
    if lacking:
        raise LabelError(f"{path}: the column {lacking[0]} is missing; {_WANTED}")
    if table.empty:
        raise LabelError(f"{path}: holds no labels; {_WANTED}")
    columns = [c for c in (*_REQUIRED, "evidence", "confidence") if c in table]
    return table[columns].apply(lambda column: column.str.strip())


_WANTED = "write a CSV with the columns candid, objectId, label, evidence and confidence"


def _candids(text, path):
    whole = text.str.fullmatch(r"\d{1,19}").to_numpy(bool)
    if not whole.all():
        row = int(np.argmin(whole))
        raise LabelError(
            f"{path}: row {row + 2}: the candid {text.iloc[row]!r} is not a whole number of up to "
            "19 digits; export it as text or as a 64-bit integer, not by way of a spreadsheet"
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
            f"{path}: row {row + 2}: the {column} {table[column].iloc[row]!r} is none of "
            f"{', '.join(allowed)}; correct it"
        )


def _once(table, path):
    pairs = table.drop_duplicates(["candid", "label"])
    twice = pairs["candid"].duplicated(keep=False)
    if twice.any():
        candid = pairs.loc[twice, "candid"].iloc[0]
        given = " and ".join(pairs.loc[pairs["candid"] == candid, "label"])
        raise LabelError(
            f"{path}: the alert {candid} is labelled {given}; decide for one of them "
            f"({twice.sum() - pairs.loc[twice, 'candid'].nunique()} more rows in all are too many)"
        )
    if len(pairs) < len(table):
        log.info("%s: %d rows stand there twice and count once", path, len(table) - len(pairs))
    return pairs.reset_index(drop=True)
