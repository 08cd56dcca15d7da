"""Fink: light curves and stamps through its REST API, api.ztf.fink-portal.org.

Möller et al. 2021, MNRAS, 501, 3272.
"""

from ztfml.sources.fetched_folder import Cutouts, make_curve, whole_number
from ztfml.sources.stamps import clean_stamp
from ztfml.sources.web import NotFoundError, asking

URL = "https://api.ztf.fink-portal.org"

_COLUMNS = (
    "i:objectId", "i:candid", "i:jd", "i:fid", "i:magpsf", "i:sigmapsf", "i:diffmaglim",
    "i:isdiffpos",
)  # fmt: skip
_STAMPS = ("Science", "Template", "Difference")


class Fink:
    """A client of Fink.

    Parameters
    ----------
    session : requests.Session
        As of `ztfml.sources.web.open_session`.
    url : str, optional
        Of a copy of its service; by default Fink's own.

    Examples
    --------
    >>> Fink(open_session()).light_curve("ZTF21abfmbix")   # doctest: +SKIP
    """

    name = "Fink"

    def __init__(self, session, url=None):
        self._session = session
        self._url = (url or URL).rstrip("/")

    def light_curve(self, object_id):
        """Ask for detections, those of bad quality included, and upper limits.

        Packets ship detections of any quality as previous candidates; so these are kept, too.

        Parameters
        ----------
        object_id : str

        Returns
        -------
        pandas.DataFrame
            As of `ztfml.sources.fetched_folder.make_curve`. Fink offers no forced photometry.

        Raises
        ------
        BrokerError
            If Fink does not give it; its sentence says why.

        Examples
        --------
        >>> Fink(open_session()).light_curve("ZTF21abfmbix")   # doctest: +SKIP
        """
        what = f"the light curve of {object_id}"
        with asking(self.name, what):
            answer = self._ask(
                "objects", objectId=object_id, columns=",".join(_COLUMNS), withupperlim="True"
            )
            rows = [_row(row) for row in answer]
            if not rows:
                raise NotFoundError(
                    f"{self.name}: {what}: it has none; check the name, or ask another broker"
                )
            return make_curve(rows)

    def cutouts(self, object_id, candid):
        """Ask for the three stamps of an alert.

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
            As of `light_curve`.

        Examples
        --------
        >>> Fink(open_session()).cutouts("ZTF21aaxtctv", 1622215345315015012)   # doctest: +SKIP
        """
        with asking(self.name, f"the stamps of {object_id}, alert {candid}"):
            # As text: its own reader would take a number of 19 digits for a float.
            answer = self._ask("cutouts", objectId=object_id, candid=str(candid), kind="All",
                               **{"output-format": "array"})  # fmt: skip
            return Cutouts(
                candid, *(clean_stamp(answer[f"b:cutout{kind}_stampData"]) for kind in _STAMPS)
            )

    def _ask(self, route, **query):
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
        # Only what Fink holds as an alert has stamps there.
        "candid": whole_number(row.get("i:candid")) if row.get("d:tag") == "valid" else None,
    }
