"""Quality fields of alert packets as functions of brightness, reference source and class.

Means and scatters were measured on 5,000 public alerts by class and by depth (diffmaglim -
magpsf); they are distributions, not copies of alerts.
"""

import numpy as np

from ztfml.simulate import noise

_CCD = 3072  # pixels along a side
# First nights of the present forest (t17) and of the network's score in public packets.
_NEW_FOREST, _NETWORK = 2458634.5, 2458648.5


def quality(rng, pairs, key, seeing, near, population):
    """Draw the quality fields of the alerts of one population.

    Parameters
    ----------
    rng : numpy.random.Generator
    pairs : Measurements
        The alerts.
    key : ndarray of uint64, shape (n,)
        Random key of each alert's source; part of the quality is the same for all its alerts.
    seeing : ndarray, shape (n,), pix
    near : dict of ndarray
        ``distnr`` and ``magnr`` of the alerts.
    population : Population

    Returns
    -------
    dict of ndarray

    Examples
    --------
    >>> fields = quality(rng, pairs, key, seeing, near, population)   # doctest: +SKIP
    """
    n = len(pairs.jd)
    fault = population.name if population.label == "artifact" else None
    depth = pairs.limit - pairs.magpsf
    snr = 1.0857 / pairs.sigmapsf
    covered = near["distnr"] < 1.2
    under = np.where(covered, near["magnr"], 23.0)
    lasting = noise.normal(key, np.zeros(n, np.int64), 40)
    poor = 0.6 * lasting + 0.8 * rng.normal(size=n)  # of the subtraction; large is bad
    shape = _shape(rng, depth, snr, under, seeing, poor, fault)
    negative = _negative_pixels(rng, snr, shape.pop("split"), fault)
    aperture = _aperture(rng, pairs, depth, snr, covered, fault)
    return (
        shape
        | negative
        | aperture
        | _scores(rng, pairs.jd, depth, snr, under, lasting, poor, population.label)
        | _surroundings(rng, pairs, depth, fault)
    )


def has_broker_history(key, magpsf, label):
    """Tell whether a broker stores the history of a source: not if its drb is always low.

    >>> bool(has_broker_history(np.array([3], "u8"), np.array([18.0]), "sso")[0])
    True
    """
    lasting = noise.normal(key, np.zeros(len(key), np.int64), 40)
    centre = {"artifact": -3.8}.get(label, np.interp(magpsf, [12.5, 14, 16], [2.0, 3.8, 10.0]))
    # A fault near an older object is stored with the history of that object.
    beside = (label == "artifact") & (noise.uniform(key, np.zeros(len(key), np.int64), 90) < 0.12)
    return (centre - 1.8 * lasting > 0) | beside


def _scores(rng, jd, depth, snr, under, lasting, poor, label):
    """Real-bogus scores: rb of the random forest, drb of the neural network (Duev et al. 2019)."""
    n = len(depth)
    scatter = rng.normal(size=n)
    if label == "artifact":
        rb = 0.48 - 0.04 * poor + 0.15 * scatter
        drb = -4.6 - 1.8 * lasting + 2.2 * rng.normal(size=n)
    else:
        clean = np.interp(
            depth, [0, 0.4, 0.8, 1.5, 2.5, 3.5, 5], [0.70, 0.78, 0.88, 0.96, 0.98, 0.95, 0.80]
        )
        spoilt = np.interp(
            under, [13, 14.5, 16, 17.5, 19, 21, 23], [0.27, 0.20, 0.11, 0.07, 0.04, 0.02, 0]
        )
        rb = clean - spoilt - 0.045 * poor + (0.06 + 0.12 * spoilt) * scatter
        drb = np.interp(under, [12.5, 14, 15.5, 17, 18.5], [1.8, 3.2, 5.5, 9.0, 12.0])
        drb = drb + np.interp(snr, [5, 10, 20], [-2.5, 0, 1.0]) - 1.8 * lasting
        drb = drb + 2.2 * rng.normal(size=n)
        # One residual in eleven at a bright star looks bogus to the network.
        drb = np.where((under < 18.5) & (rng.random(n) < 0.09), -3.0 + 2.5 * scatter, drb)
    rb = np.where(rb > 0.9, 0.9 + (rb - 0.9) * 0.6, rb)
    # The forest of 2018 (t8) gave lower scores: 0.59 to asteroids, which have 0.90 now.
    rb = np.where(jd < _NEW_FOREST, 0.1 + 0.58 * rb + 0.08 * rng.normal(size=n), rb)
    drb = np.where(jd < _NETWORK, np.nan, drb)
    return {
        # rb is the fraction of votes of 300 trees.
        "rb": np.round(np.clip(rb, 0.05, 0.985) * 300) / 300,
        "drb": 1 / (1 + np.exp(-np.clip(drb, -11, 16))),
    }


