"""Links to the pages of an object at brokers, and to searches around its position."""

from __future__ import annotations

from urllib.parse import urlencode

from ztfml.sources.brokers import BROKERS


def links(object_id: str, ra: float | None = None, dec: float | None = None) -> list:
    """Return links to brokers by name, and to other services by position.

    Parameters
    ----------
    object_id : str
    ra, dec : float, optional, deg
        J2000; without them only brokers are linked.

    Returns
    -------
    list of (str, str)
        The name of the service, and the address.

    Examples
    --------
    >>> links("ZTF18abukavn")[0]
    ('ALeRCE', 'https://alerce.online/object/ZTF18abukavn')
    """
    found = [(broker.title, broker.link(object_id)) for broker in BROKERS.values()]
    if ra is None or dec is None:
        return found
    ra_text, dec_text = f"{ra:.6f}", f"{dec:.6f}"
    tns = {"ra": ra_text, "decl": dec_text, "radius": 5, "coords_unit": "arcsec"}
    ned = {
        "search_type": "Near Position Search", "in_csys": "Equatorial", "in_equinox": "J2000",
        "ra": ra_text, "dec": dec_text, "radius": 0.5,
    }  # fmt: skip
    simbad = {
        "Coord": f"{ra_text}d {dec_text}d",
        "CooFrame": "ICRS",
        "Radius": 10,
        "Radius.unit": "arcsec",
    }
    legacy = {
        "ra": ra_text,
        "dec": dec_text,
        "layer": "ls-dr10",
        "zoom": 16,
        "mark": f"{ra_text},{dec_text}",
    }
    ps1 = {"pos": f"{ra_text} {dec_text}", "filter": "color", "size": 240}
    aladin = {
        "target": f"{ra_text} {dec_text}",
        "fov": 0.03,
        "survey": "P/PanSTARRS/DR1/color-z-zg-g",
    }
    return [
        *found,
        ("TNS", f"https://www.wis-tns.org/search?{urlencode(tns)}"),
        ("NED", f"https://ned.ipac.caltech.edu/conesearch?{urlencode(ned)}"),
        ("SIMBAD", f"https://simbad.cds.unistra.fr/simbad/sim-coo?{urlencode(simbad)}"),
        ("PS1", f"https://ps1images.stsci.edu/cgi-bin/ps1cutouts?{urlencode(ps1)}"),
        ("Legacy Survey", f"https://www.legacysurvey.org/viewer?{urlencode(legacy)}"),
        ("Aladin", f"https://aladin.cds.unistra.fr/AladinLite/?{urlencode(aladin)}"),
    ]
