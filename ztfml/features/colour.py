"""The colour of the source, now and at peak, and how fast it changes.

Colours come from night means (`nights.night_means`) of two bands within half a day.
"""

import numpy as np

from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.night_means import peak_mag_of, peak_of
from ztfml.lightcurves.slopes import fit_slope

GROUP = Group("colour", "the colour of the source, now and at peak, and how fast it changes")

# Two bands within half a day make a colour: a fast transient changes by a few tenths in that.
PAIR_WITHIN = 0.5

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_NO_PAIR = "without both bands within 0.5 d"

GROUP.declare("g_r", "mag", "latest g - r of the difference flux", _NO_PAIR, _READS)
GROUP.declare("g_r_err", "mag", "1-sigma error of the latest g - r", _NO_PAIR, _READS)
GROUP.declare(
    "g_r_age", "d", "days since the latest g - r, half-way between its two nights", _NO_PAIR, _READS
)
GROUP.declare("g_r_peak", "mag", "g - r closest in time to the peak of all bands", _NO_PAIR, _READS)
GROUP.declare(
    "g_r_slope", "mag / d", "change of g - r, positive as it reddens", "without two pairs", _READS
)
GROUP.declare(
    "g_r_slope_err", "mag / d", "1-sigma error of that change", "without two pairs", _READS
)
GROUP.declare("r_i", "mag", "latest r - i of the difference flux", _NO_PAIR, _READS)
GROUP.declare("r_i_err", "mag", "1-sigma error of the latest r - i", _NO_PAIR, _READS)


@kernel
def colours(blue, red, memory):
    """Pairs of night means of two bands within half a day, each blue night with its closest red.

    Parameters
    ----------
    blue, red : NightMeans
    memory : ndarray, shape (3, n) or longer
        Where the pairs are kept.

    Returns
    -------
    jd, colour, err : ndarray, shape (n_pairs,), d and mag
        The epoch is half-way between the two; a red night may serve two blue ones.

    Examples
    --------
    >>> colours(nights[0], nights[1], room.spare)   # doctest: +SKIP
    """
    n = len(blue.jd) if len(red.jd) > 0 else 0
    jd, colour, err = memory[0], memory[1], memory[2]
    pairs = closest = 0
    for k in range(n):
        while closest + 1 < len(red.jd) and (
            abs(red.jd[closest + 1] - blue.jd[k]) < abs(red.jd[closest] - blue.jd[k])
        ):
            closest += 1
        if abs(red.jd[closest] - blue.jd[k]) <= PAIR_WITHIN:
            jd[pairs] = 0.5 * (blue.jd[k] + red.jd[closest])
            colour[pairs] = blue.mag[k] - red.mag[closest]
            err[pairs] = np.sqrt(blue.err[k] ** 2 + red.err[closest] ** 2)
            pairs += 1
    return jd[:pairs], colour[:pairs], err[:pairs]


@kernel
def colour(curve, nights, room, row):
    """Write the colours of one light curve into its row; ``nights`` are its night means by band."""
    jd, g_r, err = colours(nights[0], nights[1], room.spare)
    if len(jd) > 0:
        row.g_r = g_r[-1]
        row.g_r_err = err[-1]
        row.g_r_age = curve.now - jd[-1]
        row.g_r_peak = g_r[_closest(jd, _peak_jd(nights))]
        change = fit_slope(jd, g_r, err)
        row.g_r_slope = change.slope
        row.g_r_slope_err = change.err
    jd, r_i, err = colours(nights[1], nights[2], room.spare)
    if len(jd) > 0:
        row.r_i = r_i[-1]
        row.r_i_err = err[-1]


@kernel
def _closest(jd, wanted):
    """Where the epoch closest to the wanted one stands, the first of two."""
    closest = 0
    for k in range(1, len(jd)):
        if abs(jd[k] - wanted) < abs(jd[closest] - wanted):
            closest = k
    return closest


@kernel
def _peak_jd(nights):
    """The epoch of the brightest peak of all bands."""
    mag, jd = _brighter(nights[0], np.inf, np.nan)
    mag, jd = _brighter(nights[1], mag, jd)
    return _brighter(nights[2], mag, jd)[1]


@kernel
def _brighter(nights, mag, jd):
    if len(nights.jd) > 0:
        peak = peak_of(nights)
        if peak_mag_of(nights, peak) < mag:
            return peak_mag_of(nights, peak), nights.jd[peak]
    return mag, jd
