"""Recognise non-detections that are written as detections."""

import logging

import numpy as np

from ztfml.compiled import cached

log = logging.getLogger(__name__)


# Text and 32-bit floats round a magnitude and its limit differently.
_ROUNDING = 1e-5
# By chance, a detection equals its limit in one of 100,000 rows.
_FEW, _RARE = 3, 0.01


def drop_limits_given_as_magnitudes(
    columns: dict[str, np.ndarray], name: str, is_history: bool = False
) -> None:
    """Make magpsf NaN where it is the limit of a non-detection, and report how many.

    Some exports write the limit of a non-detection, `diffmaglim`, as its magnitude. The errors of
    non-detections become NaN, too. If most detections have no error, this is reported.

    Parameters
    ----------
    columns : dict of ndarray
        With ``magpsf``, ``sigmapsf`` and perhaps ``diffmaglim`` (mag), changed in place.
    name : str
        Name of the table in messages.
    is_history : bool
        Whether many magnitudes that equal the limit are limits even if they have an error. An
        alert with an error is a detection.

    Examples
    --------
    >>> columns = {name: np.array([20.5]) for name in ("magpsf", "diffmaglim")}
    >>> columns["sigmapsf"] = np.array([np.nan])
    >>> drop_limits_given_as_magnitudes(columns, "night")
    >>> columns["magpsf"]
    array([nan])
    """
    magpsf, sigmapsf = columns["magpsf"], columns["sigmapsf"]
    limit = columns.get("diffmaglim", magpsf[:0])
    with_error = is_history and _n_equal(magpsf, limit) > max(_FEW, _RARE * len(magpsf))
    n_dropped, n_found, n_without_error, example = _drop(magpsf, sigmapsf, limit, with_error)
    if 2 * n_without_error > n_found:
        log.warning(
            "%s: sigmapsf is missing in %d of %d detections, which count with the error of the "
            "faintest sources", name, n_without_error, n_found,
        )  # fmt: skip
    if n_dropped:
        log.warning(
            "%s: magpsf equals diffmaglim%s in %d of %d rows, which count as non-detections "
            "(for example %.4f)",
            name, "" if with_error else " and has no error", n_dropped, len(magpsf), example,
        )  # fmt: skip


@cached(nogil=True)
def _n_equal(magpsf, limit):
    n_equal = 0
    for k in range(len(limit)):
        n_equal += abs(magpsf[k] - limit[k]) < _ROUNDING
    return n_equal


@cached(nogil=True)
def _drop(magpsf, sigmapsf, limit, with_error):
    n_dropped = n_found = n_without_error = 0
    example = np.nan
    for k in range(len(magpsf)):
        has_error = sigmapsf[k] > 0 and magpsf[k] == magpsf[k]
        if has_error and not with_error:
            n_found += 1
            continue
        if k < len(limit) and abs(magpsf[k] - limit[k]) < _ROUNDING:
            n_dropped += 1
            example = magpsf[k]
            magpsf[k] = np.nan
        if np.isnan(magpsf[k]):
            sigmapsf[k] = np.nan
        else:
            n_found += 1
            n_without_error += not has_error
    return n_dropped, n_found, n_without_error, example
