"""Extragalactic events that come once, in and beside their host galaxies.

Light-curve tables are rest-frame days from the r peak against magnitudes below it, read off
published templates to the tenth of a magnitude that a survey of this depth can tell.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ztfml.astrophysics import (
    ASTRONOMICAL_UNIT,
    BAND_WAVELENGTH,
    DAY,
    SPEED_OF_LIGHT,
    STEFAN_BOLTZMANN,
    SUN_MASS,
    blackbody_magnitude,
    distance_modulus,
    kpc_per_arcsec,
    redshift_of,
)
from ztfml.compiled import cached
from ztfml.simulate.population import (
    GALAXY,
    NONE,
    Counterpart,
    Kind,
    Sources,
    flux_of,
    subtraction_noise,
)
from ztfml.simulate.sky import place

_YOUNG = 0.3  # share of events begun within six days
_FAR_BELOW = 12.0  # mag; darker than this is not there


@dataclass(frozen=True)
class Template:
    """Light curves in g, r, i of one type, and how its members differ.

    Attributes
    ----------
    days : sequence of float
        Rest-frame days from the r peak.
    below : tuple of three sequences
        g, r, i magnitudes below the r peak at those days.
    peak : tuple of float
        Mean and scatter of the absolute r magnitude at peak.
    stretch : float
        Scatter (ln) of the time scale.
    host : float
        Mean absolute r magnitude of the host galaxy.
    """

    days: tuple
    below: tuple
    peak: tuple
    stretch: float
    host: float

    def magnitude(self, t, fid):
        """Magnitudes below the r peak at rest-frame days `t` in band `fid`."""
        bands = [np.interp(t, self.days, band, left=_FAR_BELOW) for band in self.below]
        # After the table the light fades on as radioactive cobalt does: 0.01 mag/d.
        late = 0.0098 * np.clip(t - self.days[-1], 0, None)
        return np.choose(fid - 1, bands) + late


# Nugent et al. 2002 (normal branch) and the B-to-g, R-to-r, I-to-i shift of Jha et al. 2007;
# absolute magnitudes of this table and the next from Richardson et al. 2014.
IA = Template(
    (-18.5, -18, -16, -14, -12, -10, -7, -4, 0, 3, 7, 10, 15, 20, 25, 30, 40, 60, 100),
    (
        (12, 6, 3.4, 2.2, 1.45, 0.92, 0.38, 0.1, 0.02, 0.1, 0.35, 0.6, 1.1, 1.72, 2.2, 2.5, 2.85,
         3.25, 4.1),
        (12, 6, 3.3, 2.15, 1.4, 0.9, 0.4, 0.14, 0, 0.06, 0.28, 0.5, 0.72, 0.78, 0.92, 1.25, 1.8,
         2.45, 3.8),
        (12, 6, 3.4, 2.2, 1.5, 1.0, 0.55, 0.35, 0.35, 0.48, 0.8, 0.98, 0.95, 0.75, 0.7, 0.95, 1.7,
         2.5, 4.0),
    ),
    (-19.2, 0.25), 0.1, -20.8,
)  # fmt: skip
# Anderson et al. 2014; rise of a week (Rubin et al. 2016).
II = Template(
    (-10.5, -10, -7, -4, -2, 0, 10, 20, 40, 60, 80, 95, 105, 115, 150),
    (
        (12, 4, 1.1, 0.25, 0.02, -0.05, 0.2, 0.6, 1.15, 1.5, 1.75, 2.1, 3.3, 4.0, 4.4),
        (12, 4, 1.3, 0.4, 0.1, 0, 0.03, 0.1, 0.2, 0.3, 0.42, 0.75, 1.7, 2.3, 2.7),
        (12, 4, 1.4, 0.55, 0.25, 0.15, 0.12, 0.12, 0.15, 0.2, 0.3, 0.6, 1.5, 2.0, 2.4),
    ),
    (-16.9, 0.8), 0.15, -19.8,
)  # fmt: skip
# Taddia et al. 2018, Drout et al. 2011.
IBC = Template(
    (-20.5, -20, -15, -10, -5, 0, 5, 10, 15, 20, 30, 40, 60, 100),
    (
        (12, 5, 2.3, 0.9, 0.35, 0.45, 0.85, 1.35, 1.8, 2.1, 2.5, 2.75, 3.2, 4.0),
        (12, 5, 2.5, 1.1, 0.3, 0, 0.15, 0.42, 0.75, 1.05, 1.5, 1.75, 2.2, 3.0),
        (12, 5, 2.6, 1.3, 0.4, 0.02, 0.05, 0.25, 0.5, 0.75, 1.15, 1.45, 1.9, 2.7),
    ),
    (-17.7, 0.8), 0.2, -19.9,
)  # fmt: skip
# As Ibc, brighter and faster: Taddia et al. 2019.
ICBL = Template(tuple(0.8 * day for day in IBC.days), IBC.below, (-18.7, 0.6), 0.2, -18.6)
# Nyholm et al. 2020: slow rise, slow fall, blue.
IIN = Template(
    (-32, -30, -20, -12, -5, 0, 20, 40, 70, 100, 200),
    (
        (12, 4, 1.1, 0.4, 0.05, -0.05, 0.3, 0.7, 1.3, 1.9, 3.6),
        (12, 4, 1.3, 0.55, 0.12, 0, 0.18, 0.42, 0.85, 1.3, 2.7),
        (12, 4, 1.4, 0.7, 0.25, 0.1, 0.22, 0.4, 0.75, 1.15, 2.4),
    ),
    (-18.9, 0.9), 0.3, -19.3,
)  # fmt: skip
# De Cia et al. 2018, Lunnan et al. 2018.
SLSN = Template(
    (-52, -50, -35, -20, -10, 0, 10, 20, 35, 50, 80, 120),
    (
        (12, 4.5, 1.9, 0.6, 0.1, -0.1, 0.1, 0.45, 1.1, 1.9, 3.1, 4.3),
        (12, 4.5, 2.0, 0.75, 0.2, 0, 0.1, 0.3, 0.75, 1.3, 2.3, 3.4),
        (12, 4.5, 2.2, 0.95, 0.4, 0.15, 0.2, 0.35, 0.7, 1.15, 2.0, 3.0),
    ),
    (-21.3, 0.7), 0.25, -17.8,
)  # fmt: skip
# Hammerstein et al. 2023: hot (20,000 K, hence g - r = -0.2) all the way, t^(-5/3) late.
TDE = Template(
    (-42, -40, -25, -15, -7, 0, 10, 25, 50, 80, 150, 250),
    (
        (12, 4, 1.4, 0.4, -0.05, -0.2, -0.1, 0.2, 0.75, 1.25, 2.05, 2.8),
        (12, 4, 1.6, 0.6, 0.15, 0, 0.1, 0.38, 0.95, 1.45, 2.25, 3.0),
        (12, 4, 1.75, 0.75, 0.3, 0.15, 0.25, 0.53, 1.1, 1.6, 2.4, 3.15),
    ),
    (-19.3, 0.8), 0.35, -21.0,
)  # fmt: skip
# Strope et al. 2010 (class S): fast rise, t2 of three weeks before stretching.
NOVA = Template(
    (-2.2, -2, -1, -0.3, 0, 3, 10, 20, 35, 60, 100),
    (
        (12, 6, 2.0, 0.4, 0.15, 0.5, 1.35, 2.3, 3.2, 4.1, 5.1),
        (12, 6, 1.9, 0.3, 0.0, 0.3, 1.0, 1.75, 2.5, 3.3, 4.2),
        (12, 6, 1.9, 0.35, 0.0, 0.3, 1.0, 1.8, 2.6, 3.4, 4.4),
    ),
    (-7.8, 0.8), 0.6, np.nan,
)  # fmt: skip


def _events(rng, n, peak, faintest, slope=0.26):
    """Apparent peaks of a magnitude-limited sample and the redshifts they come from.

    Numbers grow by 10^(0.6 m) in Euclidean space, less once redshift bites. The slope taken is
    flatter still: the bright, which are the ones that get spectra, have a share to be learnt.
    """
    m = np.clip(faintest + np.log10(rng.random(n)) / slope, 12.0, None)
    absolute = rng.normal(*peak, n)
    return m, np.maximum(redshift_of(m - absolute), 3e-4)


def _host(rng, n, z, absolute, nuclear=False):
    """The host galaxy as PS1 sees it, and the event's distance from its centre.

    Sizes follow luminosity (Shen et al. 2003); events follow the light (Kelly & Kirshner 2012).
    """
    total = absolute + rng.normal(0, 1.1, n)
    apparent = total + distance_modulus(z)
    size = 4.0 * 10 ** (-0.1 * (total + 20.5))  # kpc
    # PSF magnitudes miss most of a large galaxy's light: hosts of SNe Ia have 18 to 21.5 in PS1.
    seen = size / kpc_per_arcsec(z)
    r = apparent + 0.25 + 2.2 * np.log10(1 + seen) + rng.normal(0, 0.2, n)
    g_r = rng.normal(0.42, 0.2, n) + 0.9 * np.clip(z - 0.05, 0, 0.35)
    r_i = rng.normal(0.3, 0.1, n)
    mag = np.column_stack([r + g_r, r, r - r_i, r - r_i - rng.normal(0.2, 0.1, n)])
    kpc = np.zeros(n) if nuclear else size * rng.gamma(1.6, 0.75, n)
    distance = np.hypot(kpc / kpc_per_arcsec(z), np.abs(rng.normal(0, 0.12, n)))
    kind = np.where((r < 22.4) & (distance < 29), GALAXY, NONE)
    local = flux_of(r) * np.exp(-distance / np.clip(seen, 0.7, None))
    glare = np.where((kind == GALAXY)[:, None], local[:, None] * np.array([0.6, 1, 1.3]), 0.0)
    return Counterpart(kind, mag, distance), glare


def _dust(rng, n):
    """Extinction in g, r, i of a host's dust (Hatano et al. 1998; R_V = 3.1)."""
    return rng.exponential(0.07, n)[:, None] * np.array([3.3, 2.3, 1.7])


