"""Random numbers as functions of source and exposure, independent of the order of drawing.

The same source and exposure give the same number on every night and in every block. Therefore
all nights show the same sky, and files are reproducible to the last byte.
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
def uniform(key: np.ndarray, number: np.ndarray, stream: int) -> np.ndarray:
    """Return a uniform deviate in (0, 1) for each pair of key and number.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Random key of the source.
    number : ndarray of int64, shape (n,)
        The exposure, or the cycle of a recurring event.
    stream : int
        Number of the deviate, for pairs that need several.

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
def normal(key: np.ndarray, number: np.ndarray, stream: int) -> np.ndarray:
    """Return a standard normal deviate for each pair of key and number (Box & Muller 1958).

    Parameters
    ----------
    key, number, stream
        As for `uniform`.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> normal(np.array([7], "u8"), np.array([3]), 0).shape
    (1,)
    """
    radius = np.sqrt(-2.0 * np.log(uniform(key, number, 2 * stream)))
    return radius * np.cos(2.0 * np.pi * uniform(key, number, 2 * stream + 1))


@cached
def damped_walk(
    frequency: np.ndarray, phase: np.ndarray, row: np.ndarray, jd: np.ndarray
) -> np.ndarray:
    """Evaluate damped random walks of unit variance.

    A sum of cosines whose angular frequencies are drawn from the Lorentzian spectrum
    1/(1 + (omega tau)^2) has the covariance ``exp(-|dt|/tau)`` of the damped random walk
    (Kelly et al. 2009), and can be evaluated at any time (Shinozuka & Deodatis 1991).

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


def walk_modes(
    rng: np.random.Generator, tau: np.ndarray, n_modes: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the modes of `damped_walk`.

    Parameters
    ----------
    rng : numpy.random.Generator
    tau : ndarray, shape (n_sources,), d
        Time scales.
    n_modes : int

    Returns
    -------
    frequency, phase : ndarray, shape (n_sources, n_modes)

    Examples
    --------
    >>> frequency, phase = walk_modes(np.random.default_rng(1), np.array([10.0, 100.0]))
    >>> frequency.shape
    (2, 24)
    """
    tangent = np.tan(np.pi * (rng.random((len(tau), n_modes)) - 0.5))
    # The spectrum is cut off at the time scale of an exposure.
    frequency = np.clip(tangent / np.asarray(tau)[:, None], -300.0, 300.0)
    return frequency, rng.uniform(0, 2 * np.pi, (len(tau), n_modes))
