"""Single bright points on a plateau: artifacts of the subtraction, not peaks.

One bad subtraction of 16.9 mag in a light curve of 18.9 mag would become the peak, and the source
would seem to fade by 2 mag/day. The drb of earlier detections is not known. What distinguishes an
artifact from the short peak of a fast transient is the light curve around it: the source had the
same level on the nights before and after, and no other measurement of the night is bright.
"""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.lightcurves.light_curve import LightCurve

# The point is brighter than the plateau by this much (mag), and by this many errors.
_MIN_EXCESS = 0.75
_MIN_SIGMA = 5.0
# The plateau: the two nights before and the two after the point, of which at least this many exist.
# The closest on each side is within this time (d).
_MIN_PLATEAU = 3
_WITHIN = 10.0
# Their magnitudes differ by this fraction of the excess at most.
_FLATNESS = 0.35
# Another detection confirms the point if it is brighter than the plateau by this fraction of the
# excess; one in another band, within this time (d).
_CONFIRMING = 0.5
_SAME_NIGHT = 0.5


@kernel
def leave_out_discrepant(curve: LightCurve, b: int, means: np.ndarray) -> int:
    """Remove night means that are single bright points on a plateau.

    A night mean is removed if it is brighter than the two nights before and the two after it (at
    least three of these four, and one on each side within 10 d) by 0.75 mag and 5 sigma, these
    nights differ among each other by a third of that at most, and no second detection in any band
    within half a day is brighter than the plateau by half of it. A peak without a night before it,
    or with a fade after it, stays.

    Parameters
    ----------
    curve : LightCurve
    b : int
        Number of the band: 0 (g), 1 (r), 2 (i).
    means : ndarray, shape (5, n)
        The night means of this band (jd, mag, err, flux, flux_err). The ones that stay are moved
        to the front.

    Returns
    -------
    int
        How many stay.
    """
    n = means.shape[1]
    kept = 0
    for k in range(n):
        if kept > 0 and k + 1 < n and _is_discrepant(curve, b, means, kept, k):
            continue
        for quantity in range(means.shape[0]):
            means[quantity, kept] = means[quantity, k]
        kept += 1
    return kept


@kernel
def _is_discrepant(curve, b, means, kept, k):
    """Check night k, of which the nights before ``kept`` are the ones that stay."""
    jd, mag, err = means[0], means[1], means[2]
    before, after = kept - 1, k + 1
    if mag[k] + _MIN_EXCESS > min(mag[before], mag[after]):
        return False
    if jd[k] - jd[before] > _WITHIN or jd[after] - jd[k] > _WITHIN:
        return False
    brightest, faintest = np.inf, -np.inf
    largest_err = 0.0
    n = 0
    for first, last in ((max(kept - 2, 0), kept), (after, min(k + 3, means.shape[1]))):
        for j in range(first, last):
            brightest, faintest = min(brightest, mag[j]), max(faintest, mag[j])
            largest_err = max(largest_err, err[j])
            n += 1
    excess = brightest - mag[k]
    if n < _MIN_PLATEAU or excess < max(_MIN_EXCESS, _MIN_SIGMA * np.hypot(err[k], largest_err)):
        return False
    if faintest - brightest > _FLATNESS * excess:
        return False
    return not _is_confirmed(curve, b, jd[k], brightest - _CONFIRMING * excess)


@kernel
def _is_confirmed(curve, b, jd, threshold):
    """Check for two bright detections in the night, or one in another band within half a day."""
    same_night = 0
    for d in range(len(curve.jd) - 1, -1, -1):
        if curve.jd[d] < jd - 1.0:
            break
        if curve.sign[d] < 0 or curve.mag[d] > threshold:
            continue
        if curve.band[d] == b:
            same_night += night_of(curve.jd[d]) == night_of(jd)
        elif abs(curve.jd[d] - jd) <= _SAME_NIGHT:
            return True
    return same_night > 1
