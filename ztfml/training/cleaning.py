"""Remove impossible alerts and values from training data, by facts about the survey.

Public files contain alerts that were changed for a test, and labels that were true at another time.
A classifier learns them as it learns everything else. Each rule here states a fact about the survey
and is applied to every night that is read for training, real or simulated. No rule lists objects,
and none depends on a prediction. Prediction itself does not use these rules.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.io.parquet import open_parquet
from ztfml.lightcurves.exposures import measurements
from ztfml.night import Night
from ztfml.schema import PIXEL_SCALE

log = logging.getLogger(__name__)

REFERENCE_COLUMNS = ("ranr", "decnr", "jdendref")
"""Packet fields that only the rules use; nights in other formats than parquet lack them."""

_FIRST_LIGHT = 2458031.5  # 2017 October 5, before the first public alert
_FWHM = (0.5, 30.0)  # pixels
_LONGEST_TRANSIENT = 730.0  # d
_MOST_DETECTIONS = 300
_EARLIER_NIGHT = 0.5  # d
_REPEATED = 3
_MANY_OBJECTS = 3  # one value at three positions is no coincidence

_PS1 = ("sgscore", "distpsnr", "sgmag", "srmag", "simag", "szmag")
_NEIGHBOURS = (
    *(f"{name}{rank}" for rank in (1, 2, 3) for name in _PS1),
    *("nmtchps", "neargaia", "maggaia", "neargaiabright", "maggaiabright"),
)


@dataclass(frozen=True)
class Rule:
    """A fact about the survey, and what to do with alerts that contradict it.

    Attributes
    ----------
    name : str
        What is wrong with the alerts that the rule finds.
    reason : str
        Why it is impossible.
    find : callable
        ``find(night, y)`` returns a mask over the alerts; `y` is the array of labels.
    blank : tuple of str
        Columns that are set to NaN; if empty, the alert is not used.
    """

    name: str
    reason: str
    find: Callable[[Night, np.ndarray], np.ndarray]
    blank: tuple[str, ...] = ()


def _column(night, name):
    if name in night.alerts:
        return night.alerts[name].to_numpy(float)
    return np.full(len(night), np.nan)


def _moved(night, y):
    ra, dec, ranr, decnr, distnr = (
        _column(night, name) for name in ("ra", "dec", "ranr", "decnr", "distnr")
    )
    east = ((ra - ranr + 180) % 360 - 180) * np.cos(np.radians(dec))
    separation = np.hypot(east, dec - decnr) * 3600
    return np.abs(separation - distnr * PIXEL_SCALE) > 3


def _reference_later(night, y):
    return _column(night, "jdendref") > _column(night, "jd")


def _before_survey(night, y):
    return _column(night, "jd") < _FIRST_LIGHT


def _shared_neighbours(night, y):
    names = ["distpsnr1", "sgscore1", "sgmag1", "srmag1"]
    if not {"ra", "dec", *names} <= set(night.alerts.columns):
        return np.zeros(len(night), bool)
    given = night.alerts[names].fillna(-1.0)
    place = night.alerts["ra"].round(3).astype(str) + " " + night.alerts["dec"].round(3).astype(str)
    n_places = given.assign(place=place).groupby(names)["place"].transform("nunique").to_numpy()
    return (n_places >= _MANY_OBJECTS) & (_column(night, "distpsnr1") > 0)


def _too_many_detections(night, y):
    return _column(night, "ndethist") > _column(night, "ncovhist")


def _first_after_alert(night, y):
    return _column(night, "jdstarthist") > _column(night, "jd") + 1e-3


def _impossible_fwhm(night, y):
    fwhm = _column(night, "fwhm")
    return (fwhm < _FWHM[0]) | (fwhm > _FWHM[1])


def _always_negative(night, y):
    history = night.history
    positive = (history.isdiffpos > 0) & np.isfinite(history.magpsf) & measurements(history)
    total = np.concatenate([[0], np.cumsum(positive)])
    seen_positive = total[night.last] > total[night.first]
    return (y == "transient") & (_column(night, "isdiffpos") < 0) & ~seen_positive


def _stationary_asteroid(night, y):
    history = night.history
    detected = np.isfinite(history.magpsf) & measurements(history)
    total = np.concatenate([[0], np.cumsum(detected)])
    jd = _column(night, "jd")
    found = np.zeros(len(night), bool)
    for k in np.flatnonzero(y == "sso"):
        first, last = night.first[k], night.last[k]
        earlier = first + np.searchsorted(history.jd[first:last], jd[k] - _EARLIER_NIGHT)
        found[k] = total[earlier] - total[first] >= _REPEATED
    return found


def _ended_long_ago(night, y):
    age = _column(night, "jd") - _column(night, "jdstarthist")
    many = _column(night, "ndethist") > _MOST_DETECTIONS
    return (y == "transient") & (age > _LONGEST_TRANSIENT) & many


RULES = (
    Rule(
        "position far from its reference source",
        "distnr is the distance to ranr and decnr, so a position that contradicts it was changed "
        "after the alert, and its PS1, Gaia and reference fields belong to another place",
        _moved,
    ),
    Rule(
        "reference image later than the alert",
        "the reference image is subtracted, so it exists before the alert; such packets were made "
        "again in a test of the pipeline, and their counts are not those of that time",
        _reference_later,
    ),
    Rule("date before first light", "no alert is older than the survey", _before_survey),
    Rule(
        "the same PS1 neighbour at three or more places",
        "no two positions have the same distance, score and magnitudes, so the fields are invented",
        _shared_neighbours,
        _NEIGHBOURS,
    ),
    Rule(
        "more detections than exposures",
        "ncovhist counts the exposures of the position, with and without a detection",
        _too_many_detections,
        ("ndethist", "ncovhist"),
    ),
    Rule(
        "first detection later than the alert",
        "the alert is a detection itself",
        _first_after_alert,
        ("jdstarthist",),
    ),
    Rule(
        "fwhm below 0.5 or above 30 pixels",
        "a point source is not narrower, and no seeing of the survey is wider",
        _impossible_fwhm,
        ("fwhm", "aimagerat", "bimagerat"),
    ),
    Rule(
        "transient that is always below the reference image",
        "its light is in the reference image, so the alert shows its absence",
        _always_negative,
    ),
    Rule(
        "asteroid with three or more detections at this place on earlier nights",
        "an asteroid moves by more than the size of a source within half a day, so the light curve "
        "is that of another source, and the alert may be its detection too",
        _stationary_asteroid,
    ),
    Rule(
        "transient with more than 300 detections over more than two years",
        "no supernova is detected for so long; the label is that of an earlier event in a variable "
        "nucleus",
        _ended_long_ago,
    ),
)
"""All rules, in the order in which they are applied."""


def clean(night: Night, y: np.ndarray) -> tuple[Night, np.ndarray, dict[str, int]]:
    """Remove the alerts and blank the values that contradict a rule.

    Parameters
    ----------
    night : Night
        Its alerts may have the `REFERENCE_COLUMNS`.
    y : ndarray of str, shape (n_alerts,)
        The label of each alert.

    Returns
    -------
    night : Night
        The alerts that are used.
    kept : ndarray of bool, shape (n_alerts,)
        Which alerts these are.
    counts : dict of str to int
        The number of alerts that each rule found, for rules that found any.

    Examples
    --------
    >>> y = predictions["label"].to_numpy(str)
    >>> wide = night.replace(alerts=night.alerts.assign(fwhm=99.0))
    >>> cleaned, kept, counts = clean(wide, y)
    >>> bool(kept.all()), bool(cleaned.alerts["fwhm"].isna().all())
    (True, True)
    """
    kept, counts, alerts = np.ones(len(night), bool), {}, night.alerts.copy()
    for rule in RULES:
        found = np.asarray(rule.find(night, y), bool)
        if not found.any():
            continue
        counts[rule.name] = int(found.sum())
        if not rule.blank:
            kept &= ~found
        for name in rule.blank:
            if name in alerts:
                alerts[name] = alerts[name].mask(found)
    unused = [name for name in REFERENCE_COLUMNS if name in alerts]
    cleaned = night.replace(alerts=alerts.drop(columns=unused))
    return (cleaned if kept.all() else cleaned.subset(kept)), kept, counts


def with_reference_columns(path: str | Path, night: Night) -> Night:
    """Add the `REFERENCE_COLUMNS` to the alerts of a night, if its file has them.

    Parameters
    ----------
    path : str or Path
        The file from which the night was read.
    night : Night

    Returns
    -------
    Night

    Examples
    --------
    >>> "ranr" in with_reference_columns("night.parquet", night).alerts
    False
    """
    path = Path(path)
    if path.suffix != ".parquet" or not path.is_file():
        return night
    file = open_parquet(path)
    names = {name: f"candidate.{name}" for name in REFERENCE_COLUMNS}
    names = {name: column for name, column in names.items() if column in file.schema_arrow.names}
    if not names or "candid" not in file.schema_arrow.names:
        return night
    table = file.read(["candid", *names.values()]).to_pandas().drop_duplicates("candid")
    rows = table.set_index("candid").reindex(night.alerts["candid"].to_numpy())
    values = {
        name: pd.to_numeric(rows[column], errors="coerce").to_numpy(float)
        for name, column in names.items()
    }
    # -999 is missing.
    values = {name: np.where(value < -900, np.nan, value) for name, value in values.items()}
    return night.replace(alerts=night.alerts.assign(**values))


def report(path: str | Path, counts: dict[str, int]) -> None:
    """Log what the rules found in a night, one line per rule."""
    for rule in RULES:
        if rule.name in counts:
            action = "values treated as missing" if rule.blank else "not used"
            log.info("%s: %s: %d alerts, %s", path, rule.name, counts[rule.name], action)
