"""Catalogues that are asked for online, from SIMBAD, VizieR and NED.

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

from ztfml.catalogs.kinds import KINDS
from ztfml.catalogs.matching import Catalog, positions_of
from ztfml.catalogs.read import make_catalog
from ztfml.errors import BrokerError, DataError
from ztfml.io.tables import TableFile

log = logging.getLogger(__name__)

ONLINE = tuple(kind.name for kind in KINDS.values() if kind.vizier)
"""The kinds of catalogues that can be asked for."""

TIMEOUT = 300.0
"""Seconds to wait for an answer; a night of 100,000 places takes the service about a minute."""

NED_TIMEOUT = 30.0
"""Seconds to wait for NED's answer about one place."""

# NED is given up when it gives no answer about so many places from the first on.
_PATIENCE = 3


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
    table = entries_around(kind, places, kind.radius, timeout)
    if table is None:
        return Catalog(kind, kind.name, np.array([]), np.array([]), pd.Series([], dtype="str"))
    return make_catalog(kind, kind.name, table)


def entries_around(kind, places, radius, timeout=TIMEOUT):
    """Ask the CDS for the entries of a catalogue around some places.

    Parameters
    ----------
    kind : Kind
    places : ndarray of float64, shape (n_places, 2)
        Right ascension and declination, degrees.
    radius : float
        Arcsec; the service takes up to 180.
    timeout : float
        Seconds to wait for an answer.

    Returns
    -------
    TableFile or None
        The answer, as a table to be read; None where there is nothing.

    Raises
    ------
    DataError
        As of `fetch_catalog`.

    Examples
    --------
    >>> entries_around(KINDS["simbad"], np.array([[10.0, 20.0]]), 60.0)   # doctest: +SKIP
    """
    answer = _ask(kind, places, radius, timeout)
    if len(answer) == 0:
        return None
    return TableFile(
        Path(f"the CDS's answer on {kind.name}"),
        tuple(name for name in answer.colnames if not name.startswith("alert_")),
        lambda names: answer[names].to_pandas(),
    )


def _ask(kind, places, radius, timeout):
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
                uploaded, kind.vizier, radius * u.arcsec,
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
    return BrokerError(
        f"{kind.name}: the X-Match service of the CDS {what}; try again later, or give the "
        f"catalogue as a file, --catalog {kind.name}=FILE"
    )


def ask_ned(places, radius, timeout=NED_TIMEOUT):
    """Ask NED, the NASA/IPAC Extragalactic Database, what stands around some places.

    NED takes one place at a time; a place that fails is told of and loses no other, but a
    service that does not answer is not asked on.

    Parameters
    ----------
    places : ndarray of float64, shape (n_places, 2)
        Right ascension and declination, degrees.
    radius : float
        Arcsec.
    timeout : float
        Seconds to wait for each answer.

    Returns
    -------
    TableFile or None
        The answers below one another, as a table to be read; None where there is nothing.

    Raises
    ------
    DataError
        If astroquery is not installed, or NED gives no answer at all.

    Examples
    --------
    >>> ask_ned(np.array([[10.0, 20.0]]), 60.0).names   # doctest: +SKIP
    """
    answers, n_failed = [], 0
    for number, (ra, dec) in enumerate(places, 1):
        try:
            answers.append(_ask_ned_once(ra, dec, radius, timeout))
        except BrokerError as error:
            n_failed += 1
            if n_failed == len(places) or (n_failed == number and number == _PATIENCE):
                raise
            log.warning("%s", error)
    table = pd.concat([answer.astype(object) for answer in answers], ignore_index=True)
    if not len(table):
        return None
    return TableFile(Path("NED's answer"), tuple(table.columns), lambda names: table[names])


def _ask_ned_once(ra, dec, radius, timeout):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            from astroquery import cache_conf
            from astroquery.exceptions import RemoteServiceError
            from astroquery.ipac.ned import Ned
    except ImportError as error:
        raise _not_installed("NED is") from error
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from requests.exceptions import RequestException

    def failed(how):
        return BrokerError(
            f"NED: {how} about the place {ra:.5f} {dec:+.5f}; try again later, or leave it out"
        )

    try:
        with warnings.catch_warnings(), cache_conf.set_temp("cache_active", False):
            warnings.simplefilter("ignore")  # on units that only a validator minds
            Ned.TIMEOUT = timeout
            place = SkyCoord(ra, dec, unit="deg")
            return Ned.query_region(place, radius=radius * u.arcsec).to_pandas()
    except RemoteServiceError as error:
        if "no object" in str(error).casefold():
            return pd.DataFrame()
        raise failed("refused to answer") from error
    except RequestException as error:
        raise failed("gave no answer") from error
    except Exception as error:  # What parsers raise on an answer that is no table
        raise failed("answered with something that is no table") from error


def _not_installed(what):
    return DataError(
        f"{what} asked through astroquery, which is not installed; install it with "
        "pip install 'ztfml[catalogs]'"
    )


def _client(table):
    try:
        # On import astroquery prints what it does without.
        with contextlib.redirect_stdout(io.StringIO()):
            from astroquery.xmatch import XMatchClass
    except ImportError as error:
        raise _not_installed("SIMBAD and VizieR are") from error

    class XMatch(XMatchClass):
        # Else it would fetch the names of all tables of VizieR, and wait for them without end.
        def get_available_tables(self, *, cache=True):
            return [table.removeprefix("vizier:")] if table.startswith("vizier:") else []

    return XMatch()
