"""The kinds of fast transients that are injected, each from its physics or its photometry.

Every kind draws its members' parameters and gives their absolute magnitude at any rest-frame
day and wavelength; redshift, time dilation and K-correction are `physics.observe`'s. Neither
forms nor parameters are those of the simulated nights that models learn from
(`ztfml.simulate`): what a model is tested with it has not seen.
"""

from typing import NamedTuple

import numpy as np

from ztfml.astrophysics import (
    ASTRONOMICAL_UNIT,
    DAY,
    SPEED_OF_LIGHT,
    SUN_MASS,
    SUN_RADIUS,
    blackbody_magnitude,
)
from ztfml.injection.physics import photosphere

KINDS = {}


class Host(NamedTuple):
    """Where events of a kind happen.

    Attributes
    ----------
    magnitude, scatter : float
        Absolute r magnitude of the host galaxies, mean and standard deviation.
    spread : float
        Typical offset from the centre in half-light radii of the host.
    """

    magnitude: float
    scatter: float
    spread: float


class Kind(NamedTuple):
    """One kind of fast transient.

    Attributes
    ----------
    name : str
    draw : callable
        ``draw(rng, n)`` gives ``absolute(row, days, wavelength)``: the absolute AB magnitude
        of member ``row`` at rest-frame days and wavelengths (cm).
    rate : float
        Events per Gpc^3 and year in the local universe, to a factor of a few.
    evolution : float
        Power of (1 + z) with which the rate grows.
    farthest : float
        Redshift beyond which none is seen.
    lasts : float
        Observed days after the beginning in which it is still worth a spectrum.
    host : Host
    """

    name: str
    draw: object
    rate: float
    evolution: float
    farthest: float
    lasts: float
    host: Host


def _kind(name, **properties):
    def declare(draw):
        KINDS[name] = Kind(name, draw, **properties)
        return draw

    return declare


# --- kilonovae -----------------------------------------------------------------------------

_GRID = np.geomspace(0.01, 30.0, 160)  # days
_LOG_GRID = np.log(_GRID)
# AT2017gfo was seen about 25 degrees from the axis (Mooley et al. 2018, Nature 561, 355).
_GFO_COSINE = np.cos(np.radians(25.0))


@_kind("kilonova", rate=320.0, evolution=1.0, farthest=0.12, lasts=12.0, host=Host(-20.6, 1.0, 1.8))
def draw_kilonova(rng, n):
    """Kilonovae like AT2017gfo, of two components, seen from all sides.

    A blue component towards the poles and a red one about the equator: masses, speeds,
    opacities and coolest temperatures scatter about those of AT2017gfo (Villar et al. 2017,
    ApJL 851, L21, two-component fit). Rate: Abbott et al. 2021, ApJL 913, L7; hosts: Fong et
    al. 2022, ApJ 940, 56.
    """
    scatter = np.exp(rng.normal(0, 1, (4, n)) * np.array([[0.5], [0.15], [0.5], [0.15]]))
    return kilonova(
        blue_mass=0.023 * scatter[0], blue_speed=np.minimum(0.256 * scatter[1], 0.4),
        red_mass=0.050 * scatter[2], red_speed=0.149 * scatter[3], cosine=rng.random(n),
    )  # fmt: skip


def kilonova(blue_mass, blue_speed, red_mass, red_speed, cosine):
    """Absolute magnitudes of kilonovae of two components.

    Radioactive heating of 2 x 10^10 t^-1.3 erg/g/s (Metzger 2019, LRR 23, 1), of which electrons
    thermalise as in Kasen & Barnes 2019 (ApJ 876, 128) and gamma rays within a day, diffuses
    out (Arnett 1982, ApJ 253, 785) and shines as black bodies. Seen from an angle, each
    component counts by the part of the disk that it covers: the blue one fills two cones of 45
    degrees, 0.50 of the disk from the pole and 0.18 from the equator.

    Parameters
    ----------
    blue_mass : ndarray, shape (n,), solar masses
    blue_speed : ndarray, shape (n,), fraction of the speed of light
    red_mass : ndarray, shape (n,), solar masses
    red_speed : ndarray, shape (n,), fraction of the speed of light
    cosine : ndarray, shape (n,)
        Of the angle between the line of sight and the pole.

    Returns
    -------
    callable
        ``absolute(row, days, wavelength)``.

    Examples
    --------
    >>> one = kilonova(*(np.array([x]) for x in (0.023, 0.256, 0.05, 0.149, 0.9)))
    >>> bool(-17 < one(np.array([0]), np.array([0.6]), np.array([4.7e-5]))[0] < -15)
    True
    """
    covered = 0.18 + 0.32 * cosine
    gfo = 0.18 + 0.32 * _GFO_COSINE
    parts = [
        (*_ejecta(blue_mass, blue_speed, 0.5, 3983.0), covered / gfo),
        (*_ejecta(red_mass, red_speed, 3.65, 1151.0), (1 - covered) / (1 - gfo)),
    ]

    def absolute(row, days, wavelength):
        light = 0.0
        for luminosity, speed, coolest, seen in parts:
            bright = np.exp(_along_grid(luminosity, row, days))
            radius, temperature = photosphere(
                bright, speed[row] * SPEED_OF_LIGHT * days * DAY, coolest
            )
            magnitude = blackbody_magnitude(radius, temperature, wavelength)
            light = light + seen[row] * 10 ** (-0.4 * magnitude)
        return -2.5 * np.log10(np.maximum(light, 1e-40))

    return absolute


