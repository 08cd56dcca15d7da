"""Online queries of SIMBAD, VizieR and NED.

The X-Match service of the CDS (Boch et al. 2012, ASPC 461, 291) accepts the positions of a whole
night at once. Its answer is matched again here, with the same rules as a file.
"""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.catalogs.kinds import KINDS, Kind
from ztfml.catalogs.matching import Catalog, positions_of
from ztfml.catalogs.read import make_catalog
from ztfml.errors import BrokerError, DataError
from ztfml.io.limits import CROSSMATCH_SECONDS, MAX_CROSSMATCH_BYTES, NED_SECONDS
from ztfml.io.tables import TableFile, refuse_links
from ztfml.night import Night

log = logging.getLogger(__name__)

ONLINE = tuple(kind.name for kind in KINDS.values() if kind.service)
"""Names of the kinds of catalogues that `fetch_catalog` can query."""

# arcsec. Stars move from the epoch of a catalogue (1991 to 2016) to the alert; only some hundred
# move farther than this.
_MOTION_MARGIN = 30.0

# Queries of NED stop if this many fail at the start.
_MAX_FAILURES = 3


def fetch_catalog(kind: str, night: Night, timeout: float = CROSSMATCH_SECONDS) -> Catalog:
    """Query the CDS for the entries of a catalogue near the alerts of a night.

    Parameters
    ----------
    kind : str
        A name in `ONLINE`.
    night : Night
    timeout : float, s
        Longest wait for an answer.

    Returns
    -------
    Catalog

    Raises
    ------
    DataError
        If astroquery is not installed, the service cannot be reached or does not answer in
        time, or its answer is not a table of positions and types.

    Examples
    --------
    This needs network access:

    >>> simbad = fetch_catalog("simbad", night)   # doctest: +SKIP
    >>> label_from_catalogs(night, [simbad]).summary()   # doctest: +SKIP
    """
    record = KINDS[kind]
    ra, dec = positions_of(night)
    # Rounded to 0.4 mas; each position is sent once.
    positions = np.unique(np.round(np.column_stack([ra, dec]), 7), axis=0)
    positions = positions[np.isfinite(positions).all(axis=1)]
    log.info("%s: querying the CDS for %d positions", record.name, len(positions))
    margin = _MOTION_MARGIN if record.has_motions else 0.0
    table = entries_around(record, positions, record.radius + margin, timeout)
    if table is None:
        return Catalog(record, record.name, np.array([]), np.array([]), pd.Series([], dtype="str"))
    return make_catalog(record, record.name, table)


def entries_around(
    kind: Kind, positions: np.ndarray, radius: float, timeout: float = CROSSMATCH_SECONDS
) -> TableFile | None:
    """Query the CDS for the entries of a catalogue near positions.

    Parameters
    ----------
    kind : Kind
    positions : ndarray of float64, shape (n_positions, 2), deg
        Right ascension and declination.
    radius : float, arcsec
        At most 180, the limit of the service.
    timeout : float, s
        Longest wait for an answer.

    Returns
    -------
    TableFile or None
        The answer as a table; None if it is empty.

    Raises
    ------
    DataError
        See `fetch_catalog`.

    Examples
    --------
    This needs network access:

    >>> entries_around(KINDS["simbad"], np.array([[10.0, 20.0]]), 60.0)   # doctest: +SKIP
    """
    answer = _query(kind, positions, radius, timeout)
    if len(answer) == 0:
        return None
    return TableFile(
        Path(f"answer of the CDS for {kind.name}"),
        tuple(name for name in answer.colnames if not name.startswith("alert_")),
        lambda names: answer[names].to_pandas(),
    )


