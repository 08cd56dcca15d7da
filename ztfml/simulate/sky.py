"""Where things are: places in the fields of a night, by galactic or ecliptic latitude."""

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord

from ztfml.simulate.survey import LOWEST_DEC, field_centres, field_of, sun_longitude


def galactic_latitude(ra, dec):
    """Galactic latitude (deg) of places in deg.

    >>> round(float(galactic_latitude(np.array([266.4]), np.array([-28.9]))[0]))
    0
    """
    return SkyCoord(ra, dec, unit=units.deg).galactic.b.deg


def ecliptic(ra, dec):
    """Ecliptic longitude and latitude (deg) of places in deg, J2000.

    >>> longitude, latitude = ecliptic(np.array([90.0]), np.array([23.44]))
    >>> round(float(longitude[0])), abs(round(float(latitude[0])))
    (90, 0)
    """
    place = SkyCoord(ra, dec, unit=units.deg).barycentricmeanecliptic
    return place.lon.deg, place.lat.deg


def _pool(rng, n, exposed):
    """Places spread evenly over the fields of some exposures."""
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
    """Draw places by weight and shift each a little, so that no two are the same."""
    chosen = rng.choice(len(ra), n, p=weight / weight.sum())
    dec = np.clip(dec[chosen] + rng.normal(0, 0.15, n), LOWEST_DEC, 89.9)
    ra = (ra[chosen] + rng.normal(0, 0.15, n) / np.cos(np.radians(dec))) % 360
    return ra, dec


def place(rng, n, fields, thin=None, clear_of=None):
    """Draw places of stars or galaxies in the fields that are visited.

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    fields : ndarray of int64
        The fields visited.
    thin : tuple of float, optional
        Scale (deg) of an exponential fall with galactic latitude, and the constant part
        (halo) added to it.
    clear_of : float, optional
        Scale (deg) of the zone around the plane that dust hides from galaxies.

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
    """Draw places of asteroids: a band about the ecliptic, densest at opposition.

    The main belt's inclinations (rms 10 deg) and the phase effect on brightness, which
    takes about a magnitude from an asteroid at 90 deg (Bowell et al. 1989).

    Parameters
    ----------
    rng : numpy.random.Generator
    n : int
    fields : ndarray of int64
        The fields visited that night.
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
