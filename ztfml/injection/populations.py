"""The injected kinds of fast transients: models from their physics or their photometry.

Each kind draws the parameters of its members and returns their absolute magnitude at any
rest-frame day and wavelength. `physics.apparent_magnitude` adds redshift, time dilation and
K-correction. Models and parameters differ on purpose from those of the simulated nights
(`ztfml.simulate`): injected events test a model with light curves it was not trained on.

To add a kind, decorate its draw function with ``@_kind(name, ...)``. Append it at the end of the
module: the position of a kind seeds its random numbers.
"""

from collections.abc import Callable
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

KINDS: dict[str, "Kind"] = {}
"""The kinds by name, in the order of their declaration."""


class Host(NamedTuple):
    """Host galaxies of a kind.

    Attributes
    ----------
    magnitude, scatter : float
        Absolute r magnitude of the host galaxies, mean and standard deviation.
    spread : float
        Typical offset of the events from the centre, in half-light radii.
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
        ``draw(rng, n)`` returns ``absolute(row, days, wavelength)``: the absolute AB magnitude
        of member ``row`` at rest-frame days and wavelengths (cm).
    rate : float
        Events per Gpc^3 and year in the local universe, uncertain by a factor of a few.
    evolution : float
        The rate is proportional to (1 + z) to this power.
    max_redshift : float
        Redshift beyond which none is detected.
    duration : float
        Observed days after the explosion during which a spectrum is useful.
    host : Host
    """

    name: str
    draw: Callable
    rate: float
    evolution: float
    max_redshift: float
    duration: float
    host: Host


def _kind(name, **properties):
    def declare(draw):
        KINDS[name] = Kind(name, draw, **properties)
        return draw

    return declare


# --- kilonovae -----------------------------------------------------------------------------

_GRID = np.geomspace(0.01, 30.0, 160)  # days
_LOG_GRID = np.log(_GRID)
# The viewing angle of AT2017gfo is about 25 degrees (Mooley et al. 2018, Nature 561, 355).
_GFO_COSINE = np.cos(np.radians(25.0))


@_kind(
    "kilonova", rate=320.0, evolution=1.0, max_redshift=0.12, duration=12.0,
    host=Host(-20.6, 1.0, 1.8),
)  # fmt: skip
def draw_kilonova(rng: np.random.Generator, n: int) -> Callable:
    """Draw kilonovae with two components, like AT2017gfo, at random viewing angles.

    The blue component is at the poles and the red one near the equator. Masses and velocities
    scatter around those of AT2017gfo (Villar et al. 2017, ApJL 851, L21, two-component fit).
    Rate: Abbott et al. 2021, ApJL 913, L7; hosts: Fong et al. 2022, ApJ 940, 56.
    """
    scatter = np.exp(rng.normal(0, 1, (4, n)) * np.array([[0.5], [0.15], [0.5], [0.15]]))
    return kilonova(
        blue_mass=0.023 * scatter[0], blue_speed=np.minimum(0.256 * scatter[1], 0.4),
        red_mass=0.050 * scatter[2], red_speed=0.149 * scatter[3], cosine=rng.random(n),
    )  # fmt: skip


