"""The light curve of an object, with the lines behind its rise and fade rates."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.ticker import MaxNLocator

from ztfml.errors import DataError
from ztfml.io.similar import similar_object
from ztfml.lightcurves.exposures import in_exposures_of, one_per_exposure
from ztfml.lightcurves.night_means import night_means_as_of, peak_index
from ztfml.lightcurves.slopes import fit_slope
from ztfml.night import Night
from ztfml.plots.canvas import figure
from ztfml.plots.forced_points import forced_points
from ztfml.plots.style import BAND_COLOURS, BAND_MARKERS, INK, UNKNOWN_BAND
from ztfml.schema import BANDS

# Julian date of matplotlib's day 0, 1970-01-01 UTC.
_JD_OF_DATE_0 = 2440587.5
# Light curves with more points have smaller symbols.
_MANY_POINTS = 150
# Smallest range of the magnitude axis, so that one point does not fill the figure.
_LEAST_MAGNITUDES = 2.0
# Shorter light curves have hours on the date axis.
_DAYS_WITH_HOURS = 4.0
# Width of a date label with a gap.
_INCHES_A_DATE = 1.2


def light_curve(
    night: Night,
    object_id: str,
    ax: Axes | None = None,
    as_of: float | None = None,
    whole: bool = False,
    more: pd.DataFrame | None = None,
) -> Axes:
    """Draw the light curve of an object, up to one of its alerts or complete.

    Filled symbols are brighter than the reference image, open symbols fainter. Triangles are
    5-sigma limits of exposures without a detection. Crosses and ticks are forced photometry and its
    3-sigma limits. The lines and their rates are the features
    ``rise_rate_*`` and ``fade_rate_*`` of the alert.

    Parameters
    ----------
    night : Night
    object_id : str
    ax : matplotlib.axes.Axes, optional
        By default those of a new figure.
    as_of : float, optional
        Julian date. Later data are not drawn, and the latest alert up to it is marked.
        Default: the date of the object's latest alert.
    whole : bool, default False
        Also draw, in a lighter shade, photometry that is not in the history of the alert.
    more : pandas.DataFrame, optional
        More photometry of the object, e.g. from a broker, with the columns of
        `Night.light_curve`. Drawn with ``whole``; exposures of the night are skipped.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes, or those of the new figure.

    Raises
    ------
    DataError
        If the night has no data of the object, or none up to that date.

    Examples
    --------
    >>> light_curve(night, object_id).get_ylabel()
    'Difference magnitude (AB)'
    """
    alert = latest_alert(night, object_id, as_of)
    if as_of is None and alert is not None:
        as_of = night.alerts["jd"].iloc[alert]
    rows = points_of(night, object_id, as_of, more)
    rows = rows if whole else rows[rows["seen"]]
    if rows.empty:
        if len(points_of(night, object_id)):
            raise DataError(
                f"{night.name}: no data of {object_id} up to JD {as_of}; give a later date"
            )
        remedy = similar_object(object_id, night.alerts["objectId"]) or "name an object of it"
        raise DataError(f"{night.name}: has no data of {object_id}; {remedy}")
    detected, limits = rows[rows["magpsf"].notna()], rows[rows["magpsf"].isna()]
    limits = limits[limits["diffmaglim"].notna()]
    origin = (rows if detected.empty else detected)["jd"].min()
    if ax is None:
        _, (ax,) = figure()

    small = len(detected) > _MANY_POINTS
    for band in (*BANDS, None):
        _draw_detections(ax, _of_band(detected, band), band, origin, small)
    if alert is not None:
        _mark_alert(ax, night.alerts.iloc[alert], origin)
        _draw_rates(ax, *rates_of(night, alert), origin)
    for band in (*BANDS, None):
        _draw_limits(ax, _of_band(limits, band), band, origin, small)
    forced = forced_points(night, alert)
    for band in BANDS:
        _draw_forced(ax, forced[forced["band"] == band], band, origin)
    if not rows["seen"].all():
        ax.plot([], [], " ", label="lighter: not in the history of this alert")

    _set_magnitude_axis(ax, detected, [limits["diffmaglim"], forced["magpsf"], forced["limit"]])
    _set_time_axes(ax, pd.concat([rows["jd"], forced["jd"]]), origin)
    what = "first detection" if len(detected) else "first exposure"
    ax.set_xlabel(f"Days since {what}")
    ax.set_ylabel("Difference magnitude (AB)")
    # Names come from files and must not be parsed as mathematics.
    ax.set_title(object_id, parse_math=False, fontweight="bold")
    ax.grid(alpha=0.25)
    _set_legend(ax)
    return ax


# --- data -------------------------------------------------------------------------------


def latest_alert(night: Night, object_id: str, as_of: float | None = None) -> int | None:
    """Find the latest alert of an object up to a date.

    Parameters
    ----------
    night : Night
    object_id : str
    as_of : float, optional
        A Julian date.

    Returns
    -------
    int or None
        Position of the alert in the night; None if there is none.

    Examples
    --------
    >>> k = latest_alert(night, object_id)
    >>> night.alerts["objectId"].iloc[k] == object_id
    True
    """
    jd = night.alerts["jd"].to_numpy()
    matches = (night.alerts["objectId"] == object_id).to_numpy()
    matches = matches & (jd <= (np.inf if as_of is None else as_of))
    return int(np.argmax(np.where(matches, jd, -np.inf))) if matches.any() else None


def points_of(
    night: Night, object_id: str, as_of: float | None = None, more: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Collect the photometry of an object.

    Parameters
    ----------
    night : Night
    object_id : str
    as_of : float, optional
        Julian date; by default all rows count as seen.
    more : pandas.DataFrame, optional
        More photometry with the columns of `Night.light_curve`. Exposures of the night are
        skipped, except for detections where the night has only a limit.

    Returns
    -------
    pandas.DataFrame
        The columns of `Night.light_curve` and ``seen`` (True for data up to ``as_of``). Rows
        without a date are left out.

    Raises
    ------
    DataError
        If the night has no data of the object.

    Examples
    --------
    >>> bool(points_of(night, object_id)["seen"].all())
    True
    """
    complete = night.light_curve(object_id)
    if _all_seen(complete, as_of, night.history_days):
        rows = complete.assign(seen=True)
    else:
        rows = night.light_curve(object_id, as_of).assign(seen=True)
        rows = _add(rows, complete[~_share_exposure(complete, rows)])
    if more is not None:
        more = one_per_exposure(more).assign(is_alert=False)
        detected = rows["magpsf"].notna()
        new = more[~_share_exposure(more, rows[detected])]
        better = new[new["magpsf"].notna()]
        # A detection replaces the limit of its exposure, and then only new exposures are added.
        rows = rows[detected | ~_share_exposure(rows, better)]
        rows = _add(rows, new[~_share_exposure(new, rows)])
    rows = rows[rows["jd"].notna()]
    return rows.sort_values(["jd", "fid", "magpsf"], ignore_index=True)


