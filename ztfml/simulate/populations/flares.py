"""Flares of M dwarfs."""

import numpy as np

from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import (
    STAR,
    Counterpart,
    Sources,
    flux_of,
    magnitude_in_band,
    subtraction_noise,
)
from ztfml.simulate.stellar import log_uniform, star_colours


def _draw_flare(rng, n, observed):
    """A sudden rise and a decay in two phases (Davenport et al. 2014, eq. 4)."""
    ra, dec = draw_positions(rng, n, observed.fields, disk=(25.0, 0.4))
    start = rng.choice(observed.survey.jd[observed.exposures], n) - 0.04 * rng.random(n) ** 2
    half = log_uniform(rng, n, 4, 40) / 1440
    r = rng.uniform(15.5, 21.0, n)
    mag = r[:, None] + star_colours(rng, np.full(n, 1.45) + rng.normal(0, 0.08, n))
    mag[:, 2] -= rng.uniform(0, 1.2, n)  # later types are redder in r - i
    base = flux_of(mag[:, :3])
    # A flare has 9,000 K, so it is brighter in g than in r and i.
    height = np.column_stack([np.ones(n), np.full(n, 0.55), np.full(n, 0.35)])
    height *= (base[:, 0] * 10 ** rng.uniform(-0.6, 1.3, n))[:, None]

    def flux(row, jd, fid):
        t = (jd - start[row]) / half[row]
        late = np.clip(t, 0, None)
        shape = 0.689 * np.exp(-1.6 * late) + 0.303 * np.exp(-0.2783 * late)
        return magnitude_in_band(height[row], fid) * np.where(t < 0, 0, shape)

    counterpart = Counterpart(np.full(n, STAR), mag, np.abs(rng.normal(0, 0.15, n)))
    return Sources(
        ra, dec, flux, counterpart, base.copy(), subtraction_noise(rng, n), persistent=True
    )


POPULATIONS = (
    Population(
        "stellar flare",
        "star",
        0.005,
        _draw_flare,
        mistaken_for=("afterglow", "kilonova"),
        one_night=True,
    ),
)
