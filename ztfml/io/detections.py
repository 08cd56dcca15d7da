"""Recognise non-detections that are written as detections."""

import logging

import numpy as np

from ztfml.compiled import cached

log = logging.getLogger(__name__)


def drop_limits_given_as_magnitudes(columns: dict[str, np.ndarray], name: str) -> None:
    """Make magpsf NaN where it equals diffmaglim and has no error, and report how many.

    Some exports write the limit of a non-detection as its magnitude. The errors of
    non-detections become NaN, too. If most detections have no error, this is reported.

    Parameters
    ----------
    columns : dict of ndarray
        With ``magpsf``, ``sigmapsf`` and perhaps ``diffmaglim`` (mag), changed in place.
    name : str
        Name of the table in messages.

    Examples
    --------
    >>> columns = {name: np.array([20.5]) for name in ("magpsf", "diffmaglim")}
    >>> columns["sigmapsf"] = np.array([np.nan])
    >>> drop_limits_given_as_magnitudes(columns, "night")
    >>> columns["magpsf"]
    array([nan])
    """
    magpsf, sigmapsf = columns["magpsf"], columns["sigmapsf"]
    limit = columns.get("diffmaglim")
    n_dropped, n_found, n_without_error, example = _drop(
        magpsf, sigmapsf, magpsf[:0] if limit is None else limit
    )
    if 2 * n_without_error > n_found:
        log.warning(
            "%s: sigmapsf is missing in %d of %d detections, which count with the error of the "
            "faintest sources", name, n_without_error, n_found,
        )  # fmt: skip
    if n_dropped:
        log.warning(
            "%s: magpsf equals diffmaglim and has no error in %d of %d rows, which count as "
            "non-detections (for example %.4f)",
            name, n_dropped, len(magpsf), example,
        )  # fmt: skip


@cached(nogil=True)
def _drop(magpsf, sigmapsf, limit):
    n_dropped = n_found = n_without_error = 0
    example = np.nan
    for k in range(len(magpsf)):
        if sigmapsf[k] > 0 and magpsf[k] == magpsf[k]:
            n_found += 1
            continue
        # Text and 32-bit floats round the two differently.
        if k < len(limit) and abs(magpsf[k] - limit[k]) < 1e-5:
            n_dropped += 1
            example = magpsf[k]
            magpsf[k] = np.nan
        if np.isnan(magpsf[k]):
            sigmapsf[k] = np.nan
        else:
            n_found += 1
            n_without_error += 1
    return n_dropped, n_found, n_without_error, example
