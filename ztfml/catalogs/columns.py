"""Find columns of a table by their possible names."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ztfml.io.tables import TableFile

# In brackets after a name; neither changes the meaning of the column.
_EQUINOX = re.compile(r"^(icrs|j2000(\.0)?|fk5|2000(\.0)?|/|,|\s)+$", re.I)
_UNIT = re.compile(
    r"^(deg(rees?)?|°|rad(ians?)?|h|hr|hours?|hourangle|hms|dms|[hd]:m:s|m?as/yr|arcsec/yr"
    r"|[kM]?pc|km/s|km s-1|arcsec|arcmin|mag)$",
    re.I,
)


def find_column(table: TableFile, names: Sequence[str]) -> str | None:
    """Find a column by its possible names.

    Parameters
    ----------
    table : TableFile
    names : sequence of str
        In lower case without spaces, dots and underscores; the first one found is used.

    Returns
    -------
    str or None
        The name in the table.

    Examples
    --------
    >>> from ztfml.io.tables import open_table
    >>> find_column(open_table("night_labels.csv"), ["oid", "objectid"])
    'objectId'
    """
    columns = {plain_name(name): name for name in table.names[::-1]}
    return next((columns[name] for name in names if name in columns), None)


def plain_name(name: str) -> str:
    """Return a column name in lower case without spaces, dots, underscores and its unit.

    >>> plain_name("R.A. (J2000)"), plain_name("pm_ra [mas/yr]"), plain_name("e_pmRA")
    ('ra', 'pmra', 'epmra')
    """
    return re.sub(r"[\s._]", "", _split(name)[0]).lower()


def unit_of(table: TableFile, name: str) -> str | None:
    """Return the unit of a column, from the file or from brackets in its name, in lower case.

    >>> from ztfml.io.tables import TableFile
    >>> unit_of(TableFile("a.csv", ("RA (deg)",), None), "RA (deg)")
    'deg'
    """
    unit = table.units.get(name) or _split(name)[1]
    return unit.strip(" '\"[]()").lower() or None if unit else None


def describe_columns(table: TableFile) -> str:
    """Return the first names of a table for messages.

    >>> from ztfml.io.tables import TableFile
    >>> describe_columns(TableFile("a.csv", ("l", "b"), None))
    'it has l, b'
    """
    names = ", ".join(table.names[:20])
    return f"it has {names}{' ...' if len(table.names) > 20 else ''}"


def _split(name):
    """Split a name into the name itself and the unit in brackets behind it."""
    found = re.fullmatch(r"(.+?)\s*[\(\[](.+?)[\)\]]\s*", name)
    if found and _EQUINOX.match(found[2]):
        return found[1], None
    if found and _UNIT.match(found[2].strip()):
        return found[1], found[2].strip()
    return name, None
