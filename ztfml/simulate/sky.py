"""Positions of sources in the observed fields, by Galactic or ecliptic latitude."""

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord

from ztfml.simulate.survey import LOWEST_DEC, field_centres, field_of, sun_longitude


def galactic_latitude(ra, dec):
    """Compute the Galactic latitude (deg) of positions in deg.

    >>> round(float(galactic_latitude(np.array([266.4]), np.array([-28.9]))[0]))
    0
    """
    return SkyCoord(ra, dec, unit=units.deg).galactic.b.deg


def ecliptic(ra, dec):
    """Compute ecliptic longitude and latitude (deg, J2000) of positions in deg.

    >>> longitude, latitude = ecliptic(np.array([90.0]), np.array([23.44]))
    >>> round(float(longitude[0])), abs(round(float(latitude[0])))
    (90, 0)
    """
    place = SkyCoord(ra, dec, unit=units.deg).barycentricmeanecliptic
    return place.lon.deg, place.lat.deg


def _pool(rng, n, exposed):
    """Positions spread evenly over some fields."""
    visited = np.zeros(len(field_centres()[0]), bool)
    visited[exposed] = True
    ra, dec = np.empty(0), np.empty(0)
    while len(ra) < n:
        trial_ra = rng.uniform(0, 360, 2 * n)
        lowest = np.sin(np.radians(LOWEST_DEC))
        trial_dec = np.degrees(np.arcsin(rng.uniform(lowest, 1, 2 * n)))
        inside = visited[field_of(trial_ra, trial_dec)]
        ra, dec = np.append(ra, trial_ra[inside]), np.append(dec, trial_dec[inside])
    return ra[:n], dec[:n]


def _pick(rng, n, ra, dec, weight):
    """Draw positions by weight and shift each slightly, so that no two are equal."""
    chosen = rng.choice(len(ra), n, p=weight / weight.sum())
    dec = np.clip(dec[chosen] + rng.normal(0, 0.15, n), LOWEST_DEC, 89.9)
    ra = (ra[chosen] + rng.normal(0, 0.15, n) / np.cos(np.radians(dec))) % 360
    return ra, dec


def place(rng, n, fields, thin=None, clear_of=None):
    """Draw positions of stars or galaxies in the observed fields.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    fields : ndarray of int64
        The observed fields.
    thin : tuple of float, optional
        Scale (deg) of an exponential decrease with Galactic latitude, and the constant halo
        density added to it.
    clear_of : float, optional
        Scale (deg) of the zone around the plane in which dust hides galaxies.

    Returns
    -------
    ra, dec : ndarray, shape (n,), deg

    Examples
    --------
    >>> ra, dec = place(rng, 100, fields, thin=(5, 0.02))   # doctest: +SKIP
    """
    ra, dec = _pool(rng, max(4000, 3 * n), fields)
    latitude = np.abs(galactic_latitude(ra, dec))
    weight = np.ones(len(ra))
    if thin is not None:
        weight = np.exp(-latitude / thin[0]) + thin[1]
    if clear_of is not None:
        weight = 1e-3 + 1 - np.exp(-((latitude / clear_of) ** 2))
    return _pick(rng, n, ra, dec, weight)


def place_asteroids(rng, n, fields, jd):
    """Draw positions of asteroids: a band along the ecliptic, densest at opposition.

    The band follows from the inclinations of the main belt (rms 10 deg); the concentration
    from the phase effect, about one magnitude at 90 deg from opposition (Bowell et al. 1989).

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
    >>> ra, dec = place_asteroids(rng, 100, fields, 2460474.8)   # doctest: +SKIP
    """
    ra, dec = _pool(rng, max(4000, 3 * n), fields)
    longitude, latitude = ecliptic(ra, dec)
    from_opposition = (longitude - sun_longitude(jd)) % 360 - 180
    weight = np.exp(-0.5 * (latitude / 13) ** 2) + 0.05 * np.exp(-np.abs(latitude) / 15)
    weight *= 0.15 + np.exp(-0.5 * (from_opposition / 55) ** 2)
    return _pick(rng, n, ra, dec, weight)
