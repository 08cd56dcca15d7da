"""Colour of the source now and at peak, its rate of change, and the colour of its variability.

Colours now and at peak are differences of the night means (`ztfml.lightcurves.night_means`) of two
bands within half a day. Night means are those of positive detections. The colour of the variability
is that of all changes against the reference image, also below it: half of the AGN are fainter than
their reference.
"""

import numpy as np

from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.night_means import peak_index, peak_magnitude
from ztfml.lightcurves.slopes import fit_slope

GROUP = Group("colour", "colour of the source and of its changes", version=2)

PAIR_WITHIN = 0.5
"""Longest time between the two bands of a colour in days.

A fast transient changes by a few tenths of a magnitude in this time.
"""

# A PS1 source is the source of the alert up to this distance (arcsec).
_SAME_SOURCE = 1.5

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_NO_PAIR = "without detections in both bands within 0.5 d"

GROUP.declare("g_r", "mag", "latest g - r of the difference flux", _NO_PAIR, _READS)
GROUP.declare("g_r_err", "mag", "1-sigma error of the latest g - r", _NO_PAIR, _READS)
GROUP.declare(
    "g_r_age",
    "d",
    "days since the latest g - r (the middle of its two night means)",
    _NO_PAIR,
    _READS,
)
GROUP.declare(
    "g_r_peak", "mag", "g - r closest in time to the brightest peak of all bands", _NO_PAIR, _READS
)
GROUP.declare(
    "g_r_slope",
    "mag / d",
    "rate of change of g - r, positive when the source reddens",
    "without two pairs",
    _READS,
)
GROUP.declare(
    "g_r_slope_err",
    "mag / d",
    "1-sigma error of the rate of change of g - r",
    "without two pairs",
    _READS,
)
GROUP.declare("r_i", "mag", "latest r - i of the difference flux", _NO_PAIR, _READS)
GROUP.declare("r_i_err", "mag", "1-sigma error of the latest r - i", _NO_PAIR, _READS)

_NO_CHANGES = "without detections of the same sign in g and r within 0.5 d"
GROUP.declare(
    "change_g_r",
    "mag",
    "mean g - r of all pairs of detections of the same sign, brighter or fainter than the "
    "reference image, within 0.5 d",
    _NO_CHANGES,
    _READS,
    version=1,
)
GROUP.declare(
    "change_g_r_chi2",
    "",
    "reduced chi-square of the colours of these pairs: above 1 for sources that change within "
    "hours",
    "without two such pairs",
    _READS,
    version=1,
)
GROUP.declare(
    "change_g_r_minus_ps1",
    "mag",
    "mean g - r of these pairs minus that of the closest PS1 source: about 0 for eclipses",
    f"{_NO_CHANGES}, or without a PS1 source within 1.5 arcsec",
    (*_READS, "candidate.distpsnr1", "candidate.sgmag1", "candidate.srmag1"),
    version=1,
)


@kernel
def _colours(blue, red, scratch):
    """Pair each blue night mean with the closest red one within `PAIR_WITHIN`.

    Returns the times halfway between the two, the colours and their errors, all views of
    ``scratch``. Two blue night means may be paired with the same red one.
    """
    n = len(blue.jd) if len(red.jd) > 0 else 0
    jd, colour, err = scratch[0], scratch[1], scratch[2]
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
def write(curve, means, packet, workspace, row):
    """Write the colours of one light curve to its row."""
    jd, g_r, err = _colours(means[0], means[1], workspace.scratch)
    if len(jd) > 0:
        row.g_r = g_r[-1]
        row.g_r_err = err[-1]
        row.g_r_age = curve.now - jd[-1]
        row.g_r_peak = g_r[_closest(jd, _peak_jd(means))]
        change = fit_slope(jd, g_r, err)
        row.g_r_slope = change.slope
        row.g_r_slope_err = change.err
    jd, r_i, err = _colours(means[1], means[2], workspace.scratch)
    if len(jd) > 0:
        row.r_i = r_i[-1]
        row.r_i_err = err[-1]
    _write_change(curve.g, curve.r, packet, workspace.scratch, row)


@kernel
def _write_change(blue, red, packet, scratch, row):
    colour, err = _colours_of_changes(blue, red, scratch)
    n = len(colour)
    if n == 0:
        return
    # Relative to the first colour, so that equal colours have no scatter.
    weights = mean = chi2 = 0.0
    for k in range(n):
        weights += err[k] ** -2
        mean += (colour[k] - colour[0]) * err[k] ** -2
    mean = colour[0] + mean / weights
    for k in range(n):
        chi2 += ((colour[k] - mean) / err[k]) ** 2
    row.change_g_r = mean
    if n > 1:
        row.change_g_r_chi2 = chi2 / (n - 1)
    if packet.distpsnr1 < _SAME_SOURCE:
        row.change_g_r_minus_ps1 = mean - (packet.sgmag1 - packet.srmag1)


@kernel
def _colours_of_changes(blue, red, scratch):
    """Pair each blue detection with the closest red one, if it is near and has the same sign."""
    colour, err = scratch[0], scratch[1]
    n = len(blue.jd) if len(red.jd) > 0 else 0
    pairs = closest = 0
    for k in range(n):
        while closest + 1 < len(red.jd) and (
            abs(red.jd[closest + 1] - blue.jd[k]) < abs(red.jd[closest] - blue.jd[k])
        ):
            closest += 1
        near = abs(red.jd[closest] - blue.jd[k]) <= PAIR_WITHIN
        if near and blue.sign[k] * red.sign[closest] > 0:
            colour[pairs] = blue.mag[k] - red.mag[closest]
            err[pairs] = np.sqrt(blue.err[k] ** 2 + red.err[closest] ** 2)
            pairs += 1
    return colour[:pairs], err[:pairs]


@kernel
def _closest(jd, target):
    """Find the index of the time closest to ``target``, the first one of a tie."""
    closest = 0
    for k in range(1, len(jd)):
        if abs(jd[k] - target) < abs(jd[closest] - target):
            closest = k
    return closest


@kernel
def _peak_jd(means):
    """Find the time of the brightest peak of all bands."""
    mag, jd = _brighter(means[0], np.inf, np.nan)
    mag, jd = _brighter(means[1], mag, jd)
    return _brighter(means[2], mag, jd)[1]


@kernel
def _brighter(means, mag, jd):
    """Return magnitude and time of the band's peak if it is brighter than ``mag``."""
    if len(means.jd) > 0:
        peak = peak_index(means)
        if peak_magnitude(means, peak) < mag:
            return peak_magnitude(means, peak), means.jd[peak]
    return mag, jd
