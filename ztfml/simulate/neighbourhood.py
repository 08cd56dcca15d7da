"""PS1, Gaia and reference-image sources near each source."""

import numpy as np

from ztfml.simulate.source import GALAXY, NONE, STAR, Counterpart
from ztfml.simulate.stellar import star_colours

_RADIUS = 30.0  # arcsec, of the match to PS1
_DEPTH = np.array([22.3, 22.2, 22.0, 21.4])  # PS1 g, r, i, z with 50 % completeness

# Gaia G - PS1 r against PS1 g - r: medians of 700 variable stars with alerts.
_GAIA_COLOUR = (
    [-0.5, 0.0, 0.3, 0.7, 1.0, 1.3, 1.7, 2.2],
    [-0.2, -0.12, -0.06, -0.04, -0.14, -0.3, -0.5, -0.8],
)


def draw_neighbours(
    rng: np.random.Generator, counterpart: Counterpart, latitude: np.ndarray
) -> dict[str, np.ndarray]:
    """Draw the three nearest PS1 sources and the nearest Gaia sources of each position.

    Parameters
    ----------
    rng : numpy.random.Generator
    counterpart : Counterpart
    latitude : ndarray, shape (n,), deg
        Galactic latitude.

    Returns
    -------
    dict of ndarray
        ``sgscore1`` ... ``szmag3``, ``nmtchps``, ``neargaia``, ``maggaia``,
        ``neargaiabright``, ``maggaiabright``; NaN where there is no source.

    Examples
    --------
    >>> galaxies = Counterpart(np.full(99, GALAXY), np.full((99, 4), 18.0), np.full(99, 0.5))
    >>> fields = draw_neighbours(np.random.default_rng(1), galaxies, np.full(99, 40.0))
    >>> bool(np.median(fields["distpsnr1"]) < 1.0), bool(np.median(fields["sgscore1"]) < 0.5)
    (True, True)
    """
    n = len(latitude)
    b = np.abs(latitude)
    # The median number of matches is 6 at the pole and 80 in the plane, with variations.
    density = (4.4 + 95 * np.exp(-b / 6) + 14 * np.exp(-b / 22)) * np.exp(rng.normal(0, 0.35, n))
    count = rng.poisson(density)
    # PS1 splits large galaxies into pieces, so neighbours are closer there.
    fragmented = (counterpart.kind == GALAXY) & (counterpart.mag[:, 1] < 20.5)
    distance = _nearest(rng, count) * np.where(fragmented, 0.7, 1.0)[:, None]
    kind, mag = _background(rng, n, b)
    kind = np.where(fragmented[:, None] & (rng.random((n, 3)) < 0.6), GALAXY, kind)
    # A spiral arm or a knot can be nearer to the position than the centre of the galaxy.
    knot = fragmented & (counterpart.distance > 0.8) & (rng.random(n) < 0.4)
    nearer = np.nan_to_num(counterpart.distance, nan=0.0) * np.sqrt(rng.uniform(0.02, 1.0, n))
    distance[:, 0] = np.where(knot, nearer, distance[:, 0])
    kind[:, 0] = np.where(knot, GALAXY, kind[:, 0])
    fainter = counterpart.mag + rng.uniform(0.3, 2.5, n)[:, None]
    mag[:, 0] = np.where(knot[:, None], fainter, mag[:, 0])
    in_ps1 = (counterpart.kind != NONE) & (counterpart.distance < _RADIUS)
    in_ps1 &= (
        np.nanmin(counterpart.mag, axis=1, initial=99, where=~np.isnan(counterpart.mag)) < 22.3
    )
    # ZTF positions have errors of 0.1 to 0.3 arcsec, and stars have proper motions.
    error = 0.18 * np.exp(rng.normal(0, 0.5, n))
    counterpart_distance = np.hypot(
        counterpart.distance + error * rng.normal(size=n), error * rng.normal(size=n)
    )
    distance = np.column_stack([np.where(in_ps1, counterpart_distance, np.inf), distance])
    kind = np.column_stack([counterpart.kind, kind])
    counterpart_mag = counterpart.mag + rng.normal(0, 0.03, (n, 4))
    # PSF magnitudes of extended sources have larger errors and are sometimes missing.
    extended = (counterpart.kind == GALAXY)[:, None]
    counterpart_mag += extended * np.clip(rng.standard_t(2.5, (n, 4)) * 0.08, -1.5, 1.5)
    counterpart_mag = np.where(extended & (rng.random((n, 4)) < 0.1), np.nan, counterpart_mag)
    mag = np.concatenate([counterpart_mag[:, None], mag], axis=1)
    order = np.argsort(distance, axis=1, kind="stable")[:, :3]
    row = np.arange(n)[:, None]
    distance, kind, mag = distance[row, order], kind[row, order], mag[row, order]
    fields = {}
    for rank in range(3):
        exists = np.isfinite(distance[:, rank])
        r = mag[:, rank, 1]
        fragment = fragmented & (kind[:, rank] == GALAXY) & (rank > 0)
        score = _star_score(rng, kind[:, rank], r, mag[:, rank, 0] - r, fragment)
        fields[f"distpsnr{rank + 1}"] = np.where(exists, distance[:, rank], np.nan)
        fields[f"sgscore{rank + 1}"] = np.where(exists, score, np.nan)
        measured = _measured(rng, mag[:, rank]) & exists[:, None]
        for band, name in enumerate(("sgmag", "srmag", "simag", "szmag")):
            fields[f"{name}{rank + 1}"] = np.where(measured[:, band], mag[:, rank, band], np.nan)
    fields["nmtchps"] = (count + in_ps1).astype(float)
    return fields | _gaia(
        rng, counterpart, in_ps1 & (counterpart_distance < 5), counterpart_distance, b
    )


