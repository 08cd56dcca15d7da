"""Random numbers that depend on source and exposure, not on the order of drawing.

The noise of a measurement is a function of source and exposure. The same pair gives the same
number on every night and in every block, so that all nights share one sky and files are
reproducible byte for byte.
"""

import numpy as np

from ztfml.compiled import cached


@cached
def _scramble(value):
    # SplitMix64 (Steele, Lea & Flood 2014, OOPSLA): a bijection that mixes all 64 bits.
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@cached
def uniform(key, number, stream):
    """Return a uniform deviate in (0, 1) for each pair of key and number.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Random key of the source.
    number : ndarray of int64, shape (n,)
        The exposure, or the cycle of a recurring event.
    stream : int
        Number of the deviate, if a pair needs several.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> bool(0 < uniform(np.array([7], "u8"), np.array([3]), 0)[0] < 1)
    True
    """
    out = np.empty(len(key))
    salt = _scramble(np.uint64(stream) + np.uint64(0x9E3779B97F4A7C15))
    for k in range(len(key)):
        mixed = _scramble(key[k] ^ salt) + np.uint64(number[k]) * np.uint64(0x9E3779B97F4A7C15)
        out[k] = (np.float64(_scramble(mixed) >> np.uint64(12)) + 0.5) * 2.0**-52
    return out


@cached
def normal(key, number, stream):
    """Return a standard normal deviate for each pair of key and number (Box & Muller 1958).

    >>> normal(np.array([7], "u8"), np.array([3]), 0).shape
    (1,)
    """
    radius = np.sqrt(-2.0 * np.log(uniform(key, number, 2 * stream)))
    return radius * np.cos(2.0 * np.pi * uniform(key, number, 2 * stream + 1))


@cached
def damped_walk(frequency, phase, row, jd):
    """Evaluate damped random walks of unit variance.

    A sum of cosines whose angular frequencies are drawn from the Lorentzian spectrum
    1/(1 + (omega tau)^2) has the covariance ``exp(-|dt|/tau)`` of the damped random walk
    (Kelly et al. 2009), and can be evaluated at any single time (Shinozuka & Deodatis 1991).

    Parameters
    ----------
    frequency, phase : ndarray, shape (n_sources, n_modes)
        Angular frequencies in rad/d and phases.
    row : ndarray of int64, shape (n,)
        The source of each point.
    jd : ndarray, shape (n,), d

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> damped_walk(np.ones((1, 1)), np.zeros((1, 1)), np.array([0]), np.array([0.0]))
    array([1.41421356])
    """
    n_modes = frequency.shape[1]
    out = np.empty(len(row))
    for k in range(len(row)):
        total = 0.0
        for mode in range(n_modes):
            total += np.cos(frequency[row[k], mode] * jd[k] + phase[row[k], mode])
        out[k] = total * np.sqrt(2.0 / n_modes)
    return out


def walk_modes(rng, tau, n_modes=24):
    """Draw the modes of `damped_walk` for sources of time scales `tau` (days)."""
    tangent = np.tan(np.pi * (rng.random((len(tau), n_modes)) - 0.5))
    # The spectrum is cut off at the time scale of an exposure.
    frequency = np.clip(tangent / np.asarray(tau)[:, None], -300.0, 300.0)
    return frequency, rng.uniform(0, 2 * np.pi, (len(tau), n_modes))
