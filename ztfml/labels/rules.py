"""The cuts by which a person would sort a night by hand: a baseline, and weak labels.

They follow the exercise "Finding rare astronomical objects in the ZTF public alert stream"
of the ZTF summer school 2024 (https://github.com/ZTF-Summer-School/ztf_summer_school_2024):
artifacts, solar-system objects and stars are cut away one after the other, and what is left
is sorted from probable transient to definite AGN by the shape of its history. Three things
differ. The exercise's text calls a PS1 source a star when its sgscore is *below* the cut; a
high sgscore is a star, so above is meant. A packet's history reaches 30 days back, so
jdstarthist counts as a detection before. And the exercise's sorting was done by eye; here it
is spelt out.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit

from ztfml import lightcurve
from ztfml.compiled import stamp_of
from ztfml.labels.thresholds import Cuts
from ztfml.lightcurve import light_curve_of

EVIDENCE_PREFIX = "rules:"
"""How the evidence of every label begins that was read from the alerts themselves."""

DEGREES = ("probable transient", "possible transient", "probable AGN", "definite AGN")

# distnr is in pixels of 1.01 arcsec (Bellm et al. 2019, PASP 131, 018002).
PIXEL_SCALE = 1.01

_MINUTES_A_DAY = 1440.0
# Two detections in one night may differ by a pulsation or an eclipse; that is no evolution.
_MIN_BASE = 0.5


@dataclass(frozen=True)
class CutResult:
    """What the rules made of a night.

    Parameters
    ----------
    labels : pandas.DataFrame, one row an alert in night order
        ``objectId``, ``candid``, ``label``, ``degree`` (one of `DEGREES`, missing for
        artifacts, solar-system objects and stars), ``evidence`` (begins with
        `EVIDENCE_PREFIX`) and ``confidence`` (high, medium, low).
    flow : pandas.DataFrame, one row a cut in order, the whole night first
        ``cut``, ``alerts_removed``, ``objects_removed``, ``alerts_left``, ``objects_left``.
        An object is removed by the cut that takes the last of its alerts.
    """

    labels: pd.DataFrame
    flow: pd.DataFrame


@dataclass(frozen=True)
class _Rule:
    """Alerts that no earlier rule has taken, and what to call them."""

    cut: str
    label: str
    degree: str | None
    reason: str
    confidence: str
    applies: np.ndarray


def apply_cuts(night, cuts=None):
    """Sort the alerts of a night by the exercise's cuts.

    An alert is judged by its packet and by the light curve that it sees, never by later rows.

    Parameters
    ----------
    night : Night
    cuts : Cuts, optional
        The thresholds; by default the exercise's.

    Returns
    -------
    CutResult

    Examples
    --------
    >>> result = apply_cuts(night, Cuts(sgscore=0.5))   # doctest: +SKIP
    >>> result.labels["label"].value_counts()   # doctest: +SKIP
    """
    rules = _rules(night, cuts or Cuts())
    rule_of_alert = np.select([rule.applies for rule in rules], range(len(rules)))

    def each(values):
        return pd.array(values, dtype="str").take(rule_of_alert)

    labels = pd.DataFrame(
        {
            "objectId": night.alerts["objectId"],
            "candid": night.alerts["candid"],
            "label": each([rule.label for rule in rules]),
            "degree": each([rule.degree for rule in rules]),
            "evidence": each([f"{EVIDENCE_PREFIX} {rule.reason}" for rule in rules]),
            "confidence": each([rule.confidence for rule in rules]),
        }
    )
    position = np.array([_CUTS.index(rule.cut) for rule in rules])
    return CutResult(labels, _flow(night.alerts["objectId"], position[rule_of_alert]))


# In the order in which they are made; what the last leaves are the transients.
_CUTS = ("artifact", "known asteroid", "moving", "star", "agn", "transient")


def _rules(night, cuts):
    """The rules in the order in which they take alerts; the last takes what is left."""
    packet = _packet_columns(night.alerts)
    detections, first_seen, episodes, below, steady = _histories(
        night.history,
        night.first,
        night.last,
        *(packet(name) for name in ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")),
        cuts.gap,
        cuts.steady_sigma,
        cuts.steady_change,
        cuts.steady_rate,
        _SOURCES,
    )
    # A packet ships 30 days of history; jdstarthist tells of detections before.
    age = packet("jd") - np.fmin(first_seen, packet("jdstarthist"))
    again = (episodes > 1) | (first_seen - packet("jdstarthist") > cuts.gap)
    old = age > cuts.long_history
    many = np.fmax(detections, packet("ndethist")) >= cuts.many_detections
    nearest = np.fmin(packet("distnr") * PIXEL_SCALE, packet("distpsnr1"))
    offset = nearest > cuts.nuclear

    no_drb = np.isnan(packet("drb"))
    bogus = (packet("drb") < cuts.drb) | (no_drb & (packet("rb") < cuts.rb))
    asteroid = (
        (packet("ssdistnr") < cuts.ssdistnr)
        & (packet("ssmagnr") > cuts.ssmagnr_min)
        & (packet("ssmagnr") < cuts.ssmagnr_max)
    )
    moving = ~(age * _MINUTES_A_DAY >= cuts.separation)
    star = (packet("distpsnr1") < cuts.distpsnr) & (packet("sgscore1") > cuts.sgscore)
    rest = np.ones(len(age), bool)

    probable_transient, possible_transient, probable_agn, definite_agn = DEGREES
    # Cut, label, degree, reason, confidence, alerts.
    return [
        _Rule(*rule)
        for rule in (
            ("artifact", "artifact", None, "low real-bogus score", "medium", bogus),
            ("known asteroid", "sso", None, "at a known asteroid", "high", asteroid),
            ("moving", "sso", None, "never detected twice here", "low", moving),
            ("star", "star", None, "point source in PS1", "medium", star),
            ("transient", "transient", probable_transient,
             "steady rise or fade away from any nucleus", "medium", offset & steady),
            ("transient", "transient", possible_transient,
             "away from any nucleus", "low", offset),
            ("agn", "agn", definite_agn,
             "long known, and now below the reference", "medium", old & below),
            ("agn", "agn", definite_agn,
             "long known, many detections, no single rise and fall", "medium",
             old & many & ~steady),
            ("agn", "agn", probable_agn,
             "long known, many detections", "low", old & many),
            ("agn", "agn", probable_agn,
             "below the reference", "low", below),
            ("transient", "transient", probable_transient,
             "steady rise or fade", "medium", steady),
            ("agn", "agn", probable_agn,
             "detected again after a gap, without evolving", "low", again),
            ("agn", "agn", probable_agn,
             "many detections, without evolving", "low", many),
            ("transient", "transient", possible_transient,
             "few detections in a short time", "low", rest),
        )
    ]  # fmt: skip


def _packet_columns(alerts):
    """Look up columns as float arrays, NaN where the night does not have them."""
    absent = np.full(len(alerts), np.nan)
    return lambda name: alerts[name].to_numpy(np.float64) if name in alerts else absent


def _flow(object_id, position):
    """Count what each cut takes and leaves; ``position`` is that of each alert's cut."""
    code = pd.factorize(object_id)[0]
    taken = np.arange(len(_CUTS) - 1)
    alerts_left = [np.sum(position > cut) for cut in (-1, *taken)]
    objects_left = [len(np.unique(code[position > cut])) for cut in (-1, *taken)]
    return pd.DataFrame(
        {
            "cut": ["night", *_CUTS[:-1]],
            "alerts_removed": -np.diff(alerts_left, prepend=alerts_left[0]),
            "objects_removed": -np.diff(objects_left, prepend=objects_left[0]),
            "alerts_left": alerts_left,
            "objects_left": objects_left,
        }
    )


