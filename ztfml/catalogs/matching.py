"""Match the alerts of a night with positions, object names, or the asteroids in the packets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ztfml.catalogs.candids import check_candids
from ztfml.catalogs.kinds import UNSURE_BEYOND, Kind, meanings_of_object
from ztfml.catalogs.positions import moved
from ztfml.errors import DataError
from ztfml.night import Night

_J2000 = 2451545.0
_MATCH = ("alert", "type", "separation", "label", "doubts", "text")

ASTEROID_RADIUS = 2.0
"""Largest separation of an alert from the predicted position of its asteroid, in arcsec.

Of the public alerts with a predicted asteroid within 30 arcsec, 97 % have it within 1.
"""

ASTEROID_MAGDIFF = 2.0
"""Largest difference between the magnitude of an alert and the predicted one.

Asteroids rotate, and H of faint ones is uncertain; beyond half of this counts as a doubt.
"""

# With more detections at the same position (ndethist), there is also a stationary source.
_ASTEROID_DETECTIONS = 3
# Texts in place of a name, in lower case; ZTF writes null.
_NO_NAME = {
    "", "null", "none", "nan", "n/a", "na", "<na>", "nil", "-", "--", "0", "-99", "-999", "-999.0",
    "-99.0", "0.0", "false", "unknown",
}  # fmt: skip


@dataclass(frozen=True)
class Catalog:
    """A catalogue that is matched by position.

    Parameters
    ----------
    kind : Kind
    name : str
        Name in the evidence of labels.
    ra, dec : ndarray of float64, shape (n_entries,), deg
        J2000.
    types : pandas.Series of str, length n_entries
    motions : pandas.DataFrame, optional
        ``pm_ra`` (including the cosine of the declination) and ``pm_dec`` (arcsec/yr), and
        ``epoch`` (the Julian year of the position). Entries are matched where they were at the
        time of each alert.

    Examples
    --------
    >>> from ztfml.catalogs.kinds import KINDS
    >>> at = night.alerts.iloc[0]
    >>> types = pd.Series(["RRAB"])
    >>> vsx = Catalog(KINDS["vsx"], "vsx", np.array([at["ra"]]), np.array([at["dec"]]), types)
    >>> vsx.match(night)["text"][0]
    'vsx(0.00as):RRAB'
    """

    kind: Kind
    name: str
    ra: np.ndarray
    dec: np.ndarray
    types: pd.Series
    motions: pd.DataFrame | None = None

    def match(self, night: Night) -> pd.DataFrame:
        """Find the entries at the positions of the alerts of a night.

        If several objects of the night are within the radius of an entry, only the nearest one
        matches: a transient next to a variable star is not that star.

        Parameters
        ----------
        night : Night

        Returns
        -------
        pandas.DataFrame
            One row per match: ``alert`` (row in the night), ``type``, ``separation`` (arcsec),
            ``label`` ('' if the type means none of the classes), ``doubts``, ``text`` (the
            evidence).

        Raises
        ------
        DataError
            If the night has no positions.

        Examples
        --------
        >>> from ztfml.catalogs.kinds import KINDS
        >>> nothing = pd.Series([], dtype="str")
        >>> empty = Catalog(KINDS["vsx"], "vsx", np.array([]), np.array([]), nothing)
        >>> len(empty.match(night))
        0
        """
        alert, entry, separation = self._pairs(night)
        object_code = pd.factorize(night.alerts["objectId"])[0]
        nearest = _is_nearest_object(object_code[alert], entry, separation)
        alert, entry, separation = alert[nearest], entry[nearest], separation[nearest]
        types = self.types.iloc[entry].astype("str").fillna("").str.strip()
        found = _with_meanings(types, self.kind.meanings)
        found = found.assign(alert=alert[found["row"]], separation=separation[found["row"]])
        found["doubts"] += found["separation"] > UNSURE_BEYOND
        arcsec = np.char.mod("%.2f", found["separation"].to_numpy())
        found["text"] = f"{self.name}(" + pd.Series(arcsec, dtype="str") + "as):" + found["type"]
        return found[list(_MATCH)]

    def _pairs(self, night):
        """Return alerts and entries within the radius at the time of the alert."""
        radius, position = self.kind.radius, positions_of(night)
        if self.motions is None:
            return pairs_within(radius, self.ra, self.dec, *position)
        jd = night.alerts["jd"].to_numpy()
        return pairs_at_time(radius, self.ra, self.dec, self.motions, *position, jd)


def pairs_at_time(
    radius: float,
    entry_ra: np.ndarray,
    entry_dec: np.ndarray,
    motions: pd.DataFrame,
    ra: np.ndarray,
    dec: np.ndarray,
    jd: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find all pairs within a radius, with each entry where it was at the time of the alert.

    Parameters
    ----------
    radius : float, arcsec
    entry_ra, entry_dec : ndarray of float64, shape (n_entries,), deg
    motions : pandas.DataFrame
        See `Catalog`.
    ra, dec : ndarray of float64, shape (n_alerts,), deg
        NaN if an alert has no position.
    jd : ndarray of float64, shape (n_alerts,), d

    Returns
    -------
    alert, entry, separation : ndarray, shape (n_pairs,)
        See `pairs_within`.

    Examples
    --------
    Barnard's star moves 10.3 arcsec per year; here 20 years after the epoch:

    >>> motions = pd.DataFrame({"pm_ra": [0.0], "pm_dec": [10.3], "epoch": [2000.0]})
    >>> star, jd = np.array([10.0]), np.array([2458849.5])
    >>> now = star + 10.3 * 20 / 3600
    >>> pairs_at_time(2.0, star, star, motions, star, now, jd)[2].round(1)
    array([0.])
    """
    if not len(entry_ra) or not len(ra):
        return pairs_within(radius, entry_ra, entry_dec, ra, dec)
    pm_ra, pm_dec, epoch = motions[["pm_ra", "pm_dec", "epoch"]].to_numpy(np.float64).T
    year = 2000.0 + (np.asarray(jd, np.float64) - _J2000) / 365.25
    middle = (year.min() + year.max()) / 2
    farthest = np.hypot(pm_ra, pm_dec).max(initial=0.0) * (year.max() - middle)
    moved_ra, moved_dec = moved(entry_ra, entry_dec, pm_ra, pm_dec, middle - epoch)
    alert, entry, _ = pairs_within(radius + farthest + 1e-3, moved_ra, moved_dec, ra, dec)
    years = year[alert] - epoch[entry]
    moved_ra, moved_dec = moved(
        entry_ra[entry], entry_dec[entry], pm_ra[entry], pm_dec[entry], years
    )
    separation = _separation(moved_ra, moved_dec, ra[alert], dec[alert])
    near = separation <= radius
    return alert[near], entry[near], separation[near]