def _supernova(template, faintest=20.7, nuclear=False):
    """Draw events of one template, begun at any time that can still be seen."""

    def draw(rng, n, stage):
        ra, dec = place(rng, n, stage.fields, clear_of=9)
        peak, z = _events(rng, n, template.peak, faintest)
        pace = np.exp(rng.normal(0, template.stretch, n)) * (1 + z)
        # An event stays above the limit until it has faded by what its peak has to spare.
        spare = np.interp(
            faintest + 0.3 - peak,
            np.maximum.accumulate(np.where(np.array(template.days) > 0, template.below[1], 0)),
            template.days,
        )
        begin = stage.first_jd - np.maximum(spare, 5) * pace
        maximum = begin + rng.random(n) * (stage.last_jd - begin - template.days[0] * pace)
        # The first nights of an event are few among all its nights, and matter most: they have
        # a share of their own.
        explosion = stage.first_jd - 6 + rng.random(n) * (stage.last_jd - stage.first_jd + 6)
        young = rng.random(n) < _YOUNG
        maximum = np.where(young, explosion - template.days[0] * pace, maximum)
        dust = _dust(rng, n)
        counterpart, glare = _host(rng, n, z, template.host, nuclear)

        def flux(row, jd, fid):
            t = (jd - maximum[row]) / pace[row]
            return flux_of(peak[row] + template.magnitude(t, fid) + dust[row, fid - 1])

        return Sources(ra, dec, flux, counterpart, glare, subtraction_noise(rng, n))

    return draw


