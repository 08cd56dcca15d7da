"""What can be matched with a night: places, names, and the asteroids of the packets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ztfml.catalogs.kinds import UNSURE_BEYOND, Kind, meanings_of_object
from ztfml.errors import DataError

_MATCH = ("alert", "type", "separation", "label", "doubts", "text")

# Of the public alerts with a predicted asteroid within 30 arcsec, 97 % have it within 1.
_ASTEROID_RADIUS = 2.0
# Asteroids turn, and faint ones have uncertain H; beyond half of this a match is less sure.
_ASTEROID_MAGDIFF = 2.0
# With more detections at this very place (ndethist), something stands there, too.
_ASTEROID_DETECTIONS = 3


@dataclass(frozen=True)
class Catalog:
    """A catalogue of places.

    Parameters
    ----------
    kind : Kind
    name : str
        How evidence calls it.
    ra, dec : ndarray of float64, shape (n_entries,)
        J2000, degrees.
    types : pandas.Series of str, length n_entries
    """

    kind: Kind
    name: str
    ra: np.ndarray
    dec: np.ndarray
    types: pd.Series

    def match(self, night):
        """Find what stands where the alerts of a night are.

        An entry that has several objects of the night within its radius belongs to the nearest:
        a variable star does not make a star of what flares up beside it.

        Parameters
        ----------
        night : Night

        Returns
        -------
        pandas.DataFrame, one row a match
            ``alert`` (position in the night), ``type``, ``separation`` (arcsec),
            ``label`` ('' where it says nothing), ``doubts``, ``text`` (the evidence).

        Raises
        ------
        DataError
            If the night has no positions.

        Examples
        --------
        >>> read_catalog("vsx", "vsx.parquet").match(night)   # doctest: +SKIP
        """
        alert, entry, separation = pairs_within(
            self.kind.radius, self.ra, self.dec, *positions_of(night)
        )
        object_code = pd.factorize(night.alerts["objectId"])[0]
        own = _belongs_to_nearest(object_code[alert], entry, separation)
        alert, entry, separation = alert[own], entry[own], separation[own]
        types = self.types.iloc[entry].astype("str").fillna("").str.strip()
        found = _with_meanings(types, self.kind.meanings)
        found = found.assign(alert=alert[found["row"]], separation=separation[found["row"]])
        found["doubts"] += found["separation"] > UNSURE_BEYOND
        arcsec = np.char.mod("%.2f", found["separation"].to_numpy())
        found["text"] = f"{self.name}(" + pd.Series(arcsec, dtype="str") + "as):" + found["type"]
        return found[list(_MATCH)]


@dataclass(frozen=True)
class ObjectTable:
    """What objects, or single alerts, were found to be.

    Parameters
    ----------
    name : str
        How evidence calls it.
    by : {'objectId', 'candid'}
        What the table is about: an object with all its alerts, or an alert.
    rows : pandas.DataFrame
        ``key`` (names or int64 candids), ``type`` (of which the class is read), ``text`` (the
        evidence) and ``doubts``.
    """

    name: str
    by: str
    rows: pd.DataFrame

    def match(self, night):
        """Find the rows of the alerts of a night.

        Parameters
        ----------
        night : Night

        Returns
        -------
        pandas.DataFrame
            As of `Catalog.match`, with NaN for ``separation``.

        Examples
        --------
        >>> read_catalog("objects", "bts.csv").match(night)   # doctest: +SKIP
        """
        alerts = pd.DataFrame({"key": night.alerts[self.by], "alert": np.arange(len(night))})
        rows = alerts.merge(self.rows, on="key")
        found = _with_meanings(rows["type"], meanings_of_object)
        for column in ("alert", "text"):
            found[column] = rows[column].take(found["row"]).to_numpy()
        found["doubts"] += rows["doubts"].to_numpy()[found["row"]]
        if self.by == "objectId":
            # A name is that of a place: an asteroid or a bad subtraction is of one alert.
            found["doubts"] += found["label"].isin(["sso", "artifact"])
        return found.assign(separation=np.nan)[list(_MATCH)]


class Ephemerides:
    """The known asteroid that the packet itself names: ssnamenr, ssdistnr, ssmagnr.

    ZTF matches every alert with the ephemerides of the Minor Planet Center. Since these fields
    are features as well, the labels are circular (`ztfml.labels.label_file.is_circular`).

    Examples
    --------
    >>> label_from_catalogs(night, [Ephemerides()])   # doctest: +SKIP
    """

    name = "mpc"

    def match(self, night):
        """Find the alerts at a known asteroid of about the predicted magnitude.

        Parameters
        ----------
        night : Night

        Returns
        -------
        pandas.DataFrame
            As of `Catalog.match`.

        Raises
        ------
        DataError
            If the night has not these fields.
        """
        alerts = night.alerts
        if not {"ssnamenr", "ssdistnr", "ssmagnr"} <= set(alerts.columns):
            raise DataError(
                f"{night.name}: no candidate.ssnamenr, ssdistnr and ssmagnr; leave out the "
                "asteroids, or export the night again with them"
            )
        named = ~alerts["ssnamenr"].fillna("null").str.strip().isin(["", "null"])
        magdiff = (alerts["magpsf"] - alerts["ssmagnr"]).abs()
        here = named & (alerts["ssdistnr"] <= _ASTEROID_RADIUS) & (magdiff <= _ASTEROID_MAGDIFF)
        alert = np.flatnonzero(here)
        magdiff = magdiff.to_numpy()[alert]
        distance = alerts["ssdistnr"].to_numpy()[alert]
        names = alerts["ssnamenr"].iloc[alert].str.strip().reset_index(drop=True)
        doubts = (magdiff > _ASTEROID_MAGDIFF / 2).astype(int)
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


def positions_of(night):
    """Give the positions of a night's alerts.

    Parameters
    ----------
    night : Night

    Returns
    -------
    ra, dec : ndarray of float64, shape (n_alerts,)
        J2000, degrees; NaN where an alert has none, or the very one of another object: some test
        files of brokers put many objects in one place.

    Raises
    ------
    DataError
        If the night has no positions at all.

    Examples
    --------
    >>> ra, dec = positions_of(night)   # doctest: +SKIP
    """
    if "ra" not in night.alerts or "dec" not in night.alerts:
        raise DataError(
            f"{night.name}: no candidate.ra and candidate.dec to match by; export the night again "
            "with them, or name tables of objects alone"
        )
    ra, dec = (night.alerts[name].to_numpy(np.float64) for name in ("ra", "dec"))
    place = pd.factorize(ra + 1j * dec, use_na_sentinel=False)[0]
    of_object = pd.DataFrame({"place": place, "object": night.alerts["objectId"]})
    n_objects = np.bincount(of_object.drop_duplicates()["place"])
    lonely = n_objects[place] == 1
    return np.where(lonely, ra, np.nan), np.where(lonely, dec, np.nan)


def pairs_within(radius, entry_ra, entry_dec, ra, dec):
    """Find all pairs of alerts and a catalogue's entries that are close together.

    Parameters
    ----------
    radius : float
        How far apart they may be, in arcsec.
    entry_ra, entry_dec : ndarray of float64, shape (n_entries,)
        Degrees.
    ra, dec : ndarray of float64, shape (n_alerts,)
        Degrees; NaN where an alert has no position.

    Returns
    -------
    alert, entry : ndarray of int64, shape (n_pairs,)
        Positions in the arrays.
    separation : ndarray of float64, shape (n_pairs,)
        Arcsec.

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
    # A night sees a part of the sky; a tree of that part alone is sooner made.
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


def _belongs_to_nearest(object_code, entry, separation):
    """Tell which pairs are of the object that is nearest to the entry."""
    order = np.lexsort((separation, entry))
    entries, first = np.unique(entry[order], return_index=True)
    owner = object_code[order][first]
    return object_code == owner[np.searchsorted(entries, entry)]


def _with_meanings(types, meanings):
    """Give each row the classes that its type means: ``row``, ``type``, ``label``, ``doubts``."""
    code, texts = pd.factorize(types)
    known = [(k, text, *one) for k, text in enumerate(texts) for one in meanings(text)]
    known = pd.DataFrame(known, columns=["code", "type", "label", "doubts"])
    known = known.astype({"code": np.int64, "type": "str", "label": "str", "doubts": np.int64})
    rows = pd.DataFrame({"code": code, "row": np.arange(len(code))})
    return rows.merge(known, on="code").drop(columns="code")
