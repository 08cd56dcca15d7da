"""Make and save figures without a display."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside


def figure(
    n_axes: int = 1,
    width: float = 9.0,
    height: float = 5.0,
    n_columns: int | None = None,
    projection: str | None = None,
) -> tuple[Figure, list[Axes]]:
    """Make an empty figure with axes side by side.

    Parameters
    ----------
    n_axes : int
    width, height : float, inch
        Size of each axes, with margins and legend.
    n_columns : int, optional
        Number of axes per row; by default all.
    projection : str, optional
        Projection of the axes, such as ``mollweide`` for a map of the sky.

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
    axes = list(np.ravel(fig.subplots(n_rows, n_columns, subplot_kw={"projection": projection})))
    for unused in axes[n_axes:]:
        unused.remove()
    return fig, axes[:n_axes]


def save(fig: Figure, path: str | Path) -> None:
    """Write a figure as PNG, PDF or SVG; the file name determines the format.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    path : str or Path

    Raises
    ------
    DataError
        If the format is unknown or the folder cannot be written to.

    Examples
    --------
    >>> fig, axes = figure()
    >>> save(fig, "ZTF18abukavn.png")
    >>> from pathlib import Path
    >>> Path("ZTF18abukavn.png").is_file()
    True
    """
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in _METADATA:
        raise DataError(f"{path}: unknown figure format; the name must end in .png, .pdf or .svg")
    # Without a date and with a fixed salt, equal figures give identical files.
    with write_beside(path) as part, mpl.rc_context({"svg.hashsalt": "ztfml"}):
        fig.savefig(part, format=kind, dpi=150, bbox_inches="tight", metadata=_METADATA[kind])


_METADATA = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
