"""The positions of the alerts of a night on the sky."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.plots.style import CLASS_STYLES, INK, KEPT
from ztfml.taxonomy import LABELS

_GALAXY, _ECLIPTIC = "#7A5195", "#B58900"


def sky(
    ax: Axes,
    night: Night,
    labels: Sequence[str] | None = None,
    ranked: pd.DataFrame | None = None,
) -> Axes:
    """Draw the alerts of a night on the sky, with the galactic plane and the ecliptic.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes with the projection ``mollweide`` (see `figure`). Right ascension increases to the
        left, with 12h at the centre.
    night : Night
    labels : sequence of str, optional
        Class of each alert (`ztfml.taxonomy.LABELS`).
    ranked : pandas.DataFrame, optional
        Objects to mark by their ``rank``, at ``ra`` and ``dec``.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Raises
    ------
    DataError
        If the alerts have no positions.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure(projection="mollweide")
    >>> sky(ax, night).get_xlabel()
    'Right ascension (J2000)'
    """
    if "ra" not in night.alerts or "dec" not in night.alerts:
        raise DataError(
            f"{night.name}: candidate.ra or candidate.dec is missing; the sky map needs both"
        )
    ra, dec = night.alerts["ra"].to_numpy(), night.alerts["dec"].to_numpy()
    of_alert = np.full(len(night), "") if labels is None else np.asarray(labels)
    for label in ("",) if labels is None else LABELS:
        selected = (of_alert == label) & ~np.isnan(ra)
        if selected.any():
            ax.scatter(
                *_project(ra[selected], dec[selected]),
                s=_size(selected.sum()),
                color=CLASS_STYLES[label]["color"] if label else KEPT,
                linewidth=0,
                alpha=0.5,
                rasterized=True,
                label=f"{label or 'alerts'} ({selected.sum():,})",
            )
    for frame, colour, style, name in (
        ("galactic", _GALAXY, "-", "galactic plane"),
        ("barycentricmeanecliptic", _ECLIPTIC, "--", "ecliptic"),
    ):
        ax.plot(*_split_at_edge(*great_circle(frame)), color=colour, linestyle=style, linewidth=1.4,
                label=name)  # fmt: skip
    if ranked is not None:
        _mark(ax, ranked[ranked["ra"].notna()])
    hours = np.arange(2, 24, 2)
    ax.set_xticks(_project(15.0 * hours, np.zeros(len(hours)))[0], [f"{h}h" for h in hours])
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
    """Return the symbol size; rare classes have larger symbols."""
    return 1.0 if n > 20_000 else 5.0 if n > 200 else 14.0


def _mark(ax, ranked):
    x, y = _project(ranked["ra"].to_numpy(), ranked["dec"].to_numpy())
    ax.plot(x, y, "o", markersize=9, markerfacecolor="none", markeredgecolor=INK, label="ranked")
    for row, at in zip(ranked.itertuples(), zip(x, y, strict=True), strict=True):
        ax.annotate(str(row.rank), at, xytext=(5, 4), textcoords="offset points", fontsize="small")


def great_circle(frame: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the equator of another frame in right ascension and declination.

    Parameters
    ----------
    frame : {'galactic', 'barycentricmeanecliptic'}
        Name of the frame in astropy.

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


def _project(ra, dec):
    """Project positions: right ascension increases to the left, 12h is at the centre."""
    return np.radians(180.0 - np.asarray(ra)), np.radians(dec)


def _split_at_edge(ra, dec):
    """Project a line and break it at the edge of the map."""
    x, y = _project(ra, dec)
    jumps = np.flatnonzero(np.abs(np.diff(x)) > np.pi) + 1
    return np.insert(x, jumps, np.nan), np.insert(y, jumps, np.nan)
