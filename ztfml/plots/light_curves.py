"""One object's light curve."""

import numpy as np
from matplotlib import dates
from matplotlib.container import ErrorbarContainer
from matplotlib.ticker import MaxNLocator

from ztfml.errors import DataError
from ztfml.features.nights import fit_slope, night_means, peak_of
from ztfml.lightcurve import light_curve_of
from ztfml.plots.style import BAND_COLOURS, BAND_MARKERS, INK, UNKNOWN_BAND
from ztfml.schema import BANDS

# Julian date of matplotlib's day 0, 1970-01-01 UTC.
_JD_OF_DATE_0 = 2440587.5
# From so many points on, symbols must be small to be seen one by one.
_MANY_POINTS = 150
# A figure of one point must not look as if its error were large.
_LEAST_MAGNITUDES = 2.0
# A shorter time has the hours on its date axis.
_DAYS_WITH_HOURS = 4.0


def light_curve(ax, night, object_id, as_of=None):
    """Draw one object's light curve as one of its alerts saw it.

    Filled symbols are brighter than the reference image, open ones fainter; triangles are
    5-sigma limits of exposures without a detection. The rise and fade lines and their rates
    are the features ``rise_rate_*`` and ``fade_rate_*`` of the alert.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    night : Night
    object_id : str
    as_of : float, optional
        A Julian date: what came later is not drawn, and the latest alert up to it is marked.
        By default that of the object's latest alert.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Raises
    ------
    DataError
        If the night does not know the object, or nothing of it by that date.

    Examples
    --------
    >>> light_curve(figure()[1][0], night, "ZTF18abukavn")   # doctest: +SKIP
    """
    alert = _latest_alert(night, object_id, as_of)
    if as_of is None and alert is not None:
        as_of = night.alerts["jd"].iloc[alert]
    rows = night.light_curve(object_id, as_of)
    rows = rows[rows["jd"].notna()]
    if rows.empty:
        raise DataError(f"{night.name}: nothing of {object_id} up to JD {as_of}; name a later date")
    detected = rows[rows["magpsf"].notna()]
    limits = rows[rows["magpsf"].isna() & rows["diffmaglim"].notna()]
    origin = (rows if detected.empty else detected)["jd"].min()

    small = len(detected) > _MANY_POINTS
    for band in (*BANDS, None):
        _draw_detections(ax, _of_band(detected, band), band, origin, small)
    if alert is not None:
        _mark_alert(ax, night.alerts.iloc[alert], origin)
        _draw_fits(ax, night, alert, origin)
    for band in (*BANDS, None):
        _draw_limits(ax, _of_band(limits, band), band, origin, small)

    _set_magnitude_axis(ax, detected, limits)
    _set_time_axes(ax, rows["jd"], origin)
    what = "first detection" if len(detected) else "first exposure"
    ax.set_xlabel(f"Days since {what}")
    ax.set_ylabel("Difference magnitude (AB)")
    # Names come from files: none of it is mathematics.
    ax.set_title(object_id, parse_math=False, fontweight="bold")
    ax.grid(alpha=0.25)
    _set_legend(ax)
    return ax


def _latest_alert(night, object_id, as_of):
    """Position of the object's latest alert up to a date, None without one."""
    jd = night.alerts["jd"].to_numpy()
    own = (night.alerts["objectId"] == object_id).to_numpy()
    own = own & (jd <= (np.inf if as_of is None else as_of))
    return int(np.argmax(np.where(own, jd, -np.inf))) if own.any() else None


def _of_band(rows, band):
    return rows[rows["band"].isna() if band is None else rows["band"] == band]


def _colour(band):
    return BAND_COLOURS.get(band, UNKNOWN_BAND)


def _draw_limits(ax, limits, band, origin, small):
    if limits.empty:
        return
    ax.plot(
        limits["jd"] - origin,
        limits["diffmaglim"],
        "v",
        color=_colour(band),
        markersize=4 if small else 5,
        markeredgewidth=0,
        alpha=0.4,
        zorder=1,
        label=f"{band or 'unknown band'} limit (5σ)",
    )


