"""Fast against slow variability.

RR Lyrae and other pulsating or eclipsing stars change within hours; AGN change over weeks. All
comparisons are between detections of the same band, and errors are subtracted from the scatter, so
that noise is not taken for variability.
"""

import numpy as np

from ztfml.compiled import kernel
from ztfml.features.registry import Group
from ztfml.lightcurves.light_curve import ZERO_POINT
from ztfml.schema import PACKET_HISTORY

GROUP = Group("timescales", "fast against slow variability")

# Longest time (days) between two detections of one night, and of neighbouring nights.
_WITHIN_NIGHT = 0.5
_WITHIN_NIGHTS = 6.0
# A variance below this fraction of the observed one is lost in the noise.
_MIN_INTRINSIC = 0.1
# A detection is a turning point if it differs from the two next to it by this many errors.
_TURN_SIGMA = 2.5
# A reference source is the source of the alert up to this distance (pixels of 1 arcsec).
_SAME_SOURCE = 1.5
# The total flux is at least this fraction of the reference flux. A larger negative difference is
# that of another source.
_MIN_TOTAL = 0.1

_READS = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
_RATIO = (
    "mean squared change of flux between successive detections in a band {apart}, as a fraction of "
    "that expected without any correlation in time, errors subtracted, mean of all bands"
)
_NO_PAIR = "without such a pair in a band with at least three detections"

GROUP.declare("hourly_variability", "", _RATIO.format(apart="up to 0.5 d apart"), _NO_PAIR, _READS)
GROUP.declare("nightly_variability", "", _RATIO.format(apart="0.5 to 6 d apart"), _NO_PAIR, _READS)
GROUP.declare(
    "hourly_chi2",
    "",
    "mean squared change of flux between successive detections in a band up to 0.5 d apart, in "
    "units of its error",
    "without such a pair",
    _READS,
)
GROUP.declare(
    "nightly_chi2",
    "",
    "mean squared change of flux between successive detections in a band 0.5 to 6 d apart, in "
    "units of its error",
    "without such a pair",
    _READS,
)
GROUP.declare(
    "deep_limits",
    "",
    "fraction of the non-detections in the last 30 d that are fainter by 1 sigma than both the "
    "previous and the next detection in the band",
    "without a non-detection between two detections in a band",
    (*_READS, "diffmaglim"),
)
GROUP.declare(
    "sign_changes",
    "",
    "fraction of successive detections in a band that are on opposite sides of the reference flux",
    "without two successive detections in a band with known signs",
    _READS,
)
GROUP.declare(
    "turning_points",
    "",
    "fraction of detections that are brighter or fainter by 2.5 sigma than both the previous and "
    "the next detection in the band",
    "with fewer than three detections in a band",
    _READS,
)
GROUP.declare(
    "total_amplitude",
    "mag",
    "amplitude in 30 d of the sum of reference and difference flux in the band of the alert, from "
    "the brightest flux minus its error to the faintest flux plus its error",
    "without a reference source within 1.5 pixels, or with a single detection",
    (*_READS, "candidate.fid", "candidate.distnr", "candidate.magnr"),
)


@kernel
def write(curve, means, packet, workspace, row):
    """Write the timescales of one light curve to its row."""
    _write_ratios((curve.g, curve.r, curve.i), row)
    _write_changes((curve.g, curve.r, curve.i), row)
    _write_deep_limits((curve.g, curve.r, curve.i), curve.now - PACKET_HISTORY, row)
    if packet.distnr <= _SAME_SOURCE:
        reference = 10 ** (-0.4 * (packet.magnr - ZERO_POINT))
        if packet.fid == 1:
            row.total_amplitude = _total_amplitude(curve.g, curve.now, reference)
        elif packet.fid == 2:
            row.total_amplitude = _total_amplitude(curve.r, curve.now, reference)
        elif packet.fid == 3:
            row.total_amplitude = _total_amplitude(curve.i, curve.now, reference)


