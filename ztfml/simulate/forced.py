"""Forced photometry in the packets of simulated alerts (``fp_hists``).

Packets of schema 4 have the fluxes of the 30 d before the night at the position of the alert. The
errors, the noise and the fraction of usable rows are those of real packets and of the forced
photometry of Ho et al. 2023; `tests/benchmarks/forced_realism.py` compares them.
"""

from typing import NamedTuple

import numpy as np

from ztfml.lightcurves import light_curve
from ztfml.schema import PACKET_HISTORY
from ztfml.simulate import noise
from ztfml.simulate.blocks import Block
from ztfml.simulate.measure import measure
from ztfml.simulate.source import ZERO_POINT, flux_of
from ztfml.simulate.survey import Survey, field_of

FORCED_SINCE = 2460200.5
"""Julian date (2023 September 13) from which simulated packets have forced photometry; the first
real ones in the test data are of 2023 October 12."""

# Variance of a PSF fit with a free position minus that of one at a fixed position, and the scatter
# from exposure to exposure and from source to source (residuals of the subtraction) that adds to
# that of `measure`; in units of a fifth of the flux limit. Forced errors are 0.66 of that unit, and
# the fluxes scatter by 0.9 to 1.0 errors about a level that is off by 0.35 errors.
_LESS_VARIANCE = 0.18
_SCATTER, _OFFSET = 0.30, 0.23
_ERROR_SCATTER = 0.04
# Fraction of objects without a usable row, cumulative fraction of those with some, and fraction of
# the rows of all others (processing status 0).
_NONE, _SOME, _ALL = 0.15, 0.40, 0.98
_MICROJANSKY = 10 ** (-0.4 * (ZERO_POINT - light_curve.ZERO_POINT))
# Numbers of the random deviates of this module.
_FLUX, _LEVEL, _ERROR, _STATUS, _OBJECT = 101, 102, 103, 210, 211


class ForcedRows(NamedTuple):
    """Forced photometry of the objects of a block with alerts on a night.

    Attributes
    ----------
    at : ndarray of int64, shape (n,)
        Position of the object of each row in ``block.rows``; in increasing order.
    jd : ndarray, shape (n,), d
    fid : ndarray of int8, shape (n,)
    flux, flux_err : ndarray, shape (n,), microjansky
    """

    at: np.ndarray
    jd: np.ndarray
    fid: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray


def usable_fraction(key: np.ndarray) -> np.ndarray:
    """Return the fraction of rows of each source that were processed without a warning.

    Parameters
    ----------
    key : ndarray of uint64, shape (n,)
        Random keys of the sources.

    Returns
    -------
    ndarray, shape (n,)

    Examples
    --------
    >>> fraction = usable_fraction(np.arange(1000, dtype="u8"))
    >>> bool(0.1 < (fraction == 0).mean() < 0.2 < fraction.mean() < 0.8)
    True
    """
    uniform = noise.uniform(key, np.zeros(len(key), np.int64), _OBJECT)
    some = (uniform - _NONE) / (_SOME - _NONE)
    return np.where(uniform < _NONE, 0.0, np.where(uniform < _SOME, some, _ALL))


def forced_rows(survey: Survey, night: int, block: Block) -> ForcedRows:
    """Simulate the forced photometry of the objects of a block with alerts on a night.

    Parameters
    ----------
    survey : Survey
    night : int
    block : Block

    Returns
    -------
    ForcedRows
        Of the 30 d before the night.

    Examples
    --------
    >>> from ztfml.simulate import POPULATIONS
    >>> from ztfml.simulate.blocks import draw_blocks
    >>> from ztfml.simulate.survey import observe
    >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
    >>> block, *_ = draw_blocks(1, POPULATIONS[0], 20, survey, [survey.of_night(0)])
    >>> rows = forced_rows(survey, 0, block)
    >>> bool((rows.flux_err > 0).all()), bool((rows.jd < 2460474.5).all())
    (True, True)
    """
    begin = survey.nights[night]
    rows = np.unique(block.alerts(night).row)
    rows = rows[usable_fraction(block.key[rows]) > 0]
    fields = field_of(block.sources.ra[rows], block.sources.dec[rows])
    row, exposure = survey.exposures(fields, begin - PACKET_HISTORY, begin)
    row, key = rows[row], block.key[rows[row]]
    use = noise.uniform(key, exposure, _STATUS) < usable_fraction(key)
    row, exposure, key = row[use], exposure[use], key[use]
    pairs = measure(survey, block.sources, block.key, row, exposure)
    unit = flux_of(pairs.limit) / 5
    size = flux_of(pairs.magpsf)
    variance = (pairs.sigmapsf * size / 1.0857) ** 2
    extra = _SCATTER * noise.normal(key, exposure, _FLUX)
    extra += _OFFSET * noise.normal(key, pairs.fid.astype(np.int64), _LEVEL)
    flux = pairs.sign * size + unit * extra
    error = np.sqrt(variance - _LESS_VARIANCE * unit**2)
    error *= np.exp(_ERROR_SCATTER * noise.normal(key, exposure, _ERROR))
    return ForcedRows(
        np.searchsorted(block.rows, row),
        pairs.jd,
        pairs.fid,
        # In steps of 1 nJy, so that the file is half as large.
        np.round(_MICROJANSKY * flux, 3),
        np.maximum(np.round(_MICROJANSKY * error, 3), 0.001),
    )
