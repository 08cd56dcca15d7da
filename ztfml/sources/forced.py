"""Forced photometry: fluxes measured at a known position, as magnitudes or limits.

Reference: Masci et al. 2023 (arXiv:2305.16279).
"""

from __future__ import annotations

import math

# SNT and SNU in that paper.
SNR_DETECTION = 3.0
SNR_LIMIT = 5.0

_NO_FLUX = -99999.0


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
        limit ``diffmaglim`` (mag); empty if no flux could be measured.

    Examples
    --------
    >>> forced_magnitude(100.0, 10.0, 25.0)["magpsf"], forced_magnitude(1.0, 20.0, 25.0)
    (20.0, {'diffmaglim': 20.0})
    """
    if flux in (None, _NO_FLUX) or error is None or zero_point is None or not error > 0:
        return {}
    snr = abs(flux) / error
    if snr >= SNR_DETECTION:
        return {
            "magpsf": zero_point - 2.5 * math.log10(abs(flux)),
            "sigmapsf": 2.5 / math.log(10) / snr,
            "isdiffpos": "t" if flux > 0 else "f",
        }
    return {"diffmaglim": zero_point - 2.5 * math.log10(SNR_LIMIT * error)}
