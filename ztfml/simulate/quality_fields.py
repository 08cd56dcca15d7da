"""Quality fields of alerts as functions of brightness, reference source and class.

Means and scatters were measured on 5,000 public alerts, by class and by depth (diffmaglim minus
magpsf). The fields are drawn from these distributions; no alerts are copied.
"""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.measure import Measurements
from ztfml.simulate.registry import Population

MILD_RESIDUAL = "rare residual"
"""The population of residuals that have the shape and a middling drb of real sources."""

_CCD = 3072  # pixels along a side
_RB_T17_START = 2458634.5  # first night of the present random forest (t17)
_DRB_START = 2458648.5  # first night with drb in public packets


def draw_quality(
    rng: np.random.Generator,
    pairs: Measurements,
    key: np.ndarray,
    seeing: np.ndarray,
    reference: dict[str, np.ndarray],
    population: Population,
) -> dict[str, np.ndarray]:
    """Draw the quality fields of the alerts of one population.

    Parameters
    ----------
    rng : numpy.random.Generator
    pairs : Measurements
        The alerts.
    key : ndarray of uint64, shape (n,)
        Random key of each alert's source; part of the quality is the same for all alerts of a
        source.
    seeing : ndarray, shape (n,), pix
    reference : dict of ndarray
        ``distnr`` and ``magnr`` of the alerts.
    population : Population

    Returns
    -------
    dict of ndarray
        ``rb``, ``drb``, ``fwhm``, ``elong``, ``nneg``, ``magdiff`` etc.

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> pair = Measurements(
    ...     row=np.zeros(1, int), exposure=np.zeros(1, int), jd=np.array([2460474.7]),
    ...     fid=np.array([1]), limit=np.array([20.5]), magpsf=np.array([18.0]),
    ...     sigmapsf=np.array([0.05]), scorr=np.array([25.0]), sign=np.array([1]),
    ...     detected=np.array([True]),
    ... )
    >>> fields = draw_quality(
    ...     np.random.default_rng(1), pair, np.array([7], "u8"), np.array([2.3]),
    ...     {"distnr": np.array([12.0]), "magnr": np.array([21.0])}, POPULATIONS[-1],
    ... )
    >>> bool(0.9 < fields["drb"][0] < 1)
    True
    """
    n = len(pairs.jd)
    fault = population.name if population.label == "artifact" else None
    is_mild = fault == MILD_RESIDUAL
    if is_mild:
        fault = None  # its shape is that of any residual at a bright star
    depth = pairs.limit - pairs.magpsf
    snr = 1.0857 / pairs.sigmapsf
    on_source = reference["distnr"] < 1.2
    reference_mag = np.where(on_source, reference["magnr"], 23.0)
    of_source = noise.normal(key, np.zeros(n, np.int64), 40)
    badness = 0.6 * of_source + 0.8 * rng.normal(size=n)  # of the subtraction
    shape = _shape(rng, depth, snr, reference_mag, seeing, badness, fault)
    negative = _negative_pixels(rng, snr, shape.pop("split"), fault)
    aperture = _aperture(rng, pairs, depth, snr, on_source, fault)
    return (
        shape
        | negative
        | aperture
        | _scores(
            rng, pairs.jd, depth, snr, reference_mag, of_source, badness, population.label, is_mild
        )
        | _surroundings(rng, pairs, depth, fault)
    )


def has_broker_history(key: np.ndarray, magpsf: np.ndarray, label: str) -> np.ndarray:
    """Decide whether a broker stores the history of each source, which depends on its drb.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Random keys of the sources.
    magpsf : ndarray, shape (n,), mag
        Magnitude of the reference source.
    label : str

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> bool(has_broker_history(np.array([3], "u8"), np.array([18.0]), "sso")[0])
    True
    """
    of_source = noise.normal(key, np.zeros(len(key), np.int64), 40)
    centre = {"artifact": -3.8}.get(label, np.interp(magpsf, [12.5, 14, 16], [2.0, 3.8, 10.0]))
    # An artifact near an older object is stored with the history of that object.
    near_object = (label == "artifact") & (
        noise.uniform(key, np.zeros(len(key), np.int64), 90) < 0.12
    )
    return (centre - 1.8 * of_source > 0) | near_object


