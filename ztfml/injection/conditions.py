"""Observing conditions of a night: positions, epochs, depth, errors and quality fields."""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from ztfml.errors import DataError
from ztfml.features import context
from ztfml.injection.surroundings import AT_POSITION, Sky
from ztfml.io.alert_table import latest_rows
from ztfml.night import Night
from ztfml.schema import PIXEL_SCALE

NO_REFERENCE_SOURCE = 23.0
"""Magnitude that represents an empty position in the reference image."""

_MAX_DEPTH = 6.0  # mag above the limit up to which errors are measured
_BIN_WIDTH = 0.25  # mag
_MIN_PER_BIN = 10
_N_SIMILAR = 12


class Conditions:
    """Observing conditions of a night: epochs and limits, errors, quality fields.

    Parameters
    ----------
    night : Night

    Attributes
    ----------
    night : Night
    positions : ndarray of int, shape (n_positions,)
        Rows of the latest alerts of the objects whose history has limits. Injected events take
        their position, epochs and limits from one of these alerts.
    weight : ndarray, shape (n_positions,)
        Probability to choose each position; equal areas of the sky have equal probability.
    latitude : ndarray, shape (n_alerts,), deg
        Absolute galactic latitude.
    good : ndarray of bool, shape (n_alerts,)
        Whether an alert is a real detection.
    sky : Sky

    Raises
    ------
    DataError
        If no object of the night has a history with limits, or if no alert is a real detection.

    Examples
    --------
    >>> conditions = Conditions(night)
    >>> round(float(conditions.weight.sum()), 6)
    1.0
    """

    def __init__(self, night: Night):
        self.night = night
        alerts = night.alerts
        self.latitude = _latitude(alerts)
        self.good = _is_real(alerts)
        depth = (column_of(alerts, "diffmaglim") - alerts["magpsf"]).to_numpy()
        self._measure_errors(depth, alerts["sigmapsf"].to_numpy())
        self.sky = Sky(alerts, self.latitude, self.good)
        self._find_donors(depth)
        self.positions = self._find_positions()
        self.weight = _area_weights(alerts, self.positions)

    def _find_positions(self):
        night = self.night
        latest = latest_rows(night.alerts)
        limits = night.history.diffmaglim
        n_limits = np.concatenate([[0], np.cumsum(~np.isnan(limits))])
        usable = n_limits[night.last[latest]] > n_limits[night.first[latest]]
        usable &= ~np.isnan(column_of(night.alerts, "diffmaglim").to_numpy()[latest])
        if not usable.any():
            raise DataError(
                f"{night.name}: no object has a history with diffmaglim, from which injected "
                "events take their epochs and limits; name a night with its previous candidates"
            )
        return latest[usable]

    def _measure_errors(self, depth, sigma):
        """Measure the median error of real detections in bins of depth."""
        edges = np.arange(0, _MAX_DEPTH + _BIN_WIDTH, _BIN_WIDTH)
        self._depths = edges[:-1] + _BIN_WIDTH / 2
        fit = 0.17 * 10 ** (-0.4 * self._depths)
        self._errors = np.hypot(fit, 0.02)
        use = self.good & (depth >= 0) & (depth < _MAX_DEPTH) & ~np.isnan(sigma)
        index = (depth[use] / _BIN_WIDTH).astype(int)
        for bin_, values in pd.Series(sigma[use]).groupby(index):
            if len(values) >= _MIN_PER_BIN:
                self._errors[bin_] = values.median()

    def error_of_flux(self, magnitude: np.ndarray, limit: np.ndarray) -> np.ndarray:
        """Return the error of the flux at a magnitude and limit.

        Parameters
        ----------
        magnitude, limit : ndarray, mag

        Returns
        -------
        ndarray
            1 sigma, in units of the flux of magnitude 0.
        """
        depth = np.clip(limit - magnitude, self._depths[0], None)
        error_mag = np.interp(depth, self._depths, self._errors)
        brightest = np.minimum(magnitude, limit - self._depths[0])
        return error_mag / 1.0857 * 10 ** (-0.4 * brightest)

    def _find_donors(self, depth):
        """Find the real detections whose quality fields injected alerts can copy."""
        alerts = self.night.alerts
        empty = ~(column_of(alerts, "distnr") * PIXEL_SCALE < AT_POSITION).to_numpy()
        reference = np.where(empty, NO_REFERENCE_SOURCE, column_of(alerts, "magnr").to_numpy())
        known = self.good & ~np.isnan(depth) & ~np.isnan(reference)
        # Not on stars: no events are injected there, and residuals of stars look different.
        on_star = column_of(alerts, "distpsnr1") < AT_POSITION
        on_star &= column_of(alerts, "sgscore1") > 0.5
        rows = np.flatnonzero(known & ~on_star.to_numpy())
        rows = rows if len(rows) else np.flatnonzero(known)
        if len(rows) == 0:
            raise DataError(
                f"{self.night.name}: no alert is a real detection by drb or rb, from which "
                "injected events take their quality fields; name another night"
            )
        self._donors = rows
        self._donor_tree = cKDTree(np.column_stack([depth[rows] / 0.25, reference[rows]]))

    def donors(
        self, rng: np.random.Generator, depth: np.ndarray, reference: np.ndarray
    ) -> np.ndarray:
        """Draw real detections of the night with similar depth and reference source.

        Parameters
        ----------
        rng : numpy.random.Generator
        depth : ndarray, shape (n,), mag
            Limit minus magnitude.
        reference : ndarray, shape (n,), mag
            Magnitude of the reference source at the position, or `NO_REFERENCE_SOURCE`.

        Returns
        -------
        ndarray of int, shape (n,)
            Rows of the night's alerts.
        """
        number = min(_N_SIMILAR, len(self._donors))
        points = np.column_stack([depth / 0.25, reference])
        _, near = self._donor_tree.query(points, k=number)
        near = near.reshape(len(depth), number)
        return self._donors[near[np.arange(len(depth)), rng.integers(0, number, len(depth))]]


