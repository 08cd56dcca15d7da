"""An empty figure to draw on without a display, and its file."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside


def figure(n_axes=1, width=9.0, height=5.0, n_columns=None, projection=None):
    """Make an empty figure with axes side by side.

    Parameters
    ----------
    n_axes : int
    width, height : float, inch
        Of each of the axes with its margins and legend.
    n_columns : int, optional
        How many stand in a row; by default all.
    projection : str, optional
        Of the axes, such as ``mollweide`` for a map of the sky.

    Returns
    -------
    fig : matplotlib.figure.Figure
    axes : list of matplotlib.axes.Axes

    Examples
    --------
    >>> fig, axes = figure(2)
    >>> len(axes)
    2
    """
    n_columns = n_columns or n_axes
    n_rows = -(-n_axes // n_columns)
    fig = Figure(figsize=(width * n_columns, height * n_rows), layout="constrained")
    FigureCanvasAgg(fig)
    axes = fig.subplots(n_rows, n_columns, subplot_kw={"projection": projection})
    return fig, list(np.ravel(axes))[:n_axes]


def save(fig, path):
    """Write a figure as png, pdf or svg, as the name ends.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    path : str or Path

    Raises
    ------
    DataError
        If the name ends otherwise, or the folder cannot be written to.

    Examples
    --------
    >>> save(fig, "ZTF18abukavn.png")   # doctest: +SKIP
    """
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in _UNDATED:
        raise DataError(f"{path}: not a kind of figure; let the name end in .png, .pdf or .svg")
    # Without a date and with a fixed salt, the same figure is the same file.
    with write_beside(path) as part, mpl.rc_context({"svg.hashsalt": "ztfml"}):
        fig.savefig(part, format=kind, dpi=150, bbox_inches="tight", metadata=_UNDATED[kind])


_UNDATED = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