def _draw_detections(ax, detected, band, origin, small):
    for sign, inside, what in ((1, _colour(band), "detection"), (-1, "white", "below reference")):
        rows = detected[(detected["isdiffpos"] < 0) == (sign < 0)]
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
            zorder=3,
            label=f"{band or 'unknown band'} {what}",
        )


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


def _draw_fits(ax, night, alert, origin):
    """The lines behind the alert's rise and fade rates, and its brightest night."""
    fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    curve = light_curve_of(
        night.history,
        night.first[alert],
        night.last[alert],
        *(float(night.alerts[field].iloc[alert]) for field in fields),
    )
    brightest = (np.inf, None, None)
    for number, band in enumerate(BANDS):
        nights = night_means(curve, number)
        if len(nights.jd) == 0:
            continue
        peak = peak_of(nights)
        if len(nights.jd) > 1:
            brightest = min(brightest, (nights.mag[peak], nights.jd[peak], band))
        for part, sign, verb in (
            (slice(None, peak + 1), -1, "rising"),
            (slice(peak, None), 1, "fading"),
        ):
            jd = nights.jd[part]
            fit = fit_slope(jd, nights.mag[part], nights.err[part])
            if not np.isnan(fit.slope):
                ends = jd[[0, -1]]
                ax.plot(
                    ends - origin,
                    fit.mean_mag + fit.slope * (ends - fit.mean_jd),
                    color=_colour(band),
                    linewidth=1.8,
                    linestyle="-" if verb == "fading" else "--",
                    zorder=2,
                    label=f"{verb} {_with_error(sign * fit.slope, fit.err)} mag/d in {band}",
                )
    mag, jd, band = brightest
    if band:
        ax.plot(
            jd - origin,
            mag,
            "*",
            markersize=13,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=1.0,
            zorder=5,
            label=f"peak {mag:.2f} mag in {band}",
        )


def _with_error(value, err):
    """A number with as many digits as its error allows.

    >>> _with_error(0.6231, 0.052), _with_error(-0.00312, 0.0004)
    ('0.62 ± 0.05', '−0.0031 ± 0.0004')
    """
    digits = int(np.clip(np.ceil(-np.log10(err)), 2, 4))
    # Adding 0 turns a rounded -0 into 0.
    return f"{round(value, digits) + 0.0:.{digits}f} ± {err:.{digits}f}".replace("-", "−")


def _set_magnitude_axis(ax, detected, limits):
    """Bright is up; error bars and limits fit in."""
    # An error of magnitudes must not squeeze all else into a line.
    err = detected["sigmapsf"].fillna(0.0).clip(upper=1.0)
    values = np.concatenate(
        [detected["magpsf"] - err, detected["magpsf"] + err, limits["diffmaglim"]]
    )
    if len(values):
        low, high = values.min(), values.max()
        margin = max(0.08 * (high - low), 0.5 * (_LEAST_MAGNITUDES - (high - low)))
        ax.set_ylim(high + margin, low - margin)
    elif not ax.yaxis_inverted():
        ax.invert_yaxis()


def _set_time_axes(ax, jd, origin):
    """Days below, dates (UTC) above."""
    low, high = jd.min() - origin, jd.max() - origin
    margin = max(0.05 * (high - low), 0.02 if high - low > 0.01 else 0.5)
    ax.set_xlim(low - margin, high + margin)
    offset = origin - _JD_OF_DATE_0
    top = ax.secondary_xaxis("top", functions=(lambda t: t + offset, lambda t: t - offset))
    if high - low < _DAYS_WITH_HOURS:
        locator, style = dates.AutoDateLocator(tz="UTC", maxticks=5), "%Y-%m-%d\n%H:%M"
    else:
        locator, style = MaxNLocator(6, integer=True), "%Y-%m-%d"
    top.xaxis.set_major_locator(locator)
    top.xaxis.set_major_formatter(dates.DateFormatter(style, tz="UTC"))
    top.set_xlabel("Date (UTC)")


def _set_legend(ax):
    """Beside the axes, where no data can be; the detections first."""
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