def _ejecta(mass, speed, opacity, coolest):
    """Logarithm of the luminosity on the grid of days, one row a member, and what it took."""
    grams = mass[:, None] * SUN_MASS
    slow = 12.9 * (mass[:, None] / 0.01) ** (2 / 3) * (speed[:, None] / 0.2) ** -2
    # Of the energy of beta decays electrons carry a fifth or more, gamma rays nearly half, the
    # neutrinos the rest; gamma rays escape as the square of the time.
    clear = (mass[:, None] / 0.023) ** 0.5 * (speed[:, None] / 0.256) ** -1
    kept = 0.22 / (1 + _GRID / slow) + 0.5 * -np.expm1(-((clear / _GRID) ** 2))
    heating = 2e10 * grams * _GRID**-1.3 * kept
    diffusion = _diffusion_days(mass, speed * SPEED_OF_LIGHT, opacity)
    return np.log(_diffuse(heating, diffusion)), speed, coolest


def _diffusion_days(mass, speed, opacity):
    """Arnett's time scale (2 kappa M / 13.8 v c)^(1/2) in days, of solar masses and cm/s."""
    return np.sqrt(2 * opacity * mass * SUN_MASS / (13.8 * speed * SPEED_OF_LIGHT)) / DAY


def _diffuse(heating, diffusion):
    """What leaks out of an expanding sphere heated from within (Arnett 1982)."""
    out = np.empty_like(heating)
    held = heating[:, 0]
    out[:, 0] = held * np.minimum(_GRID[0] ** 2 / diffusion**2, 1)
    for k in range(1, len(_GRID)):
        stays = np.exp(-(_GRID[k] ** 2 - _GRID[k - 1] ** 2) / diffusion**2)
        out[:, k] = out[:, k - 1] * stays + heating[:, k] * (1 - stays)
    return out


def _along_grid(values, row, days):
    """Linear interpolation of each member's values over the logarithm of the days."""
    place = np.interp(np.log(days), _LOG_GRID, np.arange(len(_GRID)))
    low = np.minimum(place.astype(int), len(_GRID) - 2)
    part = place - low
    return (1 - part) * values[row, low] + part * values[row, low + 1]


# --- afterglows ----------------------------------------------------------------------------


@_kind(
    "afterglow on axis", rate=1.3, evolution=2.1, farthest=2.5, lasts=8.0,
    host=Host(-20.0, 1.3, 0.8),
)  # fmt: skip
def draw_afterglow(rng, n):
    """Afterglows of gamma-ray bursts seen down the jet.

    Synchrotron light, nu^-beta and t^-alpha, steeper after the jet break. Luminosities after
    Kann et al. 2010, ApJ 720, 1513; rate and its growth: Wanderman & Piran 2010, MNRAS 406,
    1944; decays and breaks: Zeh, Klose & Kann 2006, ApJ 637, 889.
    """
    return _afterglow(rng, n, np.zeros(n))


@_kind(
    "afterglow off axis", rate=10.0, evolution=2.1, farthest=2.0, lasts=20.0,
    host=Host(-20.0, 1.3, 0.8),
)  # fmt: skip
def draw_off_axis(rng, n):
    """Afterglows seen from outside the jet: they rise as its light cone widens to take us in.

    The jet's Lorentz factor falls as t^(-3/8), so that the jet comes into view at the jet
    break's time times ((theta_obs - theta_jet) / theta_jet)^(8/3) (Granot et al. 2002, ApJL
    570, L61); from there on it is as bright as on the axis. Angles up to three jet widths, by
    solid angle; the rate is that on axis times the solid angle.
    """
    angle = np.sqrt(rng.uniform(1.0, 9.0, n))  # theta_obs / theta_jet
    return _afterglow(rng, n, angle - 1)


