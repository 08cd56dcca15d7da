"""The current episode of detections compared with earlier ones.

An earlier episode counts only with at least two detections, so that one stray detection (of an
asteroid, or an artifact) long ago does not make a new source old.
"""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.gaps import faded_between
from ztfml.lightcurves.light_curve import EPISODE_GAP

GROUP = Group("episodes", "the current episode of detections compared with earlier ones", version=2)

_DETECTIONS = ("jd", "magpsf")
_SIGNS = ("jd", "magpsf", "isdiffpos")
# The survey may count detections that are not in the history. A single one can be a stray.
_MIN_UNSEEN = 2

GROUP.declare(
    "episode_n_det", "", "detections in the current episode", "never for a ZTF alert", _DETECTIONS
)
GROUP.declare(
    "episode_n_nights",
    "",
    "nights with a detection in the current episode",
    "never for a ZTF alert",
    _DETECTIONS,
)
GROUP.declare(
    "episode_frac_positive",
    "",
    "fraction of the detections of the current episode with known sign that are brighter than the "
    "reference image",
    "if isdiffpos is not readable",
    _SIGNS,
)
GROUP.declare(
    "n_earlier_episodes",
    "",
    "number of earlier episodes with at least two detections",
    "never for a ZTF alert",
    _DETECTIONS,
)
GROUP.declare(
    "days_between_episodes",
    "d",
    "days from the last earlier episode with at least two detections to the current episode",
    "without such an earlier episode",
    _DETECTIONS,
)
GROUP.declare(
    "peak_minus_earlier",
    "mag",
    "brightest positive magnitude of the current episode minus that of all earlier episodes with "
    "at least two detections, in any band",
    "without positive detections in both",
    _SIGNS,
)
GROUP.declare(
    "n_det_before",
    "",
    "detections at this position since the survey began (ndethist) that are not in the current "
    "episode of the history",
    "if the packet has no ndethist",
    (*_DETECTIONS, "candidate.ndethist"),
)
GROUP.declare(
    "confirmed_age",
    "d",
    "days since the first episode with at least two detections, or since jdstarthist if ndethist "
    "counts at least two detections that are not in the history",
    "never for a ZTF alert",
    (*_DETECTIONS, "candidate.ndethist", "candidate.jdstarthist"),
)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the features of the episodes of one light curve to its row."""
    n = len(curve.jd)
    if n == 0:
        return
    _write_current(curve, row)
    first = _write_earlier(curve, row)
    n_current = n - curve.episode
    row.n_det_before = max(packet.ndethist - n_current, 0.0)
    age = curve.now - curve.jd[first]
    if packet.ndethist - n >= _MIN_UNSEEN and curve.now - packet.jdstarthist > age:
        age = curve.now - packet.jdstarthist
    row.confirmed_age = age


@kernel
def _write_current(curve, row):
    n = len(curve.jd)
    nights = known = positive = 0
    for k in range(curve.episode, n):
        if k == curve.episode or night_of(curve.jd[k]) != night_of(curve.jd[k - 1]):
            nights += 1
        known += curve.sign[k] != 0
        positive += curve.sign[k] > 0
    row.episode_n_det = n - curve.episode
    row.episode_n_nights = nights
    if known > 0:
        row.episode_frac_positive = positive / known


@kernel
def _write_earlier(curve, row):
    """Write the features of earlier episodes and return the first detection of the earliest."""
    n = begin = 0
    first = last = curve.episode
    peak = np.inf
    bands = (curve.g, curve.r, curve.i)
    for k in range(1, curve.episode + 1):
        if curve.jd[k] - curve.jd[k - 1] <= EPISODE_GAP:
            continue
        if not faded_between(bands, curve.jd[k - 1], curve.jd[k]):
            continue
        if k - begin >= 2:
            n += 1
            first, last = min(first, begin), k - 1
            peak = min(peak, _brightest(curve, begin, k))
        begin = k
    row.n_earlier_episodes = n
    if n > 0:
        row.days_between_episodes = curve.jd[curve.episode] - curve.jd[last]
        difference = _brightest(curve, curve.episode, len(curve.jd)) - peak
        if np.isfinite(difference):
            row.peak_minus_earlier = difference
    return first


@kernel
def _brightest(curve, begin, end):
    mag = np.inf
    for k in range(begin, end):
        if curve.sign[k] >= 0:
            mag = min(mag, curve.mag[k])
    return mag
