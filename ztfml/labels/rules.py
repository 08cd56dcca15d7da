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

from ztfml.compiled import kernel
from ztfml.labels.thresholds import Cuts
from ztfml.lightcurves.light_curve import light_curve_of, make_workspace
from ztfml.lightcurves.slopes import fit_slope
from ztfml.schema import PIXEL_SCALE

EVIDENCE_PREFIX = "rules:"
"""How the evidence of every label begins that was read from the alerts themselves."""

DEGREES = ("probable transient", "possible transient", "probable AGN", "definite AGN")

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


def _histories(history, first, last, *alerts_and_cuts):
    """Sum up the light curve that each alert sees.

    Returns the number of detections, the epoch of the first, the number of episodes (runs
    without a gap), whether any detection is below the reference, and whether the latest
    episode rises or fades steadily in any band.
    """
    n = len(first)
    outcome = (np.zeros(n), np.full(n, np.nan), np.zeros(n), np.zeros(n, bool), np.zeros(n, bool))
    workspace = make_workspace((last - first).max())
    _sum_up(history, first, last, *alerts_and_cuts, workspace, *outcome)
    return outcome


@kernel
def _sum_up(
    history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, gap, sigma, change, rate, workspace,
    detections, first_seen, episodes, below, steady,
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
            if d > 0 and curve.jd[d] - curve.jd[d - 1] > gap:
                episodes[k] += 1
                latest = curve.jd[d]
        for own in (curve.g, curve.r, curve.i):
            steady[k] |= _is_steady(own, latest, curve.now, sigma, change, rate, workspace.scratch)


@kernel
def _is_steady(own, begin, now, sigma, change, rate, memory):
    """Whether a band rises or fades steadily from an epoch on."""
    t, mag, err = memory[0], memory[1], memory[2]
    n = 0
    for k in range(len(own.jd)):
        if own.jd[k] >= begin and own.sign[k] >= 0:
            # Days before now: Julian dates would lose ten digits in the squares.
            t[n], mag[n], err[n] = own.jd[k] - now, own.mag[k], own.err[k]
            n += 1
    return n > 1 and _rises_or_fades(t[:n], mag[:n], err[:n], sigma, change, rate)


@kernel
def _rises_or_fades(t, mag, err, sigma, change, rate):
    """Whether there is one rise to the brightest detection, or one fade from it.

    Both are fitted by lines. Their errors grow with the scatter about both: what goes up and
    down again rises nowhere steadily.
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