def cooling(t, peak_time):
    """Luminosity, over its peak, of an envelope that cools after the shock.

    Piro, Haynie & Yao 2021, ApJ 909, 209, eq. 13 and 14 with n = 10: t^(-1/2) while the
    outer layers shine, then a Gaussian fall; before it the rise of the expanding surface.

    >>> float(cooling(np.array([1.0]), 1.0)[0])
    1.0
    """
    x = np.clip(t, 1e-3, None) / peak_time
    falling = np.where(x < 1, 1.0, np.exp(-0.5 * (x**2 - 1) * 0.35))
    return np.where(t <= 0, 0.0, np.minimum(1.0, (x / 0.6) ** 1.5) * falling)


def _draw_iib(rng, n, stage):
    """IIb: an hour-long to week-long peak of shock cooling before that of nickel."""
    ra, dec = place(rng, n, stage.fields, clear_of=9)
    peak, z = _events(rng, n, (-17.4, 0.6), 20.9)
    pace = np.exp(rng.normal(0, 0.15, n)) * (1 + z)
    explosion = (
        stage.first_jd - 60 * pace + rng.random(n) * (stage.last_jd - stage.first_jd + 60 * pace)
    )
    maximum = explosion + 21 * pace
    lift = rng.normal(0.1, 0.7, n)  # first peak below the second, mag in r
    width = np.exp(rng.normal(np.log(1.6), 0.4, n)) * (1 + z)
    dust = _dust(rng, n)
    counterpart, glare = _host(rng, n, z, IBC.host)
    # Hot at first (g - r = -0.3) and reddening as it cools (Arcavi et al. 2011).
    colour = np.array([-0.3, 0.0, 0.2])

    def flux(row, jd, fid):
        age = jd - explosion[row]
        nickel = flux_of(peak[row] + IBC.magnitude((jd - maximum[row]) / pace[row], fid))
        redder = np.array([0.11, 0.0, -0.05])[fid - 1] * np.clip(age, 0, 6)
        early = flux_of(peak[row] + lift[row] + colour[fid - 1] + redder)
        total = nickel + early * cooling(age, width[row])
        return total * 10 ** (-0.4 * dust[row, fid - 1])

    return Sources(ra, dec, flux, counterpart, glare, subtraction_noise(rng, n))