def _all_seen(rows, as_of, history_days):
    """Say whether an alert sees all rows; a page draws hundreds of such light curves."""
    if as_of is None:
        return True
    jd = rows["jd"].to_numpy()
    earlier_alerts = rows["is_alert"].to_numpy() & (jd != as_of)
    return bool((jd >= as_of - history_days).all() and (jd <= as_of).all()) and not (
        earlier_alerts.any() or (~rows["is_alert"].to_numpy() & (jd == as_of)).any()
    )


def _add(rows, unseen):
    unseen = unseen.assign(seen=False)[rows.columns]
    return pd.concat([rows, unseen], ignore_index=True) if len(unseen) else rows


def _share_exposure(rows, others):
    """Return a mask of the rows that are in an exposure of the others."""
    return in_exposures_of(rows["jd"], rows["fid"], others["jd"], others["fid"])


class RateLine(NamedTuple):
    """A fitted rise or fade: rate, error and the ends of its line."""

    band: str
    verb: str
    rate: float
    err: float
    jd: np.ndarray
    mag: np.ndarray


class Peak(NamedTuple):
    """The brightest night mean of a light curve."""

    jd: float
    mag: float
    band: str


def rates_of(night: Night, alert: int) -> tuple[list[RateLine], Peak | None]:
    """Fit the rise and fade of the light curve of an alert, and find its brightest night.

    Parameters
    ----------
    night : Night
    alert : int
        Position of the alert in the night.

    Returns
    -------
    lines : list of RateLine
        Rates in mag/day; they equal the features ``rise_rate_*`` and ``fade_rate_*``.
    peak : Peak or None
        None if no band has two nights.

    Examples
    --------
    >>> k = latest_alert(night, object_id)
    >>> lines, peak = rates_of(night, k)
    >>> {line.verb for line in lines} <= {"rising", "fading"}
    True
    """
    lines, peaks = [], []
    for band, nights in night_means_as_of(night, alert).items():
        if len(nights.jd) == 0:
            continue
        peak = peak_index(nights)
        if len(nights.jd) > 1:
            peaks.append(Peak(nights.jd[peak], nights.mag[peak], band))
        for part, sign, verb in (
            (slice(None, peak + 1), -1, "rising"),
            (slice(peak, None), 1, "fading"),
        ):
            jd = nights.jd[part]
            fit = fit_slope(jd, nights.mag[part], nights.err[part])
            if not np.isnan(fit.slope):
                ends = jd[[0, -1]]
                mag = fit.mean_mag + fit.slope * (ends - fit.mean_jd)
                lines.append(RateLine(band, verb, sign * fit.slope, fit.err, ends, mag))
    return lines, min(peaks, key=lambda peak: peak.mag, default=None)


