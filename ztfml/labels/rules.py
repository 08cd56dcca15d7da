"""Rules that classify a night with simple cuts: a baseline, and weak labels.

They follow the exercise "Finding rare astronomical objects in the ZTF public alert stream"
of the ZTF summer school 2024 (https://github.com/ZTF-Summer-School/ztf_summer_school_2024):
artifacts, Solar System objects and stars are removed one after the other, and the remaining alerts
are sorted from probable transient to definite AGN by their light curves. There are three
differences. The text of the exercise calls a PS1 source a star if its sgscore is *below* the cut,
but stars have high scores, so the cut is reversed. The history in a packet starts 30 days before
the alert, so jdstarthist counts as an earlier detection. And the exercise sorts the remaining
alerts by eye, while this module uses rules.

Two additions protect sources that are not what a simple cut says. A known asteroid that is
predicted within 10 arcsec is often not the source: an alert that does not fit its position and
magnitude has a low confidence, and if the source was detected here for days, it is not an asteroid.
A source that is fainter than in the reference image in all its detections is never a transient.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ztfml.catalogs.matching import ASTEROID_MAGDIFF, ASTEROID_RADIUS
from ztfml.compiled import kernel
from ztfml.labels.thresholds import Cuts
from ztfml.lightcurves.light_curve import light_curve_of, make_workspace
from ztfml.lightcurves.slopes import fit_slope
from ztfml.night import Night
from ztfml.schema import PIXEL_SCALE

EVIDENCE_PREFIX = "rules:"
"""Start of the evidence of every label that was derived from the alerts themselves."""

DEGREES = ("probable transient", "possible transient", "probable AGN", "definite AGN")

_MINUTES_A_DAY = 1440.0
# d. Differences within a night may be a pulsation or an eclipse, not an evolution.
_MIN_BASE = 0.5


@dataclass(frozen=True)
class CutResult:
    """Labels of a night from the cuts, and the cut flow.

    Parameters
    ----------
    labels : pandas.DataFrame
        One row per alert in the order of the night: ``objectId``, ``candid``, ``label``,
        ``degree`` (one of `DEGREES`, missing for artifacts, Solar System objects and stars),
        ``evidence`` (starts with `EVIDENCE_PREFIX`) and ``confidence`` (high, medium, low).
    flow : pandas.DataFrame
        One row per cut in order, after a row for the whole night: ``cut``, ``alerts_removed``,
        ``objects_removed``, ``alerts_left``, ``objects_left``. An object is removed by the cut
        that removes its last alert.

    Examples
    --------
    >>> apply_cuts(night).flow["cut"].tolist()
    ['night', 'artifact', 'known asteroid', 'moving', 'star', 'agn']
    """

    labels: pd.DataFrame
    flow: pd.DataFrame


@dataclass(frozen=True)
class _Rule:
    """A label, and the alerts that it applies to unless an earlier rule does."""

    cut: str
    label: str
    degree: str | None
    reason: str
    confidence: str
    applies: np.ndarray


def apply_cuts(night: Night, cuts: Cuts | None = None) -> CutResult:
    """Classify the alerts of a night with the cuts of the exercise.

    The rules use the packet of an alert and its light curve up to the alert.

    Parameters
    ----------
    night : Night
    cuts : Cuts, optional
        The thresholds; by default those of the exercise.

    Returns
    -------
    CutResult

    Examples
    --------
    >>> result = apply_cuts(night, Cuts(sgscore=0.5))
    >>> len(result.labels), int(result.flow["alerts_left"][0])
    (300, 300)
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


# In the order of application; the last class contains the remaining alerts.
_CUTS = ("artifact", "known asteroid", "moving", "star", "agn", "transient")