def _afterglow(rng, n, outside):
    # Absolute B magnitude half a day after the burst in its own frame.
    bright = rng.normal(-22.8, 1.6, n)
    slope = rng.uniform(0.6, 1.1, n)
    early = rng.uniform(0.7, 1.3, n)
    late = early + rng.uniform(0.6, 1.3, n)
    jet_break = np.exp(rng.normal(np.log(0.7), 0.6, n))
    peak = np.exp(rng.normal(np.log(300 / DAY), 0.7, n))
    dust = rng.exponential(0.15, n)
    enters = jet_break * outside ** (8 / 3)

    def light(row, days):
        """Flux over that at half a day on the axis."""
        x = days / jet_break[row]
        fall = x ** -early[row] / (1 + x ** (3 * (late[row] - early[row]))) ** (1 / 3)
        return fall / (1 + (peak[row] / days) ** 2)

    def absolute(row, days, wavelength):
        norm = light(row, np.full(len(row), 0.5))
        seen = light(row, days) / norm / (1 + (enters[row] / days) ** 4)
        spectrum = (wavelength / 4400e-8) ** slope[row]
        # Dust as in the Small Magellanic Cloud, about 1/lambda.
        dimmed = dust[row] * (5500e-8 / wavelength)
        return bright[row] - 2.5 * np.log10(np.maximum(seen * spectrum, 1e-40)) + dimmed

    return absolute


# --- fast blue optical transients ----------------------------------------------------------

# Rest-frame days, radius (AU) and temperature (kK) of AT2018cow: Perley et al. 2019, MNRAS 484,
# 1031, table 4, counted from MJD 58285.0; before their first epoch the light rose within two
# days (their section 3.1; Prentice et al. 2018, ApJL 865, L3).
_COW_DAYS = np.array([3.4, 4.2, 5.6, 7.2, 8.7, 10.4, 11.5, 13.2, 15.4, 17.9, 20.3, 23.9, 25.8, 31.1,
                      38.5, 49.2])  # fmt: skip
_COW_RADIUS = np.array([52.8, 47.7, 44.3, 39.0, 36.4, 29.2, 27.1, 24.5, 23.5, 19.9, 18.5, 16.0,
                        14.3, 11.4, 6.6, 4.4])  # fmt: skip
_COW_TEMPERATURE = np.array([31.4, 30.6, 25.4, 23.4, 21.2, 21.2, 20.9, 20.9, 18.8, 17.6, 17.1, 16.6,
                             15.3, 15.3, 17.5, 17.0])  # fmt: skip
_COW_RISE = ((0.02, 0.1, 0.25, 0.5, 1.0, 2.0), (9.0, 4.5, 2.3, 1.2, 0.4, 0.0))


@_kind(
    "FBOT like AT2018cow", rate=40.0, evolution=2.0, farthest=0.35, lasts=25.0,
    host=Host(-18.8, 1.2, 1.0),
)  # fmt: skip
def draw_cow(rng, n):
    """Fast blue optical transients like AT2018cow: a hot sphere that shrinks.

    Radius and temperature as measured, brighter and fainter, faster and slower. Rate: below
    0.1 % of core-collapse supernovae (Ho et al. 2023, ApJ 949, 120).
    """
    shift = rng.normal(0.2, 0.5, n)
    pace = np.exp(rng.normal(0, 0.2, n))
    dust = rng.exponential(0.15, n)

    def absolute(row, days, wavelength):
        t = days / pace[row]
        radius = np.exp(np.interp(t, _COW_DAYS, np.log(_COW_RADIUS))) * ASTRONOMICAL_UNIT
        # Beyond the table it goes on shrinking.
        radius = radius * np.exp(-np.clip(t - _COW_DAYS[-1], 0, None) / 20)
        temperature = np.interp(t, _COW_DAYS, _COW_TEMPERATURE) * 1e3
        rise = np.interp(np.log(t), np.log(_COW_RISE[0]), _COW_RISE[1])
        dimmed = dust[row] * (5500e-8 / wavelength)
        return blackbody_magnitude(radius, temperature, wavelength) + shift[row] + rise + dimmed

    return absolute