def fbot_mag(t, wavelength):
    """Absolute magnitude of AT2018cow `t` rest-frame days after explosion.

    Radius and temperature as fitted by Perley et al. 2019 (MNRAS 484, 1031, table 4): a hot
    sphere that shrinks from the first day on; the rise is theirs, 5 mag in 3.5 d at most.

    >>> bool(-21.5 < fbot_mag(3.5, 4770e-8) < -20)
    True
    """
    t = np.asarray(t, float)
    late = np.clip(t, 0.05, None)
    radius = 56 * ASTRONOMICAL_UNIT * np.exp(-np.clip(late - 3.0, 0, None) / 20.0)
    temperature = 32e3 * np.clip(late / 3.0, 1, None) ** -0.42
    rise = 2.5 * np.log10(1 - np.exp(-((late / 1.6) ** 3)) + 1e-9)
    return np.where(t <= 0, 99.0, blackbody_magnitude(radius, temperature, wavelength) - rise)


def _draw_fbot(rng, n, stage):
    """Fast blue optical transients: AT2018cow, fainter and brighter, slower and faster."""
    ra, dec = place(rng, n, stage.fields, clear_of=9)
    shift = rng.normal(0.7, 0.6, n)
    peak, z = _events(rng, n, (-20.0, 0.6), 20.9)
    pace = np.exp(rng.normal(0.0, 0.35, n)) * (1 + z)
    span = 15 * pace
    explosion = stage.first_jd - span + rng.random(n) * (stage.last_jd - stage.first_jd + span)
    modulus = peak + 20.6 - shift
    counterpart, glare = _host(rng, n, z, -18.3)
    dust = 0.6 * _dust(rng, n)

    def flux(row, jd, fid):
        rest = BAND_WAVELENGTH[fid - 1] / (1 + z[row])
        mag = fbot_mag((jd - explosion[row]) / pace[row], rest) + modulus[row] + shift[row]
        return flux_of(mag + dust[row, fid - 1])

    return Sources(ra, dec, flux, counterpart, glare, subtraction_noise(rng, n))