# --- drawing ----------------------------------------------------------------------------


def _of_band(rows, band):
    return rows[rows["band"].isna() if band is None else rows["band"] == band]


def _colour(band):
    return BAND_COLOURS.get(band, UNKNOWN_BAND)


def _draw_limits(ax, limits, band, origin, small):
    for rows, alpha in ((limits[limits["seen"]], 0.4), (limits[~limits["seen"]], 0.15)):
        if rows.empty:
            continue
        ax.plot(
            rows["jd"] - origin,
            rows["diffmaglim"],
            "v",
            color=_colour(band),
            markersize=4 if small else 5,
            markeredgewidth=0,
            alpha=alpha,
            zorder=1,
            label=_label_once(ax, f"{band or 'unknown band'} limit (5σ)"),
        )


def _draw_detections(ax, detected, band, origin, small):
    for sign, inside, what in ((1, _colour(band), "detection"), (-1, "white", "below reference")):
        of_sign = detected[(detected["isdiffpos"] < 0) == (sign < 0)]
        for rows, alpha in ((of_sign[of_sign["seen"]], 1.0), (of_sign[~of_sign["seen"]], 0.35)):
            if rows.empty:
                continue
            ax.errorbar(
                rows["jd"] - origin,
                rows["magpsf"],
                yerr=rows["sigmapsf"],
                fmt=BAND_MARKERS.get(band, "X"),
                color=_colour(band),
                markerfacecolor=inside,
                markersize=3 if small else 6,
                markeredgewidth=0.8 if small else 1.2,
                elinewidth=0.6 if small else 1.0,
                capsize=0,
                alpha=alpha,
                zorder=3,
                label=_label_once(ax, f"{band or 'unknown band'} {what}"),
            )


def _draw_forced(ax, forced, band, origin):
    measured, limits = forced[forced["magpsf"].notna()], forced[forced["limit"].notna()]
    style = {"color": _colour(band), "alpha": 0.6, "zorder": 1.5}
    if len(measured):
        ax.errorbar(
            measured["jd"] - origin,
            measured["magpsf"],
            yerr=measured["sigmapsf"],
            fmt="x",
            markersize=4,
            elinewidth=0.6,
            label=f"{band} forced photometry",
            **style,
        )
    if len(limits):
        ax.plot(
            limits["jd"] - origin, limits["limit"], "_", markersize=6,
            label=f"{band} forced limit (3σ)", **style,
        )  # fmt: skip


def _label_once(ax, label):
    """Return None for a label that is in the legend already."""
    return None if label in ax.get_legend_handles_labels()[1] else label