def _separation(ra, dec, other_ra, other_dec):
    """Return the separation of pairs of positions in arcsec."""
    from astropy.coordinates import angular_separation

    return 3600.0 * np.degrees(
        angular_separation(*(np.radians(angle) for angle in (ra, dec, other_ra, other_dec)))
    )


@dataclass(frozen=True)
class ObjectTable:
    """A table of types of objects or of single alerts.

    Parameters
    ----------
    name : str
        Name in the evidence of labels.
    by : {'objectId', 'candid'}
        Whether a row is about an object with all its alerts, or about one alert.
    rows : pandas.DataFrame
        ``key`` (names or int64 candids), ``type`` (which gives the class), ``text`` (the
        evidence) and ``doubts``; for candids also ``object`` (the object name, if known), and as
        index the row in the file ``attrs["path"]``.

    Examples
    --------
    >>> row = {"key": object_id, "type": "SN Ia", "text": "bts:SN Ia", "doubts": 0}
    >>> ObjectTable("bts", "objectId", pd.DataFrame([row])).match(night)["label"][0]
    'transient'
    """

    name: str
    by: str
    rows: pd.DataFrame

    def match(self, night: Night) -> pd.DataFrame:
        """Find the rows about the alerts of a night.

        Parameters
        ----------
        night : Night

        Returns
        -------
        pandas.DataFrame
            See `Catalog.match`; ``separation`` is NaN.

        Raises
        ------
        LabelError
            If a candid belongs to another object in the night, or has lost its last digits.

        Examples
        --------
        >>> row = {"key": "ZTF18abukavn", "type": "SN Ia", "text": "bts:SN Ia", "doubts": 0}
        >>> len(ObjectTable("bts", "objectId", pd.DataFrame([row])).match(night))
        0
        """
        if self.by == "candid":
            path = self.rows.attrs.get("path", self.name)
            check_candids(
                night, self.rows["key"], self.rows.get("object"),
                lambda row: f"{path}: row {self.rows.index[row] + 2}",
            )  # fmt: skip
        alerts = pd.DataFrame({"key": night.alerts[self.by], "alert": np.arange(len(night))})
        rows = alerts.merge(self.rows, on="key")
        found = _with_meanings(rows["type"], meanings_of_object)
        for column in ("alert", "text"):
            found[column] = rows[column].take(found["row"]).to_numpy()
        found["doubts"] += rows["doubts"].to_numpy()[found["row"]]
        if self.by == "objectId":
            # An object name means a position; an asteroid or an artifact is a single alert there.
            found["doubts"] += found["label"].isin(["sso", "artifact"])
        return found.assign(separation=np.nan)[list(_MATCH)]