class _Photometry(NamedTuple):
    """Absolute magnitude at one rest-frame wavelength (cm), and colour temperature (kK)."""

    wavelength: float
    days: np.ndarray
    magnitude: np.ndarray
    warm_days: np.ndarray
    temperature: np.ndarray

    def absolute(self, days, wavelength):
        magnitude = np.interp(np.log(days), np.log(self.days), self.magnitude)
        # Beyond the table it fades on at the pace of the last points.
        pace = (self.magnitude[-1] - self.magnitude[-2]) / (self.days[-1] - self.days[-2])
        magnitude = magnitude + pace * np.clip(days - self.days[-1], 0, None)
        temperature = 1e3 * np.interp(days, self.warm_days, self.temperature)
        redder = blackbody_magnitude(1e15, temperature, wavelength) - blackbody_magnitude(
            1e15, temperature, self.wavelength
        )
        return magnitude + redder


# g band of AT2020xnd at z = 0.2433, corrected for Galactic dust (Perley et al. 2021, MNRAS 508,
# 5138, table 1); its twin ZTF18abvkwla (Koala) reached -20.6 in g, 1.8 d up from half of that
# and 3.1 d down again (Ho et al. 2020, ApJ 895, 49).
_KOALA = _Photometry(
    4746e-8 / 1.2433,
    np.array([0.05, 0.3, 0.7, 1.4, 3.0, 4.6, 5.3, 6.1, 7.7, 8.5, 10.1, 11.7, 18.9, 27.7]),
    np.array([-13.0, -17.5, -19.6, -20.7, -20.95, -20.4, -20.3, -19.9, -19.4, -19.0, -18.5, -18.1,
              -16.8, -15.6]),
    np.array([0.0, 3.0, 6.0, 10.0, 20.0]), np.array([30.0, 25.0, 20.0, 17.0, 14.0]),
)  # fmt: skip


@_kind(
    "FBOT like ZTF18abvkwla", rate=5.0, evolution=2.0, farthest=0.5, lasts=20.0,
    host=Host(-18.4, 0.9, 0.8),
)  # fmt: skip
def draw_koala(rng, n):
    """Fast blue optical transients like ZTF18abvkwla and AT2020xnd: luminous, gone in a week."""
    return _like(rng, n, [_KOALA], 0.4, 0.15)


def _like(rng, n, models, scatter, stretch):
    """Members that follow one of the models, brighter or fainter, slower or faster."""
    which = rng.integers(0, len(models), n)
    shift, pace = rng.normal(0, scatter, n), np.exp(rng.normal(0, stretch, n))
    dust = rng.exponential(0.1, n)

    def absolute(row, days, wavelength):
        each = [model.absolute(days / pace[row], wavelength) for model in models]
        return np.choose(which[row], each) + shift[row] + dust[row] * (5500e-8 / wavelength)

    return absolute


# g bands of SN 2018gep at z = 0.0315 (Ho et al. 2019, ApJ 887, 169) and of SN 2021csp at 0.084
# (Perley et al. 2022, ApJ 927, 180), in rest-frame days from the explosion; temperatures are
# those of their g - r.
_GEP = _Photometry(
    4746e-8 / 1.0315,
    np.array([0.03, 0.1, 0.45, 1.2, 2.6, 3.9, 5.7, 7.8, 9.5, 11.3, 13.5, 15.4, 17.4, 20.4, 23.7,
              29.0, 36.0]),
    np.array([-13.5, -15.8, -18.0, -19.4, -19.7, -19.8, -19.6, -19.4, -19.1, -18.8, -18.4, -18.1,
              -17.7, -17.1, -16.5, -16.2, -15.5]),
    np.array([0.0, 1.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0]),
    np.array([35.0, 25.0, 18.0, 12.0, 9.0, 7.8, 5.8, 5.0, 4.8]),
)  # fmt: skip
_CSP = _Photometry(
    4746e-8 / 1.084,
    np.array([0.05, 0.3, 0.8, 1.4, 1.9, 2.5, 3.4, 4.3, 6.1, 8.6, 10.1, 12.6, 16.3, 20.1, 27.3, 34.7,
              48.5]),
    np.array([-13.5, -16.5, -18.5, -19.4, -19.8, -20.0, -20.1, -20.1, -19.9, -19.6, -19.4, -19.2,
              -19.0, -18.7, -18.3, -17.7, -16.9]),
    np.array([0.0, 2.5, 4.0, 6.0, 10.0, 15.0, 30.0]),
    np.array([35.0, 25.0, 16.0, 12.5, 10.0, 9.0, 8.5]),
)  # fmt: skip