def _mark_alert(ax, alert, origin):
    days = alert["jd"] - origin
    ax.axvline(days, color=INK, linewidth=0.9, linestyle=":", zorder=0.5)
    ax.plot(
        days,
        alert["magpsf"],
        "o",
        markersize=16,
        markerfacecolor="none",
        markeredgecolor=INK,
        markeredgewidth=1.0,
        zorder=4,
        label=f"this alert, {_date(alert['jd']):%Y-%m-%d %H:%M}",
    )


def _draw_rates(ax, lines, peak, origin):
    """Draw the lines of the rise and fade rates and the brightest night."""
    for line in lines:
        ax.plot(
            line.jd - origin,
            line.mag,
            color=_colour(line.band),
            linewidth=1.8,
            linestyle="-" if line.verb == "fading" else "--",
            zorder=2,
            label=f"{line.verb} {with_error(line.rate, line.err)} mag/d in {line.band}",
        )
    if peak:
        ax.plot(
            peak.jd - origin,
            peak.mag,
            "*",
            markersize=13,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=1.0,
            zorder=5,
            label=f"peak {peak.mag:.2f} mag in {peak.band}",
        )


def with_error(value: float, err: float) -> str:
    """Format a value and its error with the same number of digits.

    >>> with_error(0.6231, 0.052), with_error(-0.00312, 0.0004)
    ('0.62 ± 0.05', '−0.0031 ± 0.0004')
    """
    digits = int(np.clip(np.ceil(-np.log10(err)), 2, 4))
    # Adding 0 turns -0 into 0.
    return f"{round(value, digits) + 0.0:.{digits}f} ± {err:.{digits}f}".replace("-", "−")


def _set_magnitude_axis(ax, detected, others):
    """Invert the magnitude axis and make room for error bars, limits and forced photometry."""
    # Clip very large errors, which would compress the rest of the light curve.
    err = detected["sigmapsf"].fillna(0.0).clip(upper=1.0)
    values = np.concatenate([detected["magpsf"] - err, detected["magpsf"] + err, *others])
    values = values[~np.isnan(values)]
    if len(values):
        low, high = values.min(), values.max()
        margin = max(0.08 * (high - low), 0.5 * (_LEAST_MAGNITUDES - (high - low)))
        ax.set_ylim(high + margin, low - margin)
    elif not ax.yaxis_inverted():
        ax.invert_yaxis()


def _set_time_axes(ax, jd, origin):
    """Draw days at the bottom and dates (UTC) at the top."""
    low, high = jd.min() - origin, jd.max() - origin
    margin = max(0.05 * (high - low), 0.02 if high - low > 0.01 else 0.5)
    ax.set_xlim(low - margin, high + margin)
    offset = origin - _JD_OF_DATE_0
    top = ax.secondary_xaxis("top", functions=(lambda t: t + offset, lambda t: t - offset))
    most = int(np.clip(ax.bbox.width / ax.figure.dpi / _INCHES_A_DATE, 2, 6))
    if high - low < _DAYS_WITH_HOURS:
        locator, style = dates.AutoDateLocator(tz="UTC", maxticks=min(most, 5)), "%Y-%m-%d\n%H:%M"
        # Larger steps for small figures, for which Matplotlib has none and warns.
        locator.intervald[dates.HOURLY] = [1, 2, 3, 4, 6, 12, 24, 48, 96]
        for kind in (dates.MINUTELY, dates.SECONDLY):
            locator.intervald[kind] = [1, 5, 10, 15, 30, 60, 120, 240, 480]
    else:
        locator, style = MaxNLocator(most, integer=True), "%Y-%m-%d"
    top.xaxis.set_major_locator(locator)
    top.xaxis.set_major_formatter(dates.DateFormatter(style, tz="UTC"))
    top.set_xlabel("Date (UTC)")


def _set_legend(ax):
    """Draw the legend to the right of the axes, detections first."""
    entries = list(zip(*ax.get_legend_handles_labels(), strict=True))
    entries.sort(key=lambda entry: not isinstance(entry[0], ErrorbarContainer))
    ax.legend(
        [handle for handle, _ in entries],
        [label for _, label in entries],
        loc="upper left",
        bbox_to_anchor=(1.01, 1.0),
        frameon=False,
        borderaxespad=0.0,
    )


def _date(jd):
    return dates.num2date(jd - _JD_OF_DATE_0, tz="UTC")