def kilonova(
    blue_mass: np.ndarray, blue_speed: np.ndarray, red_mass: np.ndarray, red_speed: np.ndarray,
    cosine: np.ndarray,
) -> Callable:  # fmt: skip
    """Compute absolute magnitudes of kilonovae with two components.

    The radioactive heating is 2 x 10^10 t^-1.3 erg/g/s (Metzger 2019, LRR 23, 1). Electrons
    thermalise as in Kasen & Barnes 2019 (ApJ 876, 128); gamma rays escape after about a day. The
    heat diffuses out (Arnett 1982, ApJ 253, 785), and each component radiates as a black body.
    The weight of each component is the fraction of the projected disk that it covers: the blue
    one fills two cones of 45 degrees, which cover 0.50 of the disk as seen from the pole and 0.18
    as seen from the equator.

    Parameters
    ----------
    blue_mass : ndarray, shape (n,), solar masses
    blue_speed : ndarray, shape (n,), fraction of the speed of light
    red_mass : ndarray, shape (n,), solar masses
    red_speed : ndarray, shape (n,), fraction of the speed of light
    cosine : ndarray, shape (n,)
        Cosine of the angle between the line of sight and the pole.

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
    blue = 0.18 + 0.32 * cosine
    blue_of_gfo = 0.18 + 0.32 * _GFO_COSINE
    parts = [
        (*_ejecta(blue_mass, blue_speed, 0.5, 3983.0), blue / blue_of_gfo),
        (*_ejecta(red_mass, red_speed, 3.65, 1151.0), (1 - blue) / (1 - blue_of_gfo)),
    ]

    def absolute(row, days, wavelength):
        flux = 0.0
        for log_luminosity, speed, coolest, weight in parts:
            luminosity = np.exp(_interpolate(log_luminosity, row, days))
            radius, temperature = photosphere(
                luminosity, speed[row] * SPEED_OF_LIGHT * days * DAY, coolest
            )
            magnitude = blackbody_magnitude(radius, temperature, wavelength)
            flux = flux + weight[row] * 10 ** (-0.4 * magnitude)
        return -2.5 * np.log10(np.maximum(flux, 1e-40))

    return absolute


def _ejecta(mass, speed, opacity, coolest):
    """Logarithm of the luminosity on the grid of days, one row per member; speed, coolest."""
    grams = mass[:, None] * SUN_MASS
    electron_days = 12.9 * (mass[:, None] / 0.01) ** (2 / 3) * (speed[:, None] / 0.2) ** -2
    # In beta decays, electrons carry at least a fifth of the energy, gamma rays almost half and
    # neutrinos the rest. The optical depth for gamma rays decreases as the square of the time.
    gamma_days = (mass[:, None] / 0.023) ** 0.5 * (speed[:, None] / 0.256) ** -1
    fraction = 0.22 / (1 + _GRID / electron_days) + 0.5 * -np.expm1(-((gamma_days / _GRID) ** 2))
    heating = 2e10 * grams * _GRID**-1.3 * fraction
    diffusion = _diffusion_days(mass, speed * SPEED_OF_LIGHT, opacity)
    return np.log(_diffuse(heating, diffusion)), speed, coolest


def _diffusion_days(mass, speed, opacity):
    """Arnett's time scale (2 kappa M / 13.8 v c)^(1/2) in days, from solar masses and cm/s."""
    return np.sqrt(2 * opacity * mass * SUN_MASS / (13.8 * speed * SPEED_OF_LIGHT)) / DAY


def _diffuse(heating, diffusion):
    """Luminosity of an expanding sphere with internal heating (Arnett 1982)."""
    out = np.empty_like(heating)
    out[:, 0] = heating[:, 0] * np.minimum(_GRID[0] ** 2 / diffusion**2, 1)
    for k in range(1, len(_GRID)):
        retained = np.exp(-(_GRID[k] ** 2 - _GRID[k - 1] ** 2) / diffusion**2)
        out[:, k] = out[:, k - 1] * retained + heating[:, k] * (1 - retained)
    return out


def _interpolate(values, row, days):
    """Interpolate the values of each member linearly in the logarithm of the days."""
    position = np.interp(np.log(days), _LOG_GRID, np.arange(len(_GRID)))
    low = np.minimum(position.astype(int), len(_GRID) - 2)
    fraction = position - low
    return (1 - fraction) * values[row, low] + fraction * values[row, low + 1]


# --- afterglows ----------------------------------------------------------------------------


@_kind(
    "afterglow on axis", rate=1.3, evolution=2.1, max_redshift=2.5, duration=8.0,
    host=Host(-20.0, 1.3, 0.8),
)  # fmt: skip
def draw_afterglow(rng: np.random.Generator, n: int) -> Callable:
    """Draw afterglows of gamma-ray bursts with the line of sight along the jet.

    Synchrotron emission, nu^-beta and t^-alpha, steeper after the jet break. Luminosities: Kann
    et al. 2010, ApJ 720, 1513; rate and its evolution: Wanderman & Piran 2010, MNRAS 406, 1944;
    decays and breaks: Zeh, Klose & Kann 2006, ApJ 637, 889.
    """
    return _afterglow(rng, n, np.zeros(n))


