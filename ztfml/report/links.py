"""Where else to look an object up."""

from urllib.parse import quote, urlencode


def links(object_id, ra=None, dec=None):
    """Links to brokers by name, and to services by position.

    Parameters
    ----------
    object_id : str
    ra, dec : float, optional, deg
        J2000; without them only the brokers are given.

    Returns
    -------
    list of (str, str)
        The name of the service, and the address.

    Examples
    --------
    >>> links("ZTF18abukavn")[0]
    ('ALeRCE', 'https://alerce.online/object/ZTF18abukavn')
    """
    name = quote(object_id, safe="")
    found = [
        ("ALeRCE", f"https://alerce.online/object/{name}"),
        ("Fink", f"https://ztf.fink-portal.org/{name}"),
        ("Lasair", f"https://lasair-ztf.lsst.ac.uk/objects/{name}/"),
        ("Fritz", f"https://fritz.science/source/{name}"),
    ]
    if ra is None or dec is None:
        return found
    ra, dec = f"{ra:.6f}", f"{dec:.6f}"
    tns = {"ra": ra, "decl": dec, "radius": 5, "coords_unit": "arcsec"}
    ned = {
        "search_type": "Near Position Search", "in_csys": "Equatorial", "in_equinox": "J2000",
        "ra": ra, "dec": dec, "radius": 0.5,
    }  # fmt: skip
    simbad = {"Coord": f"{ra}d {dec}d", "CooFrame": "ICRS", "Radius": 10, "Radius.unit": "arcsec"}
    return [
        *found,
        ("TNS", f"https://www.wis-tns.org/search?{urlencode(tns)}"),
        ("NED", f"https://ned.ipac.caltech.edu/conesearch?{urlencode(ned)}"),
        ("SIMBAD", f"https://simbad.cds.unistra.fr/simbad/sim-coo?{urlencode(simbad)}"),
    ]
