"""Asteroids: one alert at each position."""

import numpy as np

from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_asteroid_positions
from ztfml.simulate.source import Counterpart, Sources, flux_of
from ztfml.simulate.survey import field_of

_COLOURS = np.array([0.55, 0.0, -0.15])  # g, r, i relative to r: reddened sunlight


def asteroid_mags(
    rng: np.random.Generator, n: int, faintest: float = 21.0, slope: float = 0.27
) -> np.ndarray:
    """Draw apparent r magnitudes; numbers grow as 10^(slope m) (Ivezić et al. 2001).

    >>> asteroid_mags(np.random.default_rng(1), 3).shape
    (3,)
    """
    return np.clip(faintest + np.log10(rng.random(n)) / slope, 14.0, None)


def _draw_asteroid(rng, n, observed):
    """Two positions of each asteroid, in two exposures of its field.

    A main-belt asteroid moves by 0.5 arcsec per minute, so its next detection is a new object.
    The two share the asteroid's name and magnitude, but not the position.
    """
    survey = observed.survey
    n_bodies = (n + 1) // 2
    ra, dec = draw_asteroid_positions(rng, n_bodies, observed.fields, observed.first_jd + 0.3)
    field = field_of(ra, dec)
    body = np.repeat(np.arange(n_bodies), 2)[:n]
    exposure = observed.pick_exposures(rng, field, n_each=2).T.ravel()[:n]
    passage_jd = np.where(exposure >= 0, survey.jd[exposure], 0.0)
    rate = np.exp(rng.normal(np.log(11.0), 0.25, n_bodies))[body]  # arcmin/d
    angle = rng.normal(0, 0.35, n_bodies)[body] + 0.4
    days = survey.jd[exposure] - observed.first_jd
    dec_now = dec[body] + rate * days / 60 * np.sin(angle)
    ra_now = ra[body] - rate * days / 60 * np.cos(angle) / np.cos(np.radians(dec[body]))
    r = asteroid_mags(rng, n_bodies)[body] + rng.normal(0, 0.04, n)
    bands = flux_of(r[:, None] + _COLOURS + rng.normal(0, 0.05, (n, 3)))

    def flux(row, jd, fid):
        at_passage = np.abs(jd - passage_jd[row]) < 1e-6
        return np.where(at_passage, bands[row, fid - 1], 0.0)

    return Sources(
        ra_now % 360,
        np.clip(dec_now, -29.9, 89.9),
        flux,
        Counterpart.none(n),
        np.zeros((n, 3)),
        np.zeros(n),
        alert_fields=_ephemeris(rng, body, r),
    )


def _ephemeris(rng, body, r):
    """Fields of the nearest known asteroid; empty if the asteroid is not known yet.

    Nearly all bright asteroids are known; at 20 mag one in eight is not.
    """
    n_bodies = body[-1] + 1 if len(body) else 0
    n = len(body)
    unknown = rng.random(n_bodies)[body] < np.interp(
        r, [17, 18.5, 19.5, 20.5], [0.01, 0.03, 0.08, 0.2]
    )
    # Packets give distances in whole arcseconds. Predicted V magnitudes depend on H and G, whose
    # errors reach a few tenths (Pravec et al. 2012).
    distance = np.where(rng.random(n) < 0.06, rng.exponential(3.0, n), rng.exponential(0.25, n))
    number = rng.integers(1, 700_000, n_bodies)[body]
    return {
        "ssdistnr": np.where(unknown, np.nan, np.floor(distance)),
        "ssmagnr": np.where(
            unknown, np.nan, np.round(r + 0.1 + rng.normal(0, 0.22, n_bodies)[body], 1)
        ),
        "ssnamenr": np.where(unknown, "null", number.astype(str)),
    }


POPULATIONS = (
    Population(
        "asteroid",
        "sso",
        1.0,
        _draw_asteroid,
        mistaken_for=("transient", "cosmic ray"),
        one_night=True,
    ),
)