@_kind(
    "afterglow off axis", rate=10.0, evolution=2.1, max_redshift=2.0, duration=20.0,
    host=Host(-20.0, 1.3, 0.8),
)  # fmt: skip
def draw_off_axis(rng: np.random.Generator, n: int) -> Callable:
    """Draw afterglows with the line of sight outside the jet; they rise as the jet slows down.

    The Lorentz factor of the jet decreases as t^(-3/8). The jet therefore becomes visible at
    the time of the jet break times ((theta_obs - theta_jet) / theta_jet)^(8/3) (Granot et al.
    2002, ApJL 570, L61); later it is as bright as on axis. Viewing angles reach three jet widths
    and are distributed by solid angle; the rate is that on axis times the solid angle.
    """
    angle = np.sqrt(rng.uniform(1.0, 9.0, n))  # theta_obs / theta_jet
    return _afterglow(rng, n, angle - 1)


def _afterglow(rng, n, outside):
    # Absolute B magnitude half a day after the burst, in the rest frame.
    magnitude = rng.normal(-22.8, 1.6, n)
    slope = rng.uniform(0.6, 1.1, n)
    early = rng.uniform(0.7, 1.3, n)
    late = early + rng.uniform(0.6, 1.3, n)
    jet_break = np.exp(rng.normal(np.log(0.7), 0.6, n))
    peak = np.exp(rng.normal(np.log(300 / DAY), 0.7, n))
    dust = rng.exponential(0.15, n)
    visible_from = jet_break * outside ** (8 / 3)

    def flux_on_axis(row, days):
        x = days / jet_break[row]
        decay = x ** -early[row] / (1 + x ** (3 * (late[row] - early[row]))) ** (1 / 3)
        return decay / (1 + (peak[row] / days) ** 2)

    def absolute(row, days, wavelength):
        norm = flux_on_axis(row, np.full(len(row), 0.5))
        flux = flux_on_axis(row, days) / norm / (1 + (visible_from[row] / days) ** 4)
        spectrum = (wavelength / 4400e-8) ** slope[row]
        # Dust like that of the Small Magellanic Cloud, about 1/lambda.
        extinction = dust[row] * (5500e-8 / wavelength)
        return magnitude[row] - 2.5 * np.log10(np.maximum(flux * spectrum, 1e-40)) + extinction

    return absolute


# --- fast blue optical transients ----------------------------------------------------------

# Rest-frame days, radius (AU) and temperature (kK) of AT2018cow: Perley et al. 2019, MNRAS 484,
# 1031, table 4, since MJD 58285.0. Before their first epoch the flux rose within two days (their
# section 3.1; Prentice et al. 2018, ApJL 865, L3).
_COW_DAYS = np.array([3.4, 4.2, 5.6, 7.2, 8.7, 10.4, 11.5, 13.2, 15.4, 17.9, 20.3, 23.9, 25.8, 31.1,
                      38.5, 49.2])  # fmt: skip
_COW_RADIUS = np.array([52.8, 47.7, 44.3, 39.0, 36.4, 29.2, 27.1, 24.5, 23.5, 19.9, 18.5, 16.0,
                        14.3, 11.4, 6.6, 4.4])  # fmt: skip
_COW_TEMPERATURE = np.array([31.4, 30.6, 25.4, 23.4, 21.2, 21.2, 20.9, 20.9, 18.8, 17.6, 17.1, 16.6,
                             15.3, 15.3, 17.5, 17.0])  # fmt: skip
_COW_RISE = ((0.02, 0.1, 0.25, 0.5, 1.0, 2.0), (9.0, 4.5, 2.3, 1.2, 0.4, 0.0))