def _scores(rng, jd, depth, snr, reference_mag, of_source, badness, label, is_mild):
    """Real-bogus scores: rb of the random forest, drb of the neural network (Duev et al. 2019)."""
    n = len(depth)
    scatter = rng.normal(size=n)
    if label == "artifact":
        rb = 0.48 - 0.04 * badness + 0.15 * scatter
        drb = -4.6 - 1.8 * of_source + 2.2 * rng.normal(size=n)
        if is_mild:
            rb = rb + 0.02
            drb = np.minimum(0.3 + 1.3 * (drb + 4.6) / 2.8, 2.5)
    else:
        without_source = np.interp(
            depth, [0, 0.4, 0.8, 1.5, 2.5, 3.5, 5], [0.70, 0.78, 0.88, 0.96, 0.98, 0.95, 0.80]
        )
        loss = np.interp(
            reference_mag, [13, 14.5, 16, 17.5, 19, 21, 23], [0.27, 0.20, 0.11, 0.07, 0.04, 0.02, 0]
        )
        rb = without_source - loss - 0.045 * badness + (0.06 + 0.12 * loss) * scatter
        drb = np.interp(reference_mag, [12.5, 14, 15.5, 17, 18.5], [1.8, 3.2, 5.5, 9.0, 12.0])
        drb = drb + np.interp(snr, [5, 10, 20], [-2.5, 0, 1.0]) - 1.8 * of_source
        drb = drb + 2.2 * rng.normal(size=n)
        # The network gives a low score to one residual in eleven at a bright star.
        drb = np.where((reference_mag < 18.5) & (rng.random(n) < 0.09), -3.0 + 2.5 * scatter, drb)
    rb = np.where(rb > 0.9, 0.9 + (rb - 0.9) * 0.6, rb)
    # The random forest of 2018 (t8) gave lower scores: 0.59 to asteroids, which have 0.90 now.
    rb = np.where(jd < _RB_T17_START, 0.1 + 0.58 * rb + 0.08 * rng.normal(size=n), rb)
    drb = np.where(jd < _DRB_START, np.nan, drb)
    return {
        # rb is the fraction of votes of 300 trees.
        "rb": np.round(np.clip(rb, 0.05, 0.985) * 300) / 300,
        "drb": 1 / (1 + np.exp(-np.clip(drb, -11, 16))),
    }


def _shape(rng, depth, snr, reference_mag, seeing, badness, fault):
    """Widths, elongation and chi of the PSF fit."""
    n = len(depth)
    # At a bright reference source the residual is not round: the fitted width is close to one
    # pixel, or the fit ends at its bound (seeratio 2).
    split_probability = np.interp(
        reference_mag, [13, 14.5, 16, 17.5, 19, 20.5, 22], [0.72, 0.7, 0.58, 0.34, 0.24, 0.15, 0.01]
    )
    split_probability = split_probability * np.interp(snr, [5, 8, 20], [0.95, 0.85, 0.6])
    split = rng.random(n) < {"cosmic ray": 0.3, "edge": 0.25, "ghost": 0.1}.get(
        fault, split_probability
    )
    fwhm = seeing * np.exp(rng.normal(0, 0.1 + 0.6 / snr, n))
    # The wings of the residuals of bright stars widen the profile.
    fwhm = fwhm * np.exp(0.1 * np.clip(depth - 2, 0, 3) * (reference_mag < 19))
    fwhm = np.where(split, 1.28 * np.exp(np.abs(rng.normal(0, 0.12, n)) - 0.08), fwhm)
    ratio = np.where(
        split,
        np.where(rng.random(n) < 0.85, 2.0, rng.uniform(1.4, 2.0, n)),
        np.exp(rng.normal(0.07, 0.17, n)),
    )
    if fault == "cosmic ray":
        fwhm, ratio = np.where(split, fwhm, 1.9 * np.exp(rng.normal(0, 0.3, n))), ratio * 0.85
    if fault == "ghost":
        fwhm = fwhm * np.exp(np.abs(rng.normal(0, 0.5, n)))
    long = np.log(0.075) + np.interp(snr, [5, 10, 25], [0.45, 0.1, -0.2]) + 0.5 * split
    long = (
        long
        + np.interp(depth, [2, 4], [0, 0.1])
        + 0.12 * badness
        + (0.0 if fault is None else 0.45)
    )
    elong = 1 + np.minimum(np.exp(long + rng.normal(0, 0.55, n)), 1.2)
    # Only the core of a faint source is above the noise.
    core = 0.325 * fwhm * np.interp(snr, [5, 8, 15], [0.93, 0.95, 1.04])
    aimage = np.where(split, 0.74 * np.exp(rng.normal(0, 0.12, n)), core)
    scatter = np.interp(snr, [5, 8, 12, 20], [0.24, 0.18, 0.13, 0.11])
    aimage = np.where(fault is None, 1.0, 0.85) * aimage * np.exp(rng.normal(0.0, 1, n) * scatter)
    chi = np.interp(
        depth, [-0.2, 0.25, 0.75, 1.5, 2.5, 3.5, 5, 7], [0, 0.08, 0.18, 0.43, 0.93, 1.6, 2.35, 3.0]
    )
    chi = chi + 0.08 * badness + rng.normal(0, 0.12 + 0.08 * np.clip(depth, 0, 3), n)
    chi = chi + (0.0 if fault is None else 0.4)
    # SExtractor gives 0.983 to most clean detections, and up to 1 to some of them.
    classtar = 0.983 + np.interp(depth, [1.5, 3, 4.5], [0, 0.002, 0.014]) + rng.normal(0, 0.0008, n)
    fraction = np.where((reference_mag < 19) | (fault is not None), 0.55, 0.2)
    high = rng.random(n) < fraction * np.interp(snr, [5, 12], [0.3, 1])
    classtar = np.where(high, 1 - 0.016 * rng.random(n) ** 2, classtar)
    log_decrease = np.interp(snr, [5, 7, 9, 12, 25], [-3.3, -4.7, -6.0, -7.2, -8.4]) + 0.5 * (
        reference_mag < 20
    )
    classtar = classtar - np.exp(log_decrease + rng.normal(0, 1.4, n))
    classtar = classtar - (rng.random(n) < 0.12) * (reference_mag < 19) * rng.random(n) * 0.5
    return {
        "split": split,
        "fwhm": fwhm,
        "seeratio": np.clip(ratio, 0.3, 2.0),
        "elong": elong,
        "aimage": aimage,
        "bimage": aimage / elong,
        "aimagerat": aimage / fwhm,
        "bimagerat": aimage / elong / fwhm,
        "chipsf": 10**chi,
        "classtar": np.round(np.clip(classtar, 0.0, 1.0), 3),
    }