def _query(kind, positions, radius, timeout):
    xmatch = _client(kind.service)
    import astropy.units as u
    from astropy.table import Table
    from astroquery.exceptions import InvalidQueryError
    from requests.exceptions import ConnectionError, RequestException, SSLError, Timeout

    xmatch.TIMEOUT = timeout
    _limit(xmatch, timeout)
    # For tables outside VizieR, astroquery needs the names of the position columns.
    columns = {"colRA2": "ra", "colDec2": "dec"} if kind.name == "simbad" else {}
    uploaded = Table(positions, names=("alert_ra", "alert_dec"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Non-standard units in VOTables.
            return xmatch.query(
                uploaded, kind.service, radius * u.arcsec,
                colRA1="alert_ra", colDec1="alert_dec", cache=False, **columns,
            )  # fmt: skip
    except DataError as error:
        raise _failed(kind, f"sent an answer that is not used ({error})") from error
    except Timeout as error:
        raise _failed(kind, f"did not answer in {timeout:g} s") from error
    except SSLError as error:
        raise _failed(kind, "has no valid certificate") from error
    except ConnectionError as error:
        raise _failed(kind, "cannot be reached") from error
    except (RequestException, InvalidQueryError) as error:
        first = str(error).strip().split("\n")[0]
        raise _failed(kind, f"refused ({first})") from error
    except Exception as error:  # Parsers raise many types if the answer is not a table.
        raise _failed(kind, "did not answer with a table") from error


def _failed(kind, what):
    return BrokerError(
        f"{kind.name}: the X-Match service of the CDS {what}; try again later, or give the "
        f"catalogue as a file, --catalog {kind.name}=FILE"
    )


def query_ned(
    positions: np.ndarray, radius: float, timeout: float = NED_SECONDS
) -> TableFile | None:
    """Query NED, the NASA/IPAC Extragalactic Database, for entries near positions.

    NED accepts one position at a time. A failure is logged and does not affect the other
    positions, but the queries stop if the service does not answer at all.

    Parameters
    ----------
    positions : ndarray of float64, shape (n_positions, 2), deg
        Right ascension and declination.
    radius : float, arcsec
    timeout : float, s
        Longest wait for each answer.

    Returns
    -------
    TableFile or None
        The answers as one table; None if they are empty.

    Raises
    ------
    DataError
        If astroquery is not installed, or NED does not answer at all.

    Examples
    --------
    This needs network access:

    >>> query_ned(np.array([[10.0, 20.0]]), 60.0).names   # doctest: +SKIP
    """
    answers, n_failed = [], 0
    for number, (ra, dec) in enumerate(positions, 1):
        try:
            answers.append(_query_ned_once(ra, dec, radius, timeout))
        except BrokerError as error:
            n_failed += 1
            if n_failed == len(positions) or (n_failed == number and number == _MAX_FAILURES):
                raise
            log.warning("%s", error)
    table = pd.concat([answer.astype(object) for answer in answers], ignore_index=True)
    if not len(table):
        return None
    return TableFile(Path("answer of NED"), tuple(table.columns), lambda names: table[names])


def _query_ned_once(ra, dec, radius, timeout):
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            from astroquery import cache_conf
            from astroquery.exceptions import RemoteServiceError
            from astroquery.ipac.ned import NedClass
    except ImportError as error:
        raise _not_installed("NED is") from error
    import astropy.units as u
    from astropy.coordinates import SkyCoord
    from requests.exceptions import RequestException

    class SafeNed(NedClass):
        def _parse_result(self, response, **options):
            refuse_links(io.BytesIO(response.content), "the answer")
            return super()._parse_result(response, **options)

    def failed(how):
        return BrokerError(
            f"NED: {how} for the position {ra:.5f} {dec:+.5f}; try again later, or omit NED"
        )

    try:
        with warnings.catch_warnings(), cache_conf.set_temp("cache_active", False):
            warnings.simplefilter("ignore")  # Non-standard units in VOTables.
            ned = SafeNed()
            ned.TIMEOUT = timeout
            _limit(ned, timeout)
            position = SkyCoord(ra, dec, unit="deg")
            return ned.query_region(position, radius=radius * u.arcsec).to_pandas()
    except RemoteServiceError as error:
        if "no object" in str(error).casefold():
            return pd.DataFrame()
        raise failed("refused to answer") from error
    except RequestException as error:
        raise failed("did not answer") from error
    except Exception as error:  # Parsers raise many types if the answer is not a table.
        raise failed("did not answer with a table") from error


def _limit(client, seconds):
    """Limit the time and the size of answers of an astroquery client."""
    from ztfml.sources.limited_http import LimitedAdapter

    for scheme in ("https://", "http://"):
        client._session.mount(scheme, LimitedAdapter(seconds, seconds, MAX_CROSSMATCH_BYTES))


def _not_installed(what):
    return DataError(
        f"{what} queried with astroquery, which is not installed; install it with "
        "pip install 'ztfml[catalogs]'"
    )


def _client(table):
    try:
        # On import astroquery prints which optional packages are missing.
        with contextlib.redirect_stdout(io.StringIO()):
            from astroquery.xmatch import XMatchClass
    except ImportError as error:
        raise _not_installed("SIMBAD and VizieR are") from error

    class XMatch(XMatchClass):
        URL = XMatchClass.URL.replace("http://cds", "https://cds")

        def query_async(self, *args, **options):
            response = super().query_async(*args, **options)
            refuse_links(io.BytesIO(response.content), "the answer")
            return response

        # Otherwise it fetches the names of all VizieR tables, without a timeout.
        def get_available_tables(self, *, cache=True):
            return [table.removeprefix("vizier:")] if table.startswith("vizier:") else []

    return XMatch()
