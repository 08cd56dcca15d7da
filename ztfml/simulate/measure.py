"""From true fluxes to the photometry of the pipeline: noise, limits and detections."""

from typing import NamedTuple

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.source import ZERO_POINT, flux_of

FAINTEST_SIGMA = 1.0857 / 5  # sigmapsf of a 5-sigma detection
_LEAST_SCORR = 5.0
# Ratio of scatter to sigmapsf where there is no reference source: supernovae scatter less about
# smooth light curves than their errors imply; their reduced chi-square about a line is 0.4.
_SCATTER = 0.7
# Fraction of exposures in which a position is on a good part of a detector and is extracted.
_COMPLETE = 0.96


class Measurements(NamedTuple):
    """Difference photometry of pairs of source and exposure, one entry per pair.

    ``magpsf`` and ``sigmapsf`` are given whether or not ``detected``; ``sign`` is that of
    the difference; ``depth`` is diffmaglim - magpsf.
    """

    row: np.ndarray
    exposure: np.ndarray
    jd: np.ndarray
    fid: np.ndarray
    limit: np.ndarray
    magpsf: np.ndarray
    sigmapsf: np.ndarray
    scorr: np.ndarray
    sign: np.ndarray
    detected: np.ndarray

    def take(self, keep):
        """Return some of the pairs."""
        return Measurements(*(values[keep] for values in self))


def measure(survey, sources, key, row, exposure):
    """Simulate the photometry of sources in exposures.

    The variance of a PSF fit was measured on 1,000 asteroids and transients, whose
    references are empty, as a function of x, the flux in units of a fifth of the limit:
    0.6 + 0.11 x (Poisson) + a fraction of the source's flux. At a reference source, the
    subtraction leaves a fraction of its light (`Sources.subtraction_residual`) as noise.

    Parameters
    ----------
    survey : Survey
    sources : Sources
    key : ndarray of uint64, shape (n_sources,)
        Random keys of the sources.
    row, exposure : ndarray of int64, shape (n,)
        Pairs of source and exposure.

    Returns
    -------
    Measurements

    Examples
    --------
    >>> pairs = measure(survey, sources, key, row, exposure)   # doctest: +SKIP
    """
    jd, fid = survey.jd[exposure], survey.fid[exposure].astype(np.int64)
    own = key[row]
    limit = survey.limit[exposure] + 0.07 * noise.normal(own, exposure, 1)
    unit = flux_of(limit) / 5
    flux = sources.flux(row, jd, fid)
    reference_flux = sources.reference_flux[row, fid - 1]
    photons = unit**2 * (0.6 + 0.11 * np.abs(flux) / unit + 0.02 * reference_flux / unit)
    left = (sources.subtraction_residual[row] * reference_flux) ** 2
    clean = photons + left
    rough = sources.psf_misfit[row] * flux
    sigma = np.sqrt(clean + rough**2)
    # The misfit of the PSF does not scatter from exposure to exposure by its full amount.
    error = np.sqrt(_SCATTER**2 * photons + left + np.minimum(rough**2, clean))
    seen = flux + error * noise.normal(own, exposure, 2)
    size = np.maximum(np.abs(seen), 1e-6)
    magpsf = ZERO_POINT - 2.5 * np.log10(size)
    sigmapsf = 1.0857 * sigma / size
    scorr = size / np.sqrt(clean) * _matched_filter(reference_flux / unit)
    scatter = 0.16 + 0.18 * np.minimum(reference_flux / unit / 50, 1)
    scorr *= np.exp(scatter * noise.normal(own, exposure, 5))
    detected = (sigmapsf < FAINTEST_SIGMA) & (scorr >= _LEAST_SCORR) & (magpsf < limit)
    detected &= noise.uniform(own, exposure, 21) < _COMPLETE
    sign = np.where(seen > 0, 1, -1).astype(np.int8)
    # Small integers: a full night holds ten million of these.
    row, exposure, fid = row.astype(np.int32), exposure.astype(np.int32), fid.astype(np.int8)
    return Measurements(row, exposure, jd, fid, limit, magpsf, sigmapsf, scorr, sign, detected)


def _matched_filter(reference_flux):
    # scorr over magpsf's signal to noise: 1.85 on empty sky, less over a reference source
    # (1.2 at 19 mag, 1.0 at 17, 0.7 at 14), whose residuals are no point source.
    return np.interp(
        np.log10(np.maximum(reference_flux, 1e-3)),
        [0.0, 1.0, 1.5, 2.3, 2.8, 3.5],
        [1.8, 1.3, 1.15, 1.0, 0.85, 0.65],
    )
