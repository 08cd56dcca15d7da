"""Positions of sources in the observed fields, by Galactic or ecliptic latitude."""

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord

from ztfml.simulate.survey import MIN_DEC, field_centres, field_of, sun_longitude


def galactic_latitude(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Compute the galactic latitude of positions.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,), deg

    Returns
    -------
    ndarray, shape (n,), deg

    Examples
    --------
    >>> round(float(galactic_latitude(np.array([266.4]), np.array([-28.9]))[0]))
    0
    """
    return SkyCoord(ra, dec, unit=units.deg).galactic.b.deg


def ecliptic(ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute ecliptic longitude and latitude (J2000) of positions.

    Parameters
    ----------
    ra, dec : ndarray, shape (n,), deg

    Returns
    -------
    longitude, latitude : ndarray, shape (n,), deg

    Examples
    --------
    >>> longitude, latitude = ecliptic(np.array([90.0]), np.array([23.44]))
    >>> round(float(longitude[0])), abs(round(float(latitude[0])))
    (90, 0)
    """
    position = SkyCoord(ra, dec, unit=units.deg).barycentricmeanecliptic
    return position.lon.deg, position.lat.deg


def _uniform_positions(rng, n, fields):
    """Positions distributed uniformly over some fields."""
    observed = np.zeros(len(field_centres()[0]), bool)
    observed[fields] = True
    ra, dec = np.empty(0), np.empty(0)
    while len(ra) < n:
        trial_ra = rng.uniform(0, 360, 2 * n)
        min_sine = np.sin(np.radians(MIN_DEC))
        trial_dec = np.degrees(np.arcsin(rng.uniform(min_sine, 1, 2 * n)))
        inside = observed[field_of(trial_ra, trial_dec)]
        ra, dec = np.append(ra, trial_ra[inside]), np.append(dec, trial_dec[inside])
    return ra[:n], dec[:n]


def _draw_weighted(rng, n, ra, dec, weight):
    """Draw positions with weights, and shift each slightly so that no two are equal."""
    chosen = rng.choice(len(ra), n, p=weight / weight.sum())
    dec = np.clip(dec[chosen] + rng.normal(0, 0.15, n), MIN_DEC, 89.9)
    ra = (ra[chosen] + rng.normal(0, 0.15, n) / np.cos(np.radians(dec))) % 360
    return ra, dec


def draw_positions(
    rng: np.random.Generator,
    n: int,
    fields: np.ndarray,
    disk: tuple[float, float] | None = None,
    avoidance: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw positions of stars or galaxies in the observed fields.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    fields : ndarray of int64
        The observed fields.
    disk : tuple of float, optional
        For stars: scale (deg) of an exponential decrease with galactic latitude, and the
        constant halo density added to it.
    avoidance : float, optional
        For galaxies: scale (deg) of the zone of avoidance around the galactic plane.

    Returns
    -------
    ra, dec : ndarray, shape (n,), deg

    Examples
    --------
    >>> fields = np.arange(300, 400)
    >>> ra, dec = draw_positions(np.random.default_rng(1), 100, fields, disk=(5, 0.02))
    >>> bool(np.isin(field_of(ra, dec), np.arange(250, 450)).all())
    True
    """
    ra, dec = _uniform_positions(rng, max(4000, 3 * n), fields)
    latitude = np.abs(galactic_latitude(ra, dec))
    weight = np.ones(len(ra))
    if disk is not None:
        weight = np.exp(-latitude / disk[0]) + disk[1]
    if avoidance is not None:
        weight = 1e-3 + 1 - np.exp(-((latitude / avoidance) ** 2))
    return _draw_weighted(rng, n, ra, dec, weight)


def draw_asteroid_positions(
    rng: np.random.Generator, n: int, fields: np.ndarray, jd: float
) -> tuple[np.ndarray, np.ndarray]:
    """Draw positions of asteroids: a band along the ecliptic, densest at opposition.

    The width of the band is due to the inclinations of the main belt (rms 10 deg). The
    concentration is due to the phase effect, about 1 mag at 90 deg from opposition (Bowell et
    al. 1989).

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    fields : ndarray of int64
        The fields observed on that night.
    jd : float

    Returns
    -------
    ra, dec : ndarray, shape (n,), deg

    Examples
    --------
    >>> ra, dec = draw_asteroid_positions(
    ...     np.random.default_rng(1), 500, np.arange(530), 2460474.8
    ... )
    >>> bool(np.median(np.abs(ecliptic(ra, dec)[1])) < 12)
    True
    """
    ra, dec = _uniform_positions(rng, max(4000, 3 * n), fields)
    longitude, latitude = ecliptic(ra, dec)
    from_opposition = (longitude - sun_longitude(jd)) % 360 - 180
    weight = np.exp(-0.5 * (latitude / 13) ** 2) + 0.05 * np.exp(-np.abs(latitude) / 15)
    weight *= 0.15 + np.exp(-0.5 * (from_opposition / 55) ** 2)
    return _draw_weighted(rng, n, ra, dec, weight)
