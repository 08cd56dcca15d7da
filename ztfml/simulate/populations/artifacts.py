"""Artifacts: faults of the camera and of the image subtraction."""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.quality_fields import MILD_RESIDUAL
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import (
    STAR,
    Counterpart,
    Sources,
    flux_of,
)
from ztfml.simulate.stellar import star_colours
from ztfml.simulate.survey import FIELD_SIZE, field_centres, field_of

_STARS = (12.0, 0.15)  # scale height (deg) and halo fraction


def _spurious_mag(rng, limit):
    """Magnitudes of bogus alerts: 0.2 to 4 mag brighter than the limit, 1.5 in the median."""
    return limit - 0.1 - rng.gamma(1.9, 0.85, len(limit))


def _psf_misfit(rng, n):
    """Misfit of the PSF as a fraction of the flux; sigmapsf of artifacts is large at any mag."""
    return np.clip(rng.beta(2.2, 2.2, n) * 0.21, 0.03, 0.205)


def _one_exposure(positive):
    """Model function of faults in one exposure, at a random position."""

    def draw(rng, n, observed):
        survey = observed.survey
        exposure = rng.choice(observed.exposures, n)
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
            psf_misfit=_psf_misfit(rng, n),
        )

    return draw


def _within(rng, field):
    """A random position in each of the fields."""
    ra, dec = field_centres()
    half = FIELD_SIZE / 2 * 0.98
    dec_here = np.clip(dec[field] + rng.uniform(-half, half, len(field)), -89, 89)
    width = half / np.cos(np.radians(dec[field]))
    return (ra[field] + rng.uniform(-1, 1, len(field)) * width) % 360, dec_here


def _failed_subtraction(bright, faint, away, residual, failure_rate, negative=0.5):
    """Model function of stars at which the subtraction sometimes fails, with either sign.

    `bright` and `faint` are the limits of the stars in r; `away` is the distance (arcsec) from
    the star, `residual` the typical residual as a fraction of the star's flux, `failure_rate` the
    lowest and highest fraction of subtractions that fail, and `negative` the fraction of negative
    residuals.
    """

    def draw(rng, n, observed):
        ra, dec = draw_positions(rng, n, observed.fields, disk=_STARS)
        r = np.sqrt(rng.uniform(bright**2, faint**2, n))
        mag = r[:, None] + star_colours(rng, rng.normal(0.75, 0.35, n))
        base = flux_of(mag[:, :3])
        key = rng.integers(0, 2**63, n).astype(np.uint64)
        failing = np.exp(rng.uniform(np.log(failure_rate[0]), np.log(failure_rate[1]), n))
        # However rarely a subtraction fails, it fails in one exposure of these nights. Otherwise
        # most sources would be drawn without an alert.
        exposure = observed.pick_exposures(rng, field_of(ra, dec))[0]
        tonight = np.round(observed.survey.jd[exposure] * 1e5).astype(np.int64)
        typical = residual * np.exp(rng.normal(0, 0.4, n))

        def flux(row, jd, fid):
            epoch = np.round(jd * 1e5).astype(np.int64)
            fails = (noise.uniform(key[row], epoch, 0) < failing[row]) | (epoch == tonight[row])
            size = typical[row] * np.exp(0.4 * noise.normal(key[row], epoch, 1))
            sign = np.where(noise.uniform(key[row], epoch, 4) < 1 - negative, 1, -1)
            return np.where(fails, sign * size * base[row, fid - 1], 0.0)

        distance = np.abs(rng.normal(0, away, n)) + 0.05
        return Sources(
            ra,
            dec,
            flux,
            Counterpart(np.full(n, STAR), mag, distance),
            base.copy(),
            np.full(n, 0.004),
            persistent=True,
            psf_misfit=_psf_misfit(rng, n),
        )

    return draw


POPULATIONS = (
    Population(
        "cosmic ray",
        "artifact",
        0.31,
        _one_exposure(0.8),
        mistaken_for=("transient",),
        one_night=True,
    ),
    Population(
        "ghost",
        "artifact",
        0.15,
        _one_exposure(0.45),
        mistaken_for=("sso", "transient"),
        one_night=True,
    ),
    Population(
        "edge",
        "artifact",
        0.09,
        _one_exposure(0.45),
        mistaken_for=("transient", "star"),
        one_night=True,
    ),
    Population(
        "bright-star residual",
        "artifact",
        0.17,
        _failed_subtraction(10.5, 14.0, 1.0, 0.009, (0.002, 0.15)),
        mistaken_for=("star",),
    ),
    Population(
        "dipole",
        "artifact",
        0.16,
        _failed_subtraction(13.5, 17.0, 0.45, 0.07, (0.002, 0.15)),
        mistaken_for=("star",),
    ),
    # Of real alerts of this kind (reference 13 to 16 mag, negative, drb 0.3 to 0.9), catalogued
    # variables were detected in 17 % of their exposures in the median, all others in 0.9 %. So a
    # residual that recurs is a star, and a rare one is an artifact.
    Population(
        MILD_RESIDUAL,
        "artifact",
        0.12,
        _failed_subtraction(13.0, 16.5, 0.2, 0.035, (0.002, 0.02), negative=0.75),
        mistaken_for=("star",),
    ),
)
