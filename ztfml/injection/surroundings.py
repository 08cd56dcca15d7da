"""PS1, Gaia and reference sources around an injected event.

The host galaxy is drawn: its luminosity, its size and the offset of the event. Its PS1 fields
(colours, missing bands, star/galaxy score) are copied from a galaxy of similar magnitude among
the PS1 sources of the night. All other sources around the event are those of an alert of the
night with similar galactic latitude and without a source at its position.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ztfml.astrophysics import distance_modulus, kpc_per_arcsec
from ztfml.schema import PIXEL_SCALE

if TYPE_CHECKING:
    from ztfml.injection.populations import Host

PS1_FIELDS = ("distpsnr", "sgscore", "sgmag", "srmag", "simag", "szmag")
GAIA_FIELDS = ("neargaia", "maggaia", "neargaiabright", "maggaiabright")
REFERENCE_FIELDS = ("distnr", "magnr", "sigmagnr", "chinr", "sharpnr")

_RADIUS = 30.0  # arcsec, within which packets list PS1 sources
_PS1_DEPTH = 22.5  # r, mag
_REFERENCE_DEPTH = 22.8  # mag
AT_POSITION = 1.5
"""A catalogue source within this distance (arcsec) is at the position of the alert."""

# PS1 sources below this sgscore are galaxies, as a function of r. Many sources near the limit of
# PS1 have intermediate scores; most of those are galaxies.
_GALAXY_SCORES = ((20.0, 21.5), (0.3, 0.8))
_N_SIMILAR = 10


class Hosts(NamedTuple):
    """Host galaxies of events.

    Attributes
    ----------
    magnitude : ndarray, mag
        PSF magnitude in r, as in PS1; it excludes most of the light of a large galaxy.
    offset : ndarray, arcsec
        Distance of the event from the centre of the galaxy.
    at_event : ndarray, mag
        Light of the galaxy within the PSF at the position of the event.
    total, radius : ndarray, mag and arcsec, optional
        Total r magnitude and half-light radius, for a catalogue of galaxies.
    """

    magnitude: np.ndarray
    offset: np.ndarray
    at_event: np.ndarray
    total: np.ndarray | None = None
    radius: np.ndarray | None = None


def draw_hosts(rng: np.random.Generator, z: np.ndarray, host: Host) -> Hosts:
    """Draw a host galaxy for each event.

    The size depends on the luminosity (Shen et al. 2003, MNRAS 343, 978: about 4 kpc at -20.5).
    The offsets are those of an exponential disk in projection.

    Parameters
    ----------
    rng : numpy.random.Generator
    z : ndarray, shape (n,)
    host : Host
        Host galaxies of the kind.

    Returns
    -------
    Hosts

    Examples
    --------
    >>> from ztfml.injection.populations import KINDS
    >>> hosts = draw_hosts(np.random.default_rng(1), np.full(5, 0.05), KINDS["kilonova"].host)
    >>> bool((hosts.magnitude > 13).all())
    True
    """
    n = len(z)
    absolute = rng.normal(host.magnitude, host.scatter, n)
    half_light = 4.0 * 10 ** (-0.1 * (absolute + 20.5)) * np.exp(rng.normal(0, 0.3, n))  # kpc
    size = half_light / kpc_per_arcsec(z)
    # An exponential disk has its half-light radius at 1.68 scale lengths.
    in_disk = rng.gamma(2.0, 1 / 1.68, n) * host.spread * size
    projection = np.hypot(1.0, rng.random(n)) / np.sqrt(2)
    magnitude = absolute + distance_modulus(z) + 2.5 * np.log10(1 + size)
    offset = np.hypot(in_disk * projection, np.abs(rng.normal(0, 0.12, n)))
    # The disk fades by 1.086 mag per scale length, but not within the seeing.
    scale = np.hypot(size / 1.68, 1.0)
    total = absolute + distance_modulus(z)
    return Hosts(magnitude, offset, magnitude + 1.086 * offset / scale, total, size)


class Sky:
    """Catalogue and reference sources in the alerts of a night, to copy from.

    Parameters
    ----------
    alerts : pandas.DataFrame
        Alerts of the night.
    latitude : ndarray, shape (n,), deg
        Absolute galactic latitude of the alerts, NaN where unknown.
    good : ndarray of bool, shape (n,)
        Whether an alert is a real detection.

    Examples
    --------
    >>> from ztfml.injection.conditions import Conditions
    >>> sky = Conditions(night).sky
    >>> hosts = Hosts(np.array([18.0]), np.array([1.0]), np.array([19.0]))
    >>> fields = sky.surroundings(np.random.default_rng(1), np.array([40.0]), np.array([1]), hosts)
    >>> fields["distpsnr1"], fields["srmag1"]
    (array([1.]), array([18.]))
    """

    def __init__(self, alerts: pd.DataFrame, latitude: np.ndarray, good: np.ndarray):
        self._alerts = alerts
        self._column = {
            name: alerts[name].to_numpy(float)
            for name in alerts
            if alerts[name].dtype.kind in "fiu" and name != "candid"
        }
        empty = (
            good & ~(self._get("distpsnr1") < AT_POSITION) & ~(self._get("neargaia") < AT_POSITION)
        )
        empty &= ~(self._get("distnr") * PIXEL_SCALE < AT_POSITION)
        self._empty = _sorted_by(np.flatnonzero(empty if empty.any() else good), latitude)
        self._galaxies = self._galaxies_of_packets()
        on_galaxy = self._get("distnr") * PIXEL_SCALE < AT_POSITION
        on_galaxy &= _is_galaxy(self._get("sgscore1"), self._get("srmag1"))
        self._references = _sorted_by(
            np.flatnonzero(on_galaxy & ~np.isnan(self._get("magnr"))), self._get("magnr")
        )

    def _get(self, name):
        absent = np.full(len(self._alerts), np.nan)
        return self._column.get(name, absent)

    def _galaxies_of_packets(self):
        """PS1 galaxies of the packets as an array of `PS1_FIELDS`, sorted by r."""
        by_rank = [
            np.column_stack([self._get(f"{field}{rank}") for field in PS1_FIELDS])
            for rank in (1, 2, 3)
        ]
        table = np.concatenate(by_rank)
        table = table[_is_galaxy(table[:, 1], table[:, 3])]
        return table[np.argsort(table[:, 3], kind="stable")]

    def surroundings(
        self, rng: np.random.Generator, latitude: np.ndarray, fid: np.ndarray, hosts: Hosts
    ) -> dict[str, np.ndarray]:
        """Draw the surroundings of each event.

        Parameters
        ----------
        rng : numpy.random.Generator
        latitude : ndarray, shape (n,), deg
            Absolute galactic latitude.
        fid : ndarray of int, shape (n,)
            The band of each event's reference image.
        hosts : Hosts

        Returns
        -------
        dict of str to ndarray
            `PS1_FIELDS` numbered 1 to 3, `GAIA_FIELDS`, `REFERENCE_FIELDS`, ``nmtchps`` and
            ``ncovhist``, as far as the night has them.
        """
        model = _draw_similar(rng, self._empty, latitude)
        in_ps1 = (hosts.magnitude < _PS1_DEPTH) & (hosts.offset < _RADIUS)
        host = self._host_sources(rng, hosts, in_ps1)
        fields = self._three_nearest(model, host)
        fields |= {name: self._get(name)[model] for name in (*GAIA_FIELDS, "ncovhist")}
        fields["nmtchps"] = self._get("nmtchps")[model] + in_ps1
        fields |= self._reference(rng, model, fid, hosts, host)
        return {name: values for name, values in fields.items() if name in self._column}

    def _host_sources(self, rng, hosts, in_ps1):
        """A row of `PS1_FIELDS` for each host; the distance is infinite if it is not in PS1."""
        n = len(in_ps1)
        host = np.full((n, len(PS1_FIELDS)), np.nan)
        host[:, 0] = np.inf
        if len(self._galaxies):
            model = _index_near(rng, self._galaxies[:, 3], hosts.magnitude)
            host[in_ps1] = self._galaxies[model[in_ps1]]
            # Scale the galaxy to the magnitude of the host; its colours stay the same.
            shift = hosts.magnitude - self._galaxies[model, 3]
            host[in_ps1, 2:] += shift[in_ps1, None]
            host[in_ps1, 0] = hosts.offset[in_ps1]
        return host

    def _three_nearest(self, model, host):
        """The three nearest PS1 sources among the host and the sources of the model alert."""
        copied = np.stack(
            [
                np.column_stack([self._get(f"{field}{rank}")[model] for field in PS1_FIELDS])
                for rank in (1, 2, 3)
            ],
            axis=1,
        )
        # A source at the position of the model alert is not at the position of the event.
        distance = np.where(copied[:, :, 0] < AT_POSITION, np.nan, copied[:, :, 0])
        sources = np.concatenate([host[:, None], copied], axis=1)
        distance = np.column_stack([host[:, 0], np.nan_to_num(distance, nan=np.inf)])
        order = np.argsort(distance, axis=1, kind="stable")[:, :3]
        row = np.arange(len(model))[:, None]
        exists = np.isfinite(distance[row, order])
        nearest = np.where(exists[..., None], sources[row, order], np.nan)
        return {
            f"{field}{rank + 1}": nearest[:, rank, number]
            for rank in range(3)
            for number, field in enumerate(PS1_FIELDS)
        }

    def _reference(self, rng, model, fid, hosts, host):
        """The nearest source in the reference image: the host, or that of the model alert."""
        fields = {name: self._get(name)[model].copy() for name in REFERENCE_FIELDS}
        band = np.clip(fid, 1, 3) + 1  # g, r, i in PS1_FIELDS
        magnitude = host[np.arange(len(model)), band]
        magnitude = np.where(np.isnan(magnitude), hosts.magnitude, magnitude)
        closer = ~(fields["distnr"] * PIXEL_SCALE < hosts.offset) & (magnitude < _REFERENCE_DEPTH)
        closer &= hosts.offset < _RADIUS
        if len(self._references[0]):
            similar = self._references[0][_index_near(rng, self._references[1], magnitude)]
            for name in ("sigmagnr", "chinr", "sharpnr"):
                fields[name][closer] = self._get(name)[similar[closer]]
        fields["distnr"][closer] = hosts.offset[closer] / PIXEL_SCALE
        fields["magnr"][closer] = magnitude[closer]
        return fields


def copy_surroundings(alerts: pd.DataFrame) -> dict[str, np.ndarray]:
    """Copy the positions and surroundings of alerts, for events at the same positions.

    Parameters
    ----------
    alerts : pandas.DataFrame

    Returns
    -------
    dict of str to ndarray
        ``ra``, ``dec`` and the fields of `Sky.surroundings`, as far as the alerts have them.

    Examples
    --------
    >>> fields = copy_surroundings(night.alerts)
    >>> bool((fields["ra"] == night.alerts["ra"]).all())
    True
    """
    names = [f"{field}{rank}" for field in PS1_FIELDS for rank in (1, 2, 3)]
    names += ["ra", "dec", "nmtchps", "ncovhist", *GAIA_FIELDS, *REFERENCE_FIELDS]
    return {name: alerts[name].to_numpy() for name in names if name in alerts}


def _is_galaxy(sgscore, srmag):
    return sgscore < np.interp(srmag, *_GALAXY_SCORES)


def _sorted_by(rows, value):
    """Rows sorted by a value, and the sorted values."""
    order = np.argsort(value[rows], kind="stable")
    return rows[order], value[rows][order]


def _draw_similar(rng, sorted_rows, value):
    """For each value, draw one of the rows with the most similar values."""
    rows, values = sorted_rows
    return rows[_index_near(rng, values, np.nan_to_num(value, nan=90.0))]


def _index_near(rng, sorted_values, value):
    """For each value, draw the index of one of the most similar sorted values."""
    index = np.searchsorted(sorted_values, value)
    index = index + rng.integers(-_N_SIMILAR // 2, _N_SIMILAR // 2, len(value))
    return np.clip(index, 0, len(sorted_values) - 1)