def _draw_shocked(rng, n, stage):
    """Supernovae shining by shocks in gas around the star: SNe Ibn and their rapid kin.

    A luminosity that grows as t^2 and then falls exponentially, from a photosphere that cools
    as a power of time to 6,000 K: as wide in rise, fall and colour as the rapidly evolving
    supernovae of Ho et al. 2023, ApJ 949, 120 and SNe Ibn (Hosseinzadeh et al. 2017, ApJ 836,
    158) that are above half of their peak for 2 to 14 days.
    """
    ra, dec = place(rng, n, stage.fields, clear_of=9)
    peak, z = _events(rng, n, (-18.9, 0.8), 20.9)
    rise = np.exp(rng.uniform(np.log(0.8), np.log(6.0), n))
    fall = np.exp(rng.uniform(np.log(2.5), np.log(8.0), n))
    hot = np.exp(rng.uniform(np.log(11e3), np.log(35e3), n))
    power = rng.uniform(0.2, 0.9, n)
    span = 25 * (1 + z)
    explosion = stage.first_jd - span + rng.random(n) * (stage.last_jd - stage.first_jd + span)
    counterpart, glare = _host(rng, n, z, -18.8)
    dust = _dust(rng, n)

    def brightness(row, t, wavelength):
        """Magnitude up to a constant of each member."""
        light = np.minimum((t / rise[row]) ** 2, np.exp(-(t - rise[row]) / fall[row]))
        cooled = (np.clip(t, 0.1, None) / rise[row]) ** -power[row]
        temperature = np.clip(hot[row] * cooled, 6e3, 60e3)
        radius = 1e15 * np.sqrt(light) * (temperature / 1e4) ** -2
        return blackbody_magnitude(radius, temperature, wavelength)

    every = np.arange(n)
    offset = peak - brightness(every, rise, BAND_WAVELENGTH[1] / (1 + z))

    def flux(row, jd, fid):
        t = (jd - explosion[row]) / (1 + z[row])
        mag = brightness(row, np.clip(t, 1e-3, None), BAND_WAVELENGTH[fid - 1] / (1 + z[row]))
        return np.where(t > 0, flux_of(mag + offset[row] + dust[row, fid - 1]), 0.0)

    return Sources(ra, dec, flux, counterpart, glare, subtraction_noise(rng, n))


# Ejecta of AT2017gfo: mass (solar), velocity (c), opacity (cm^2/g), temperature floor (K),
# Villar et al. 2017, ApJL 851, L21, table 2 (three components).
_EJECTA = ((0.020, 0.266, 0.5, 674.0), (0.047, 0.152, 3.0, 1308.0), (0.011, 0.137, 10.0, 3745.0))
_KN_DAYS = np.geomspace(0.03, 25.0, 90)


def kilonova_mag(mass_scale=1.0, velocity_scale=1.0, wavelength=tuple(BAND_WAVELENGTH)):
    """Absolute magnitudes of a kilonova at `_KN_DAYS` days, one row a band.

    r-process heating (Korobkin et al. 2012) of three components, thermalised as Barnes et
    al. 2016, diffusing as Arnett 1982, shining as black bodies with temperature floors:
    Villar et al. 2017, ApJL 851, L21, eq. 1 to 7.

    Parameters
    ----------
    mass_scale, velocity_scale : float
        Of the ejecta of AT2017gfo.
    wavelength : tuple of float, cm

    Returns
    -------
    ndarray, shape (n_bands, n_days)

    Examples
    --------
    >>> kilonova_mag().shape
    (3, 90)
    """
    fine = np.geomspace(1e-3, 25.0, 1500)
    total = np.zeros((len(wavelength), len(_KN_DAYS)))
    for mass, velocity, opacity, floor in _EJECTA:
        grams, speed = mass * mass_scale * SUN_MASS, velocity * velocity_scale * SPEED_OF_LIGHT
        heating = 4e18 * grams * (0.5 - np.arctan((fine * DAY - 1.3) / 0.11) / np.pi) ** 1.3
        heating *= _thermalised(fine, mass * mass_scale, velocity * velocity_scale)
        diffusion = np.sqrt(2 * opacity * grams / (13.4 * speed * SPEED_OF_LIGHT)) / DAY
        luminosity = np.interp(_KN_DAYS, fine, _diffuse(fine, heating, diffusion))
        radius = speed * _KN_DAYS * DAY
        temperature = (luminosity / (4 * np.pi * STEFAN_BOLTZMANN * radius**2)) ** 0.25
        frozen = temperature < floor
        radius = np.where(
            frozen, np.sqrt(luminosity / (4 * np.pi * STEFAN_BOLTZMANN)) / floor**2, radius
        )
        temperature = np.maximum(temperature, floor)
        for band, length in enumerate(wavelength):
            total[band] += 10 ** (-0.4 * blackbody_magnitude(radius, temperature, length))
    return -2.5 * np.log10(total)


