"""What every population hands to the survey: sources with light curves and surroundings."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

ZERO_POINT = 25.0
NONE, STAR, GALAXY = 0, 1, 2


def flux_of(mag):
    """Flux in units of a 25th magnitude source.

    >>> float(flux_of(22.5))
    10.0
    """
    return 10 ** (0.4 * (ZERO_POINT - mag))


def mag_of(flux):
    """The inverse of `flux_of`.

    >>> float(mag_of(10.0))
    22.5
    """
    return ZERO_POINT - 2.5 * np.log10(flux)


@dataclass
class Counterpart:
    """What PS1, Gaia and the reference image show at the place of a source.

    Attributes
    ----------
    kind : ndarray of int, shape (n,)
        `NONE`, `STAR` (any point source, quasars too) or `GALAXY`.
    mag : ndarray, shape (n, 4)
        g, r, i, z; NaN where there is none.
    distance : ndarray, shape (n,), arcsec
        True separation.
    """

    kind: np.ndarray
    mag: np.ndarray
    distance: np.ndarray

    @classmethod
    def none(cls, n):
        """Empty sky at n places."""
        return cls(np.zeros(n, int), np.full((n, 4), np.nan), np.full(n, np.nan))


@dataclass
class Sources:
    """Sources of one kind.

    Attributes
    ----------
    ra, dec : ndarray, shape (n,), deg
    flux : callable
        ``flux(row, jd, fid)``: difference flux (`flux_of` units) of source `row` at `jd` in
        band `fid`, without noise; elementwise.
    counterpart : Counterpart
    glare : ndarray, shape (n, 3)
        Flux in g, r, i of the reference image under the source; its subtraction leaves noise.
    residual : ndarray, shape (n,)
        That noise as a fraction of the glare.
    rough : ndarray, shape (n,)
        Misfit of the PSF as a fraction of the source's own flux.
    steady : bool
        Whether the source was there before the exposures that are simulated.
    shared : dict of ndarray
        What else the alerts of a source share: ``ssdistnr``, ``ssmagnr``, ``ssnamenr``.
    """

    ra: np.ndarray
    dec: np.ndarray
    flux: Callable
    counterpart: Counterpart
    glare: np.ndarray
    residual: np.ndarray
    rough: np.ndarray = None
    steady: bool = False
    shared: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.rough is None:
            # Calibration of a good subtraction: 1.5 % (Masci et al. 2019).
            self.rough = np.full(len(self.ra), 0.015)

    def __len__(self):
        return len(self.ra)


@dataclass(frozen=True)
class Kind:
    """One kind of source, e.g. RR Lyrae.

    Attributes
    ----------
    name : str
        As written in the evidence of a label.
    label : str
        One of the five classes.
    weight : float
        Share of the alerts of its class on a natural night.
    draw : callable
        ``draw(rng, n, stage)`` gives `Sources`.
    one_night : bool
        Whether each night has sources of its own (asteroids, cosmic rays, flares).
    balanced : float, optional
        Weight among the kinds of its class in a balanced night, by default the root of `weight`.
    """

    name: str
    label: str
    weight: float
    draw: Callable
    one_night: bool = False
    balanced: float | None = None


@dataclass(frozen=True)
class Stage:
    """Where and when sources are drawn.

    Attributes
    ----------
    survey : Survey
    fields : ndarray of int64
        Fields visited in the nights wanted.
    exposures : ndarray of int64
        Exposures of those nights.
    first_jd, last_jd : float
        Begin of the first and end of the last of them.
    """

    survey: object
    fields: np.ndarray
    exposures: np.ndarray
    first_jd: float
    last_jd: float

    def pick_exposures(self, rng, field, n_each=1):
        """Exposures of these nights of each of some fields, drawn by chance.

        Parameters
        ----------
        rng : numpy.random.Generator
        field : ndarray of int64, shape (n,)
        n_each : int
            How many successive ones, begun anywhere.

        Returns
        -------
        ndarray of int64, shape (n_each, n)
            Their numbers in the survey; -1 where the field has fewer.

        Examples
        --------
        >>> stage.pick_exposures(rng, field)[0]   # doctest: +SKIP
        """
        of_field = self.survey.field[self.exposures]
        first, last = np.searchsorted(of_field, field), np.searchsorted(of_field, field, "right")
        count = last - first
        begin = (rng.random(len(field)) * count).astype(int)
        turn = np.arange(n_each)[:, None]
        visit = first + (begin + turn) % np.maximum(count, 1)
        chosen = self.exposures[np.minimum(visit, len(self.exposures) - 1)]
        return np.where(turn < count, chosen, -1)


def column(mag, fid):
    """The magnitudes of band `fid` out of those of g, r, i, ... side by side."""
    return mag[np.arange(len(fid)), np.asarray(fid) - 1]


def subtraction_noise(rng, n, typical=0.015):
    """Fraction of the light of the reference that its subtraction leaves as noise.

    Measured: the faintest differences found at stars of 14 to 17 mag are 2.7 mag below them.
    """
    return typical * np.exp(rng.normal(0, 0.35, n))


def variable_source(rng, ra, dec, mag, change, **more):
    """A point source that varies about its reference image.

    Parameters
    ----------
    rng : numpy.random.Generator
    ra, dec : ndarray, shape (n,), deg
    mag : ndarray, shape (n, 4)
        Mean g, r, i, z.
    change : callable
        ``change(row, jd, fid)``: magnitudes fainter than `mag`.
    **more
        ``counterpart`` and ``diluted`` (constant flux of a host under the source, (n, 3)).

    Returns
    -------
    Sources

    Examples
    --------
    >>> variable_source(rng, ra, dec, mag, lambda row, jd, fid: 0.3 * np.sin(jd))
    ... # doctest: +SKIP
    """
    n = len(ra)
    base = flux_of(mag[:, :3])
    reference = _reference(rng, n, base, change)
    counterpart = more.get("counterpart") or Counterpart(
        np.full(n, STAR), mag, np.abs(rng.normal(0, 0.05, n))
    )
    constant = more.get("diluted", np.zeros((n, 3)))[:, [0, 1, 2, 2]]
    seen = flux_of(mag) * _mean_change(rng, n, change) + constant
    counterpart.mag = counterpart.mag + mag_of(seen) - mag_of(flux_of(mag) + constant)

    def flux(row, jd, fid):
        bright = base[row, fid - 1] * 10 ** (-0.4 * change(row, jd, fid))
        return bright - reference[row, fid - 1]

    return Sources(
        ra,
        dec,
        flux,
        counterpart,
        glare=reference + more.get("diluted", 0),
        residual=subtraction_noise(rng, n),
        steady=True,
    )


def _mean_change(rng, n, change, n_epochs=3):
    """What PS1 measured, 2010 to 2014, as a factor: each band on a few nights of its own.

    So the colours of what varies are those of no one moment.
    """
    total = np.zeros((n, 4))
    row = np.arange(n)
    for _ in range(n_epochs):
        for band, fid in enumerate((1, 2, 3, 3)):
            jd = 2455200.0 + 1600 * rng.random(n)
            total[:, band] += 10 ** (-0.4 * change(row, jd, np.full(n, fid)))
    return total / n_epochs


def _reference(rng, n, base, change, n_frames=11):
    """Mean flux over the frames of the reference image, taken within a season."""
    begin = 2458250.0 + 300 * rng.random(n)
    total = np.zeros((n, 3))
    row = np.arange(n)
    for _ in range(n_frames):
        jd = begin + 90 * rng.random(n)
        for fid in (1, 2, 3):
            band = np.full(n, fid)
            total[:, fid - 1] += base[:, fid - 1] * 10 ** (-0.4 * change(row, jd, band))
    return total / n_frames