class Ephemerides:
    """The known asteroid in the fields ssnamenr, ssdistnr and ssmagnr of the packet.

    ZTF matches every alert with the ephemerides of the Minor Planet Center. These fields are also
    features, so the labels are circular (see `ztfml.labels.label_file.is_circular`).

    Examples
    --------
    >>> set(Ephemerides().match(night)["label"])
    {'sso'}
    """

    name = "mpc"

    def match(self, night: Night) -> pd.DataFrame:
        """Find the alerts at the position of a known asteroid with about its magnitude.

        Parameters
        ----------
        night : Night

        Returns
        -------
        pandas.DataFrame
            See `Catalog.match`.

        Raises
        ------
        DataError
            If the night does not have these fields.

        Examples
        --------
        >>> bool((Ephemerides().match(night)["separation"] <= 2.0).all())
        True
        """
        alerts = night.alerts
        if not {"ssnamenr", "ssdistnr", "ssmagnr"} <= set(alerts.columns):
            raise DataError(
                f"{night.name}: no candidate.ssnamenr, ssdistnr and ssmagnr; omit the asteroids, "
                "or export the night again with these fields"
            )
        named = ~alerts["ssnamenr"].fillna("").str.strip().str.lower().isin(_NO_NAME)
        magdiff = (alerts["magpsf"] - alerts["ssmagnr"]).abs()
        near = alerts["ssdistnr"] <= ASTEROID_RADIUS
        is_asteroid = named & near & (magdiff <= ASTEROID_MAGDIFF)
        alert = np.flatnonzero(is_asteroid)
        magdiff = magdiff.to_numpy()[alert]
        distance = alerts["ssdistnr"].to_numpy()[alert]
        names = alerts["ssnamenr"].iloc[alert].str.strip().reset_index(drop=True)
        doubts = (magdiff > ASTEROID_MAGDIFF / 2).astype(int)
        if "ndethist" in alerts:
            doubts += alerts["ndethist"].to_numpy()[alert] > _ASTEROID_DETECTIONS
        details = np.char.mod(", %.1fas", distance), np.char.mod(", |dmag|=%.1f)", magdiff)
        details = pd.Series(np.char.add(*details), dtype="str")
        return pd.DataFrame(
            {
                "alert": alert, "type": names, "separation": distance, "label": "sso",
                "doubts": doubts, "text": "MPC ephemeris match (ZTF ssnamenr=" + names + details,
            }
        )  # fmt: skip