@cached
def _diffuse(days, heating, diffusion):
    """Luminosity of an expanding, heated sphere (Arnett 1982) of a diffusion time in days."""
    out = np.zeros(len(days))
    for k in range(1, len(days)):
        leaving = np.exp(-(days[k] ** 2 - days[k - 1] ** 2) / diffusion**2)
        out[k] = out[k - 1] * leaving + heating[k] * (1 - leaving)
    return out


def _thermalised(days, mass, velocity):
    # Barnes et al. 2016, eq. 34; table 1 (tangled fields) in velocity at 0.01 solar masses, and
    # the power of the mass that leads to its values at 0.05.
    relative = mass / 0.01
    a = np.interp(velocity, [0.1, 0.2, 0.3], [2.01, 4.52, 8.16]) * relative**-0.56
    b = np.interp(velocity, [0.1, 0.2, 0.3], [0.28, 0.62, 1.19]) * relative**-0.5
    d = np.interp(velocity, [0.1, 0.2, 0.3], [1.12, 1.39, 1.52]) * relative**-0.08
    term = 2 * b * days**d
    return 0.36 * (np.exp(-a * days) + np.log1p(term) / term)


@lru_cache(maxsize=1)
def _kilonova_grid():
    """Kilonovae of twelve ejecta, redshift 0.03, the middle of what the survey reaches."""
    rest = tuple(BAND_WAVELENGTH / 1.03)
    scales = [(mass, speed) for mass in (0.35, 0.7, 1.2, 2.0) for speed in (0.75, 1.0, 1.25)]
    return np.array([kilonova_mag(mass, speed, rest) for mass, speed in scales])


def _draw_kilonova(rng, n, stage):
    """Kilonovae beside early-type galaxies, far from the centre (Fong et al. 2022)."""
    ra, dec = place(rng, n, stage.fields, clear_of=9)
    grid = _kilonova_grid()
    member = rng.integers(0, len(grid), n)
    peak, _ = _events(rng, n, (-15.8, 0.3), 20.6)
    # Reach: what the brightest band shows at its brightest.
    modulus = peak - grid[:, :2].min(axis=(1, 2))[member]
    merger = stage.first_jd - 5 + rng.random(n) * (stage.last_jd - stage.first_jd + 4.5)
    counterpart, glare = _host(rng, n, np.clip(redshift_of(modulus), 3e-4, None), -20.8)
    counterpart.distance = counterpart.distance * 1.8
    counterpart.kind = np.where(counterpart.distance < 29, counterpart.kind, NONE)
    log_days = np.log(_KN_DAYS)

    def flux(row, jd, fid):
        age = np.log(np.clip(jd - merger[row], 1e-3, None))
        place_in = np.interp(age, log_days, np.arange(len(log_days)))
        low = np.minimum(place_in.astype(int), len(log_days) - 2)
        part = place_in - low
        tracks = grid[member[row], fid - 1]
        at = np.arange(len(row))
        mag = (1 - part) * tracks[at, low] + part * tracks[at, low + 1]
        return np.where(jd > merger[row], flux_of(mag + modulus[row]), 0.0)

    return Sources(ra, dec, flux, counterpart, glare * 0.2, subtraction_noise(rng, n))