@_kind(
    "luminous fast blue", rate=60.0, evolution=2.0, farthest=0.25, lasts=20.0,
    host=Host(-19.0, 1.3, 1.0),
)  # fmt: skip
def draw_luminous_fast_blue(rng, n):
    """Luminous fast blue ones whose shock broke out of a shell: SN 2018gep and SN 2021csp."""
    return _like(rng, n, [_GEP, _CSP], 0.5, 0.2)


# --- supernovae that begin fast ------------------------------------------------------------

_NICKEL_DAYS, _COBALT_DAYS = 8.8, 111.3


@_kind(
    "shock-cooling IIb", rate=1e4, evolution=2.0, farthest=0.12, lasts=12.0,
    host=Host(-19.8, 1.2, 1.0),
)  # fmt: skip
def draw_shock_cooling(rng, n):
    """Type IIb supernovae with the first peak of an extended envelope that cools.

    The envelope of 0.01 to 0.1 solar masses and 100 to 500 solar radii is heated by the shock
    and cools as it expands (Piro 2015, ApJL 808, L51, eq. 3 to 15); the peak of nickel follows.
    Rate: a tenth of core-collapse supernovae (Shivvers et al. 2017, PASP 129, 054201).
    """
    mass = 10 ** rng.uniform(-2, -1, n)
    radius = 10 ** rng.uniform(2.0, 2.7, n) * SUN_RADIUS
    energy = np.exp(rng.normal(np.log(1.0), 0.3, n))  # 10^51 erg
    core = np.exp(rng.normal(np.log(3.0), 0.3, n))
    shell_energy = 4e49 * energy * (core / 3) ** -0.7 * (mass / 0.01) ** 0.7
    shell_speed = 2e9 * energy**0.5 * (core / 3) ** -0.35 * (mass / 0.01) ** -0.15
    crossing = radius / shell_speed
    peak = 0.9 * DAY * energy**-0.25 * (core / 3) ** 0.17 * (mass / 0.01) ** 0.57
    nickel = _nickel(
        mass=np.exp(rng.normal(np.log(0.08), 0.35, n)), diffusion=rng.normal(11.0, 1.5, n),
        speed=np.full(n, 8e8), coolest=5500.0,
    )  # fmt: skip
    dust = rng.exponential(0.2, n)

    def absolute(row, days, wavelength):
        t = days * DAY
        fall = np.exp(-t * (t + 2 * crossing[row]) / (2 * peak[row] ** 2))
        bright = crossing[row] * shell_energy[row] / peak[row] ** 2 * fall
        size, temperature = photosphere(bright, radius[row] + shell_speed[row] * t, 4000.0)
        first = blackbody_magnitude(size, temperature, wavelength)
        second = nickel(row, days, wavelength)
        both = -2.5 * np.log10(10 ** (-0.4 * first) + 10 ** (-0.4 * second))
        return both + dust[row] * (5500e-8 / wavelength)

    return absolute


@_kind("Ic-BL", rate=1500.0, evolution=2.0, farthest=0.2, lasts=15.0, host=Host(-19.0, 1.2, 0.9))
def draw_icbl(rng, n):
    """Broad-lined Ic supernovae: much nickel in little, fast ejecta (Taddia et al. 2019, A&A
    621, A71), which rise fast for a week."""
    nickel = _nickel(
        mass=np.exp(rng.normal(np.log(0.32), 0.35, n)),
        diffusion=np.clip(rng.normal(8.0, 1.5, n), 4.5, None),
        speed=rng.normal(2.0e9, 0.3e9, n).clip(1.2e9), coolest=5500.0,
    )  # fmt: skip
    dust = rng.exponential(0.2, n)

    def absolute(row, days, wavelength):
        return nickel(row, days, wavelength) + dust[row] * (5500e-8 / wavelength)

    return absolute


def _nickel(mass, diffusion, speed, coolest):
    """Ejecta heated by nickel (solar masses) that leaks out within `diffusion` days."""
    nickel, cobalt = np.exp(-_GRID / _NICKEL_DAYS), np.exp(-_GRID / _COBALT_DAYS)
    # Nadyozhin 1994, ApJS 92, 527, eq. 19; in erg/s of a solar mass.
    heating = (6.45e43 * nickel + 1.45e43 * (cobalt - nickel))[None] * mass[:, None]
    luminosity = np.log(_diffuse(heating, diffusion))

    def absolute(row, days, wavelength):
        bright = np.exp(_along_grid(luminosity, row, np.minimum(days, _GRID[-1])))
        bright = bright * np.exp(-np.clip(days - _GRID[-1], 0, None) / 60)
        radius, temperature = photosphere(bright, speed[row] * days * DAY, coolest)
        return blackbody_magnitude(radius, temperature, wavelength)

    return absolute
