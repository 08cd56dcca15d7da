"""Fetch the light curves and stamps of selected objects into the folder beside their night."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from ztfml.errors import BrokerError, DataError
from ztfml.io.columns import read_columns
from ztfml.io.csv_text import read_csv_text
from ztfml.io.progress import track
from ztfml.io.similar import similar_object, to_rename
from ztfml.schema import ALERT_BY_NAME, Column
from ztfml.sources import fetched_folder
from ztfml.sources.stamps import centre_stamp
from ztfml.sources.web import AT_ONCE, UnreachableError

log = logging.getLogger(__name__)

_COLUMNS = (
    *(ALERT_BY_NAME[name] for name in ("objectId", "candid", "jd", "ra", "dec")),
    Column("xpos", "float", "pix", "x position in the image", prefix="candidate."),
    Column("ypos", "float", "pix", "y position in the image", prefix="candidate."),
)

# A broker is not queried any more after this many failures to answer in a row.
_MAX_FAILURES = 3


def objects_of(path: str | Path, object_ids: Sequence[str]) -> pd.DataFrame:
    """Find the latest alerts and the positions of objects in a night.

    Parameters
    ----------
    path : str or Path
        The alerts' file of the night.
    object_ids : sequence of str

    Returns
    -------
    pandas.DataFrame
        One row per object, in the given order, each object once: ``objectId``, ``candid``
        (Int64; missing if the object is not in the night), ``ra`` and ``dec`` (deg), ``xpos``
        and ``ypos`` (pixels), and ``jd`` of that alert (d); NaN if unknown.

    Raises
    ------
    DataError
        If the night cannot be read.

    Examples
    --------
    >>> objects_of("night.parquet", [object_id, "ZTF18abukavn"])["candid"].notna().tolist()
    [True, False]
    """
    alerts = pd.DataFrame(read_columns(path, _COLUMNS))
    objects = pd.DataFrame({"objectId": pd.Series(list(dict.fromkeys(object_ids)), dtype="str")})
    latest = alerts[alerts["objectId"].isin(objects["objectId"])].sort_values(["jd", "candid"])
    latest = latest.drop_duplicates("objectId", keep="last").astype({"candid": "Int64"})
    objects = objects.merge(latest, on="objectId", how="left")
    absent = objects["objectId"][objects["candid"].isna()]
    if len(absent):
        known = alerts["objectId"].unique()
        similar = [similar_object(name, known) for name in absent]
        log.warning(
            "%s: no alert of %s; using the latest alert for which a broker has stamps%s",
            path, ", ".join(absent), "".join(f"; {text}" for text in similar if text),
        )  # fmt: skip
    return objects.reindex(columns=["objectId", "candid", "ra", "dec", "xpos", "ypos", "jd"])


def read_ranked(path: str | Path, top: int) -> list[str]:
    """Read the names of the first objects of a ranked list.

    Parameters
    ----------
    path : str or Path
        A file written by ``ztfml rank``.
    top : int
        Number of objects.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If the file cannot be read or has no column ``objectId``.

    Examples
    --------
    >>> ranked.to_csv("ranked.csv", index=False)
    >>> len(read_ranked("ranked.csv", 12))
    12
    """
    path = Path(path)
    remedy = f"make it with ztfml rank NIGHT -o {path}"
    ranked = read_csv_text(path, remedy, n_rows=top)
    if "objectId" not in ranked:
        rename = to_rename("objectId", ranked.columns)
        raise DataError(f"{path}: no list with a column objectId; {rename}{remedy}")
    return ranked["objectId"].tolist()


def fetch(folder: str | Path, objects: pd.DataFrame, clients: Sequence) -> pd.DataFrame:
    """Query brokers for light curves and stamps, and write them into a folder.

    Later brokers fill the gaps of earlier ones. A failure for one object does not affect the
    others, and stamps that are already in the folder are not fetched again.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``, from `ztfml.sources.fetched_folder.fetched_beside`.
    objects : pandas.DataFrame
        Output of `objects_of`.
    clients : sequence
        Clients of brokers, from ``Broker.make_client``, in the order in which to query them.

    Returns
    -------
    pandas.DataFrame
        One row per object: ``objectId``; ``light_curve`` and ``cutouts``: the broker and what
        it returned, '' for nothing; ``problems``: a tuple of error messages.

    Raises
    ------
    DataError
        If the folder cannot be written to.

    Examples
    --------
    >>> objects = objects_of("night.parquet", ["../ZTF18abukavn"])
    >>> fetch("night_fetched", objects, [])["problems"][0]
    ("'../ZTF18abukavn' is not a valid object name",)
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    limited = [_LimitedClient(client) for client in clients]
    rows = list(objects.itertuples(index=False))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = pool.map(lambda row: _fetch_one(folder, row, limited), rows)
        fetched = list(track(results, "fetching", len(rows)))
    return pd.DataFrame(fetched, columns=["objectId", "light_curve", "cutouts", "problems"])


def _fetch_one(folder, row, clients):
    name = row.objectId
    if not fetched_folder.is_object_name(name):
        return name, "", "", (f"{name!r} is not a valid object name",)
    problems = []
    light_curve, candid = _fetch_light_curve(folder, name, clients, problems)
    position = None, None
    if not pd.isna(row.candid):
        candid, position = int(row.candid), (row.xpos, row.ypos)
    stamps = ""
    if candid is not None:
        stamps = _fetch_cutouts(folder, name, candid, position, clients, problems)
    return name, light_curve, stamps, tuple(problems)


def _fetch_light_curve(folder, object_id, clients, problems):
    """Return a summary of the light curve, and its latest alert that has stamps."""
    curve, broker = _first_answer(clients, "light_curve", problems, object_id)
    if curve is None:
        return "", None
    fetched_folder.write_light_curve(folder, object_id, curve)
    latest = curve["candid"].max()
    return f"{broker}: {_count(curve)}", None if pd.isna(latest) else int(latest)


def _fetch_cutouts(folder, object_id, candid, position, clients, problems):
    """Return the name of the broker that sent the stamps."""
    if fetched_folder.cutouts(folder, object_id, candid) is not None:
        return "already fetched"
    stamps, broker = _first_answer(clients, "cutouts", problems, object_id, candid)
    if stamps is not None:
        images = (centre_stamp(image, *position) for image in stamps[1:])
        fetched_folder.write_cutouts(folder, object_id, fetched_folder.Cutouts(candid, *images))
    return broker


def _first_answer(clients, method, problems, *args):
    """Return the first answer of a broker, and the broker's name."""
    for client in clients:
        try:
            return client.query(method, *args), client.name
        except BrokerError as error:
            problems.append(str(error))
    return None, ""


def _count(curve):
    detected = curve["magpsf"].notna()
    forced = curve["forced"].astype(bool)
    n_detections, n_limits = (detected & ~forced).sum(), (~detected & ~forced).sum()
    counts = f"{n_detections} detections, {n_limits} limits"
    return f"{counts}, {forced.sum()} forced" if forced.any() else counts


class _LimitedClient:
    """A client that is not queried any more after several failures to answer in a row."""

    def __init__(self, client):
        self.name = client.name
        self._client = client
        self._n_failures = 0
        self._lock = threading.Lock()

    def query(self, method, *args):
        if self._n_failures >= _MAX_FAILURES:
            raise UnreachableError(f"{self.name}: not queried after {_MAX_FAILURES} failures")
        try:
            answer = getattr(self._client, method)(*args)
        except UnreachableError:
            with self._lock:
                self._n_failures += 1
            raise
        except BrokerError:
            self._n_failures = 0
            raise
        self._n_failures = 0
        return answer