def _draw_afterglow(rng, n, stage):
    """Afterglows: broken power laws, R at one day 20 +- 1.5 (Kann et al. 2010)."""
    ra, dec = place(rng, n, stage.fields, clear_of=9)
    at_one_day = np.clip(rng.normal(19.6, 1.3, n), 15.5, 22.5)
    before = rng.uniform(0.7, 1.3, n)
    jet_break = np.exp(rng.normal(np.log(1.2), 0.7, n))
    after = before + rng.uniform(0.8, 1.3, n)
    # Synchrotron slope nu^-0.9 and a little dust: g - r near 0.3.
    colour = rng.normal(0.3, 0.08, n)[:, None] * np.array([1.0, 0.0, -0.75])
    burst = stage.first_jd - 3 + rng.random(n) * (stage.last_jd - stage.first_jd + 2.9)
    z = np.exp(rng.normal(np.log(1.2), 0.4, n))
    counterpart, glare = _host(rng, n, z, -20.0)

    def decay(t, row):
        # Smoothly broken power law, Beuermann et al. 1999, n = 2.
        x = t / jet_break[row]
        return (x ** (2 * before[row]) + x ** (2 * after[row])) ** -0.5

    def flux(row, jd, fid):
        t = np.clip(jd - burst[row], 1e-3, None)
        scale = decay(t, row) / decay(np.ones(len(row)), row)
        bright = flux_of(at_one_day[row] + colour[row, fid - 1]) * scale
        return np.where(jd > burst[row], bright, 0.0)

    return Sources(ra, dec, flux, counterpart, glare, subtraction_noise(rng, n))


def _draw_nova(rng, n, stage):
    """Novae: half of them in M31, the others in the Galaxy behind dust."""
    ra, dec = place(rng, n, stage.fields, thin=(2.5, 0.001))
    far = rng.random(n) < 0.5
    ra = np.where(far, 10.685 + rng.normal(0, 0.35, n), ra)
    dec = np.where(far, 41.269 + rng.normal(0, 0.3, n), dec)
    peak = np.where(far, 24.4 + rng.normal(*NOVA.peak, n) + 0.5, rng.uniform(12.5, 19.0, n))
    pace = np.exp(rng.normal(0, NOVA.stretch, n))
    maximum = (
        stage.first_jd - 40 * pace + rng.random(n) * (stage.last_jd - stage.first_jd + 42 * pace)
    )
    dust = np.where(far, 0.06, rng.exponential(0.5, n))[:, None] * np.array([1.0, 0.0, -0.6])
    counterpart = Counterpart.none(n)

    def flux(row, jd, fid):
        t = (jd - maximum[row]) / pace[row]
        return flux_of(peak[row] + NOVA.magnitude(t, fid) + dust[row, fid - 1])

    # M31's unresolved light lies under its novae.
    glare = np.where(far, flux_of(19.0), 0.0)[:, None] * np.array([0.6, 1.0, 1.3])
    return Sources(ra, dec, flux, counterpart, glare, subtraction_noise(rng, n))


# Shares of the Bright Transient Survey (Perley et al. 2020), the fast kinds a handful among
# the transients of a whole night.
KINDS = (
    Kind("SN Ia", "transient", 0.582, _supernova(IA)),
    Kind("SN II", "transient", 0.19, _supernova(II)),
    Kind("SN Ib/c", "transient", 0.06, _supernova(IBC)),
    Kind("SN IIb", "transient", 0.03, _draw_iib),
    Kind("SN Ic-BL", "transient", 0.015, _supernova(ICBL)),
    Kind("SN IIn", "transient", 0.045, _supernova(IIN)),
    Kind("SLSN", "transient", 0.025, _supernova(SLSN)),
    Kind("TDE", "transient", 0.03, _supernova(TDE, nuclear=True)),
    Kind("nova", "transient", 0.008, _draw_nova),
    Kind("SN Ibn", "transient", 0.005, _draw_shocked),
    Kind("FBOT", "transient", 0.005, _draw_fbot),
    Kind("kilonova", "transient", 0.0025, _draw_kilonova),
    Kind("afterglow", "transient", 0.0025, _draw_afterglow),
)