_SOURCES = stamp_of(lightcurve.__file__)


@njit(cache=True)
def _histories(
    history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, gap, sigma, change, rate, sources
):
    """Sum up the light curve that each alert sees.

    Returns the number of detections, the epoch of the first, the number of episodes (runs
    without a gap), whether any detection is below the reference, and whether the latest
    episode rises or fades steadily in any band.
    """
    n = len(jd)
    detections = np.zeros(n)
    first_seen = np.full(n, np.nan)
    episodes = np.zeros(n)
    below = np.zeros(n, np.bool_)
    steady = np.zeros(n, np.bool_)
    for k in range(n):
        curve = light_curve_of(
            history, first[k], last[k], jd[k], fid[k], magpsf[k], sigmapsf[k], isdiffpos[k]
        )
        detections[k] = len(curve.jd)
        if len(curve.jd) == 0:
            continue
        first_seen[k] = curve.jd[0]
        starts = np.flatnonzero(np.diff(curve.jd) > gap) + 1
        episodes[k] = len(starts) + 1
        below[k] = (curve.sign < 0).any()
        now = np.arange(len(curve.jd)) >= (starts[-1] if len(starts) else 0)
        for band in range(3):
            own = now & (curve.band == band) & (curve.sign >= 0)
            # Days before now: Julian dates would lose ten digits in the squares.
            t, mag, err = curve.jd[own] - curve.now, curve.mag[own], curve.err[own]
            steady[k] |= len(t) > 1 and _rises_or_fades(t, mag, err, sigma, change, rate)
    return detections, first_seen, episodes, below, steady


@njit(cache=True)
def _rises_or_fades(t, mag, err, sigma, change, rate):
    """Whether there is one rise to the brightest detection, or one fade from it.

    Both are fitted by lines. Their errors grow with the scatter about both: what goes up and
    down again rises nowhere steadily.
    """
    peak = np.argmin(mag)
    before = _line(t[: peak + 1], mag[: peak + 1], err[: peak + 1])
    after = _line(t[peak:], mag[peak:], err[peak:])
    freedom = before[4] + after[4]
    excess = max(1.0, (before[3] + after[3]) / freedom) if freedom > 0 else 1.0
    for slope, slope_err, base, _, _ in (before, after):
        fast = slope >= rate and slope * base >= change
        if fast and slope >= sigma * slope_err * np.sqrt(excess):
            return True
    return False


@njit(cache=True)
def _line(t, mag, err):
    """A weighted line: steepness, its error, time base, chi-square, degrees of freedom."""
    base = t[-1] - t[0]
    if base < _MIN_BASE:
        return 0.0, 0.0, base, 0.0, 0
    weight = err**-2.0
    dt = t - (weight * t).sum() / weight.sum()
    dm = mag - (weight * mag).sum() / weight.sum()
    spread = (weight * dt**2).sum()
    slope = (weight * dt * dm).sum() / spread
    chi2 = (weight * (dm - slope * dt) ** 2).sum()
    return abs(slope), spread**-0.5, base, chi2, len(t) - 2
