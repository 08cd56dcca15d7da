"""What PS1, Gaia and the reference image show around an injected event.

A host galaxy is drawn with its luminosity, size and the event's offset; how PS1 sees it (its
colours, missing bands and star/galaxy score) is copied from a galaxy of the same brightness
among the PS1 sources of the night's own packets. Everything else around the event is that of
an alert of the night, at about the same galactic latitude, with nothing underneath.
"""

from typing import NamedTuple

import numpy as np

from ztfml.astrophysics import distance_modulus, kpc_per_arcsec
from ztfml.schema import PIXEL_SCALE

PS1_FIELDS = ("distpsnr", "sgscore", "sgmag", "srmag", "simag", "szmag")
GAIA_FIELDS = ("neargaia", "maggaia", "neargaiabright", "maggaiabright")
REFERENCE_FIELDS = ("distnr", "magnr", "sigmagnr", "chinr", "sharpnr")

_RADIUS = 30.0  # arcsec, within which packets list PS1 sources
_PS1_DEPTH = 22.5  # r, mag
_REFERENCE_DEPTH = 22.8
# Nearer than this a catalogue's source lies under the alert.
UNDER = 1.5
# sgscore below which PS1 sources are galaxies: towards PS1's limit many are undecided, and of
# the undecided sources there most are galaxies.
_GALAXY_SCORES = ((20.0, 21.5), (0.3, 0.8))
_ALIKE = 10  # how many of the most similar sources one is drawn from


class Hosts(NamedTuple):
    """Host galaxies of events.

    Attributes
    ----------
    magnitude : ndarray, mag
        In r, of the PSF, as PS1 measures it: it misses most of a large galaxy.
    offset : ndarray, arcsec
        Of the event from the centre.
    under : ndarray, mag
        Of the galaxy's light in the PSF at the event.
    """

    magnitude: np.ndarray
    offset: np.ndarray
    under: np.ndarray