@_kind(
    "FBOT like AT2018cow", rate=40.0, evolution=2.0, max_redshift=0.35, duration=25.0,
    host=Host(-18.8, 1.2, 1.0),
)  # fmt: skip
def draw_cow(rng: np.random.Generator, n: int) -> Callable:
    """Draw fast blue optical transients like AT2018cow: a hot sphere that shrinks.

    Radius and temperature are those measured, with a scatter in brightness and duration. Rate: less
    than 0.1 % of core-collapse supernovae (Ho et al. 2023, ApJ 949, 120).
    """
    shift = rng.normal(0.2, 0.5, n)
    stretch = np.exp(rng.normal(0, 0.2, n))
    dust = rng.exponential(0.15, n)

    def absolute(row, days, wavelength):
        t = days / stretch[row]
        radius = np.exp(np.interp(t, _COW_DAYS, np.log(_COW_RADIUS))) * ASTRONOMICAL_UNIT
        # It continues to shrink after the last epoch.
        radius = radius * np.exp(-np.clip(t - _COW_DAYS[-1], 0, None) / 20)
        temperature = np.interp(t, _COW_DAYS, _COW_TEMPERATURE) * 1e3
        rise = np.interp(np.log(t), np.log(_COW_RISE[0]), _COW_RISE[1])
        extinction = dust[row] * (5500e-8 / wavelength)
        return blackbody_magnitude(radius, temperature, wavelength) + shift[row] + rise + extinction

    return absolute


class _Photometry(NamedTuple):
    """Absolute magnitude at one rest-frame wavelength (cm), and colour temperature (kK)."""

    wavelength: float
    days: np.ndarray
    magnitude: np.ndarray
    temperature_days: np.ndarray
    temperature: np.ndarray

    def absolute(self, days, wavelength):
        magnitude = np.interp(np.log(days), np.log(self.days), self.magnitude)
        # It continues to fade at the rate of the last two points.
        rate = (self.magnitude[-1] - self.magnitude[-2]) / (self.days[-1] - self.days[-2])
        magnitude = magnitude + rate * np.clip(days - self.days[-1], 0, None)
        temperature = 1e3 * np.interp(days, self.temperature_days, self.temperature)
        colour = blackbody_magnitude(1e15, temperature, wavelength) - blackbody_magnitude(
            1e15, temperature, self.wavelength
        )
        return magnitude + colour


# g band of AT2020xnd at z = 0.2433, corrected for Galactic dust (Perley et al. 2021, MNRAS 508,
# 5138, table 1). The similar ZTF18abvkwla (Koala) reached -20.6 in g; it rose from half of its
# peak flux in 1.8 d and faded to half in 3.1 d (Ho et al. 2020, ApJ 895, 49).
_KOALA = _Photometry(
    4746e-8 / 1.2433,
    np.array([0.05, 0.3, 0.7, 1.4, 3.0, 4.6, 5.3, 6.1, 7.7, 8.5, 10.1, 11.7, 18.9, 27.7]),
    np.array([-13.0, -17.5, -19.6, -20.7, -20.95, -20.4, -20.3, -19.9, -19.4, -19.0, -18.5, -18.1,
              -16.8, -15.6]),
    np.array([0.0, 3.0, 6.0, 10.0, 20.0]), np.array([30.0, 25.0, 20.0, 17.0, 14.0]),
)  # fmt: skip


@_kind(
    "FBOT like ZTF18abvkwla", rate=5.0, evolution=2.0, max_redshift=0.5, duration=20.0,
    host=Host(-18.4, 0.9, 0.8),
)  # fmt: skip
def draw_koala(rng: np.random.Generator, n: int) -> Callable:
    """Draw luminous fast blue optical transients that fade within a week, like ZTF18abvkwla."""
    return _follow(rng, n, [_KOALA], 0.4, 0.15)