def _negative_pixels(rng, snr, split, fault):
    """Negative pixels in the 5 x 5 stamp, and their fraction of the flux."""
    n = len(snr)
    if fault is None:
        mean = np.interp(snr, [5, 7, 10, 15, 25, 45], [4.6, 3.4, 2.5, 1.7, 0.9, 0.5]) + 1.6 * split
    else:
        typical = {"cosmic ray": 8.5, "ghost": 5.0, "edge": 7.0}.get(fault, 5.5)
        mean = typical * rng.gamma(6, 1 / 6, n)
    nneg = np.minimum(rng.poisson(mean), 24)
    weight, power = (0.28, 2.4) if fault is None else (0.32, 1.6)
    fraction = weight * (nneg / 12) ** power * np.exp(rng.normal(0, 0.5, n))
    # The sums use fewer pixels than the count, often no negative ones.
    no_negative = np.interp(nneg, np.arange(8), [1, 1, 0.8, 0.6, 0.3, 0.13, 0.07, 0])
    no_negative = no_negative * (1 if fault is None else 0.8)
    fraction = np.where(rng.random(n) < no_negative, 0.0, fraction)
    # Some residuals at reference sources are half positive and half negative.
    fraction = np.where(
        split & (rng.random(n) < 0.35), fraction + 0.5 * rng.random(n) ** 2, fraction
    )
    return {
        "nneg": nneg.astype(float),
        "nbad": np.zeros(n),
        "sumrat": np.clip(1 - fraction, 0.2, 1.0),
    }


def _aperture(rng, pairs, depth, snr, on_source, fault):
    """Aperture photometry: its error has more sky noise, but no PSF misfit."""
    n = len(snr)
    error = 1.0857 / 5 * 10 ** (-0.4 * depth) * 1.7 * np.exp(rng.normal(0, 0.22, n))
    error = np.sqrt(error**2 + 0.003**2)
    magdiff = rng.normal(0, 1, n) * np.sqrt(0.06**2 + (0.45 * error) ** 2)
    magdiff = magdiff + np.where(on_source, 0.05 + 0.09 * rng.standard_t(3, n), 0.0)
    if fault is not None:
        magdiff = magdiff + 0.18 + 0.22 * rng.normal(size=n)
    # The pipeline accepts alerts whose aperture and PSF magnitudes agree within 0.75 mag.
    magdiff = np.clip(magdiff, -0.4, 0.75)
    magap = pairs.magpsf + magdiff
    return {
        "magap": magap,
        "sigmagap": np.clip(error, 0.004, 0.7),
        "magapbig": magap - 0.01 - rng.standard_t(2.5, n) * np.hypot(0.025, 0.35 * error),
        "magdiff": magdiff,
        "magfromlim": pairs.limit - magap,
    }


def _surroundings(rng, pairs, depth, fault):
    """Distance to the edge of the detector, sky, and noise around the source."""
    n = len(depth)
    position = rng.uniform(10, _CCD - 10, (2, n))
    if fault == "edge":
        position[0] = rng.uniform(2, 60, n)
    science = 2.0 + 7.5 * 10 ** (0.4 * depth) * np.exp(rng.normal(0, 0.3, n))
    difference = science * np.clip(0.48 * np.exp(rng.normal(0, 0.3, n)), 0.08, 0.95)
    return {
        "mindtoedge": np.minimum(position, _CCD - position).min(axis=0),
        "scorr": pairs.scorr,
        "sky": rng.standard_t(2.0, n) * 0.5,
        "dsnrms": difference,
        "ssnrms": science,
    }
