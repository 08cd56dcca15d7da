"""Image stamps of alerts: read from FITS, and scaled to be looked at.

No stamp has to be turned or flipped. In ZTF's images right ascension and declination both fall as
x and y grow (fits to xpos, ypos, ra and dec of the public alerts, image by image, and the places
of reference sources in the stamps, show it), so that an array drawn from its first row down, as
``imshow`` does by default, has north up and east on the left. Fink's documentation says the same
for plots that begin at the bottom: there the rows have to be reversed. (Fritz reverses them, too,
and then draws from the bottom.)
"""

import gzip
import io
import warnings
import zlib

import numpy as np

from ztfml.errors import DataError

_MOST_PIXELS = 1_000_000
_SIZE = 63  # pixels, of a whole stamp of ZTF
_MIDDLE = 1536.0  # pixels, of a quadrant of a CCD
# Beyond this, pixels are marks for saturation or bad columns, not light.
_LARGEST = 1e20

# ZTF's own notebook on its alerts, github.com/ZwickyTransientFacility/ztf-avro-alert, draws
# stamps with aplpy's arcsinh stretch; aplpy cuts at these percentiles by default.
_PERCENTILES = (0.25, 99.75)
# Where the stretch turns from linear to logarithmic, as a fraction of the range.
_SOFTENING = 0.1


def read_stamp(content):
    """Read the image of a FITS file, gzipped or not.

    Parameters
    ----------
    content : bytes

    Returns
    -------
    ndarray of float32, shape (n_rows, n_columns)
        The first row is the northern edge, the first column the eastern. Stamps of ZTF have 63
        by 63 pixels of 1.01 arcsec, fewer at the edge of an image; NaN stands for no value.

    Raises
    ------
    DataError
        If it is no FITS image; packets of 2017 and before hold JPEG pictures.

    Examples
    --------
    >>> read_stamp(packet["cutoutScience"]["stampData"]).shape   # doctest: +SKIP
    (63, 63)
    """
    from astropy.io import fits

    if not isinstance(content, bytes) or not content:
        raise DataError("there is no image")
    try:
        plain = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SIMPLE stands in the wrong column of ZTF's headers
            with fits.open(io.BytesIO(plain), ignore_missing_simple=True, memmap=False) as file:
                image = file[0].data
    except (OSError, EOFError, ValueError, TypeError, IndexError, KeyError, zlib.error) as error:
        raise DataError(f"not a FITS image, or cut short ({_first_line(error)})") from error
    return clean_stamp(image)


def clean_stamp(image):
    """Make a stamp of what should be an image.

    Parameters
    ----------
    image : array_like, shape (n_rows, n_columns)

    Returns
    -------
    ndarray of float32
        NaN where there was no number, or one that means none.

    Raises
    ------
    DataError
        If it has not two dimensions, no pixels or too many.

    Examples
    --------
    >>> clean_stamp([[1, None], [2.5, 1e30]])
    array([[1. , nan],
           [2.5, nan]], dtype=float32)
    """
    try:
        values = np.array(image, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"its pixels are no numbers ({_first_line(error)})") from error
    if values.ndim != 2 or not 0 < values.size <= _MOST_PIXELS:
        raise DataError(f"it has no image of two dimensions, but a shape of {values.shape}")
    return np.where(np.abs(values) < _LARGEST, values, np.nan).astype(np.float32)


def centre_stamp(image, xpos, ypos):
    """Fill up a stamp that the edge of the image has cut, so that its alert is in the middle.

    Parameters
    ----------
    image : ndarray of float32, shape (n_rows, n_columns)
    xpos, ypos : float or None
        Where the alert is in the image, in pixels of a quadrant of 3072 by 3080; the first row
        of the stamp has the smallest y.

    Returns
    -------
    ndarray of float32, shape (63, 63)
        With NaN beyond the edge; the stamp as it was where the place is not known, or the stamp
        is larger.

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


def stretch(image, linear=False):
    """Scale a stamp to brightness, so that faint hosts and bright stars are both seen.

    Parameters
    ----------
    image : ndarray, shape (n_rows, n_columns)
    linear : bool
        For difference images, of which the background lies in the middle, not at the bottom:
        there an arcsinh would lift the noise up to the source. Fritz shows them so, too.

    Returns
    -------
    ndarray of float32
        0 (black) to 1 (white) by an arcsinh between two percentiles of the image, as ZTF's own
        notebook shows its stamps; NaN where the image has no value.

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
