"""Age of the source and gaps between its detections."""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.light_curve import EPISODE_GAP

GROUP = Group("timing", "age of the source and gaps between its detections")

_DETECTIONS = ("jd", "magpsf")
_ROWS = ("jd", "magpsf", "diffmaglim")

GROUP.declare(
    "age",
    "d",
    "days since the first detection of the current episode: after the last gap over 30 d in which "
    "the source faded",
    "never for a ZTF alert",
    _DETECTIONS,
    version=2,
)


@GROUP.feature(unit="d", missing="if the packet has no jdstarthist")
def age_hist(jd, jdstarthist):
    """Days since the first detection by the survey at this position."""
    return jd - jdstarthist


GROUP.declare(
    "limit_gap",
    "d",
    "days between the last non-detection before the current episode and its first detection",
    "without a non-detection before the episode",
    _ROWS,
    version=2,
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
    "days since the previous detection",
    "with a single detection",
    _DETECTIONS,
)
GROUP.declare(
    "n_episodes",
    "",
    "number of runs of detections without a gap over 30 d",
    "never",
    _DETECTIONS,
)
GROUP.declare(
    "longest_gap", "d", "longest time between successive detections", "with a single detection",
    _DETECTIONS,
)  # fmt: skip
GROUP.declare(
    "duty",
    "",
    "fraction of nights with a detection among all nights with an exposure since the first "
    "detection of the current episode",
    "never for a ZTF alert",
    _ROWS,
    version=2,
)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the timing features of one light curve to its row."""
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
    """Nights with a detection divided by nights with any exposure, from the first detection on."""
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
