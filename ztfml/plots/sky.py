"""Where on the sky a night's alerts are."""

import numpy as np
from matplotlib.collections import PathCollection

from ztfml.errors import DataError
from ztfml.plots.style import CLASS_STYLES, INK, KEPT
from ztfml.taxonomy import LABELS

_GALAXY, _ECLIPTIC = "#7A5195", "#B58900"


def sky(ax, night, labels=None, ranked=None):
    """Draw the alerts of a night on the sky, with the galactic plane and the ecliptic.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Of the projection ``mollweide`` (see `figure`). Right ascension grows to the left,
        12h is in the middle.
    night : Night
    labels : sequence of str, optional
        The class of each alert, as of `ztfml.taxonomy.LABELS`.
    ranked : pandas.DataFrame, optional
        Objects to mark by their ``rank``, at ``ra`` and ``dec``.

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Raises
    ------
    DataError
        If the alerts have no positions.

    Examples
    --------
    >>> sky(figure(projection="mollweide")[1][0], night)   # doctest: +SKIP
    """
    if "ra" not in night.alerts or "dec" not in night.alerts:
        raise DataError(f"{night.name}: no candidate.ra and candidate.dec, and so no sky map")
    ra, dec = night.alerts["ra"].to_numpy(), night.alerts["dec"].to_numpy()
    of_alert = np.full(len(night), "") if labels is None else np.asarray(labels)
    for label in ("",) if labels is None else LABELS:
        own = (of_alert == label) & ~np.isnan(ra)
        if own.any():
            ax.scatter(
                *_place(ra[own], dec[own]),
                s=_size(own.sum()),
                color=CLASS_STYLES[label]["color"] if label else KEPT,
                linewidth=0,
                alpha=0.5,
                rasterized=True,
                label=f"{label or 'alerts'} ({own.sum():,})",
            )
    for frame, colour, style, name in (
        ("galactic", _GALAXY, "-", "galactic plane"),
        ("barycentricmeanecliptic", _ECLIPTIC, "--", "ecliptic"),
    ):
        ax.plot(*_unbroken(*great_circle(frame)), color=colour, linestyle=style, linewidth=1.4,
                label=name)  # fmt: skip
    if ranked is not None:
        _mark(ax, ranked[ranked["ra"].notna()])
    hours = np.arange(2, 24, 2)
    ax.set_xticks(_place(15.0 * hours, np.zeros(len(hours)))[0], [f"{h}h" for h in hours])
    ax.tick_params(axis="x", labelsize="small", labelcolor="#777777")
    ax.grid(alpha=0.3)
    ax.set_xlabel("Right ascension (J2000)")
    ax.set_ylabel("Declination (J2000)")
    legend = ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), frameon=False,
                       borderaxespad=0.0)  # fmt: skip
    for handle in legend.legend_handles:
        handle.set_alpha(1.0)
        if isinstance(handle, PathCollection):
            handle.set_sizes([20.0])
    return ax


def _size(n):
    """The rarer, the larger."""
    return 1.0 if n > 20_000 else 5.0 if n > 200 else 14.0


def _mark(ax, ranked):
    x, y = _place(ranked["ra"].to_numpy(), ranked["dec"].to_numpy())
    ax.plot(x, y, "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, label="ranked")
    for row, at in zip(ranked.itertuples(), zip(x, y, strict=True), strict=True):
        ax.annotate(str(row.rank), at, xytext=(5, 4), textcoords="offset points", fontsize="small")


def great_circle(frame):
    """The equator of another frame, as seen in right ascension and declination.

    Parameters
    ----------
    frame : {'galactic', 'barycentricmeanecliptic'}
        As astropy names it.

    Returns
    -------
    ra, dec : ndarray, shape (361,), deg

    Examples
    --------
    >>> ra, dec = great_circle("barycentricmeanecliptic")
    >>> round(float(dec.max()), 1)
    23.4
    """
    from astropy.coordinates import SkyCoord

    circle = SkyCoord(np.arange(361.0), np.zeros(361), unit="deg", frame=frame).icrs
    return circle.ra.deg, circle.dec.deg


def _place(ra, dec):
    """Right ascension growing to the left, 12h in the middle."""
    return np.radians(180.0 - np.asarray(ra)), np.radians(dec)


def _unbroken(ra, dec):
    """A line across the sky that ends at the map's edge and begins anew at the other."""
    x, y = _place(ra, dec)
    jumps = np.flatnonzero(np.abs(np.diff(x)) > np.pi) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)