def _shape(rng, depth, snr, under, seeing, poor, fault):
    """Widths, elongation and chi of the PSF fit."""
    n = len(depth)
    # Over a bright reference source the residual is not round: its width comes out near one
    # pixel or the search for it ends at its bound (seeratio 2).
    odds = np.interp(
        under, [13, 14.5, 16, 17.5, 19, 20.5, 22], [0.72, 0.7, 0.58, 0.34, 0.24, 0.15, 0.01]
    )
    odds = odds * np.interp(snr, [5, 8, 20], [0.95, 0.85, 0.6])
    split = rng.random(n) < {"cosmic ray": 0.3, "edge": 0.25, "ghost": 0.1}.get(fault, odds)
    fwhm = seeing * np.exp(rng.normal(0, 0.1 + 0.6 / snr, n))
    # The wings of bright stars' residuals widen the profile.
    fwhm = fwhm * np.exp(0.1 * np.clip(depth - 2, 0, 3) * (under < 19))
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
        long + np.interp(depth, [2, 4], [0, 0.1]) + 0.12 * poor + (0.0 if fault is None else 0.45)
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
    chi = chi + 0.08 * poor + rng.normal(0, 0.12 + 0.08 * np.clip(depth, 0, 3), n)
    chi = chi + (0.0 if fault is None else 0.4)
    # SExtractor's network says 0.983 of most clean detections, and up to 1 of a part of them.
    classtar = 0.983 + np.interp(depth, [1.5, 3, 4.5], [0, 0.002, 0.014]) + rng.normal(0, 0.0008, n)
    often = np.where((under < 19) | (fault is not None), 0.55, 0.2)
    sure = rng.random(n) < often * np.interp(snr, [5, 12], [0.3, 1])
    classtar = np.where(sure, 1 - 0.016 * rng.random(n) ** 2, classtar)
    doubt = np.interp(snr, [5, 7, 9, 12, 25], [-3.3, -4.7, -6.0, -7.2, -8.4]) + 0.5 * (under < 20)
    classtar = classtar - np.exp(doubt + rng.normal(0, 1.4, n))
    classtar = classtar - (rng.random(n) < 0.12) * (under < 19) * rng.random(n) * 0.5
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
    """Negative pixels in the 5 x 5 stamp, and their share of the flux."""
    n = len(snr)
    if fault is None:
        mean = np.interp(snr, [5, 7, 10, 15, 25, 45], [4.6, 3.4, 2.5, 1.7, 0.9, 0.5]) + 1.6 * split
    else:
        typical = {"cosmic ray": 8.5, "ghost": 5.0, "edge": 7.0}.get(fault, 5.5)
        mean = typical * rng.gamma(6, 1 / 6, n)
    nneg = np.minimum(rng.poisson(mean), 24)
    weight, power = (0.28, 2.4) if fault is None else (0.32, 1.6)
    share = weight * (nneg / 12) ** power * np.exp(rng.normal(0, 0.5, n))
    # The sums are taken over fewer pixels than the count, often over none below zero.
    none = np.interp(nneg, np.arange(8), [1, 1, 0.8, 0.6, 0.3, 0.13, 0.07, 0])
    none = none * (1 if fault is None else 0.8)
    share = np.where(rng.random(n) < none, 0.0, share)
    # A residual at a reference source is sometimes half positive, half negative.
    share = np.where(split & (rng.random(n) < 0.35), share + 0.5 * rng.random(n) ** 2, share)
    return {
        "nneg": nneg.astype(float),
        "nbad": np.zeros(n),
        "sumrat": np.clip(1 - share, 0.2, 1.0),
    }


def _aperture(rng, pairs, depth, snr, covered, fault):
    """Aperture photometry: its error has no misfit of the PSF but more sky noise."""
    n = len(snr)
    error = 1.0857 / 5 * 10 ** (-0.4 * depth) * 1.7 * np.exp(rng.normal(0, 0.22, n))
    error = np.sqrt(error**2 + 0.003**2)
    magdiff = rng.normal(0, 1, n) * np.sqrt(0.06**2 + (0.45 * error) ** 2)
    magdiff = magdiff + np.where(covered, 0.05 + 0.09 * rng.standard_t(3, n), 0.0)
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
    """Position on the detector, sky and the noise around the source."""
    n = len(depth)
    place = rng.uniform(10, _CCD - 10, (2, n))
    if fault == "edge":
        place[0] = rng.uniform(2, 60, n)
    science = 2.0 + 7.5 * 10 ** (0.4 * depth) * np.exp(rng.normal(0, 0.3, n))
    difference = science * np.clip(0.48 * np.exp(rng.normal(0, 0.3, n)), 0.08, 0.95)
    return {
        "mindtoedge": np.minimum(place, _CCD - place).min(axis=0),
        "scorr": pairs.scorr,
        "sky": rng.standard_t(2.0, n) * 0.5,
        "dsnrms": difference,
        "ssnrms": science,
    }
