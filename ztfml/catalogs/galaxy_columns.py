"""Find the columns of catalogues of galaxies, whatever they are called."""

from __future__ import annotations

from ztfml.catalogs.columns import describe_columns, find_column, plain_name
from ztfml.errors import DataError
from ztfml.io.tables import TableFile

GALAXY_NAMES = {
    "name": ("objname", "name", "mainid", "objectname", "galaxy", "designation", "iauname",
             "nedname", "hyperleda", "gwgc", "glade+", "gladeno", "pgc", "targetid", "cluid",
             "id", "key"),
    "z_cmb": ("zcmb", "redshiftcmb", "zcmbcorr", "zdist"),
    "z": ("zhelio", "zhel", "redshifthelio", "redshift", "z"),
    "z_spec": ("zspec", "zbest", "zobs", "zleda", "rvzredshift", "zvalue"),
    "z_phot": ("zphotmedian", "zphotmean", "zphot", "zphoto", "photoz", "zphotocorr", "zphot0",
               "redshiftphot", "zph"),
    "z_phot_err": ("zphotstd", "zphoterr", "zphotoerr", "photozerr", "ezphot", "ezph"),
    "z_err": ("zunc", "zerr", "zerror", "ez", "ezhelio", "ezcmb", "redshifterr", "redshifterror",
              "redshiftunc"),
    "v_cmb": ("vcmb", "czcmb", "v3k"),
    "v": ("vhelio", "cz", "czhelio", "vhel", "hrv", "vh", "radialvelocity", "velocity",
          "rvzradvel", "v"),
    "distance": ("distmpc", "dl", "luminositydistance", "lumdist", "distancempc", "distance",
                 "dist", "dmpc", "distkpc", "distancekpc", "bestdist"),
    "distance_err": ("distmpcunc", "distmpcerr", "edl", "dlerr", "distanceerr", "distanceerror",
                     "disterr", "distunc", "edist", "bestdisterror"),
    "modulus": ("modulus", "distmod", "distancemodulus", "modbest", "dm", "mu", "mod0"),
    "modulus_err": ("moduluserr", "distmoderr", "emodbest", "edm", "edistmod", "emod0"),
    "modulus_z": ("modz",),
    "method": ("distmpcmethod", "distancemethod"),
    "technique": ("ztech", "ztechnique"),
    "ebv": ("ebv", "e(b-v)", "ebvsfd"),
    "type": ("spectype", "class", "otype", "objtype", "type"),
    "shape": ("morphtype", "type"),
    "warning": ("zwarn", "zwarning"),
    "diameter": ("d25", "d26", "diam", "diameter", "majax", "majoraxis"),
    "log_diameter": ("logd25",),
    "petrosian": ("petrorad", "petroradr", "rpetro", "petroradius"),
    "r90": ("petror90", "petror90r", "r90"),
    "r50": ("r50", "petror50", "petror50r", "elpetroth50r", "petroth50", "sersicth50",
            "halflightradius", "re", "reff", "shaper", "sersicr", "radius"),
    "ba": ("ba", "b/a", "diamba", "b2a", "axisratio", "axialratio", "elpetroba", "sersicba"),
    "log_ab": ("logr25",),
    "pa": ("pa", "diampa", "posang", "positionangle", "elpetrophi", "sersicphi"),
}  # fmt: skip
"""For each quantity its possible names, in lower case without spaces, dots and underscores.

The first one found is used.
"""

# HECATE (Kovlakas et al. 2021) has short names, which mean something else in other catalogues.
_HECATE = {"distance": ("d",), "distance_err": ("ed",), "radius_25": ("r1",)}
_DISTANCES = {"z", "z_cmb", "z_spec", "z_phot", "v", "v_cmb", "distance", "modulus", "modulus_z"}


def find_galaxy_columns(table: TableFile, positions: list[str]) -> dict[str, tuple[str, ...]]:
    """Find the columns of a catalogue of galaxies.

    Parameters
    ----------
    table : TableFile
    positions : list of str
        The columns with positions, which mean nothing else.

    Returns
    -------
    dict of str to tuple of str
        The possible names of each quantity that the table has.

    Raises
    ------
    DataError
        If no column gives a distance.

    Examples
    --------
    >>> table = TableFile("a.csv", ("ra", "dec", "Dist", "cz"), None)
    >>> find_galaxy_columns(table, ["ra", "dec"]).keys()
    dict_keys(['v', 'distance'])
    """
    plain = {plain_name(name) for name in table.names}
    names = GALAXY_NAMES | (_HECATE if {"d", "dmethod", "r1"} <= plain else {})
    columns = {name: find_column(table, spellings) for name, spellings in names.items()}
    found = {
        name: names[name]
        for name, column in columns.items()
        if column is not None and column not in positions
    }
    if plain & {"parallax", "plx", "plxvalue"} and not (_DISTANCES - {"v"}) & set(found):
        found.pop("v", None)  # Radial velocities of stars, such as those of Gaia.
    if "z_phot" not in found:
        found.pop("shape", None)
    if not _DISTANCES & set(found):
        raise DataError(
            f"{table.path}: no column with a redshift, velocity or distance of galaxies (such as "
            f"z, z_cmb, DistMpc or d_L); {describe_columns(table)}"
        )
    return found
