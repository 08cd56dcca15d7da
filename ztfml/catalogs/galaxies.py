"""Find the most probable host of each alert in a catalogue of galaxies.

The galaxies are sorted by HEALPix cell, in tiers of similar search radius: 60 kpc is half a degree
at 7 Mpc and 10 arcsec at 1 Gpc. The cells of a tier are at least three times as large as its
radius, so the cell of an alert and its eight neighbours contain all galaxies within the radius.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from ztfml.astrophysics import kpc_per_arcsec
from ztfml.catalogs.galaxy_cache import cached_table
from ztfml.catalogs.galaxy_geometry import (
    MAX_ANGLE,
    MAX_OFFSET,
    is_near,
    light_radius,
    search_radius,
    separation,
)
from ztfml.catalogs.galaxy_table import GALAXY_FIELDS, read_galaxies
from ztfml.catalogs.healpix import cell_of, position_in
from ztfml.cpus import cpu_count
from ztfml.night import Night
from ztfml.schema import GALAXY_COLUMNS

log = logging.getLogger(__name__)

# Order of the HEALPix cells of each tier, and the largest search radius in it (deg): a quarter of
# the cell size, because cells are distorted near the poles.
_TIERS = {3: MAX_ANGLE, 5: 0.45, 7: 0.11, 9: 0.028, 11: 0.007}
# Positions of alerts and galaxies agree to half an arcsecond at best.
_POSITION_ERROR = 0.5
_BATCH = 20_000
# Distance (deg) of the positions whose galaxies are unrelated to an injected event.
_UNRELATED = 0.15
_WHOLE_SKY = 41252.96  # deg^2
# Cells of the footprint: the smallest that typically contain this many galaxies.
_FOOTPRINT_ORDER, _PER_CELL = 6, 8
_N_RANDOM, _FEWEST = 20_000, 10


class _Tier(NamedTuple):
    """The rows first:last of the table have cells of one order."""

    order: int
    first: int
    last: int


class GalaxyCatalog:
    """Galaxies with distances, sorted for fast searches.

    Use `GalaxyCatalog.load` to read a file.

    Parameters
    ----------
    table : pyarrow.Table
        `ztfml.catalogs.galaxy_table.GALAXY_FIELDS`, with ``kpc`` (per arcsec) instead of the
        redshift, because the import of a cosmology takes a second; ``order`` and ``cell`` by
        which it is sorted; and ``density`` (galaxies per square degree that are not farther away).
    calibration : ndarray, shape (2, n)
        Logarithms of the probability that one galaxy is at most so far away and so close by
        chance, and of the fraction of random positions where one is; see `hosts`.
    name : str

    Examples
    --------
    >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "z": [0.01], "objname": ["UGC 1"]})
    >>> rows.to_csv("galaxies.csv", index=False)
    >>> GalaxyCatalog.load("galaxies.csv", cache=False)
    <GalaxyCatalog galaxies.csv: 1 galaxies>
    """

    def __init__(self, table: pa.Table, calibration: np.ndarray, name: str):
        self.table, self.calibration, self.name = table, calibration, name
        self._column = {
            field: table[field].chunk(0).to_numpy(zero_copy_only=True)
            for field in table.column_names
            if field != "name"
        }
        order = self._column["order"]
        bounds = np.searchsorted(order, [*_TIERS, 99])
        self._tiers = [
            _Tier(*map(int, tier)) for tier in zip(_TIERS, bounds[:-1], bounds[1:], strict=True)
            if tier[1] < tier[2]
        ]  # fmt: skip

    def __len__(self):
        return len(self.table)

    def __repr__(self):
        return f"<GalaxyCatalog {self.name}: {len(self):,} galaxies>"

    @classmethod
    def load(cls, path: str | Path, cache: bool = True) -> GalaxyCatalog:
        """Read a catalogue of galaxies.

        The first use reads the file and writes a sorted copy to the user's cache folder; later
        uses map that copy into memory.

        Parameters
        ----------
        path : str or Path
            See `ztfml.catalogs.galaxy_table.read_galaxies`.
        cache : bool, default True
            Whether to use the cache.

        Returns
        -------
        GalaxyCatalog

        Raises
        ------
        DataError
            If the file cannot be read or has no usable galaxy.
        """
        name = Path(path).name
        if not cache:
            return cls.from_frame(read_galaxies(path), name)

        def make():
            catalog = cls.from_frame(read_galaxies(path), name)
            calibration = json.dumps(catalog.calibration.tolist())
            return catalog.table.replace_schema_metadata({"calibration": calibration})

        table = cached_table(path, make)
        return cls(table, np.array(json.loads(table.schema.metadata[b"calibration"])), name)

    @classmethod
    def from_frame(cls, galaxies: pd.DataFrame, name: str = "galaxies") -> GalaxyCatalog:
        """Sort a table of galaxies.

        Parameters
        ----------
        galaxies : pandas.DataFrame
            With the columns of `ztfml.catalogs.galaxy_table.read_galaxies`.
        name : str

        Returns
        -------
        GalaxyCatalog

        Examples
        --------
        >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "z": [0.01], "modulus": [33.3],
        ...     "modulus_err": 0.2, "radius": np.nan, "ba": np.nan, "pa": np.nan, "ebv": np.nan,
        ...     "name": "UGC 1"})
        >>> len(GalaxyCatalog.from_frame(rows))
        1
        """
        galaxies = galaxies[list(GALAXY_FIELDS)]
        galaxies = galaxies.assign(kpc=kpc_per_arcsec(galaxies["z"].to_numpy())).drop(columns="z")
        angle = search_radius(galaxies["kpc"].to_numpy())
        ra, dec = galaxies["ra"].to_numpy(), galaxies["dec"].to_numpy()
        order = np.zeros(len(galaxies), np.int8)
        cell = np.zeros(len(galaxies), np.int64)
        for tier, largest in _TIERS.items():
            inside = angle <= largest
            order[inside] = tier
        for tier in np.unique(order).tolist():
            rows = order == tier
            cell[rows] = cell_of(ra[rows], dec[rows], tier)
        modulus = galaxies["modulus"].to_numpy()
        # Galaxies at the same distance have the same density, whatever their order in the file is.
        rank = np.searchsorted(np.sort(modulus), modulus, side="right")
        cells, footprint_order = _footprint(ra, dec)
        area = _WHOLE_SKY if cells is None else len(cells) * _WHOLE_SKY / (12 * 4**footprint_order)
        galaxies = galaxies.assign(order=order, cell=cell, density=rank / area)
        # By position inside a cell, so that the order of the rows in the file does not matter.
        by_cell = np.lexsort([dec, ra, cell, order])
        # NaN stays NaN: columns with nulls cannot be used without a copy.
        names = pa.array(galaxies.pop("name").iloc[by_cell], pa.string(), from_pandas=True)
        columns = {
            field: pa.array(galaxies.pop(field).to_numpy()[by_cell]) for field in [*galaxies]
        }
        table = pa.table(columns)
        catalog = cls(table.append_column("name", names), np.empty((2, 0)), name)
        catalog.calibration = catalog._calibrate(cells, footprint_order)
        return catalog

    def _calibrate(self, cells, order) -> np.ndarray:
        """Measure how often random positions in the footprint have a galaxy as close.

        The best of all galaxies around a position is chosen, so its own probability is too small.
        """
        rng = np.random.default_rng(1)
        u, v = rng.random((2, _N_RANDOM))
        if cells is None:
            cells, order = np.arange(12), 0
        found = self.hosts(*position_in(rng.choice(cells, _N_RANDOM), order, u, v))
        chance = np.sort(found["chance"].dropna().to_numpy())
        if len(chance) < _FEWEST:
            return np.empty((2, 0))
        place = np.unique(np.geomspace(_FEWEST, len(chance), 50).astype(int)) - 1
        return np.log(np.stack([chance[place], (place + 1) / _N_RANDOM]))

    def _calibrated(self, once):
        """The fraction of random positions with a galaxy whose probability is smaller."""
        if not self.calibration.shape[1]:
            return once
        x, y = self.calibration
        log = np.log(np.maximum(once, 1e-300))
        # Proportional below the smallest probability that was measured.
        return np.exp(np.where(log < x[0], y[0] + log - x[0], np.interp(log, x, y)))

    def hosts(self, ra: np.ndarray, dec: np.ndarray) -> pd.DataFrame:
        """Find the most probable host at each position: that with the smallest chance.

        The probability that a galaxy that is not farther away lies this close by chance follows
        from the surface density of such galaxies in the catalogue. The result is the fraction of
        random positions in the footprint of the catalogue where the best galaxy has a smaller
        probability.

        Parameters
        ----------
        ra, dec : ndarray, shape (n,), deg

        Returns
        -------
        pandas.DataFrame
            One row per position: ``galaxy`` (its row in ``table``, -1 for none), ``offset``
            (arcsec), ``offset_kpc``, ``offset_radii`` and ``chance``.

        Examples
        --------
        >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "z": [0.01], "name": ["UGC 1"]})
        >>> rows.to_csv("galaxies.csv", index=False)
        >>> catalog = GalaxyCatalog.load("galaxies.csv", cache=False)
        >>> catalog.hosts(np.array([10.0]), np.array([20.01]))["offset"].round(3).tolist()
        [36.0]
        """
        pairs = self.candidates(ra, dec)
        first = ~pairs["row"].duplicated()
        best = pairs[first].set_index("row").reindex(pd.RangeIndex(len(ra)))
        return best.assign(galaxy=best["galaxy"].fillna(-1).astype(np.int64))

    def candidates(self, ra: np.ndarray, dec: np.ndarray) -> pd.DataFrame:
        """Find all galaxies within 60 kpc (and 2 degrees) of each position.

        Parameters
        ----------
        ra, dec : ndarray, shape (n,), deg

        Returns
        -------
        pandas.DataFrame
            The columns of `hosts`, and ``row``: the position. Sorted by position and chance; the
            first galaxy of a position is its most probable host.

        Examples
        --------
        >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "z": [0.01], "name": ["UGC 1"]})
        >>> rows.to_csv("galaxies.csv", index=False)
        >>> catalog = GalaxyCatalog.load("galaxies.csv", cache=False)
        >>> len(catalog.candidates(np.array([10.0, 50.0]), np.array([20.01, 0.0])))
        1
        """
        ra, dec = np.asarray(ra, float), np.asarray(dec, float)
        known = np.flatnonzero(np.isfinite(ra) & (np.abs(dec) <= 90))
        # Neighbours on the sky are near each other in the table, so searches use the cache.
        known = known[np.argsort(cell_of(ra[known], dec[known], max(_TIERS)), kind="stable")]
        batches = [known[begin : begin + _BATCH] for begin in range(0, len(known), _BATCH)]
        with ThreadPoolExecutor(cpu_count()) as threads:
            parts = list(threads.map(partial(self._pairs, ra, dec), batches or [known]))
        pairs = pd.concat(parts, ignore_index=True)
        return pairs.sort_values(["row", "chance", "galaxy"], ignore_index=True)

    def _pairs(self, ra, dec, rows):
        found = [np.empty((2, 0), np.int64)]
        found += [self._near(tier, ra[rows], dec[rows]) for tier in self._tiers]
        place, galaxy = np.concatenate(found, axis=1)
        row = rows[place]
        value = {name: self._column[name][galaxy] for name in ("ra", "dec", "kpc")}
        near = is_near(value, ra[row], dec[row])
        row, galaxy = row[near], galaxy[near]
        value = {name: column[galaxy] for name, column in self._column.items()}
        pairs = self._describe(value, ra[row], dec[row])
        return pairs.assign(row=row, galaxy=galaxy)

    def _describe(self, value, ra, dec):
        """Offset and chance for pairs of a galaxy and a position."""
        offset, angle = separation(value["ra"], value["dec"], ra, dec)
        effective = np.maximum(offset, _POSITION_ERROR) / 3600
        once = -np.expm1(-np.pi * effective**2 * value["density"])
        light = light_radius(value["radius"], value["ba"], value["pa"], angle)
        return pd.DataFrame(
            {
                "offset": offset,
                "offset_kpc": offset * value["kpc"],
                "offset_radii": offset / light,
                "chance": self._calibrated(once),
            }
        )

    def _near(self, tier: _Tier, ra, dec) -> np.ndarray:
        """Pairs of position and galaxy of a tier in the same or a neighbouring cell."""
        from astropy_healpix.core import neighbours

        cells, position = np.unique(cell_of(ra, dec, tier.order), return_inverse=True)
        with np.errstate(invalid="ignore"):  # -1 where there is no neighbour
            around = neighbours(cells, 2**tier.order, order="nested")
        around = np.concatenate([cells[None], around])
        # At some corners a cell has seven neighbours; cells of low orders can be their own.
        around = np.sort(around, axis=0)
        around[1:][around[1:] == around[:-1]] = -1
        sorted_cells = self._column["cell"][tier.first : tier.last]
        begin = np.searchsorted(sorted_cells, around, side="left")
        # Most small cells are empty, so only the others need the end.
        full = sorted_cells[np.minimum(begin, len(sorted_cells) - 1)] == around
        count = np.zeros_like(begin)
        count[full] = np.searchsorted(sorted_cells, around[full], side="right") - begin[full]
        begin, count = begin[:, position].ravel(), count[:, position].ravel()
        place = np.repeat(np.tile(np.arange(len(ra)), 9), count)
        start = np.repeat(begin - (np.cumsum(count) - count), count)
        return np.stack([place, tier.first + start + np.arange(count.sum())])

    def match(self, night: Night) -> Night:
        """Add the most probable host of each alert to a night.

        Parameters
        ----------
        night : Night

        Returns
        -------
        Night
            Its alerts have the columns of `ztfml.schema.GALAXY_COLUMNS`; missing without a galaxy
            within 60 kpc.

        Examples
        --------
        >>> at = night.alerts.iloc[[0]]
        >>> rows = pd.DataFrame({"ra": at["ra"], "dec": at["dec"], "DistMpc": [40.0]})
        >>> rows.to_csv("galaxies.csv", index=False)
        >>> matched = GalaxyCatalog.load("galaxies.csv", cache=False).match(night)
        >>> float(matched.alerts["galaxy_modulus"][0].round(2))
        33.01
        """
        columns = self._columns(*_positions(night.alerts))
        if not np.isfinite(columns["galaxy_offset"]).any():
            log.warning(
                "%s: none of the %d alerts has a galaxy within %g kpc; check that the catalogue "
                "covers the night", self.name, len(night), MAX_OFFSET,
            )  # fmt: skip
        return night.replace(alerts=night.alerts.assign(**columns))

    def plant(self, night: Night, galaxies: pd.DataFrame) -> Night:
        """Match alerts that each have one more galaxy: the host of an injected event.

        Unrelated galaxies are those of a random position nearby, because the event replaces a
        source of the night, and the host of that source is not there.

        Parameters
        ----------
        night : Night
            The alerts of the events.
        galaxies : pandas.DataFrame
            One row per alert with the columns of `ztfml.catalogs.galaxy_table.read_galaxies`;
            NaN if the host is not in the catalogue.

        Returns
        -------
        Night
            As from `match`.

        Examples
        --------
        >>> at = night.alerts
        >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "DistMpc": [40.0]})
        >>> rows.to_csv("galaxies.csv", index=False)
        >>> catalog = GalaxyCatalog.load("galaxies.csv", cache=False)
        >>> hosts = at[["ra", "dec"]].assign(z=0.01, modulus=33.2, modulus_err=0.2, radius=9.0)
        >>> hosts = hosts.assign(ba=1.0, pa=0.0, ebv=0.0, name="host")
        >>> set(catalog.plant(night, hosts).alerts["galaxy_name"])
        {'host'}
        """
        alerts = night.alerts
        ra, dec = _positions(alerts)
        angle = 2 * np.pi * np.random.default_rng(2).random(len(alerts))
        away = np.clip(dec + _UNRELATED * np.cos(angle), -90.0, 90.0)
        columns = self._columns((ra + _UNRELATED * np.sin(angle)) % 360.0, away)
        value = {name: galaxies[name].to_numpy() for name in GALAXY_FIELDS}
        value["kpc"] = kpc_per_arcsec(value["z"])
        by_distance = np.argsort(self._column["modulus"], kind="stable")
        value["density"] = np.interp(
            value["modulus"],
            self._column["modulus"][by_distance], self._column["density"][by_distance],
        )  # fmt: skip
        host = self._describe(value, ra, dec)
        better = is_near(value, ra, dec) & ~(host["chance"].to_numpy() >= columns["galaxy_chance"])
        better &= np.isfinite(host["chance"].to_numpy())
        value |= {name: host[name].to_numpy() for name in host}
        for name, old in columns.items():
            new = pd.Series(value[name.removeprefix("galaxy_")])
            columns[name] = pd.Series(old).reset_index(drop=True).mask(better, new).to_numpy()
        return night.replace(alerts=alerts.assign(**columns).astype({"galaxy_name": "str"}))

    def _columns(self, ra, dec) -> dict:
        """The columns of `ztfml.schema.GALAXY_COLUMNS` for positions."""
        best = self.hosts(ra, dec)
        galaxy = best["galaxy"].to_numpy()
        found = galaxy >= 0
        if found.any() and not np.isfinite(self._column["ebv"]).any():
            log.info(
                "%s: has no E(B - V), so absolute magnitudes are not corrected for Galactic "
                "extinction", self.name,
            )  # fmt: skip
        names = np.full(len(ra), None, object)
        names[found] = self.table["name"].take(pa.array(galaxy[found])).to_pylist()
        values = {"name": pd.array(names, dtype="str")}
        for field in ("offset", "offset_kpc", "offset_radii", "chance"):
            values[field] = best[field].to_numpy()
        for field in ("modulus", "modulus_err", "ebv"):
            column = self._column[field][np.maximum(galaxy, 0)]
            values[field] = np.where(found, column, np.nan)
        return {one.name: values[one.name.removeprefix("galaxy_")] for one in GALAXY_COLUMNS}


def _positions(alerts):
    missing = pd.Series(np.nan, alerts.index)
    return [alerts.get(name, missing).to_numpy(np.float64) for name in ("ra", "dec")]


def _footprint(ra, dec) -> tuple[np.ndarray | None, int]:
    """The cells with galaxies, and their order; None (the whole sky) if there are few galaxies."""
    for order in range(_FOOTPRINT_ORDER, 0, -1):
        cells, count = np.unique(cell_of(ra, dec, order), return_counts=True)
        if len(cells) and np.median(count) >= _PER_CELL:
            return cells, order
    return None, 0


def nearest_galaxies(
    catalog: GalaxyCatalog, ra: float, dec: float, most: int = 3
) -> Iterator[dict]:
    """Yield the most probable hosts at one position.

    Parameters
    ----------
    catalog : GalaxyCatalog
    ra, dec : float, deg
    most : int
        Largest number of galaxies.

    Yields
    ------
    dict
        ``name``, ``distance`` (Mpc), ``offset`` (arcsec), ``offset_kpc``, ``offset_radii`` and
        ``chance``; the most probable host first.

    Examples
    --------
    >>> rows = pd.DataFrame({"ra": [10.0], "dec": [20.0], "DistMpc": [40.0], "name": ["UGC 1"]})
    >>> rows.to_csv("galaxies.csv", index=False)
    >>> catalog = GalaxyCatalog.load("galaxies.csv", cache=False)
    >>> [galaxy["name"] for galaxy in nearest_galaxies(catalog, 10.0, 20.01)]
    ['UGC 1']
    """
    pairs = catalog.candidates(np.array([ra]), np.array([dec]))[:most]
    for pair in pairs.to_dict("records"):
        row = catalog.table.slice(pair.pop("galaxy"), 1).to_pylist()[0]
        del pair["row"]
        yield {"name": row["name"], "distance": 10 ** (row["modulus"] / 5 - 5)} | pair