def _rules(night, cuts):
    """Return the rules in the order of application; the last one applies to all alerts."""
    packet = _packet_columns(night.alerts)
    detections, first_seen, episodes, below, above, steady = _histories(
        night.history,
        night.first,
        night.last,
        *(packet(name) for name in ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")),
        cuts.gap,
        cuts.steady_sigma,
        cuts.steady_change,
        cuts.steady_rate,
    )
    # A packet contains 30 days of history; jdstarthist is the first detection ever.
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
    fits = (packet("ssdistnr") <= ASTEROID_RADIUS) & (
        np.abs(packet("magpsf") - packet("ssmagnr")) <= ASTEROID_MAGDIFF
    )
    stays = age >= cuts.stationary
    moving = ~(age * _MINUTES_A_DAY >= cuts.separation)
    star = (packet("distpsnr1") < cuts.distpsnr) & (packet("sgscore1") > cuts.sgscore)
    rest = np.ones(len(age), bool)

    probable_transient, possible_transient, probable_agn, definite_agn = DEGREES
    # Cut, label, degree, reason, confidence, alerts.
    return [
        _Rule(*rule)
        for rule in (
            ("artifact", "artifact", None, "low real-bogus score", "medium", bogus),
            ("known asteroid", "sso", None,
             "at a known asteroid", "high", asteroid & fits & ~stays),
            ("known asteroid", "sso", None,
             "at a known asteroid, but also detected here on other days", "low", asteroid & fits),
            ("known asteroid", "sso", None,
             "near a known asteroid", "low", asteroid & ~stays),
            ("moving", "sso", None, "never detected twice here", "low", moving),
            ("star", "star", None, "point source in PS1", "medium", star),
            ("transient", "transient", probable_transient,
             "steady rise or fade away from any nucleus", "medium", offset & steady & above),
            ("transient", "transient", possible_transient,
             "away from any nucleus", "low", offset & above),
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
    """Return a function that gives a column as floats, NaN if the night does not have it."""
    absent = np.full(len(alerts), np.nan)
    return lambda name: alerts[name].to_numpy(np.float64) if name in alerts else absent


def _flow(object_id, position):
    """Count removed and remaining alerts and objects; ``position`` is the cut of each alert."""
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


def _histories(history, first, last, *alerts_and_cuts):
    """Summarise the light curve of each alert up to the alert.

    Returns the number of detections, the time of the first, the number of episodes (detections
    without a gap between them), whether any detection is negative, whether any is not, and whether
    the latest episode rises or fades steadily in any band.
    """
    n = len(first)
    flags = (np.zeros(n, bool) for _ in range(3))
    outcome = (np.zeros(n), np.full(n, np.nan), np.zeros(n), *flags)
    workspace = make_workspace((last - first).max())
    _summarise(history, first, last, *alerts_and_cuts, workspace, *outcome)
    return outcome


@kernel
def _summarise(
    history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, gap, sigma, change, rate, workspace,
    detections, first_seen, episodes, below, above, steady,
):  # fmt: skip
    for k in range(len(jd)):
        curve = light_curve_of(
            history,
            first[k],
            last[k],
            jd[k],
            fid[k],
            magpsf[k],
            sigmapsf[k],
            isdiffpos[k],
            workspace,
        )
        detections[k] = len(curve.jd)
        if len(curve.jd) == 0:
            continue
        first_seen[k] = latest = curve.jd[0]
        episodes[k] = 1
        for d in range(len(curve.jd)):
            below[k] |= curve.sign[d] < 0
            above[k] |= curve.sign[d] >= 0
            if d > 0 and curve.jd[d] - curve.jd[d - 1] > gap:
                episodes[k] += 1
                latest = curve.jd[d]
        for band in (curve.g, curve.r, curve.i):
            steady[k] |= _is_steady(band, latest, curve.now, sigma, change, rate, workspace.scratch)


@kernel
def _is_steady(band, begin, now, sigma, change, rate, scratch):
    """Return True if a band rises or fades steadily from a time on."""
    t, mag, err = scratch[0], scratch[1], scratch[2]
    n = 0
    for k in range(len(band.jd)):
        if band.jd[k] >= begin and band.sign[k] >= 0:
            # Relative to the alert, because squares of Julian dates would lose ten digits.
            t[n], mag[n], err[n] = band.jd[k] - now, band.mag[k], band.err[k]
            n += 1
    return n > 1 and _rises_or_fades(t[:n], mag[:n], err[:n], sigma, change, rate)


@kernel
def _rises_or_fades(t, mag, err, sigma, change, rate):
    """Return True if there is one rise to the brightest detection, or one fade from it.

    Straight lines are fitted to both. Their errors increase with the scatter about both, so that
    repeated rises and fades are not steady.
    """
    peak = 0
    for k in range(1, len(mag)):
        if mag[k] < mag[peak]:
            peak = k
    before = fit_slope(t[: peak + 1], mag[: peak + 1], err[: peak + 1])
    after = fit_slope(t[peak:], mag[peak:], err[peak:])
    misfit = freedom = 0.0
    for line in (before, after):
        if line.n > 2 and line.base >= _MIN_BASE:
            misfit += line.chi2 * (line.n - 2)
            freedom += line.n - 2
    excess = max(1.0, misfit / freedom) if freedom > 0 else 1.0
    for line in (before, after):
        steepness = abs(line.slope)
        fast = line.base >= _MIN_BASE and steepness >= rate and steepness * line.base >= change
        if fast and steepness >= sigma * np.sqrt(excess / line.spread):
            return True
    return False
