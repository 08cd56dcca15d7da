"""Forced photometry: fluxes measured at a known position, as magnitudes or limits.

Reference: Masci et al. 2023 (arXiv:2305.16279).
"""

from __future__ import annotations

import math
from functools import lru_cache

from ztfml.sources.flux import SNR_LIMIT

SNR_DETECTION = 3.0
"""SNT in Masci et al. 2023."""

ZERO_POINTS = (15.0, 35.0)
"""Valid `magzpsci`, mag; those of ZTF images are between 23 and 28. Missing ones are written as
null, NaN, 0, -999 or -99999."""

# A flux that could not be measured is -99999, and no flux of a source that ZTF can measure is
# more negative.
_NO_FLUX = -99999.0


# Typed, because False == 0.
@lru_cache(maxsize=1024, typed=True)
def is_good_status(procstatus: object) -> bool:
    """Return True if a row of forced photometry was processed without a warning.

    Parameters
    ----------
    procstatus : str, bytes, int, float or None
        Status codes, e.g. ``'0'``, ``0.0``, ``'56'``, ``'56,57'``.

    Returns
    -------
    bool
        True for 0 in any spelling. Other codes mark e.g. bad pixels (56) or a bad fit.

    Examples
    --------
    >>> [is_good_status(code) for code in ("0", 0, 0.0, b"0", "56", "56,57", 255, None)]
    [True, True, True, True, False, False, False, False]
    """
    if isinstance(procstatus, bytes):
        procstatus = procstatus.decode(errors="replace")
    try:
        return all(float(code) == 0 for code in str(procstatus).strip().strip("[]").split(","))
    except ValueError:
        return False


def forced_magnitude(
    flux: float | None, error: float | None, zero_point: float | None
) -> dict[str, float | str]:
    """Convert a flux in a difference image to a magnitude, or to a limit.

    Parameters
    ----------
    flux, error : float or None
        `forcediffimflux` and `forcediffimfluxunc`, DN.
    zero_point : float or None
        `magzpsci`, mag.

    Returns
    -------
    dict
        ``magpsf``, ``sigmapsf`` (mag) and ``isdiffpos`` ('t' or 'f') of a detection, else the
        limit ``diffmaglim`` (mag); empty if no flux could be measured, or its error or zero point
        is missing.

    Examples
    --------
    >>> forced_magnitude(100.0, 10.0, 25.0)["magpsf"], forced_magnitude(1.0, 20.0, 25.0)
    (20.0, {'diffmaglim': 20.0})
    """
    if flux is None or error is None or zero_point is None:
        return {}
    values = (flux, error, zero_point)
    if any(not math.isfinite(value) or value == _NO_FLUX for value in values):
        return {}
    if error <= 0 or not ZERO_POINTS[0] <= zero_point <= ZERO_POINTS[1]:
        return {}
    snr = abs(flux) / error
    if snr >= SNR_DETECTION:
        return {
            "magpsf": zero_point - 2.5 * math.log10(abs(flux)),
            "sigmapsf": 2.5 / math.log(10) / snr,
            "isdiffpos": "t" if flux > 0 else "f",
        }
    return {"diffmaglim": zero_point - 2.5 * math.log10(SNR_LIMIT * error)}
