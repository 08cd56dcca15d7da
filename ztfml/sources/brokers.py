"""The alert brokers that ztfml knows: their addresses and what they provide.

To add a broker, add a record to the list below; a client, if there is one, is a class in a module
of its own. Command-line options, links and the columns of ranked lists read these records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Broker:
    """A broker of ZTF alerts.

    Parameters
    ----------
    name : str
        Name on the command line and of the column in ranked lists.
    title : str
        The broker's own spelling of its name.
    object_page : str
        Address of the page of an object, with ``{}`` for its name.
    in_ranked : bool
        Whether ranked lists have a column with the address.
    make_client : callable, optional
        Takes a session (`ztfml.sources.web.open_session`) and an address or None, and returns a
        client with the methods ``light_curve(object_id)`` and ``cutouts(object_id, candid)``.
    api : str
        Default address of the service that the client queries, if the client does not know it.
    provides : str
        What the client fetches, for help texts.

    Examples
    --------
    >>> BROKERS["fink"].link("ZTF18abukavn")
    'https://ztf.fink-portal.org/ZTF18abukavn'
    """

    name: str
    title: str
    object_page: str
    in_ranked: bool = False
    make_client: Callable[[Any, str | None], Any] | None = None
    api: str = ""
    provides: str = ""

    def link(self, object_id: str) -> str:
        """Return the address of the broker's page of an object."""
        return self.object_page.format(quote(object_id, safe=""))


# The modules of the clients load pandas, and are imported only when a client is used.


def _alerce(session, url):
    from ztfml.sources.alerce import Alerce

    return Alerce(session, url)


def _fink(session, url):
    from ztfml.sources.fink import Fink

    return Fink(session, url)


BROKERS = {
    broker.name: broker
    for broker in (
        Broker(
            "alerce", "ALeRCE", "https://alerce.online/object/{}",
            in_ranked=True, make_client=_alerce,
            provides="detections, non-detections, forced photometry and stamps",
        ),
        Broker(
            "fink", "Fink", "https://ztf.fink-portal.org/{}",
            in_ranked=True, make_client=_fink, api="https://api.ztf.fink-portal.org",
            provides="detections, upper limits and stamps",
        ),
        Broker("lasair", "Lasair", "https://lasair-ztf.lsst.ac.uk/objects/{}/"),
        Broker("fritz", "Fritz", "https://fritz.science/source/{}", in_ranked=True),
    )
}  # fmt: skip
"""All brokers by name, in the order of links."""

QUERIED = tuple(broker.name for broker in BROKERS.values() if broker.make_client)
"""Names of the brokers that can be queried, in the default order."""


def link_columns(object_ids: pd.Series) -> dict[str, pd.Series]:
    """Return the link columns of a ranked list.

    Parameters
    ----------
    object_ids : pandas.Series of str

    Returns
    -------
    dict of str to pandas.Series
        Addresses by the name of the broker.

    Examples
    --------
    >>> link_columns(pd.Series(["ZTF18abukavn"]))["fritz"][0]
    'https://fritz.science/source/ZTF18abukavn'
    """
    columns = {}
    for broker in BROKERS.values():
        if broker.in_ranked:
            before, after = broker.object_page.split("{}")
            columns[broker.name] = before + object_ids + after
    return columns
