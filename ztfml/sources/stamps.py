"""Image stamps of alerts: read from FITS, and scaled for display.

No stamp needs to be rotated or flipped. In ZTF images right ascension and declination both decrease
as x and y increase (as fits to xpos, ypos, ra and dec of public alerts and the positions of
reference sources show), so that an array drawn with its first row at the top, the default of
``imshow``, has north up and east left. Plots with the first row at the bottom must reverse the
rows, as the documentation of Fink says.
"""

from __future__ import annotations

import io
import warnings

import numpy as np

from ztfml.errors import DataError
from ztfml.io.gunzip import gunzip
from ztfml.io.limits import MAX_STAMP_BYTES, MAX_STAMP_PIXELS

_SIZE = 63  # Width of a complete ZTF stamp in pixels.
_MIDDLE = 1536.0  # Middle of a CCD quadrant in pixels.
# Larger pixel values mark saturation or bad columns.
_LARGEST = 1e20

# The notebook of ZTF, github.com/ZwickyTransientFacility/ztf-avro-alert, draws stamps with the
# arcsinh stretch of aplpy, which has these percentiles as limits by default.
_PERCENTILES = (0.25, 99.75)
# The transition from linear to logarithmic, as a fraction of the range.
_SOFTENING = 0.1


def read_stamp(content: bytes) -> np.ndarray:
    """Read the image of a FITS file, gzipped or not.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    ndarray of float32, shape (n_rows, n_columns)
        The first row is the northern edge and the first column the eastern edge. ZTF stamps have
        63 by 63 pixels of 1.01 arcsec, fewer at the edge of an image; missing values are NaN.

    Raises
    ------
    DataError
        If it is not a FITS image; packets until 2017 contain JPEG images.

    Examples
    --------
    >>> import gzip
    >>> from astropy.io import fits
    >>> file = io.BytesIO()
    >>> fits.PrimaryHDU(np.ones((63, 63))).writeto(file)
    >>> read_stamp(gzip.compress(file.getvalue())).shape
    (63, 63)
    """
    from astropy.io import fits

    if not isinstance(content, bytes) or not content:
        raise DataError("there is no image")
    try:
        plain = gunzip(content, MAX_STAMP_BYTES)
        # astropy would decompress other formats, and gzip inside gzip, without a limit.
        if not plain[:80].isascii():
            raise ValueError("the header is not text")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SIMPLE is in the wrong column of ZTF headers.
            with fits.open(io.BytesIO(plain), ignore_missing_simple=True, memmap=False) as file:
                image = file[0].data
    except Exception as error:  # astropy raises many types if a header is damaged.
        raise DataError(f"not a FITS image, or incomplete ({_first_line(error)})") from error
    return clean_stamp(image)


def clean_stamp(image: object) -> np.ndarray:
    """Convert an image to a stamp.

    Parameters
    ----------
    image : array_like, shape (n_rows, n_columns)

    Returns
    -------
    ndarray of float32
        NaN if a value is missing or marks a bad pixel.

    Raises
    ------
    DataError
        If it does not have two dimensions, or has no pixels or too many.

    Examples
    --------
    >>> clean_stamp([[1, None], [2.5, 1e30]])
    array([[1. , nan],
           [2.5, nan]], dtype=float32)
    """
    try:
        values = np.array(image, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"the pixels are not numbers ({_first_line(error)})") from error
    if values.ndim != 2 or not 0 < values.size <= MAX_STAMP_PIXELS:
        raise DataError(f"not an image with two dimensions; its shape is {values.shape}")
    return np.where(np.abs(values) < _LARGEST, values, np.nan).astype(np.float32)


def centre_stamp(image: np.ndarray, xpos: float | None, ypos: float | None) -> np.ndarray:
    """Pad a stamp that was cut by the edge of the image, so that the alert is at the centre.

    Parameters
    ----------
    image : ndarray of float32, shape (n_rows, n_columns)
    xpos, ypos : float or None
        Position of the alert in the image, in pixels of a quadrant of 3072 by 3080; the first
        row of the stamp has the smallest y.

    Returns
    -------
    ndarray of float32, shape (63, 63)
        NaN beyond the edge. The stamp is unchanged if the position is unknown or the stamp is
        larger.

    Examples
    --------
    >>> cut = np.ones((63, 50), np.float32)
    >>> np.isnan(centre_stamp(cut, 3053.2, 1500.0)[0, 50:]).all()
    np.True_
    """
    padding = []
    for length, pos in zip(image.shape, (ypos, xpos), strict=True):
        missing = _SIZE - length
        if missing < 0 or pos is None or not np.isfinite(pos):
            return image
        padding.append((missing, 0) if pos < _MIDDLE else (0, missing))
    return np.pad(image, padding, constant_values=np.nan)


def stretch(image: np.ndarray, linear: bool = False) -> np.ndarray:
    """Scale a stamp for display, so that faint hosts and bright stars are both visible.

    Parameters
    ----------
    image : ndarray, shape (n_rows, n_columns)
    linear : bool
        For difference images. Their background is in the middle of the range, where an arcsinh
        stretch would amplify the noise. Fritz also shows them with a linear stretch.

    Returns
    -------
    ndarray of float32
        0 (black) to 1 (white), with an arcsinh stretch between two percentiles of the image, as
        in the notebook of ZTF; NaN if the image has no value.

    Examples
    --------
    >>> stretch(np.array([[0.0, 0.0], [0.0, 100.0]])).max()
    np.float32(1.0)
    """
    image = np.asarray(image, np.float64)
    known = np.isfinite(image)
    image = np.where(known, image, np.nan)
    if not known.any():
        return image.astype(np.float32)
    low, high = np.percentile(image[known], _PERCENTILES)
    if not high > low:
        return np.where(known, np.float32(0.5), np.float32(np.nan))
    fraction = np.clip((image - low) / (high - low), 0.0, 1.0)
    if linear:
        return fraction.astype(np.float32)
    return (np.arcsinh(fraction / _SOFTENING) / np.arcsinh(1 / _SOFTENING)).astype(np.float32)


def _first_line(error):
    return (str(error).strip() or type(error).__name__).split("\n")[0]
