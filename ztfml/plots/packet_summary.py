"""A short description of an alert packet, to print next to its light curve."""

from collections.abc import Mapping
from functools import cache

import numpy as np

from ztfml.schema import BAND_OF_FID, PIXEL_SCALE

_QUALITY = "FWHM {fwhm:.1f} pix, elongation {elong:.1f}, {nbad:.0f} bad pix"


def packet_summary(alert: Mapping) -> list[tuple[str, str]]:
    """Describe an alert packet in short texts with units.

    Parameters
    ----------
    alert : dict or pandas.Series
        Packet fields, such as a row of ``Night.alerts``. Missing fields are left out.

    Returns
    -------
    list of (str, str)
        Name and value of each entry.

    Examples
    --------
    >>> packet_summary({"magpsf": 18.5, "sigmapsf": 0.05, "fid": 1.0, "drb": 0.93})
    [('magnitude', '18.50 ± 0.05 in g'), ('real-bogus score', 'drb 0.93')]
    """
    known = {name: value for name, value in dict(alert).items() if not _is_missing(value)}
    place = _coordinates(known)
    entries = (
        ("position (J2000)", _position(place)),
        ("RA, Dec (deg)", _degrees(known)),
        ("Galactic l, b", _galactic(place)),
        ("time (UTC)", _date(known)),
        ("magnitude", _magnitude(known)),
        ("5σ limit", _format(known, "{diffmaglim:.1f} mag")),
        ("real-bogus score", _format(known, "drb {drb:.2f}") or _format(known, "rb {rb:.2f}")),
        ("reference source", _reference_source(known)),
        ("nearest PS1 source", _ps1(known)),
        ("nearest Gaia source", _format(known, "{neargaia:.1f}″ away, G = {maggaia:.1f}")),
        ("known asteroid", _asteroid(known)),
        ("detections (all time)", _detections(known)),
        ("image quality", _format(known, _QUALITY)),
    )
    return [(name, value) for name, value in entries if value]


def date_of(jd: float, style: str = "%Y-%m-%d %H:%M") -> str:
    """Format a Julian date as a UTC date.

    Parameters
    ----------
    jd : float
    style : str
        Format of `datetime.strftime`.

    Returns
    -------
    str

    Examples
    --------
    >>> date_of(2460000.75)
    '2023-02-25 06:00'
    """
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - 2440587.5)).strftime(style)


def _is_missing(value):
    return value is None or value == "" or (isinstance(value, float) and not np.isfinite(value))


def _format(known, pattern):
    """Fill in a pattern; return None if one of its fields is missing."""
    try:
        return pattern.format(**known)
    except KeyError:
        return None


def _coordinates(known):
    if "ra" in known and "dec" in known:
        from astropy.coordinates import SkyCoord

        return SkyCoord(known["ra"], known["dec"], unit="deg")
    return None


def _position(position):
    if position is None:
        return None
    ra = position.ra.to_string("hour", sep=":", precision=2, pad=True)
    dec = position.dec.to_string("deg", sep=":", precision=1, pad=True, alwayssign=True)
    return f"{ra} {dec}".replace("-", "−")


def _degrees(known):
    # With an ASCII minus sign, so that it can be pasted into other programs.
    return _format(known, "{ra:.5f} {dec:+.5f}")


def _galactic(position):
    if position is None:
        return None
    x, y, z = _galactic_axes() @ position.cartesian.xyz.value
    longitude, latitude = np.degrees(
        [np.arctan2(y, x) % (2 * np.pi), np.arctan2(z, np.hypot(x, y))]
    )
    return f"{longitude:.1f}°, {latitude:+.1f}°".replace("-", "−")


@cache
def _galactic_axes():
    """The rotation to galactic coordinates; astropy needs 5 ms for each transformation."""
    from astropy.coordinates import SkyCoord

    axes = SkyCoord(*np.eye(3), representation_type="cartesian")
    return axes.galactic.cartesian.xyz.value


def _date(known):
    return f"{date_of(known['jd'])}  (JD {known['jd']:.4f})" if "jd" in known else None


def _magnitude(known):
    if "magpsf" not in known:
        return None
    text = _format(known, "{magpsf:.2f} ± {sigmapsf:.2f}") or _format(known, "{magpsf:.2f}")
    band = BAND_OF_FID.get(known.get("fid"))
    sign = ", below the reference" if known.get("isdiffpos", 0) < 0 else ""
    return f"{text}{f' in {band}' if band else ''}{sign}"


def _reference_source(known):
    if "distnr" not in known or "magnr" not in known:
        return None
    return f"{known['distnr'] * PIXEL_SCALE:.1f}″ away, {known['magnr']:.1f} mag"


def _ps1(known):
    text = _format(known, "{distpsnr1:.1f}″ away, sgscore {sgscore1:.2f}")
    kind = _star_or_galaxy(known.get("sgscore1"))
    r_mag = _format(known, ", r = {srmag1:.1f}") or ""
    return text and f"{text} ({kind}){r_mag}"


def _star_or_galaxy(sgscore):
    # PS1 sources without a measurement of their shape have a score of exactly 0.5.
    if sgscore is None or sgscore == 0.5:
        return "unclassified"
    return "star" if sgscore > 0.5 else "galaxy"


def _asteroid(known):
    text = _format(known, "{ssdistnr:.1f}″ away, predicted at {ssmagnr:.1f} mag")
    name = known.get("ssnamenr")
    return f"{name}, {text}" if text and name and name != "null" else text


def _detections(known):
    text = _format(known, "{ndethist:.0f} in {ncovhist:.0f} exposures")
    since = f", first {date_of(known['jdstarthist'], '%Y-%m-%d')}" if "jdstarthist" in known else ""
    return text and text + since