def positions_of(night: Night) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the alerts of a night.

    Parameters
    ----------
    night : Night

    Returns
    -------
    ra, dec : ndarray of float64, shape (n_alerts,), deg
        J2000; NaN if an alert has no position, or exactly that of another object (some test
        files of brokers have the same position for many objects).

    Raises
    ------
    DataError
        If the night has no columns with positions.

    Examples
    --------
    >>> ra, dec = positions_of(night)
    >>> len(ra) == len(night)
    True
    """
    if "ra" not in night.alerts or "dec" not in night.alerts:
        raise DataError(
            f"{night.name}: no candidate.ra and candidate.dec; export the night again with them, "
            "or use only tables of objects"
        )
    ra, dec = (night.alerts[name].to_numpy(np.float64) for name in ("ra", "dec"))
    position = pd.factorize(ra + 1j * dec, use_na_sentinel=False)[0]
    objects = pd.DataFrame({"position": position, "object": night.alerts["objectId"]})
    n_objects = np.bincount(objects.drop_duplicates()["position"])
    unique = n_objects[position] == 1
    return np.where(unique, ra, np.nan), np.where(unique, dec, np.nan)


def pairs_within(
    radius: float, entry_ra: np.ndarray, entry_dec: np.ndarray, ra: np.ndarray, dec: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find all pairs of an alert and a catalogue entry within a radius.

    Parameters
    ----------
    radius : float, arcsec
    entry_ra, entry_dec : ndarray of float64, shape (n_entries,), deg
    ra, dec : ndarray of float64, shape (n_alerts,), deg
        NaN if an alert has no position.

    Returns
    -------
    alert, entry : ndarray of int64, shape (n_pairs,)
        Indices of the arrays.
    separation : ndarray of float64, shape (n_pairs,), arcsec

    Examples
    --------
    >>> one = np.array([10.0])
    >>> pairs_within(2.0, one, np.array([20.0]), one, np.array([20.0 + 1 / 3600]))
    (array([0]), array([0]), array([1.]))
    """
    import astropy.units as u
    from astropy.coordinates import SkyCoord, search_around_sky

    alerts = np.flatnonzero(np.isfinite(ra) & np.isfinite(dec))
    if not len(alerts) or not len(entry_ra):
        nothing = np.array([], np.int64)
        return nothing, nothing, np.array([])
    # A tree of the declinations of the night alone is faster to build.
    south, north = dec[alerts].min() - radius / 3600, dec[alerts].max() + radius / 3600
    entries = np.flatnonzero((entry_dec >= south) & (entry_dec <= north))
    if not len(entries):
        return alerts[:0], entries, np.array([])
    alert, entry, separation, _ = search_around_sky(
        SkyCoord(ra[alerts], dec[alerts], unit="deg"),
        SkyCoord(entry_ra[entries], entry_dec[entries], unit="deg"),
        radius * u.arcsec,
    )
    return alerts[alert], entries[entry], separation.arcsec


def _is_nearest_object(object_code, entry, separation):
    """Return True for the pairs of the object that is nearest to the entry."""
    order = np.lexsort((separation, entry))
    entries, first = np.unique(entry[order], return_index=True)
    nearest = object_code[order][first]
    return object_code == nearest[np.searchsorted(entries, entry)]


def _with_meanings(
    types: pd.Series, meanings: Callable[[str], list[tuple[str, int]]]
) -> pd.DataFrame:
    """Return ``row``, ``type``, ``label`` and ``doubts`` for each class that a type may mean."""
    code, texts = pd.factorize(types)
    known = [(k, text, *one) for k, text in enumerate(texts) for one in meanings(text)]
    known = pd.DataFrame(known, columns=["code", "type", "label", "doubts"])
    known = known.astype({"code": np.int64, "type": "str", "label": "str", "doubts": np.int64})
    rows = pd.DataFrame({"code": code, "row": np.arange(len(code))})
    return rows.merge(known, on="code").drop(columns="code")
