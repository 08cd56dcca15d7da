"""Client of ALeRCE, which uses the package alerce (github.com/alercebroker/alerce_client).

Reference: Förster et al. 2021, AJ, 161, 242.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
from typing import Any

import pandas as pd

from ztfml.astrophysics import MJD_ZERO
from ztfml.errors import BrokerError
from ztfml.sources.brokers import BROKERS
from ztfml.sources.fetched_folder import Cutouts, make_curve, whole_number
from ztfml.sources.forced import SNR_DETECTION, forced_magnitude, is_good_status
from ztfml.sources.remarks import Remarks
from ztfml.sources.stamps import clean_stamp
from ztfml.sources.web import NotFoundError, not_installed, querying, require_rows

log = logging.getLogger(__name__)

_FID = {"g": 1, "r": 2, "i": 3}
# ALeRCE writes this if a forced flux gives no magnitude.
_NO_MAGNITUDE = 100.0
# The error of a magnitude at a signal-to-noise ratio of 1.
_ONE_SIGMA = 2.5 / math.log(10)


class Alerce:
    """Client of ALeRCE.

    Parameters
    ----------
    session : requests.Session
        A session from `ztfml.sources.web.open_session`.
    url : str, optional
        Address of a mirror of both services; by default that of ALeRCE.

    Raises
    ------
    DataError
        If the package alerce is not installed.

    Examples
    --------
    This needs network access:

    >>> Alerce(open_session()).light_curve("ZTF18abukavn")   # doctest: +SKIP
    """

    name = BROKERS["alerce"].title

    def __init__(self, session: Any, url: str | None = None) -> None:
        try:
            # It imports IPython, which may print messages.
            with contextlib.redirect_stdout(io.StringIO()):
                from alerce.core import Alerce as Client
        except ImportError as error:
            raise not_installed("ALeRCE is queried with the package alerce") from error
        self._client = Client()
        search, stamps = self._client.legacy_ztf_client, self._client.legacy_stamps_client
        search.session = stamps.session = session
        if url is not None:
            search.load_config_from_object({"ZTF_API_URL": url.rstrip("/")})
            stamps.load_config_from_object({"AVRO_URL": url.rstrip("/")})

    def light_curve(self, object_id: str) -> pd.DataFrame:
        """Fetch detections, non-detections and forced photometry of an object.

        Parameters
        ----------
        object_id : str

        Returns
        -------
        pandas.DataFrame
            Columns of `ztfml.sources.fetched_folder.make_curve`.

        Raises
        ------
        BrokerError
            If ALeRCE does not return a light curve.

        Examples
        --------
        This needs network access:

        >>> Alerce(open_session()).light_curve("ZTF18abukavn")   # doctest: +SKIP
        """
        what = f"the light curve of {object_id}"
        with querying(self.name, what):
            answer = self._client.query_lightcurve(oid=object_id, survey="ztf", format="json")
            rows = [_detection(row) for row in answer["detections"]]
            rows += [_limit(row) for row in answer.get("non_detections") or ()]
            require_rows(rows, self.name, what)
            return make_curve(rows + self._forced(object_id))

    def cutouts(self, object_id: str, candid: int) -> Cutouts:
        """Fetch the three stamps of an alert.

        Parameters
        ----------
        object_id : str
        candid : int

        Returns
        -------
        Cutouts

        Raises
        ------
        BrokerError
            If ALeRCE does not return the stamps.

        Examples
        --------
        This needs network access:

        >>> client = Alerce(open_session())   # doctest: +SKIP
        >>> client.cutouts("ZTF18abukavn", 617155240115015005)   # doctest: +SKIP
        """
        with querying(self.name, f"the stamps of {object_id}, alert {candid}"):
            images = self._client.get_stamps(
                oid=object_id, candid=candid, format="numpy", survey="ztf"
            )
            return Cutouts(candid, *map(clean_stamp, images))

    def _forced(self, object_id):
        """Return forced photometry; without it the light curve is still complete."""
        try:
            with querying(self.name, f"the forced photometry of {object_id}"):
                answer = self._client.query_forced_photometry(
                    oid=object_id, survey="ztf", format="json"
                )
                return _good_rows(answer, object_id)
        except NotFoundError:
            return []
        except BrokerError as error:
            log.warning("%s", error)
            return []


def _detection(row):
    return {
        "jd": _jd(row),
        "fid": _band(row),
        "magpsf": row["magpsf"],
        "sigmapsf": row["sigmapsf"],
        "diffmaglim": row.get("diffmaglim"),
        "isdiffpos": row.get("isdiffpos"),
        "forced": False,
        "candid": whole_number(row.get("candid")) if row.get("has_stamp") else None,
    }


def _limit(row):
    return {
        "jd": _jd(row), "fid": _band(row), "diffmaglim": row["diffmaglim"], "forced": False,
    }  # fmt: skip


def _good_rows(answer, object_id):
    """Convert the rows of forced photometry that were processed without a warning."""
    remarks = Remarks()
    rows = []
    for row in answer:
        # `make_curve` reports rows that are not records.
        status = row.get("procstatus", "0") if isinstance(row, dict) else "0"
        if is_good_status(str(status)):
            rows.append(_forced(row))
        else:
            what = "rows of forced photometry with a procstatus other than 0 are left out"
            remarks.add(what, f"procstatus {status}")
    remarks.log(log, object_id)
    return rows


def _forced(row):
    found = {"jd": _jd(row), "fid": _band(row), "diffmaglim": row.get("diffmaglim"), "forced": True}
    if row.get("forcediffimflux") is not None:
        fluxes = (row.get(k) for k in ("forcediffimflux", "forcediffimfluxunc", "magzpsci"))
        return found | forced_magnitude(*fluxes)
    mag, error = row.get("mag"), row.get("e_mag")
    known = mag is not None and error is not None and mag < _NO_MAGNITUDE
    if known and 0 < error <= _ONE_SIGMA / SNR_DETECTION:
        found |= {"magpsf": mag, "sigmapsf": error, "isdiffpos": row.get("isdiffpos")}
    return found


def _jd(row):
    return float(row["mjd"]) + MJD_ZERO


def _band(row):
    band = row["fid"] if "fid" in row else row["band"]
    return _FID.get(band, band)
