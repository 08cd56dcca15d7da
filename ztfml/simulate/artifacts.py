"""What is no source: faults of the camera and of the subtraction."""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.population import (
    STAR,
    Counterpart,
    Kind,
    Sources,
    flux_of,
)
from ztfml.simulate.sky import place
from ztfml.simulate.stars import star_colours
from ztfml.simulate.survey import FIELD, field_centres, field_of

_EVERYWHERE = (12.0, 0.15)


def _spurious_mag(rng, limit):
    """Magnitudes as bogus alerts have them: 0.2 to 4 mag above the limit, 1.5 in the median."""
    return limit - 0.1 - rng.gamma(1.9, 0.85, len(limit))


def _roughness(rng, n):
    """Misfit of the PSF as a fraction of the flux: sigmapsf of artifacts is large at any mag."""
    return np.clip(rng.beta(2.2, 2.2, n) * 0.21, 0.03, 0.205)


def _once(positive):
    """A fault that happens in one exposure, anywhere."""

    def draw(rng, n, stage):
        survey = stage.survey
        exposure = rng.choice(stage.exposures, n)
        ra, dec = _within(rng, survey.field[exposure])
        when = survey.jd[exposure]
        strength = flux_of(_spurious_mag(rng, survey.limit[exposure]))
        strength = strength * np.where(rng.random(n) < positive, 1, -1)

        def flux(row, jd, fid):
            return np.where(np.abs(jd - when[row]) < 1e-6, strength[row], 0.0)

        return Sources(
            ra,
            dec,
            flux,
            Counterpart.none(n),
            np.zeros((n, 3)),
            np.zeros(n),
            rough=_roughness(rng, n),
        )

    return draw


def _within(rng, field):
    """A place anywhere in each of the fields."""
    ra, dec = field_centres()
    half = FIELD / 2 * 0.98
    dec_here = np.clip(dec[field] + rng.uniform(-half, half, len(field)), -89, 89)
    width = half / np.cos(np.radians(dec[field]))
    return (ra[field] + rng.uniform(-1, 1, len(field)) * width) % 360, dec_here


def _at_star(bright, faint, away, share, often):
    """A subtraction that fails at a star, now and again, with either sign.

    `share` is the residual's typical fraction of the star, `often` how many subtractions
    fail, and `away` the distance (arcsec) from the star.
    """

    def draw(rng, n, stage):
        ra, dec = place(rng, n, stage.fields, thin=_EVERYWHERE)
        r = np.sqrt(rng.uniform(bright**2, faint**2, n))
        mag = r[:, None] + star_colours(rng, rng.normal(0.75, 0.35, n))
        base = flux_of(mag[:, :3])
        key = rng.integers(0, 2**63, n).astype(np.uint64)
        failing = np.exp(rng.uniform(np.log(often[0]), np.log(often[1]), n))
        # Without regard to how rarely it fails, each fails in one exposure of these nights:
        # what is not seen need not be drawn.
        exposure = stage.pick_exposures(rng, field_of(ra, dec))[0]
        tonight = np.round(stage.survey.jd[exposure] * 1e5).astype(np.int64)
        typical = share * np.exp(rng.normal(0, 0.4, n))

        def flux(row, jd, fid):
            epoch = np.round(jd * 1e5).astype(np.int64)
            fails = (noise.uniform(key[row], epoch, 0) < failing[row]) | (epoch == tonight[row])
            size = typical[row] * np.exp(0.4 * noise.normal(key[row], epoch, 1))
            sign = np.where(noise.uniform(key[row], epoch, 4) < 0.5, 1, -1)
            return np.where(fails, sign * size * base[row, fid - 1], 0.0)

        distance = np.abs(rng.normal(0, away, n)) + 0.05
        return Sources(
            ra,
            dec,
            flux,
            Counterpart(np.full(n, STAR), mag, distance),
            base.copy(),
            np.full(n, 0.004),
            steady=True,
            rough=_roughness(rng, n),
        )

    return draw


KINDS = (
    Kind("cosmic ray", "artifact", 0.36, _once(0.8), one_night=True),
    Kind("ghost", "artifact", 0.18, _once(0.45), one_night=True),
    Kind("edge", "artifact", 0.11, _once(0.45), one_night=True),
    Kind("bright-star residual", "artifact", 0.18, _at_star(10.5, 14.0, 1.0, 0.009, (0.002, 0.15))),
    Kind("dipole", "artifact", 0.17, _at_star(13.5, 17.0, 0.45, 0.07, (0.002, 0.15))),
)