def column_of(alerts: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of the alerts, NaN where the night does not have it.

    Parameters
    ----------
    alerts : pandas.DataFrame
    name : str

    Returns
    -------
    pandas.Series

    Examples
    --------
    >>> column_of(pd.DataFrame({"jd": [1.0]}), "drb").isna().all()
    np.True_
    """
    return alerts[name] if name in alerts else pd.Series(np.nan, index=alerts.index)


def _latitude(alerts):
    if "ra" not in alerts or "dec" not in alerts:
        return np.full(len(alerts), np.nan)
    return context.abs_gal_lat(alerts["ra"].to_numpy(), alerts["dec"].to_numpy())


def _is_real(alerts):
    """Detections that are real by drb or rb, and brighter than the reference."""
    drb, rb = column_of(alerts, "drb"), column_of(alerts, "rb")
    score = drb.where(drb.notna(), rb)
    return ((alerts["isdiffpos"] > 0) & ~(score < 0.5)).to_numpy()


def _area_weights(alerts, rows):
    """Weights that give every square degree of the night's sky the same probability."""
    if "ra" not in alerts or "dec" not in alerts:
        return np.full(len(rows), 1 / len(rows))
    ra, dec = alerts["ra"].to_numpy()[rows], alerts["dec"].to_numpy()[rows]
    ring = np.floor(dec)
    step = np.floor(ra * np.cos(np.radians(ring + 0.5)))
    known = ~np.isnan(ring + step)
    cell = pd.MultiIndex.from_arrays([ring[known], step[known]]).factorize()[0]
    weight = np.zeros(len(rows))
    weight[known] = 1 / np.bincount(cell)[cell]
    weight = weight if known.any() else np.ones(len(rows))
    return weight / weight.sum()
