"""The image cutouts of an alert: science, reference and difference."""

import numpy as np
from matplotlib.axes import Axes

from ztfml.schema import PIXEL_SCALE
from ztfml.sources.stamps import stretch

STAMPS = ("science", "reference", "difference")


def stamp(ax: Axes, image: np.ndarray, kind: str) -> Axes:
    """Draw one image cutout, north up and east to the left, with the position marked.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : ndarray, shape (n_rows, n_columns)
        The first row is the northern edge, the first column the eastern.
    kind : {'science', 'reference', 'difference'}

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.

    Examples
    --------
    >>> from ztfml.plots import figure
    >>> fig, (ax,) = figure()
    >>> stamp(ax, np.zeros((63, 63)), "science").get_title()
    'science'
    """
    rows, columns = image.shape
    # Arcseconds from the centre to the eastern and northern edge.
    east, north = columns * PIXEL_SCALE / 2, rows * PIXEL_SCALE / 2
    ax.imshow(
        stretch(image, linear=kind == "difference"),
        cmap="gray",
        vmin=0.0,
        vmax=1.0,
        extent=(east, -east, -north, north),
        interpolation="nearest",
    )
    ax.set_facecolor("#5B4A4A")
    for line in (([3, 8], [0, 0]), ([0, 0], [3, 8])):
        ax.plot(*line, color="#FFCC33", linewidth=1.4)
    ax.set_xticks([-20, 0, 20])
    ax.set_yticks([-20, 0, 20])
    ax.tick_params(labelsize="x-small", length=2)
    ax.set_xlabel("East (arcsec)", fontsize="x-small")
    ax.set_ylabel("North (arcsec)", fontsize="x-small")
    ax.set_title(kind, fontsize="small")
    return ax
