"""The images of an alert: science, reference and difference."""

import numpy as np

STAMPS = ("science", "reference", "difference")
PIXEL = 1.01  # arcsec

# Sky noise is to be seen, and one hot pixel must not darken the rest.
_LOWEST, _HIGHEST = 1.0, 99.8
# How much the logarithm lifts what is faint.
_LIFT = 100.0


def scaled(image, kind):
    """Scale an image to shades as brokers show them.

    Science and reference by their logarithm, the difference evenly.

    Parameters
    ----------
    image : ndarray, shape (n_rows, n_columns)
        NaN where the image ends.
    kind : {'science', 'reference', 'difference'}

    Returns
    -------
    ndarray of float, same shape
        0 is black and 1 white; NaN stays.

    Examples
    --------
    >>> scaled(np.array([[0.0, 5.0, 10.0]]), "difference").round(2)
    array([[0. , 0.5, 1. ]])
    """
    image = np.where(np.isfinite(image), image, np.nan).astype(float)
    if np.isnan(image).all():
        return image
    low, high = np.nanpercentile(image, [_LOWEST, _HIGHEST])
    if not high > low:
        return np.where(np.isnan(image), np.nan, 0.5)
    shade = np.clip((image - low) / (high - low), 0.0, 1.0)
    return shade if kind == "difference" else np.log1p(_LIFT * shade) / np.log1p(_LIFT)


def stamp(ax, image, kind):
    """Draw one image of an alert, north up and east to the left, its place marked.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    image : ndarray, shape (n_rows, n_columns)
        The first row is the northern edge, the first column the eastern.
    kind : {'science', 'reference', 'difference'}

    Returns
    -------
    matplotlib.axes.Axes
        The same.

    Examples
    --------
    >>> stamp(figure()[1][0], stamps.science, "science")   # doctest: +SKIP
    """
    rows, columns = image.shape
    # Arcseconds from the middle, growing east and north.
    east, north = columns * PIXEL / 2, rows * PIXEL / 2
    ax.imshow(
        scaled(image, kind),
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