def _follow(rng, n, models, scatter, stretch_scatter):
    """Members that follow one of the models, with a scatter in brightness and duration."""
    which = rng.integers(0, len(models), n)
    shift, stretch = rng.normal(0, scatter, n), np.exp(rng.normal(0, stretch_scatter, n))
    dust = rng.exponential(0.1, n)

    def absolute(row, days, wavelength):
        by_model = [model.absolute(days / stretch[row], wavelength) for model in models]
        extinction = dust[row] * (5500e-8 / wavelength)
        return np.choose(which[row], by_model) + shift[row] + extinction

    return absolute


# g bands of SN 2018gep at z = 0.0315 (Ho et al. 2019, ApJ 887, 169) and of SN 2021csp at 0.084
# (Perley et al. 2022, ApJ 927, 180), in rest-frame days since the explosion; temperatures from
# their g - r.
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
    "luminous fast blue", rate=60.0, evolution=2.0, max_redshift=0.25, duration=20.0,
    host=Host(-19.0, 1.3, 1.0),
)  # fmt: skip
def draw_luminous_fast_blue(rng: np.random.Generator, n: int) -> Callable:
    """Draw luminous fast blue transients with shock breakout, like SN 2018gep and SN 2021csp."""
    return _follow(rng, n, [_GEP, _CSP], 0.5, 0.2)


# --- supernovae with a fast rise ------------------------------------------------------------

_NICKEL_DAYS, _COBALT_DAYS = 8.8, 111.3


@_kind(
    "shock-cooling IIb", rate=1e4, evolution=2.0, max_redshift=0.12, duration=12.0,
    host=Host(-19.8, 1.2, 1.0),
)  # fmt: skip
def draw_shock_cooling(rng: np.random.Generator, n: int) -> Callable:
    """Draw type IIb supernovae with a first peak from the cooling of an extended envelope.

    The shock heats an envelope of 0.01 to 0.1 solar masses and 100 to 500 solar radii, which
    cools as it expands (Piro 2015, ApJL 808, L51, eq. 3 to 15). A second peak, powered by
    nickel, follows. Rate: a tenth of core-collapse supernovae (Shivvers et al. 2017, PASP 129,
    054201).
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
        decay = np.exp(-t * (t + 2 * crossing[row]) / (2 * peak[row] ** 2))
        luminosity = crossing[row] * shell_energy[row] / peak[row] ** 2 * decay
        expanding = radius[row] + shell_speed[row] * t
        photosphere_radius, temperature = photosphere(luminosity, expanding, 4000.0)
        first = blackbody_magnitude(photosphere_radius, temperature, wavelength)
        second = nickel(row, days, wavelength)
        both = -2.5 * np.log10(10 ** (-0.4 * first) + 10 ** (-0.4 * second))
        return both + dust[row] * (5500e-8 / wavelength)

    return absolute


@_kind(
    "Ic-BL", rate=1500.0, evolution=2.0, max_redshift=0.2, duration=15.0,
    host=Host(-19.0, 1.2, 0.9),
)  # fmt: skip
def draw_icbl(rng: np.random.Generator, n: int) -> Callable:
    """Draw broad-lined Ic supernovae, which rise fast for a week.

    They have much nickel in fast ejecta of low mass (Taddia et al. 2019, A&A 621, A71).
    """
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
    """Ejecta heated by nickel (solar masses), with a diffusion time in days."""
    nickel, cobalt = np.exp(-_GRID / _NICKEL_DAYS), np.exp(-_GRID / _COBALT_DAYS)
    # Nadyozhin 1994, ApJS 92, 527, eq. 19; in erg/s per solar mass.
    heating = (6.45e43 * nickel + 1.45e43 * (cobalt - nickel))[None] * mass[:, None]
    log_luminosity = np.log(_diffuse(heating, diffusion))

    def absolute(row, days, wavelength):
        luminosity = np.exp(_interpolate(log_luminosity, row, np.minimum(days, _GRID[-1])))
        luminosity = luminosity * np.exp(-np.clip(days - _GRID[-1], 0, None) / 60)
        radius, temperature = photosphere(luminosity, speed[row] * days * DAY, coolest)
        return blackbody_magnitude(radius, temperature, wavelength)

    return absolute
