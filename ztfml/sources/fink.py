"""Client of Fink, which uses its REST API (api.ztf.fink-portal.org).

Reference: Möller et al. 2021, MNRAS, 501, 3272.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from ztfml.sources.brokers import BROKERS
from ztfml.sources.fetched_folder import Cutouts, make_curve, whole_number
from ztfml.sources.stamps import clean_stamp
from ztfml.sources.web import querying, require_rows

_COLUMNS = (
    "i:objectId", "i:candid", "i:jd", "i:fid", "i:magpsf", "i:sigmapsf", "i:diffmaglim",
    "i:isdiffpos",
)  # fmt: skip
_STAMPS = ("Science", "Template", "Difference")


class Fink:
    """Client of Fink.

    Parameters
    ----------
    session : requests.Session
        A session from `ztfml.sources.web.open_session`.
    url : str, optional
        Address of a mirror of the service; by default that of Fink.

    Examples
    --------
    This needs network access:

    >>> Fink(open_session()).light_curve("ZTF21abfmbix")   # doctest: +SKIP
    """

    name = BROKERS["fink"].title

    def __init__(self, session: Any, url: str | None = None) -> None:
        self._session = session
        self._url = (url or BROKERS["fink"].api).rstrip("/")

    def light_curve(self, object_id: str) -> pd.DataFrame:
        """Fetch detections and upper limits of an object.

        Detections of bad quality are included, because packets also contain them as previous
        candidates.

        Parameters
        ----------
        object_id : str

        Returns
        -------
        pandas.DataFrame
            Columns of `ztfml.sources.fetched_folder.make_curve`. Fink has no forced photometry.

        Raises
        ------
        BrokerError
            If Fink does not return a light curve.

        Examples
        --------
        This needs network access:

        >>> Fink(open_session()).light_curve("ZTF21abfmbix")   # doctest: +SKIP
        """
        what = f"the light curve of {object_id}"
        with querying(self.name, what):
            answer = self._post(
                "objects", objectId=object_id, columns=",".join(_COLUMNS), withupperlim="True"
            )
            rows = [_row(row) for row in answer]
            require_rows(rows, self.name, what)
            return make_curve(rows)

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
            If Fink does not return the stamps.

        Examples
        --------
        This needs network access:

        >>> client = Fink(open_session())   # doctest: +SKIP
        >>> client.cutouts("ZTF21aaxtctv", 1622215345315015012)   # doctest: +SKIP
        """
        with querying(self.name, f"the stamps of {object_id}, alert {candid}"):
            # As text, because Fink reads a number of 19 digits as a float.
            answer = self._post("cutouts", objectId=object_id, candid=str(candid), kind="All",
                               **{"output-format": "array"})  # fmt: skip
            return Cutouts(
                candid, *(clean_stamp(answer[f"b:cutout{kind}_stampData"]) for kind in _STAMPS)
            )

    def _post(self, route, **query):
        return self._session.post(f"{self._url}/api/v1/{route}", json=query).json()


def _row(row):
    limit = row.get("d:tag") == "upperlim"
    return {
        "jd": row["i:jd"],
        "fid": row["i:fid"],
        "magpsf": None if limit else row.get("i:magpsf"),
        "sigmapsf": None if limit else row.get("i:sigmapsf"),
        "diffmaglim": row.get("i:diffmaglim"),
        "isdiffpos": row.get("i:isdiffpos"),
        "forced": False,
        # Only alerts in the database of Fink have stamps there.
        "candid": whole_number(row.get("i:candid")) if row.get("d:tag") == "valid" else None,
    }
