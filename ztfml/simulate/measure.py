"""Difference photometry of sources in exposures: noise, limits and detections."""

from typing import NamedTuple

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.source import ZERO_POINT, Sources, flux_of
from ztfml.simulate.survey import Survey

MAX_SIGMA = 1.0857 / 5  # sigmapsf of a 5-sigma detection
_MIN_SCORR = 5.0
# Ratio of scatter to sigmapsf without a reference source: supernovae scatter less around smooth
# light curves than their errors imply; the reduced chi-square of a linear fit is 0.4.
_SCATTER = 0.7
# Fraction of exposures in which a source is on a good part of a detector and is extracted.
_COMPLETENESS = 0.96


class Measurements(NamedTuple):
    """Difference photometry of pairs of source and exposure, one entry per pair.

    ``magpsf`` and ``sigmapsf`` have values also where ``detected`` is false; ``sign`` is that of
    the difference flux.
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

    def take(self, keep: np.ndarray | slice) -> "Measurements":
        """Return a subset of the pairs.

        Parameters
        ----------
        keep : ndarray or slice
            Boolean mask, indices, or a slice.

        Returns
        -------
        Measurements
        """
        return Measurements(*(values[keep] for values in self))


def measure(
    survey: Survey, sources: Sources, key: np.ndarray, row: np.ndarray, exposure: np.ndarray
) -> Measurements:
    """Simulate the photometry of sources in exposures.

    The variance of a PSF fit is that of 1,000 real asteroids and transients without a reference
    source. In units of a fifth of the flux limit it is 0.6 + 0.11 x, where x is the flux, plus a
    fraction of the flux squared (``Sources.psf_misfit``). At a reference source, the subtraction
    leaves a fraction of its flux (`Sources.subtraction_residual`) as noise.

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
    >>> from ztfml.simulate.source import Counterpart
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> bright = Sources(
    ...     ra=np.array([180.0]), dec=np.array([40.0]), counterpart=Counterpart.none(1),
    ...     reference_flux=np.zeros((1, 3)), subtraction_residual=np.zeros(1),
    ...     psf_misfit=np.zeros(1), flux=lambda row, jd, fid: np.full(len(row), flux_of(16.0)),
    ... )
    >>> exposure = np.arange(100)
    >>> pairs = measure(survey, bright, np.array([7], "u8"), np.zeros(100, int), exposure)
    >>> bool(np.allclose(pairs.magpsf, 16.0, atol=0.2))
    True
    """
    jd, fid = survey.jd[exposure], survey.fid[exposure].astype(np.int64)
    source_key = key[row]
    limit = survey.limit[exposure] + 0.07 * noise.normal(source_key, exposure, 1)
    unit = flux_of(limit) / 5
    flux = sources.flux(row, jd, fid)
    reference_flux = sources.reference_flux[row, fid - 1]
    photons = unit**2 * (0.6 + 0.11 * np.abs(flux) / unit + 0.02 * reference_flux / unit)
    residual = (sources.subtraction_residual[row] * reference_flux) ** 2
    variance = photons + residual
    misfit = sources.psf_misfit[row] * flux
    sigma = np.sqrt(variance + misfit**2)
    # The misfit of the PSF scatters less from exposure to exposure than its full amount.
    error = np.sqrt(_SCATTER**2 * photons + residual + np.minimum(misfit**2, variance))
    measured = flux + error * noise.normal(source_key, exposure, 2)
    size = np.maximum(np.abs(measured), 1e-6)
    magpsf = ZERO_POINT - 2.5 * np.log10(size)
    sigmapsf = 1.0857 * sigma / size
    scorr = size / np.sqrt(variance) * _matched_filter(reference_flux / unit)
    scatter = 0.16 + 0.18 * np.minimum(reference_flux / unit / 50, 1)
    scorr *= np.exp(scatter * noise.normal(source_key, exposure, 5))
    detected = (sigmapsf < MAX_SIGMA) & (scorr >= _MIN_SCORR) & (magpsf < limit)
    detected &= noise.uniform(source_key, exposure, 21) < _COMPLETENESS
    sign = np.where(measured > 0, 1, -1).astype(np.int8)
    # Small integers: a full night holds ten million of these.
    row, exposure, fid = row.astype(np.int32), exposure.astype(np.int32), fid.astype(np.int8)
    return Measurements(row, exposure, jd, fid, limit, magpsf, sigmapsf, scorr, sign, detected)


def _matched_filter(reference_flux):
    # Ratio of scorr to the signal-to-noise ratio of magpsf: 1.85 without a reference source, and
    # less with one (1.2 at 19 mag, 1.0 at 17, 0.7 at 14), because residuals are not point-like.
    return np.interp(
        np.log10(np.maximum(reference_flux, 1e-3)),
        [0.0, 1.0, 1.5, 2.3, 2.8, 3.5],
        [1.8, 1.3, 1.15, 1.0, 0.85, 0.65],
    )