def _nearest(rng, count):
    """Distances of the three nearest of `count` sources distributed uniformly in the circle."""
    n = len(count)
    steps = rng.exponential(1.0, (n, 3)).cumsum(axis=1)
    rest = rng.gamma(np.maximum(count - 2, 1e-9))
    area = steps / (steps[:, 2] + rest)[:, None]
    # Two sources or fewer: draw each distance.
    few = np.where(np.arange(3) < count[:, None], rng.random((n, 3)), np.inf)
    return _RADIUS * np.sqrt(np.where(count[:, None] <= 2, np.sort(few, axis=1), area))


def _background(rng, n, b):
    """Type and magnitudes of three chance neighbours."""
    is_star = rng.random((n, 3)) < (0.42 + 0.5 * np.exp(-b / 15))[:, None]
    # Counts increase towards the limit, faster for galaxies than for stars.
    slope = np.where(is_star, 0.22, 0.5)
    r = 22.4 + np.log10(rng.random((n, 3))) / slope
    r = np.clip(r, 11.5, None)
    g_r = np.where(is_star, rng.normal(0.9, 0.45, (n, 3)), rng.normal(0.75, 0.45, (n, 3)))
    g_r += (0.5 * np.exp(-b / 6))[:, None]
    mag = r[..., None] + star_colours(rng, g_r.ravel()).reshape(n, 3, 4)
    mag[..., 3] -= 0.1
    # Near the limit, PS1 colours are mostly noise.
    mag += rng.normal(0, 1, mag.shape) * (0.02 + 0.25 * np.clip(r - 20.5, 0, 2))[..., None]
    return np.where(is_star, STAR, GALAXY), mag


def _star_score(rng, kind, r, g_r, fragment):
    """Star/galaxy score (Tachibana & Miller 2018): near 0 or 1 if bright, intermediate if faint.

    It is exactly 0.5 where PS1 has no score: saturated stars and poorly measured sources.
    """
    n = len(kind)
    star = np.interp(r, [15, 19, 20.5, 21.5, 22.3], [0.014, 0.035, 0.1, 0.3, 0.5])
    star = 0.85 * np.minimum(rng.exponential(1.0, n) * np.nan_to_num(star, nan=0.8), 1)
    # One galaxy in ten has a score of 0; the score of the others increases towards faint r.
    galaxy = np.interp(r, [17, 20, 21.5, 22.3], [0.01, 0.018, 0.04, 0.1])
    galaxy = np.nan_to_num(galaxy, nan=0.3) * np.exp(rng.normal(0, 1.5, n))
    galaxy = np.where(rng.random(n) < 0.1, 0.0, np.minimum(galaxy, 0.9))
    score = np.where(kind == GALAXY, galaxy, 1 - star)
    score = np.where(rng.random(n) < 0.05, rng.random(n), score)
    missing = np.interp(
        r,
        [12, 13.5, 14.5, 15.5, 17, 18.5, 20.5, 21.7, 22.3],
        [0.55, 0.3, 0.2, 0.14, 0.09, 0.12, 0.17, 0.11, 0.18],
    )
    # More scores are missing where r is missing, for cool giants and for fragments of galaxies.
    missing = np.where(
        np.isnan(r), 0.55, missing + 0.2 * (np.nan_to_num(g_r) > 1.6) + 0.25 * fragment
    )
    score = np.where(rng.random(n) < missing, 0.5, score)
    # The score is the fraction of votes of several hundred trees.
    return np.round(np.clip(score, 0, 1) * 1200) / 1200


