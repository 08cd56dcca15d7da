"""Whether a source faded while it was not detected, or only was not observed.

A slow supernova or an active galaxy is as bright after the gap between two seasons as before it:
this is one episode, and its peak may lie before the gap. A second outburst is another episode.
"""

from typing import Any

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel

SAME_LEVEL = 0.75
"""The level before and after a gap differs by this much (mag) at most: slow sources fade by 0.005
mag/day."""

# Days before and after the gap in which detections count, and the longest gap between two seasons.
_EDGE = 30.0
_LONGEST_GAP = 300.0


@kernel
def faded_between(bands: tuple[Any, ...], before: float, after: float) -> bool:
    """Check whether the source faded between two successive detections.

    It did not if, in at least one band, the last detection before the gap and the first after it
    differ by `SAME_LEVEL` at most, a detection on another night confirms the level before the gap,
    and no non-detection in the gap is deeper.

    Parameters
    ----------
    bands : tuple of Band
        Bands of a light curve.
    before, after : float, d
        Times of the detections before and after the gap.

    Returns
    -------
    bool
        True for a gap longer than 300 d.

    Examples
    --------
    >>> from ztfml.lightcurves.light_curve import Band
    >>> none, jd = np.empty(0), np.array([0.7, 3.7, 123.7])
    >>> mag, err, sign = np.array([18.0, 18.1, 18.6]), np.full(3, 0.1), np.ones(3, np.int8)
    >>> r = Band(jd, mag, err, mag, err, sign, 0, none, none)
    >>> faded_between((r,), 3.7, 123.7)
    False
    >>> deep = r._replace(limit_jd=np.array([100.0]), limit_mag=np.array([20.5]))
    >>> faded_between((deep,), 3.7, 123.7)
    True
    """
    faded = True
    if after - before > _LONGEST_GAP:
        return faded
    for band in bands:
        k = np.searchsorted(band.jd, after)
        if not _same_level(band, k, before, after):
            continue
        faintest = max(band.mag[k - 1] + band.err[k - 1], band.mag[k] + band.err[k])
        for m in range(len(band.limit_jd)):
            if before < band.limit_jd[m] < after and band.limit_mag[m] > faintest:
                return True
        faded = False
    return faded


@kernel
def _same_level(band, k, before, after):
    """Check whether detection k of a band, after the gap, has the level of those before the gap."""
    jd, mag, sign = band.jd, band.mag, band.sign
    if k < 2 or k == len(jd) or jd[k] - after > _EDGE or before - jd[k - 1] > _EDGE:
        return False
    if (sign[k] < 0) != (sign[k - 1] < 0) or abs(mag[k] - mag[k - 1]) > SAME_LEVEL:
        return False
    for j in range(k - 2, -1, -1):
        if before - jd[j] > _EDGE:
            return False
        near = abs(mag[j] - mag[k - 1]) <= SAME_LEVEL and (sign[j] < 0) == (sign[k] < 0)
        if near and night_of(jd[j]) != night_of(jd[k - 1]):
            return True
    return False