def draw_hosts(rng, z, host):
    """Draw a host galaxy for each event.

    Sizes follow luminosity (Shen et al. 2003, MNRAS 343, 978: about 4 kpc at -20.5), offsets
    an exponential disk seen in projection.

    Parameters
    ----------
    rng : numpy.random.Generator
    z : ndarray, shape (n,)
    host : Host
        Of the kind.

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
    seen = np.hypot(1.0, rng.random(n)) / np.sqrt(2)
    magnitude = absolute + distance_modulus(z) + 2.5 * np.log10(1 + size)
    offset = np.hypot(in_disk * seen, np.abs(rng.normal(0, 0.12, n)))
    # The disk falls by 1.086 mag a scale length, but not within the seeing.
    scale = np.hypot(size / 1.68, 1.0)
    return Hosts(magnitude, offset, magnitude + 1.086 * offset / scale)


class Sky:
    """What the packets of a night show of the sky, to copy from.

    Parameters
    ----------
    alerts : pandas.DataFrame
        Of the night.
    latitude : ndarray, shape (n,), deg
        Absolute galactic latitude of the alerts, NaN where unknown.
    good : ndarray of bool, shape (n,)
        Whether an alert is a real detection.
    """

    def __init__(self, alerts, latitude, good):
        self._alerts = alerts
        self._column = {
            name: alerts[name].to_numpy(float)
            for name in alerts
            if alerts[name].dtype.kind in "fiu" and name != "candid"
        }
        empty = good & ~(self._get("distpsnr1") < UNDER) & ~(self._get("neargaia") < UNDER)
        empty &= ~(self._get("distnr") * PIXEL_SCALE < UNDER)
        self._empty = _sorted_by(np.flatnonzero(empty if empty.any() else good), latitude)
        self._galaxies = self._galaxies_of_packets()
        covered = self._get("distnr") * PIXEL_SCALE < UNDER
        covered &= _is_galaxy(self._get("sgscore1"), self._get("srmag1"))
        self._references = _sorted_by(
            np.flatnonzero(covered & ~np.isnan(self._get("magnr"))), self._get("magnr")
        )

    def _get(self, name):
        absent = np.full(len(self._alerts), np.nan)
        return self._column.get(name, absent)

    def _galaxies_of_packets(self):
        """PS1 galaxies of the packets as a table of `PS1_FIELDS`, sorted by r."""
        each = [
            np.column_stack([self._get(f"{field}{rank}") for field in PS1_FIELDS])
            for rank in (1, 2, 3)
        ]
        table = np.concatenate(each)
        table = table[_is_galaxy(table[:, 1], table[:, 3])]
        return table[np.argsort(table[:, 3], kind="stable")]

    def around(self, rng, latitude, fid, hosts):
        """Fields of the surroundings of each event.

        Parameters
        ----------
        rng : numpy.random.Generator
        latitude : ndarray, shape (n,), deg
        fid : ndarray of int, shape (n,)
            The band of each event's reference image.
        hosts : Hosts

        Returns
        -------
        dict of ndarray
            `PS1_FIELDS` numbered 1 to 3, `GAIA_FIELDS`, `REFERENCE_FIELDS`, ``nmtchps``,
            ``ncovhist``: those that the night has.

        Examples
        --------
        >>> sky.around(rng, latitude, fid, hosts)["distpsnr1"]   # doctest: +SKIP
        """
        place = _alike(rng, self._empty, latitude)
        seen = (hosts.magnitude < _PS1_DEPTH) & (hosts.offset < _RADIUS)
        host = self._host_sources(rng, hosts, seen)
        fields = self._three_nearest(place, host)
        fields |= {name: self._get(name)[place] for name in (*GAIA_FIELDS, "ncovhist")}
        fields["nmtchps"] = self._get("nmtchps")[place] + seen
        fields |= self._reference(rng, place, fid, hosts, host)
        return {name: values for name, values in fields.items() if name in self._column}

    def _host_sources(self, rng, hosts, seen):
        """A row of `PS1_FIELDS` for each host; distance infinite where PS1 does not see it."""
        n = len(seen)
        host = np.full((n, len(PS1_FIELDS)), np.nan)
        host[:, 0] = np.inf
        if len(self._galaxies):
            like = _near(rng, self._galaxies[:, 3], hosts.magnitude)
            host[seen] = self._galaxies[like[seen]]
            # The same galaxy, made as bright as the host.
            host[seen, 2:] += (hosts.magnitude - self._galaxies[like, 3])[seen, None]
            host[seen, 0] = hosts.offset[seen]
        return host

    def _three_nearest(self, place, host):
        own = np.stack(
            [
                np.column_stack([self._get(f"{field}{rank}")[place] for field in PS1_FIELDS])
                for rank in (1, 2, 3)
            ],
            axis=1,
        )
        # What lies under the other alert does not lie here.
        distance = np.where(own[:, :, 0] < UNDER, np.nan, own[:, :, 0])
        sources = np.concatenate([host[:, None], own], axis=1)
        distance = np.column_stack([host[:, 0], np.nan_to_num(distance, nan=np.inf)])
        order = np.argsort(distance, axis=1, kind="stable")[:, :3]
        at = np.arange(len(place))[:, None]
        there = np.isfinite(distance[at, order])
        nearest = np.where(there[..., None], sources[at, order], np.nan)
        return {
            f"{field}{rank + 1}": nearest[:, rank, number]
            for rank in range(3)
            for number, field in enumerate(PS1_FIELDS)
        }

    def _reference(self, rng, place, fid, hosts, host):
        """The nearest source in the reference image: the host, or what is there without it."""
        fields = {name: self._get(name)[place].copy() for name in REFERENCE_FIELDS}
        band = np.clip(fid, 1, 3) + 1  # g, r, i in PS1_FIELDS
        magnitude = host[np.arange(len(place)), band]
        magnitude = np.where(np.isnan(magnitude), hosts.magnitude, magnitude)
        closer = ~(fields["distnr"] * PIXEL_SCALE < hosts.offset) & (magnitude < _REFERENCE_DEPTH)
        closer &= hosts.offset < _RADIUS
        if len(self._references[0]):
            like = self._references[0][_near(rng, self._references[1], magnitude)]
            for name in ("sigmagnr", "chinr", "sharpnr"):
                fields[name][closer] = self._get(name)[like[closer]]
        fields["distnr"][closer] = hosts.offset[closer] / PIXEL_SCALE
        fields["magnr"][closer] = magnitude[closer]
        return fields


def around_alerts(alerts):
    """Take the place and the surroundings of alerts as they are, to put other events there.

    Parameters
    ----------
    alerts : pandas.DataFrame

    Returns
    -------
    dict of ndarray
        ``ra``, ``dec`` and the fields of `Sky.around`: those that the alerts have.

    Examples
    --------
    >>> around_alerts(night.alerts)["distpsnr1"]   # doctest: +SKIP
    """
    names = [f"{field}{rank}" for field in PS1_FIELDS for rank in (1, 2, 3)]
    names += ["ra", "dec", "nmtchps", "ncovhist", *GAIA_FIELDS, *REFERENCE_FIELDS]
    return {name: alerts[name].to_numpy() for name in names if name in alerts}


def _is_galaxy(sgscore, srmag):
    return sgscore < np.interp(srmag, *_GALAXY_SCORES)


def _sorted_by(rows, value):
    """Rows by a value, and these values."""
    order = np.argsort(value[rows], kind="stable")
    return rows[order], value[rows][order]


def _alike(rng, sorted_rows, wanted):
    rows, values = sorted_rows
    return rows[_near(rng, values, np.nan_to_num(wanted, nan=90.0))]


def _near(rng, values, wanted):
    """For each wanted value the place of one of the most similar sorted values."""
    middle = np.searchsorted(values, wanted) + rng.integers(-_ALIKE // 2, _ALIKE // 2, len(wanted))
    return np.clip(middle, 0, len(values) - 1)
