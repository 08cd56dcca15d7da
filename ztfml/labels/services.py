"""Catalogues that are asked for online, from SIMBAD and VizieR, around the alerts of a night.

The X-Match service of the CDS (Boch et al. 2012, ASPC 461, 291) takes the places of a whole night
at once. What it returns is matched again here, by the same rules as a file.
"""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.errors import DataError
from ztfml.labels.catalogs import make_catalog
from ztfml.labels.kinds import KINDS
from ztfml.labels.matching import Catalog, positions_of
from ztfml.labels.tables import TableFile

log = logging.getLogger(__name__)

ONLINE = tuple(kind.name for kind in KINDS.values() if kind.vizier)
"""The kinds of catalogues that can be asked for."""

TIMEOUT = 300.0
"""Seconds to wait for an answer; a night of 100,000 places takes the service about a minute."""


def fetch_catalog(kind, night, timeout=TIMEOUT):
    """Ask the CDS for the entries of a catalogue around the alerts of a night.

    Parameters
    ----------
    kind : str
        One of `ONLINE`: simbad, vsx, gcvs, gaia or milliquas.
    night : Night
    timeout : float
        Seconds to wait for an answer.

    Returns
    -------
    Catalog

    Raises
    ------
    DataError
        If astroquery is not installed, the service cannot be reached or does not answer in
        time, or its answer is no table of places and types.

    Examples
    --------
    >>> simbad = fetch_catalog("simbad", night)   # doctest: +SKIP
    >>> label_from_catalogs(night, [simbad]).summary()   # doctest: +SKIP
    """
    kind = KINDS[kind]
    ra, dec = positions_of(night)
    # A thousandth of an arcsec is enough; the same place is asked for once.
    places = np.unique(np.round(np.column_stack([ra, dec]), 7), axis=0)
    places = places[np.isfinite(places).all(axis=1)]
    log.info("%s: asking the CDS for what is at %d places", kind.name, len(places))
    answer = _ask(kind, places, timeout)
    if len(answer) == 0:
        return Catalog(kind, kind.name, np.array([]), np.array([]), pd.Series([], dtype="str"))
    table = TableFile(
        Path(f"the CDS's answer on {kind.name}"),
        tuple(name for name in answer.colnames if not name.startswith("alert_")),
        lambda names: answer[names].to_pandas(),
    )
    return make_catalog(kind, kind.name, table)


def _ask(kind, places, timeout):
    xmatch = _client(kind.vizier)
    import astropy.units as u
    from astropy.table import Table
    from astroquery.exceptions import InvalidQueryError
    from requests.exceptions import ConnectionError, RequestException, Timeout

    xmatch.TIMEOUT = timeout
    # astroquery asks for the columns of what it does not know as a table of VizieR.
    columns = {"colRA2": "ra", "colDec2": "dec"} if kind.name == "simbad" else {}
    uploaded = Table(places, names=("alert_ra", "alert_dec"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on units that only a validator minds
            return xmatch.query(
                uploaded, kind.vizier, kind.radius * u.arcsec,
                colRA1="alert_ra", colDec1="alert_dec", cache=False, **columns,
            )  # fmt: skip
    except Timeout as error:
        raise _failed(kind, f"did not answer in {timeout:g} s") from error
    except ConnectionError as error:
        raise _failed(kind, "cannot be reached") from error
    except (RequestException, InvalidQueryError) as error:
        first = str(error).strip().split("\n")[0]
        raise _failed(kind, f"refused ({first})") from error
    except Exception as error:  # What parsers raise on an answer that is no table
        raise _failed(kind, "answered with something that is no table") from error


def _failed(kind, what):
    return DataError(
        f"{kind.name}: the X-Match service of the CDS {what}; try again later, or give the "
        f"catalogue as a file, --catalog {kind.name}=FILE"
    )


def _client(table):
    try:
        # On import astroquery prints what it does without.
        with contextlib.redirect_stdout(io.StringIO()):
            from astroquery.xmatch import XMatchClass
    except ImportError as error:
        raise DataError(
            "SIMBAD and VizieR are asked through astroquery, which is not installed; install it "
            "with pip install 'ztfml[catalogs]'"
        ) from error

    class XMatch(XMatchClass):
        # Else it would fetch the names of all tables of VizieR, and wait for them without end.
        def get_available_tables(self, *, cache=True):
            return [table.removeprefix("vizier:")] if table.startswith("vizier:") else []

    return XMatch()
