"""Flux before the first detection and after the last one, from forced photometry.

Computed only for nights with forced photometry. Fluxes of one night and band are averaged with
their inverse variances. Nights before the source was first detected in any band are *before* it;
nights after the last detection in a band are *after* it.
"""

import numpy as np

from ztfml.astrophysics import night_of
from ztfml.compiled import kernel
from ztfml.features.registry import Feature, Group
from ztfml.lightcurves.exposures import SAME_EXPOSURE
from ztfml.lightcurves.light_curve import ZERO_POINT, light_curve_of, make_workspace
from ztfml.lightcurves.night_means import night_means_of
from ztfml.lightcurves.slopes import fit_slope
from ztfml.night import Night

GROUP = Group("forced", "flux before the first and after the last detection")

# An upper limit is the flux, if positive, plus this many errors.
_UPPER_LIMIT = 3.0
# Shortest time (days) between a night and a detection for a bound, as for other limits.
_MIN_BASE = 0.5

_READS = ("jd", "fid", "flux", "flux_err")
_NO_LIMIT = " or if all fluxes are negative by more than 3 sigma"
_BEFORE = "without forced photometry in {band} on a night before the first detection"
_AFTER = "without forced photometry in {band} on a night after the last detection in {band}"

GROUP.declare(
    "forced_n", "", "number of exposures with forced photometry that the alert sees", "never",
    _READS, source="forced",
)  # fmt: skip
GROUP.declare(
    "forced_before_sigma_band",
    "",
    "mean flux in {band} on all nights before the first detection, in units of its error",
    _BEFORE,
    _READS,
    source="forced",
)
GROUP.declare(
    "forced_last_before_sigma_band",
    "",
    "mean flux in {band} on the last night before the first detection, in units of its error",
    _BEFORE,
    _READS,
    source="forced",
)
GROUP.declare(
    "forced_before_trend_band",
    "",
    "slope of the flux in {band} over the nights before the first detection, in units of its "
    "error; positive when the source brightens",
    "without two nights with forced photometry in {band} before the first detection",
    _READS,
    source="forced",
)
GROUP.declare(
    "forced_limit_band",
    "mag",
    "deepest upper limit (flux plus 3 sigma) of a night in {band} before the first detection",
    _BEFORE + _NO_LIMIT,
    _READS,
    source="forced",
)
GROUP.declare(
    "forced_rise_bound_band",
    "mag / d",
    "lower bound on the rise rate in {band}, from the upper limit of a night at least half a day "
    "before the first night mean, taken as 1 sigma fainter",
    "without a deeper upper limit before it",
    _READS,
    source="forced",
)
GROUP.declare(
    "forced_after_sigma_band",
    "",
    "mean flux in {band} on all nights after the last detection in {band}, in units of its error",
    _AFTER,
    _READS,
    source="forced",
)
GROUP.declare(
    "forced_fade_bound_band",
    "mag / d",
    "lower bound on the fade rate in {band}, from the upper limit of a night at least half a day "
    "after the last night mean, taken as 1 sigma fainter",
    "without a deeper upper limit after it",
    _READS,
    source="forced",
)

_RECORD = np.dtype(GROUP.fields)
_POSITIONS = {feature.name: k for k, feature in enumerate(GROUP.features)}


def fill(night: Night, rows: slice, features: tuple[Feature, ...], table: np.ndarray) -> None:
    """Write the features of this group to the table of a night.

    Parameters
    ----------
    night : Night
        With forced photometry.
    rows : slice
        Alerts to compute.
    features : tuple of Feature
        The rows of the table, including those of this group.
    table : ndarray, shape (n_features, n_alerts)

    Examples
    --------
    >>> import pyarrow as pa
    >>> from ztfml.lightcurves.forced import make_forced
    >>> row = {"objectId": object_id, "jd": 2459000.7, "fid": 1, "flux": 5.0, "flux_err": 1.0}
    >>> forced = make_forced(pa.Table.from_pylist([row]))
    >>> table = np.empty((len(GROUP.features), len(night)))
    >>> fill(night.replace(forced=forced), slice(None), tuple(GROUP.features), table)
    >>> int((table[0] == 1).sum()) > 0
    True
    """
    first, last = night.visible_forced
    first, last, begin, end = (x[rows] for x in (first, last, night.first, night.last))
    fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    alerts = [night.alerts[field].to_numpy()[rows] for field in fields]
    records = np.full((len(first), len(GROUP.features)), np.nan)
    workspace = make_workspace(int((end - begin).max(initial=0)))
    scratch = np.empty((3, int((last - first).max(initial=0)) + 1))
    photometry = night.forced[:4]
    _fill_records(
        night.history, begin, end, *photometry, first, last, *alerts, workspace, scratch,
        records.view(_RECORD)[:, 0],
    )  # fmt: skip
    for k, feature in enumerate(features):
        if feature.group == GROUP.name:
            table[k] = records[:, _POSITIONS[feature.name]]


