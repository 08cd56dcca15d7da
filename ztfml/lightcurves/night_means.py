"""Night means of a light curve: what rates and colours rest on."""

from typing import NamedTuple

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.lightcurves.light_curve import ZERO_POINT, light_curve_of, room_for
from ztfml.schema import BANDS


class NightMeans(NamedTuple):
    """Inverse-variance flux means of one band's detections within each night.

    ``jd`` (d) is weighted like the flux; ``mag`` and ``err`` in mag; ``flux`` and
    ``flux_err`` in microjansky. The systematic floor is in each detection's error, and averages
    down with it.
    """

    jd: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


@kernel
def nights_of(curve, room):
    """Average the positive detections of each band within each night of the current episode.

    Parameters
    ----------
    curve : LightCurve
    room : Room
        Where the means are kept, as long as the light curve is.

    Returns
    -------
    g, r, i : NightMeans
        In time order, empty where the band has no positive detection.

    Examples
    --------
    >>> nights_of(curve, room)[1].mag   # doctest: +SKIP
    """
    return (
        _night_means(curve.g, curve.now, room.nights[0]),
        _night_means(curve.r, curve.now, room.nights[1]),
        _night_means(curve.i, curve.now, room.nights[2]),
    )


def nights_as_of(night, alert):
    """The night means behind an alert's rates, to look at.

    Parameters
    ----------
    night : Night
    alert : int
        The alert's position in the night.

    Returns
    -------
    dict of str to NightMeans
        By band: g, r, i.

    Examples
    --------
    >>> nights_as_of(night, 0)["r"].mag   # doctest: +SKIP
    """
    first, last = night.first[alert], night.last[alert]
    fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    own = (float(night.alerts[field].iloc[alert]) for field in fields)
    room = room_for(last - first)
    count = np.zeros(len(BANDS), np.int64)
    _keep_nights(night.history, first, last, *own, room, count)
    return {band: NightMeans(*room.nights[b, :, : count[b]]) for b, band in enumerate(BANDS)}


@kernel
def _keep_nights(
    history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, room, count
):  # fmt: skip
    curve = light_curve_of(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, room)
    nights = nights_of(curve, room)
    count[0], count[1], count[2] = len(nights[0].jd), len(nights[1].jd), len(nights[2].jd)


@kernel
def _night_means(own, now, memory):
    jd, mag, err, flux, flux_err = memory[0], memory[1], memory[2], memory[3], memory[4]
    n = 0
    night = np.nan
    weight = 0.0
    for k in range(own.episode, len(own.jd)):
        if own.sign[k] < 0:
            continue
        w = 1.0 / (own.flux_err[k] * own.flux_err[k])
        # Relative to now, for Julian dates would lose digits.
        since = own.jd[k] - now
        if night_of(own.jd[k]) != night:
            # A night of one detection, as most are, has the detection's own values.
            night = night_of(own.jd[k])
            jd[n], mag[n], err[n] = since, own.mag[k], own.err[k]
            flux[n], flux_err[n] = own.flux[k], own.flux_err[k]
            weight = w
            n += 1
            continue
        jd[n - 1] = _mean_of_two(jd[n - 1], weight, since, w)
        flux[n - 1] = _mean_of_two(flux[n - 1], weight, own.flux[k], w)
        mag[n - 1] = _magnitude(flux[n - 1])
        weight += w
        flux_err[n - 1] = 1.0 / np.sqrt(weight)
        err[n - 1] = 2.5 / np.log(10) * flux_err[n - 1] / flux[n - 1]
    for k in range(n):
        jd[k] += now
    return NightMeans(jd[:n], mag[:n], err[:n], flux[:n], flux_err[:n])


@kernel
def _mean_of_two(a, weight_a, b, weight_b):
    """The weighted mean, reckoned from the value that weighs more.

    Equal values have exactly themselves as mean, so that equal peaks in two bands stay equal,
    and values many magnitudes apart lose no digits.
    """
    total = weight_a + weight_b
    if weight_a >= weight_b:
        return a + weight_b / total * (b - a)
    return b + weight_a / total * (a - b)


@kernel
def peak_of(nights):
    """The brightest night mean: the largest flux less its error, so that noise seldom wins."""
    flux, flux_err = nights.flux, nights.flux_err
    peak = 0
    for k in range(1, len(flux)):
        if flux[k] - flux_err[k] > flux[peak] - flux_err[peak]:
            peak = k
    return peak


@kernel
def peak_mag_of(nights, peak):
    """The magnitude of the brightest night mean.

    It is reckoned from the flux even if the night has but one detection, so that equal peaks of
    two bands are equal however many detections they are the means of.
    """
    return _magnitude(nights.flux[peak])


@kernel
def _magnitude(flux):
    return ZERO_POINT - 2.5 * np.log10(flux)