@kernel
def _write_ratios(bands, row):
    hourly = nightly = 0.0
    n_hourly = n_nightly = n_within = n_between = 0
    chi2_within = chi2_between = 0.0
    for band in bands:
        flux, err = band.flux, band.flux_err
        variance = _intrinsic_variance(flux, err)
        for k in range(1, len(flux)):
            apart = band.jd[k] - band.jd[k - 1]
            if apart > _WITHIN_NIGHTS:
                continue
            change = (flux[k] - flux[k - 1]) ** 2
            noise = err[k] ** 2 + err[k - 1] ** 2
            if apart <= _WITHIN_NIGHT:
                n_within += 1
                chi2_within += change / noise
            else:
                n_between += 1
                chi2_between += change / noise
            if np.isnan(variance):
                continue
            ratio = 0.5 * (change - noise) / variance
            if apart <= _WITHIN_NIGHT:
                n_hourly += 1
                hourly += ratio
            else:
                n_nightly += 1
                nightly += ratio
    if n_within > 0:
        row.hourly_chi2 = chi2_within / n_within
    if n_between > 0:
        row.nightly_chi2 = chi2_between / n_between
    if n_hourly > 0:
        row.hourly_variability = hourly / n_hourly
    if n_nightly > 0:
        row.nightly_variability = nightly / n_nightly


@kernel
def _intrinsic_variance(flux, err):
    """Variance minus that of the errors, at least a tenth of it; NaN if it is not defined."""
    n = len(flux)
    if n < 3:
        return np.nan
    mean = noise = 0.0
    faintest = brightest = flux[0]
    for k in range(n):
        mean += flux[k]
        noise += err[k] * err[k]
        faintest, brightest = min(faintest, flux[k]), max(brightest, flux[k])
    if brightest == faintest:
        return np.nan
    mean /= n
    variance = 0.0
    for k in range(n):
        variance += (flux[k] - mean) ** 2
    variance /= n - 1
    return max(variance - noise / n, _MIN_INTRINSIC * variance)


@kernel
def _write_changes(bands, row):
    pairs = changes = triples = turns = 0
    for band in bands:
        flux, err, sign = band.flux, band.flux_err, band.sign
        step = noise = 0.0
        for k in range(1, len(flux)):
            pairs += sign[k] != 0 and sign[k - 1] != 0
            changes += sign[k] * sign[k - 1] < 0
            step_before, noise_before = step, noise
            step = flux[k] - flux[k - 1]
            noise = _TURN_SIGMA * _TURN_SIGMA * (err[k] ** 2 + err[k - 1] ** 2)
            if k > 1:
                triples += 1
                opposite = step * step_before < 0
                turns += opposite and step**2 > noise and step_before**2 > noise_before
    if pairs > 0:
        row.sign_changes = changes / pairs
    if triples > 0:
        row.turning_points = turns / triples


@kernel
def _write_deep_limits(bands, begin, row):
    n = n_deep = 0
    for band in bands:
        after = 0
        for k in range(len(band.limit_jd)):
            while after < len(band.jd) and band.jd[after] < band.limit_jd[k]:
                after += 1
            if band.limit_jd[k] < begin or after == 0 or after == len(band.jd):
                continue
            faintest = max(
                band.mag[after - 1] + band.err[after - 1], band.mag[after] + band.err[after]
            )
            n += 1
            n_deep += band.limit_mag[k] > faintest
    if n > 0:
        row.deep_limits = n_deep / n


@kernel
def _total_amplitude(band, now, reference):
    highest, lowest = -np.inf, np.inf
    n = 0
    for k in range(len(band.jd)):
        if now - band.jd[k] <= PACKET_HISTORY:
            n += 1
            highest = max(highest, band.flux[k] - band.flux_err[k])
            lowest = min(lowest, band.flux[k] + band.flux_err[k])
    if n < 2:
        return np.nan
    least = _MIN_TOTAL * reference
    amplitude = 2.5 * np.log10(max(reference + highest, least) / max(reference + lowest, least))
    return max(amplitude, 0.0)