def _measured(rng, mag):
    excess = (mag - _DEPTH) / 0.28
    completeness = 1 / (1 + np.exp(np.clip(np.nan_to_num(excess, nan=30), -30, 30)))
    return (rng.random(mag.shape) < completeness) & (mag < 24)


def _gaia(rng, counterpart, in_ps1, counterpart_distance, b):
    """Nearest Gaia sources brighter than 20.7 mag and 14 mag, within 90 arcsec."""
    n = len(b)
    crowd = 1 + 8 * np.exp(-b / 7) + 1.5 * np.exp(-b / 25)
    faint = _chance_distance(rng, 2.9e-4 * crowd)
    # Chance neighbours: the counts of stars increase slowly with magnitude.
    magnitude = np.clip(20.8 + np.log10(rng.random(n)) / 0.2, 8.5, 20.9)
    r = counterpart.mag[:, 1]
    # Gaia detects point sources, and only the bright compact cores of galaxies.
    compact = (r < 18.5) & (counterpart_distance < 1.5)
    has = in_ps1 & np.where(counterpart.kind == STAR, r < 20.7, compact)
    has &= rng.random(n) < np.interp(np.nan_to_num(r, nan=21.0), [19.3, 20.6], [0.97, 0.65])
    # The epoch of Gaia is 2015, so proper motions shift the nearest stars.
    motion = 0.08 * np.exp(rng.normal(0, 1.3, n)) * (counterpart.kind == STAR)
    shifted = np.hypot(counterpart_distance + rng.normal(0, 0.05, n), motion)
    near = np.where(has, shifted, faint)
    bright = _chance_distance(rng, 0.9e-5 * crowd)
    bright_mag = np.clip(14 + np.log10(rng.random(n)) / 0.4, 7.0, 14.0)
    bright_itself = has & (r < 13.9)
    bright_mag = np.where(bright_itself, r, bright_mag)
    bright = np.where(bright_itself, shifted, bright)
    since_ps1 = 0.0 if counterpart.since_ps1 is None else counterpart.since_ps1
    g_r = counterpart.mag[:, 0] - r
    g_minus_r = np.interp(np.nan_to_num(g_r, nan=0.5), *_GAIA_COLOUR)
    gaia_mag = np.where(has, r + since_ps1 + g_minus_r + rng.normal(0, 0.05, n), magnitude)
    return {
        "neargaia": np.where(near < 90, near, np.nan),
        "maggaia": np.where(near < 90, gaia_mag, np.nan),
        "neargaiabright": np.where(bright < 90, bright, np.nan),
        "maggaiabright": np.where(bright < 90, bright_mag, np.nan),
    }


def _chance_distance(rng, per_square_arcsec):
    return np.sqrt(rng.exponential(1.0, len(per_square_arcsec)) / (np.pi * per_square_arcsec))


