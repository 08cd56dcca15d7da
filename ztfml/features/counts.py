"""Numbers of detections and non-detections."""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.schema import PACKET_HISTORY

GROUP = Group("counts", "numbers of detections and non-detections")

_DETECTIONS = ("jd", "magpsf")

GROUP.declare("n_det", "", "detections so far, including this one", "never", _DETECTIONS)
GROUP.declare(
    "n_limit",
    "",
    "non-detections in the last 30 d, the length of the history in a packet",
    "never",
    ("jd", "magpsf", "diffmaglim"),
)
GROUP.declare("n_det_band", "", "detections in {band}", "never", ("jd", "fid", "magpsf"))
GROUP.declare(
    "n_limit_band",
    "",
    "non-detections in {band} in the last 30 d",
    "never",
    ("jd", "fid", "magpsf", "diffmaglim"),
)
GROUP.declare("n_nights", "", "nights with a detection", "never", _DETECTIONS)
GROUP.declare(
    "frac_positive",
    "",
    "fraction of the detections with known sign that are brighter than the reference image",
    "if isdiffpos is not readable",
    ("jd", "magpsf", "isdiffpos"),
)
GROUP.declare("n_det_tonight", "", "detections in the night of the alert", "never", _DETECTIONS)
GROUP.declare(
    "max_separation",
    "d",
    "longest time between two detections; below 15 minutes the source may be moving",
    "with a single detection",
    _DETECTIONS,
)
GROUP.copy("ndethist", "ncovhist", missing="if the packet has none")


@GROUP.feature(unit="", missing="if the packet has no counts")
def det_ratio(ndethist, ncovhist):
    """Detections divided by exposures at this position since the start of the survey."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ncovhist > 0, ndethist / ncovhist, np.nan)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the counts of one light curve to its row."""
    n = len(curve.jd)
    row.n_det = n
    row.n_limit = _count_from(curve.limit_jd, curve.now - PACKET_HISTORY)
    _count_band(curve.g, curve.now, 0, row)
    _count_band(curve.r, curve.now, 1, row)
    _count_band(curve.i, curve.now, 2, row)
    nights = tonight = known = positive = 0
    for k in range(n):
        if k == 0 or night_of(curve.jd[k]) != night_of(curve.jd[k - 1]):
            nights += 1
        tonight += night_of(curve.jd[k]) == night_of(curve.now)
        known += curve.sign[k] != 0
        positive += curve.sign[k] > 0
    row.n_nights = nights
    row.n_det_tonight = tonight
    if known > 0:
        row.frac_positive = positive / known
    if n > 1:
        row.max_separation = curve.jd[-1] - curve.jd[0]


@kernel
def _count_band(band, now, b, row):
    row.n_det_band[b] = len(band.jd)
    row.n_limit_band[b] = _count_from(band.limit_jd, now - PACKET_HISTORY)


@kernel
def _count_from(jd, begin):
    """Count the times (in increasing order) that are not before ``begin``."""
    n = 0
    while n < len(jd) and jd[len(jd) - 1 - n] >= begin:
        n += 1
    return n