@kernel
def _fill_records(
    history, begin, end, forced_jd, forced_fid, flux, flux_err, first, last,
    jd, fid, magpsf, sigmapsf, isdiffpos, workspace, scratch, rows,
):  # fmt: skip
    for k in range(len(jd)):
        row = rows[k]
        row.forced_n = 0
        if first[k] == last[k]:
            continue
        curve = light_curve_of(
            history, begin[k], end[k], jd[k], fid[k], magpsf[k], sigmapsf[k], isdiffpos[k],
            workspace,
        )  # fmt: skip
        means = night_means_of(curve, workspace)
        discovery = np.inf
        for b in range(3):
            if len(means[b].jd) > 0:
                discovery = min(discovery, night_of(means[b].jd[0]))
        visible = slice(first[k], last[k])
        for b in range(3):
            n, exposures = _average_nights(
                forced_jd[visible], forced_fid[visible], flux[visible], flux_err[visible], b + 1,
                scratch,
            )  # fmt: skip
            row.forced_n += exposures
            if discovery < np.inf:
                _write_band(scratch[:, :n], means[b], discovery, b, row)


@kernel
def _average_nights(jd, fid, flux, flux_err, band, out):
    """Average the fluxes of each night in one band; return the numbers of nights and exposures.

    Of two rows of one exposure, the one with the smaller error counts, then the later one.
    """
    n = exposures = 0
    night = np.nan
    begin = best = -1
    weight = 0.0
    for k in range(len(jd) + 1):
        if k < len(jd):
            if fid[k] != band:
                continue
            if begin >= 0 and jd[k] - jd[begin] <= SAME_EXPOSURE:
                best = k if flux_err[k] <= flux_err[best] else best
                continue
        if begin >= 0:
            w = 1.0 / (flux_err[best] * flux_err[best])
            if night_of(jd[begin]) != night:
                night, weight = night_of(jd[begin]), 0.0
                out[0, n] = out[1, n] = 0.0
                n += 1
            weight += w
            exposures += 1
            # Relative to the start of the night, because means of Julian dates lose digits.
            out[0, n - 1] += w / weight * (jd[best] - night - out[0, n - 1])
            out[1, n - 1] += w / weight * (flux[best] - out[1, n - 1])
            out[2, n - 1] = 1.0 / np.sqrt(weight)
            if k == len(jd) or night_of(jd[k]) != night:
                out[0, n - 1] += night
        begin = best = k
    return n, exposures


@kernel
def _write_band(nights, means, discovery, b, row):
    """Write the features of one band, given the mean fluxes of its nights."""
    jd, flux, err = nights[0], nights[1], nights[2]
    n = 0
    limit = -np.inf
    while n < len(jd) and night_of(jd[n]) < discovery:
        faint = _upper_limit(flux[n], err[n])
        limit = faint if faint > limit else limit
        n += 1
    if n > 0:
        row.forced_before_sigma_band[b] = _significance(flux[:n], err[:n])
        row.forced_last_before_sigma_band[b] = flux[n - 1] / err[n - 1]
        if limit > -np.inf:
            row.forced_limit_band[b] = limit
    trend = fit_slope(jd[:n], flux[:n], err[:n])
    if trend.n > 0:
        row.forced_before_trend_band[b] = trend.slope / trend.err
    if len(means.jd) == 0:
        return
    after = len(jd)
    while after > 0 and night_of(jd[after - 1]) > night_of(means.jd[-1]):
        after -= 1
    if after < len(jd):
        row.forced_after_sigma_band[b] = _significance(flux[after:], err[after:])
    for k in range(len(jd)):
        faint = _upper_limit(flux[k], err[k])
        before = means.jd[0] - jd[k]
        if before >= _MIN_BASE:
            rate = (faint - means.mag[0] - means.err[0]) / before
            row.forced_rise_bound_band[b] = _tighter(row.forced_rise_bound_band[b], rate)
        since = jd[k] - means.jd[-1]
        if since >= _MIN_BASE:
            rate = (faint - means.mag[-1] - means.err[-1]) / since
            row.forced_fade_bound_band[b] = _tighter(row.forced_fade_bound_band[b], rate)


@kernel
def _significance(flux, err):
    total = weight = 0.0
    for k in range(len(flux)):
        w = 1.0 / (err[k] * err[k])
        total += w * flux[k]
        weight += w
    return total / np.sqrt(weight)


@kernel
def _upper_limit(flux, err):
    """Upper limit in mag; NaN for a significantly negative flux, which is no measurement of 0."""
    if flux < -_UPPER_LIMIT * err:
        return np.nan
    return ZERO_POINT - 2.5 * np.log10(max(flux, 0.0) + _UPPER_LIMIT * err)


@kernel
def _tighter(bound, rate):
    return rate if rate > 0 and not rate <= bound else bound
