"""Angles and lengths around galaxies: separations, search radii and half-light radii."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MAX_OFFSET = 60.0
"""Largest offset of an event from the centre of its galaxy, in kpc.

Supernovae are within 30 kpc of the centres; 95 % of short gamma-ray bursts, and so of mergers of
neutron stars, are within 60 kpc (Fong et al. 2022, ApJ 940, 56).
"""

MAX_ANGLE = 2.0
"""Largest offset in degrees; the disk of M31 has a radius of 1.6 deg."""

_MIN_ANGLE = 10.0 / 3600.0


def separation(
    ra: np.ndarray, dec: np.ndarray, to_ra: np.ndarray, to_dec: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute angular separations and position angles.

    Parameters
    ----------
    ra, dec, to_ra, to_dec : ndarray, deg

    Returns
    -------
    separation : ndarray, arcsec
    angle : ndarray, deg
        Position angle of the second position as seen from the first, from north through east.

    Examples
    --------
    >>> arcsec, angle = separation(np.array([359.999]), np.zeros(1), np.array([0.001]), np.zeros(1))
    >>> arcsec.round(6), angle
    (array([7.2]), array([90.]))
    """
    lon, lat = np.radians(ra), np.radians(dec)
    to_lon, to_lat = np.radians(to_ra), np.radians(to_dec)
    east = np.cos(to_lat) * np.sin(to_lon - lon)
    north = np.cos(lat) * np.sin(to_lat) - np.sin(lat) * np.cos(to_lat) * np.cos(to_lon - lon)
    along = np.sin(lat) * np.sin(to_lat) + np.cos(lat) * np.cos(to_lat) * np.cos(to_lon - lon)
    arcsec = np.degrees(np.arctan2(np.hypot(east, north), along)) * 3600.0
    return arcsec, np.degrees(np.arctan2(east, north)) % 360.0


def is_near(galaxies: Mapping[str, np.ndarray], ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return whether positions are within the search radius of galaxies.

    Parameters
    ----------
    galaxies : mapping of str to ndarray
        ``ra``, ``dec`` (deg) and ``kpc`` (per arcsec) of a galaxy for each position.
    ra, dec : ndarray, deg

    Returns
    -------
    ndarray of bool

    Examples
    --------
    >>> galaxy = {"ra": np.array([10.0]), "dec": np.array([0.0]), "kpc": np.array([0.2])}
    >>> is_near(galaxy, np.array([10.08]), np.array([0.0]))
    array([ True])
    """
    offset, _ = separation(galaxies["ra"], galaxies["dec"], ra, dec)
    return offset <= 3600 * search_radius(galaxies["kpc"])


def search_radius(kpc: np.ndarray) -> np.ndarray:
    """Return the angle of `MAX_OFFSET`, between 10 arcsec and `MAX_ANGLE`.

    Parameters
    ----------
    kpc : ndarray
        Length of one arcsec at each galaxy.

    Returns
    -------
    ndarray, deg

    Examples
    --------
    >>> (3600 * search_radius(np.array([0.2, 20.0]))).tolist()
    [300.0, 10.0]
    """
    return np.clip(MAX_OFFSET / kpc / 3600.0, _MIN_ANGLE, MAX_ANGLE)


def light_radius(
    radius: np.ndarray, ba: np.ndarray, pa: np.ndarray, angle: np.ndarray
) -> np.ndarray:
    """Return the half-light radius of an ellipse in a direction.

    Gupta et al. 2016, AJ 152, 154.

    Parameters
    ----------
    radius : ndarray, arcsec
        Along the major axis.
    ba : ndarray
        Axis ratio.
    pa : ndarray, deg
        Position angle of the major axis. If it or the axis ratio is NaN, the galaxy is a circle.
    angle : ndarray, deg
        Position angle of the direction.

    Returns
    -------
    ndarray, arcsec

    Examples
    --------
    >>> light_radius(np.array([8.0]), np.array([0.5]), np.array([30.0]), np.array([120.0]))
    array([4.])
    """
    phi = np.radians(angle - pa)
    stretched = np.hypot(np.cos(phi), np.sin(phi) / ba)
    return radius / np.where(np.isnan(stretched), 1.0, stretched)
