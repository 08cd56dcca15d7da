"""Forced photometry of injected events, for nights whose alerts have some."""

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.astrophysics import night_of
from ztfml.lightcurves.forced import Forced
from ztfml.lightcurves.light_curve import ZERO_POINT
from ztfml.simulate.forced import usable_fraction

# In units of a fifth of the flux limit: variance without a source and per unit of the flux of the
# event and of its host; level of the residuals of the subtraction; see `ztfml.simulate.forced`.
_BACKGROUND, _PER_EVENT, _PER_HOST, _LEVEL = 0.42, 0.11, 0.02, 0.23
# Fluxes scatter less around their mean than their errors imply.
_SCATTER = 0.93
_MICROJANSKY = 10 ** (0.4 * ZERO_POINT)


def forced_of(
    rng: np.random.Generator, exposures: pd.DataFrame, host_flux: np.ndarray, names: np.ndarray
) -> Forced | None:
    """Draw the forced photometry of events in their exposures before the last night.

    Parameters
    ----------
    rng : numpy.random.Generator
    exposures : pandas.DataFrame
        One row per exposure of an event: ``event`` (from 0), ``jd``, ``fid``, ``limit`` (mag) and
        ``true_flux`` (1 for a source of 0 mag).
    host_flux : ndarray, shape (n_events,)
        Flux of the host at the position of each event.
    names : ndarray of str, shape (n_events,)

    Returns
    -------
    Forced or None
        None if no row is left.

    Examples
    --------
    >>> exposures = pd.DataFrame(
    ...     {"event": 0, "jd": np.arange(90) + 0.7, "fid": 1, "limit": 20.5, "true_flux": 1e-7}
    ... )
    >>> forced = forced_of(np.random.default_rng(1), exposures, np.zeros(1), np.array(["a"]))
    >>> len(forced.jd), round(float(np.median(forced.flux)))
    (87, 364)
    """
    n = len(names)
    fraction = usable_fraction(rng.integers(0, 2**63, n).astype(np.uint64))
    level = _LEVEL * rng.normal(size=(n, 3))
    order = np.lexsort([exposures["jd"], exposures["event"]])
    event, jd, fid, limit, flux = (
        exposures[name].to_numpy()[order] for name in ("event", "jd", "fid", "limit", "true_flux")
    )
    unit = 10 ** (-0.4 * limit) / 5
    bright = _BACKGROUND + _PER_EVENT * flux / unit + _PER_HOST * host_flux[event] / unit
    error = unit * np.sqrt(bright)
    measured = flux + unit * level[event, fid - 1] + _SCATTER * error * rng.normal(size=len(event))
    last = pd.Series(night_of(jd)).groupby(event).transform("max").to_numpy()
    use = (night_of(jd) < last) & (rng.random(len(event)) < fraction[event])
    if not use.any():
        return None
    return Forced(
        jd[use],
        fid[use].astype(np.int8),
        _MICROJANSKY * measured[use],
        _MICROJANSKY * error[use],
        np.searchsorted(event[use], np.arange(n + 1)),
        pa.array(names, pa.string()),
    )
