"""Fetching the light curves and stamps of chosen objects into the folder beside their night."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from ztfml.errors import BrokerError, DataError
from ztfml.io.columns import read_columns
from ztfml.io.progress import track
from ztfml.schema import ALERT_BY_NAME, Column
from ztfml.sources import fetched_folder as fetched
from ztfml.sources.alerce import Alerce
from ztfml.sources.fink import Fink
from ztfml.sources.stamps import centre_stamp
from ztfml.sources.web import AT_ONCE, UnreachableError

log = logging.getLogger(__name__)

BROKERS = {"alerce": Alerce, "fink": Fink}
"""The brokers that can be asked, in the order in which they are by default."""

_COLUMNS = (
    *(ALERT_BY_NAME[name] for name in ("objectId", "candid", "jd", "ra", "dec")),
    Column("xpos", "float", "pix", "place in the image, along the rows", prefix="candidate."),
    Column("ypos", "float", "pix", "place in the image, along the columns", prefix="candidate."),
)

# A broker that failed to answer so often in a row is not asked any more.
_PATIENCE = 3


def objects_of(path, object_ids):
    """Find objects in a night: their latest alerts, and where they are.

    Parameters
    ----------
    path : str or Path
        The alerts' file of the night.
    object_ids : sequence of str

    Returns
    -------
    pandas.DataFrame, one row an object, in the order given, each once
        ``objectId``, ``candid`` (Int64; missing where the night has not the object), ``ra`` and
        ``dec`` (deg), ``xpos`` and ``ypos`` (pixels); NaN where not known.

    Raises
    ------
    DataError
        If the night cannot be read.

    Examples
    --------
    >>> objects_of("night.parquet", ["ZTF18abukavn"])   # doctest: +SKIP
    """
    alerts = pd.DataFrame(read_columns(path, _COLUMNS))
    wanted = pd.DataFrame({"objectId": pd.Series(list(dict.fromkeys(object_ids)), dtype="str")})
    latest = alerts[alerts["objectId"].isin(wanted["objectId"])].sort_values(["jd", "candid"])
    latest = latest.drop_duplicates("objectId", keep="last").astype({"candid": "Int64"})
    found = wanted.merge(latest, on="objectId", how="left")
    absent = found["objectId"][found["candid"].isna()]
    if len(absent):
        log.warning(
            "%s: no alert of %s; the latest that a broker has stamps of is taken",
            path, ", ".join(absent),
        )  # fmt: skip
    return found.reindex(columns=["objectId", "candid", "ra", "dec", "xpos", "ypos"])


def read_ranked(path, top):
    """Read the names of the first objects of a ranked list.

    Parameters
    ----------
    path : str or Path
        As `ztfml rank` writes it.
    top : int

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If it cannot be read, or has no column of names.

    Examples
    --------
    >>> read_ranked("ranked.csv", 12)   # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file; make it with ztfml rank NIGHT -o {path}")
    try:
        ranked = pd.read_csv(path, dtype="str", nrows=top, keep_default_na=False)
        return ranked["objectId"].tolist()
    except (ValueError, KeyError, OSError) as error:
        raise DataError(
            f"{path}: no list with a column objectId; make it with ztfml rank NIGHT -o {path}"
        ) from error


def fetch(folder, objects, brokers):
    """Ask brokers for light curves and stamps, and write them into a folder.

    What one broker does not give, the next is asked for. An object that fails loses no other,
    and stamps that are there already are not asked for again.

    Parameters
    ----------
    folder : str or Path
        ``NAME_fetched``, of `ztfml.sources.fetched_folder.fetched_beside`.
    objects : pandas.DataFrame
        As of `objects_of`.
    brokers : sequence of Alerce or Fink

    Returns
    -------
    pandas.DataFrame, one row an object
        ``objectId``; ``light_curve`` and ``cutouts``: who gave it and what, '' for nothing;
        ``problems``: a tuple of sentences on what went wrong.

    Raises
    ------
    DataError
        If the folder cannot be written to.

    Examples
    --------
    >>> brokers = [Alerce(session), Fink(session)]   # doctest: +SKIP
    >>> fetch("night_fetched", objects_of("night.parquet", names), brokers)   # doctest: +SKIP
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    patient = [_Patient(broker) for broker in brokers]
    wanted = list(objects.itertuples(index=False))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        rows = pool.map(lambda one: _fetch_one(folder, one, patient), wanted)
        found = list(track(rows, "fetching", len(wanted)))
    return pd.DataFrame(found, columns=["objectId", "light_curve", "cutouts", "problems"])


def _fetch_one(folder, wanted, brokers):
    name = wanted.objectId
    if not fetched.is_object_name(name):
        return name, "", "", (f"{name!r} is no name of an object",)
    problems = []
    told, candid = _fetch_light_curve(folder, name, brokers, problems)
    place = None, None
    if not pd.isna(wanted.candid):
        candid, place = int(wanted.candid), (wanted.xpos, wanted.ypos)
    stamps = ""
    if candid is not None:
        stamps = _fetch_cutouts(folder, name, candid, place, brokers, problems)
    return name, told, stamps, tuple(problems)


def _fetch_light_curve(folder, object_id, brokers, problems):
    """Who gave the light curve, and the latest alert in it that has stamps."""
    curve, broker = _first(brokers, "light_curve", problems, object_id)
    if curve is None:
        return "", None
    fetched.write_light_curve(folder, object_id, curve)
    latest = curve["candid"].max()
    return f"{broker}: {_count(curve)}", None if pd.isna(latest) else int(latest)


def _fetch_cutouts(folder, object_id, candid, place, brokers, problems):
    """Who gave the stamps."""
    if fetched.cutouts(folder, object_id, candid) is not None:
        return "there already"
    stamps, broker = _first(brokers, "cutouts", problems, object_id, candid)
    if stamps is not None:
        images = (centre_stamp(image, *place) for image in stamps[1:])
        fetched.write_cutouts(folder, object_id, fetched.Cutouts(candid, *images))
    return broker


def _first(brokers, method, problems, *args):
    """What the first broker that has it gives, and its name."""
    for broker in brokers:
        try:
            return broker.ask(method, *args), broker.name
        except BrokerError as error:
            problems.append(str(error))
    return None, ""


def _count(curve):
    detected = curve["magpsf"].notna()
    forced = curve["forced"].astype(bool)
    n_detections, n_limits = (detected & ~forced).sum(), (~detected & ~forced).sum()
    told = f"{n_detections} detections, {n_limits} limits"
    return f"{told}, {forced.sum()} forced" if forced.any() else told


class _Patient:
    """A broker that is not asked any more once it has failed to answer several times in a row."""

    def __init__(self, broker):
        self.name = broker.name
        self._broker = broker
        self._failures = 0
        self._lock = threading.Lock()

    def ask(self, method, *args):
        if self._failures >= _PATIENCE:
            raise UnreachableError(f"{self.name}: not asked any more, after {_PATIENCE} failures")
        try:
            answer = getattr(self._broker, method)(*args)
        except UnreachableError:
            with self._lock:
                self._failures += 1
            raise
        except BrokerError:
            self._failures = 0
            raise
        self._failures = 0
        return answer
