"""What an alert's packet says of its source, in words that stand beside a picture."""

import numpy as np

from ztfml.schema import BAND_OF_FID, PIXEL_SCALE


def facts(alert):
    """Tell what a packet says, each fact with its unit.

    Parameters
    ----------
    alert : dict or pandas.Series
        Packet fields, as a row of ``Night.alerts``; missing ones are passed over.

    Returns
    -------
    list of (str, str)
        What it is, and its value.

    Examples
    --------
    >>> facts({"magpsf": 18.5, "sigmapsf": 0.05, "fid": 1.0, "drb": 0.93})
    [('magnitude', '18.50 ± 0.05 in g'), ('real-bogus', 'drb 0.93')]
    """
    known = {name: value for name, value in dict(alert).items() if not _is_missing(value)}
    told = (
        ("position (J2000)", _position(known)),
        ("in degrees", _degrees(known)),
        ("galactic l, b", _galactic(known)),
        ("time (UTC)", _date(known)),
        ("magnitude", _magnitude(known)),
        ("5σ limit", _said(known, "{diffmaglim:.1f} mag")),
        ("real-bogus", _said(known, "drb {drb:.2f}") or _said(known, "rb {rb:.2f}")),
        ("in the reference", _in_reference(known)),
        ("nearest PS1 source", _ps1(known)),
        ("nearest Gaia source", _said(known, "{neargaia:.1f}″ away, G = {maggaia:.1f}")),
        ("known asteroid", _asteroid(known)),
        ("detections here", _detections(known)),
        ("image", _said(known, "FWHM {fwhm:.1f} pix, elongation {elong:.1f}, {nbad:.0f} bad pix")),
    )
    return [(name, value) for name, value in told if value]


def date_of(jd, style="%Y-%m-%d %H:%M"):
    """A Julian date as text, UTC.

    >>> date_of(2460000.75)
    '2023-02-25 06:00'
    """
    from datetime import UTC, datetime, timedelta

    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=jd - 2440587.5)).strftime(style)


def _is_missing(value):
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))


def _said(known, pattern):
    """The pattern filled in; None where a field of it is missing."""
    try:
        return pattern.format(**known)
    except KeyError:
        return None


def _coordinates(known):
    if "ra" in known and "dec" in known:
        from astropy.coordinates import SkyCoord

        return SkyCoord(known["ra"], known["dec"], unit="deg")
    return None


def _position(known):
    here = _coordinates(known)
    if here is None:
        return None
    ra = here.ra.to_string("hour", sep=":", precision=2, pad=True)
    dec = here.dec.to_string("deg", sep=":", precision=1, pad=True, alwayssign=True)
    return f"{ra} {dec}".replace("-", "−")


def _degrees(known):
    # With a plain minus sign: this is what is copied into other programs.
    return _said(known, "{ra:.5f} {dec:+.5f}")


def _galactic(known):
    here = _coordinates(known)
    if here is None:
        return None
    return f"{here.galactic.l.deg:.1f}°, {here.galactic.b.deg:+.1f}°".replace("-", "−")


def _date(known):
    return f"{date_of(known['jd'])}  (JD {known['jd']:.4f})" if "jd" in known else None


def _magnitude(known):
    if "magpsf" not in known:
        return None
    said = _said(known, "{magpsf:.2f} ± {sigmapsf:.2f}") or _said(known, "{magpsf:.2f}")
    band = BAND_OF_FID.get(known.get("fid"))
    below = ", below the reference" if known.get("isdiffpos", 0) < 0 else ""
    return f"{said}{f' in {band}' if band else ''}{below}"


def _in_reference(known):
    if "distnr" not in known or "magnr" not in known:
        return None
    return f"{known['distnr'] * PIXEL_SCALE:.1f}″ away, {known['magnr']:.1f} mag"


def _ps1(known):
    said = _said(known, "{distpsnr1:.1f}″ away, sgscore {sgscore1:.2f}")
    kind = "star" if known.get("sgscore1", 0) > 0.5 else "galaxy"
    red = _said(known, ", r = {srmag1:.1f}") or ""
    return said and f"{said} ({kind}){red}"


def _asteroid(known):
    said = _said(known, "{ssdistnr:.1f}″ away, predicted at {ssmagnr:.1f} mag")
    name = known.get("ssnamenr")
    return f"{name}, {said}" if said and name and name != "null" else said


def _detections(known):
    said = _said(known, "{ndethist:.0f} in {ncovhist:.0f} exposures")
    since = f", first {date_of(known['jdstarthist'], '%Y-%m-%d')}" if "jdstarthist" in known else ""
    return said and said + since
