"""When the source was first seen, how long ago, and with which gaps."""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.light_curve import EPISODE_GAP

GROUP = Group("timing", "when the source was first seen, how long ago, and with which gaps")

_DETECTIONS = ("jd", "magpsf")
_ROWS = ("jd", "magpsf", "diffmaglim")

GROUP.declare(
    "age",
    "d",
    "days since the first detection of the current episode (one without a gap over 30 d)",
    "never in a ZTF alert, which is a detection",
    _DETECTIONS,
)


@GROUP.feature(unit="d", missing="where the packet has no jdstarthist")
def age_hist(jd, jdstarthist):
    """Days since the first detection that the survey knows of at this place."""
    return jd - jdstarthist


GROUP.declare(
    "limit_gap",
    "d",
    "days between the last non-detection before the current episode and its first detection",
    "without any non-detection before it",
    _ROWS,
)
GROUP.declare(
    "days_since_limit",
    "d",
    "days since the last non-detection in any band",
    "without a non-detection",
    _ROWS,
)
GROUP.declare(
    "days_since_detection",
    "d",
    "days since the detection before this one",
    "with one detection",
    _DETECTIONS,
)
GROUP.declare("n_episodes", "", "runs of detections without a gap over 30 d", "never", _DETECTIONS)
GROUP.declare(
    "longest_gap", "d", "longest time between successive detections", "with one detection",
    _DETECTIONS,
)  # fmt: skip
GROUP.declare(
    "duty",
    "",
    "of the nights with an exposure since the first detection of the current episode, the "
    "fraction with a detection",
    "never in a ZTF alert, which is a detection",
    _ROWS,
)


@kernel
def time(curve, row):
    """Write the timing of one light curve into its row."""
    n = len(curve.jd)
    row.n_episodes = 0
    if n > 0:
        row.age = curve.now - curve.jd[curve.episode]
        row.n_episodes = 1
        row.duty = _duty(curve.jd[curve.episode :], curve.limit_jd)
    if n > 1:
        row.days_since_detection = curve.jd[-1] - curve.jd[-2]
        longest = 0.0
        for k in range(1, n):
            gap = curve.jd[k] - curve.jd[k - 1]
            longest = max(longest, gap)
            if gap > EPISODE_GAP:
                row.n_episodes += 1
        row.longest_gap = longest
    limits = len(curve.limit_jd)
    if limits > 0:
        row.days_since_limit = curve.now - curve.limit_jd[-1]
        if n > 0:
            first = curve.jd[curve.episode]
            for k in range(limits - 1, -1, -1):
                if curve.limit_jd[k] < first:
                    row.limit_gap = first - curve.limit_jd[k]
                    break


@kernel
def _duty(jd, limit_jd):
    """Nights of detections over nights of any exposure, from the first detection on."""
    seen = missed = 0
    night = np.nan
    for k in range(len(jd)):
        seen += night_of(jd[k]) != night
        night = night_of(jd[k])
    d = 0
    night = np.nan
    for k in range(len(limit_jd)):
        if limit_jd[k] < jd[0] or night_of(limit_jd[k]) == night:
            continue
        night = night_of(limit_jd[k])
        while d < len(jd) and night_of(jd[d]) < night:
            d += 1
        missed += d == len(jd) or night_of(jd[d]) != night
    return seen / (seen + missed)