def draw_reference_source(
    rng: np.random.Generator,
    counterpart: Counterpart,
    neighbours: dict[str, np.ndarray],
    fid: np.ndarray,
    reference_mag: np.ndarray,
) -> dict[str, np.ndarray]:
    """Draw the nearest source in the reference image of each alert's band.

    Parameters
    ----------
    rng : numpy.random.Generator
    counterpart : Counterpart
        One row per alert.
    neighbours : dict of ndarray
        The PS1 fields of the alerts, from `draw_neighbours`.
    fid : ndarray of int
    reference_mag : ndarray, mag
        Magnitude of each alert's source in the reference image; NaN to derive it from PS1.

    Returns
    -------
    dict of ndarray
        ``distnr``, ``magnr``, ``sigmagnr``, ``chinr``, ``sharpnr``.

    Examples
    --------
    >>> galaxy = Counterpart(np.array([GALAXY]), np.full((1, 4), 18.0), np.array([0.1]))
    >>> rng = np.random.default_rng(1)
    >>> neighbours = draw_neighbours(rng, galaxy, np.array([40.0]))
    >>> fields = draw_reference_source(rng, galaxy, neighbours, np.array([2]), np.array([np.nan]))
    >>> bool(17 < fields["magnr"][0] < 19)
    True
    """
    n = len(fid)
    band = np.minimum(fid, 3) - 1
    names = ("sgmag1", "srmag1", "simag1")
    g, r, i = (neighbours[name] for name in names)
    # Replace bands that are missing in PS1.
    r = np.where(np.isnan(r), np.where(np.isnan(i), g - 0.5, i + 0.3), r)
    ps1 = np.choose(
        band, [np.where(np.isnan(g), r + 0.55, g), r, np.where(np.isnan(i), r - 0.3, i)]
    )
    # Reference images are half a magnitude deeper than PS1: another source can be closer.
    density = (neighbours["nmtchps"] + 3) * 1.1 / (np.pi * _RADIUS**2)
    chance = _chance_distance(rng, density)
    on_counterpart = (counterpart.kind != NONE) & (counterpart.distance < 1.5)
    known = ~np.isnan(ps1) & (ps1 < 22.6)
    use_ps1 = known & (on_counterpart | (neighbours["distpsnr1"] < chance))
    distance = np.abs(neighbours["distpsnr1"] + rng.normal(0, 0.07, n)) + 0.02
    distance = np.where(use_ps1, distance, chance)
    # Knots of a galaxy that the reference image resolves, but PS1 does not.
    knot = use_ps1 & ~on_counterpart & (counterpart.kind == GALAXY) & (counterpart.mag[:, 1] < 20.5)
    knot &= rng.random(n) < 0.4
    nearer = distance * np.sqrt(rng.uniform(0.02, 1.0, n))
    # Sources that are not in PS1 are faint: 21 to 23.3 mag.
    faint = np.clip(23.2 + np.log10(rng.random(n)) / 0.85, 18.0, 23.4)
    mag = np.where(use_ps1, ps1 + rng.normal(0, 0.1, n) + 0.05, faint)
    mag = np.where(
        use_ps1 & on_counterpart & ~np.isnan(reference_mag),
        reference_mag + rng.normal(0, 0.03, n),
        mag,
    )
    distance = np.where(knot, nearer, distance)
    mag = np.where(knot, mag + rng.uniform(0, 1.5, n), mag)
    host = (counterpart.kind == GALAXY) & (neighbours["distpsnr1"] < counterpart.distance + 0.6)
    galaxy = use_ps1 & ((neighbours["sgscore1"] < 0.4) | host)
    extended = np.where(galaxy, np.clip((22.5 - mag) / 2.8, 0, 1), 0) * rng.uniform(0.3, 1, n)
    chi = np.exp(rng.normal(-0.45, 0.42, n)) * (1 + 9 * extended)
    sharp = 0.018 * rng.standard_t(3, n) - 0.022
    sharp += 0.15 * np.clip((mag - 20) / 3, 0, 1) * rng.normal(size=n)
    sharp += 0.75 * extended - 0.2 * np.clip((mag - 21.5) / 1.5, 0, 1)
    sigma = np.interp(mag, [12, 15, 17, 19, 20, 21, 22, 23], _MAGNR_ERRORS)
    sigma = sigma * np.exp(rng.normal(0, 0.15, n)) * (1 + 4.5 * extended)
    return {
        "distnr": distance,
        "magnr": mag,
        "sigmagnr": np.round(np.clip(sigma, 0.008, 0.36), 3),
        "chinr": np.clip(chi, 0.1, 10),
        "sharpnr": sharp,
    }


_MAGNR_ERRORS = (0.011, 0.014, 0.017, 0.023, 0.034, 0.07, 0.15, 0.31)
