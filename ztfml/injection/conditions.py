"""How a night observed: where, when, how deep, with what errors and in what packets."""

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from ztfml.errors import DataError
from ztfml.features import context
from ztfml.injection.surroundings import UNDER, Sky
from ztfml.night import latest_rows
from ztfml.schema import PIXEL_SCALE

NOTHING_UNDER = 23.0
"""Magnitude of what lies under an alert where the reference image shows nothing."""

_DEEPEST = 6.0  # mag above the limit up to which errors are measured
_BIN = 0.25
_FEWEST = 10
_SIMILAR = 12


class Conditions:
    """How a night observed: epochs and limits at its places, errors, packets.

    Parameters
    ----------
    night : Night

    Attributes
    ----------
    night : Night
    carriers : ndarray of int
        The latest alerts of the objects whose history has limits.
    weight : ndarray, shape (n_carriers,)
        With which to draw a carrier, so that all of the night's sky counts the same.
    latitude : ndarray, shape (n_alerts,), deg
        Absolute galactic latitude.
    sky : Sky

    Raises
    ------
    DataError
        If no object of the night has a history to take epochs and limits from, or no alert is
        a real detection.

    Examples
    --------
    >>> conditions = Conditions(night)   # doctest: +SKIP
    """

    def __init__(self, night):
        self.night = night
        alerts = night.alerts
        self.latitude = _latitude(alerts)
        self.good = _is_real(alerts)
        depth = (column_of(alerts, "diffmaglim") - alerts["magpsf"]).to_numpy()
        self._measure_errors(depth, alerts["sigmapsf"].to_numpy())
        self.sky = Sky(alerts, self.latitude, self.good)
        self._find_donors(depth)
        self.carriers = self._find_carriers()
        self.weight = _even_on_the_sky(alerts, self.carriers)

    def _find_carriers(self):
        night = self.night
        latest = latest_rows(night.alerts)
        limits = night.history.diffmaglim
        usable = np.concatenate([[0], np.cumsum(~np.isnan(limits))])
        has = usable[night.last[latest]] > usable[night.first[latest]]
        has &= ~np.isnan(column_of(night.alerts, "diffmaglim").to_numpy()[latest])
        if not has.any():
            raise DataError(
                f"{night.name}: no object has a history with diffmaglim, from which injected "
                "events take their epochs and limits; name a night with its previous candidates"
            )
        return latest[has]

    def _measure_errors(self, depth, sigma):
        """Median error by magnitudes above the limit, of real detections."""
        edges = np.arange(0, _DEEPEST + _BIN, _BIN)
        self._depths = edges[:-1] + _BIN / 2
        fit = 0.17 * 10 ** (-0.4 * self._depths)
        self._errors = np.hypot(fit, 0.02)
        use = self.good & (depth >= 0) & (depth < _DEEPEST) & ~np.isnan(sigma)
        at = (depth[use] / _BIN).astype(int)
        for bin_, values in pd.Series(sigma[use]).groupby(at):
            if len(values) >= _FEWEST:
                self._errors[bin_] = values.median()

    def error_of_flux(self, magnitude, limit):
        """Error of the flux that the night measures at a magnitude and limit.

        Parameters
        ----------
        magnitude, limit : ndarray, mag

        Returns
        -------
        ndarray
            1 sigma, in units in which magnitude 0 has flux 1.
        """
        depth = np.clip(limit - magnitude, self._depths[0], None)
        of_magnitude = np.interp(depth, self._depths, self._errors)
        brightest = np.minimum(magnitude, limit - self._depths[0])
        return of_magnitude / 1.0857 * 10 ** (-0.4 * brightest)

    def _find_donors(self, depth):
        alerts = self.night.alerts
        clear = ~(column_of(alerts, "distnr") * PIXEL_SCALE < UNDER).to_numpy()
        under = np.where(clear, NOTHING_UNDER, column_of(alerts, "magnr").to_numpy())
        known = self.good & ~np.isnan(depth) & ~np.isnan(under)
        # No stars: over them events are not looked for, and their residuals look otherwise.
        starry = (column_of(alerts, "distpsnr1") < UNDER) & (column_of(alerts, "sgscore1") > 0.5)
        rows = np.flatnonzero(known & ~starry.to_numpy())
        rows = rows if len(rows) else np.flatnonzero(known)
        if len(rows) == 0:
            raise DataError(
                f"{self.night.name}: no alert is a real detection by drb or rb, from which "
                "injected events take the quality of their packets; name another night"
            )
        self._donors = rows
        self._donor_tree = cKDTree(np.column_stack([depth[rows] / 0.25, under[rows]]))

    def donors(self, rng, depth, under):
        """Draw detections of the night that look alike.

        Parameters
        ----------
        rng : numpy.random.Generator
        depth : ndarray, shape (n,), mag
            How far above the limit.
        under : ndarray, shape (n,), mag
            What lies under it in the reference image, or `NOTHING_UNDER`.

        Returns
        -------
        ndarray of int, shape (n,)
            Rows of the night's alerts.
        """
        number = min(_SIMILAR, len(self._donors))
        wanted = np.column_stack([depth / 0.25, under])
        _, near = self._donor_tree.query(wanted, k=number)
        near = near.reshape(len(depth), number)
        return self._donors[near[np.arange(len(depth)), rng.integers(0, number, len(depth))]]


def column_of(alerts, name):
    """A column of the alerts, NaN where the night does not have it.

    >>> column_of(pd.DataFrame({"jd": [1.0]}), "drb").isna().all()
    np.True_
    """
    return alerts[name] if name in alerts else pd.Series(np.nan, index=alerts.index)


def _latitude(alerts):
    if "ra" not in alerts or "dec" not in alerts:
        return np.full(len(alerts), np.nan)
    return context.abs_gal_lat(alerts["ra"].to_numpy(), alerts["dec"].to_numpy())


def _is_real(alerts):
    """Detections that the survey's own score calls real, brighter than the reference."""
    drb, rb = column_of(alerts, "drb"), column_of(alerts, "rb")
    score = drb.where(drb.notna(), rb)
    return ((alerts["isdiffpos"] > 0) & ~(score < 0.5)).to_numpy()


def _even_on_the_sky(alerts, rows):
    """Weights with which every square degree of the night's sky counts the same."""
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
