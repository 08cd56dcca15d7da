"""What a population passes to the survey: sources with light curves and counterparts."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ztfml.simulate.survey import Survey

ZERO_POINT = 25.0  # magnitude of a source with flux 1
NONE, STAR, GALAXY = 0, 1, 2


def flux_of(mag: np.ndarray | float) -> np.ndarray | float:
    """Convert magnitudes to flux in units of a source of 25 mag.

    >>> float(flux_of(22.5))
    10.0
    """
    return 10 ** (0.4 * (ZERO_POINT - mag))


def mag_of(flux: np.ndarray | float) -> np.ndarray:
    """Convert flux to magnitudes, the inverse of `flux_of`.

    >>> float(mag_of(10.0))
    22.5
    """
    return ZERO_POINT - 2.5 * np.log10(flux)


@dataclass
class Counterpart:
    """The catalogued object nearest to each source: what PS1, Gaia and the reference image show.

    Attributes
    ----------
    kind : ndarray of int, shape (n,)
        `NONE`, `STAR` (any point source, including quasars) or `GALAXY`.
    mag : ndarray, shape (n, 4)
        g, r, i, z magnitudes; NaN where there is no counterpart.
    distance : ndarray, shape (n,), arcsec
        True separation.
    z, total_mag, radius : ndarray, shape (n,), optional
        Redshift, total r magnitude and half-light radius (arcsec) of host galaxies, for the
        catalogue of galaxies.
    since_ps1 : ndarray, shape (n,), mag, optional
        Change of the r magnitude between the epochs of PS1 and of Gaia; by default none.
    """

    kind: np.ndarray
    mag: np.ndarray
    distance: np.ndarray
    z: np.ndarray | None = None
    total_mag: np.ndarray | None = None
    radius: np.ndarray | None = None
    since_ps1: np.ndarray | None = None

    @classmethod
    def none(cls, n: int) -> "Counterpart":
        """Return the counterparts of `n` positions on empty sky."""
        return cls(np.zeros(n, int), np.full((n, 4), np.nan), np.full(n, np.nan))

    def take(self, rows: np.ndarray) -> "Counterpart":
        """Return the counterparts of some sources."""
        optional = (self.z, self.total_mag, self.radius, self.since_ps1)
        return Counterpart(
            self.kind[rows], self.mag[rows], self.distance[rows],
            *(None if values is None else values[rows] for values in optional),
        )  # fmt: skip


@dataclass
class Sources:
    """Sources of one population.

    Attributes
    ----------
    ra, dec : ndarray, shape (n,), deg
    flux : callable
        ``flux(row, jd, fid)`` returns the noiseless difference flux (units of `flux_of`) of
        source `row` at time `jd` in band `fid`; elementwise.
    counterpart : Counterpart
    reference_flux : ndarray, shape (n, 3)
        g, r, i flux of the reference image at the source; its subtraction leaves noise.
    subtraction_residual : ndarray, shape (n,)
        That noise as a fraction of the reference flux.
    psf_misfit : ndarray, shape (n,), optional
        Misfit of the PSF as a fraction of the source's flux.
    persistent : bool
        Whether the source was already detectable before the simulated exposures.
    alert_fields : dict of ndarray
        Other fields that all alerts of a source share: ``ssdistnr``, ``ssmagnr``, ``ssnamenr``.
    """

    ra: np.ndarray
    dec: np.ndarray
    flux: Callable
    counterpart: Counterpart
    reference_flux: np.ndarray
    subtraction_residual: np.ndarray
    psf_misfit: np.ndarray | None = None
    persistent: bool = False
    alert_fields: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        if self.psf_misfit is None:
            # Calibration error of a good subtraction: 1.5 % (Masci et al. 2019).
            self.psf_misfit = np.full(len(self.ra), 0.015)

    def __len__(self):
        return len(self.ra)


@dataclass(frozen=True)
class ObservedNights:
    """The nights for which sources are drawn.

    Attributes
    ----------
    survey : Survey
    fields : ndarray of int64
        Fields observed on these nights.
    exposures : ndarray of int64
        Exposures of these nights.
    first_jd, last_jd : float
        Start of the first night and end of the last, JD.
    """

    survey: Survey
    fields: np.ndarray
    exposures: np.ndarray
    first_jd: float
    last_jd: float

    def draw_jd(
        self,
        rng: np.random.Generator,
        n: int,
        before: np.ndarray | float,
        after: np.ndarray | float = 0.0,
    ) -> np.ndarray:
        """Draw times evenly between `before` days before the first night and `after` the last.

        Parameters
        ----------
        rng : numpy.random.Generator
        n : int
        before, after : ndarray of shape (n,) or float, d

        Returns
        -------
        ndarray, shape (n,), JD

        Examples
        --------
        >>> none = np.empty(0, np.int64)
        >>> nights = ObservedNights(None, none, none, 2460474.5, 2460475.5)
        >>> jd = nights.draw_jd(np.random.default_rng(1), 100, before=6.0)
        >>> bool(2460468.5 <= jd.min() < jd.max() < 2460475.5)
        True
        """
        length = self.last_jd - self.first_jd + before + after
        return self.first_jd - before + rng.random(n) * length

    def pick_exposures(
        self, rng: np.random.Generator, field: np.ndarray, n_each: int = 1
    ) -> np.ndarray:
        """Draw successive exposures of some fields, starting at a random one.

        Parameters
        ----------
        rng : numpy.random.Generator
        field : ndarray of int64, shape (n,)
        n_each : int
            Number of successive exposures.

        Returns
        -------
        ndarray of int64, shape (n_each, n)
            Indices of the exposures in the survey; -1 where the field has fewer.

        Examples
        --------
        >>> from ztfml.simulate.survey import observe
        >>> survey = observe(np.random.default_rng(1), 2460474.5, 1)
        >>> exposures = survey.of_night(0)
        >>> fields = np.unique(survey.field[exposures])
        >>> nights = ObservedNights(survey, fields, exposures, 2460474.5, 2460475.5)
        >>> picked = nights.pick_exposures(np.random.default_rng(1), fields[:3])
        >>> bool((survey.field[picked[0]] == fields[:3]).all())
        True
        """
        of_field = self.survey.field[self.exposures]
        first, last = np.searchsorted(of_field, field), np.searchsorted(of_field, field, "right")
        count = last - first
        begin = (rng.random(len(field)) * count).astype(int)
        turn = np.arange(n_each)[:, None]
        visit = first + (begin + turn) % np.maximum(count, 1)
        chosen = self.exposures[np.minimum(visit, len(self.exposures) - 1)]
        return np.where(turn < count, chosen, -1)


def magnitude_in_band(mag: np.ndarray, fid: np.ndarray) -> np.ndarray:
    """Select one column of each row: the value of band `fid` from those of g, r, i.

    >>> magnitude_in_band(np.array([[20.0, 19.5, 19.2]]), np.array([2]))
    array([19.5])
    """
    return mag[np.arange(len(fid)), np.asarray(fid) - 1]


def subtraction_noise(rng: np.random.Generator, n: int, typical: float = 0.015) -> np.ndarray:
    """Draw the fraction of the reference flux that its subtraction leaves as noise.

    The typical value is measured: the faintest differences detected at stars of 14 to 17 mag
    are 2.7 mag fainter than the stars.

    >>> subtraction_noise(np.random.default_rng(1), 3).shape
    (3,)
    """
    return typical * np.exp(rng.normal(0, 0.35, n))


def variable_source(
    rng: np.random.Generator,
    ra: np.ndarray,
    dec: np.ndarray,
    mag: np.ndarray,
    change: Callable,
    counterpart: Counterpart | None = None,
    host_flux: np.ndarray | None = None,
) -> Sources:
    """Make point sources that vary about their reference images.

    Parameters
    ----------
    rng : numpy.random.Generator
    ra, dec : ndarray, shape (n,), deg
    mag : ndarray, shape (n, 4)
        Mean g, r, i, z magnitudes.
    change : callable
        ``change(row, jd, fid)`` returns by how many magnitudes the source is fainter than `mag`.
    counterpart : Counterpart, optional
        By default a star with magnitudes `mag`.
    host_flux : ndarray, shape (n, 3), optional
        Constant flux of the host galaxy at the source.

    Returns
    -------
    Sources

    Examples
    --------
    >>> position, mag = np.array([10.0]), np.full((1, 4), 18.0)
    >>> rng = np.random.default_rng(1)
    >>> sources = variable_source(rng, position, position, mag, lambda row, jd, fid: 0.0 * jd)
    >>> sources.flux(np.array([0]), np.array([2460474.5]), np.array([1]))
    array([0.])
    """
    n = len(ra)
    mean_flux = flux_of(mag[:, :3])
    reference = _reference(rng, n, mean_flux, change)
    if counterpart is None:
        counterpart = Counterpart(np.full(n, STAR), mag, np.abs(rng.normal(0, 0.05, n)))
    if host_flux is None:
        host_flux = np.zeros((n, 3))
    constant = host_flux[:, [0, 1, 2, 2]]
    ps1_flux = flux_of(mag) * _ps1_change(rng, n, change) + constant
    counterpart.mag = counterpart.mag + mag_of(ps1_flux) - mag_of(flux_of(mag) + constant)
    gaia_flux = flux_of(mag[:, 1]) * _gaia_change(rng, n, change) + constant[:, 1]
    counterpart.since_ps1 = mag_of(gaia_flux) - mag_of(ps1_flux[:, 1])

    def flux(row, jd, fid):
        now = mean_flux[row, fid - 1] * 10 ** (-0.4 * change(row, jd, fid))
        return now - reference[row, fid - 1]

    return Sources(
        ra,
        dec,
        flux,
        counterpart,
        reference_flux=reference + host_flux,
        subtraction_residual=subtraction_noise(rng, n),
        persistent=True,
    )


def _ps1_change(rng, n, change, n_epochs=5):
    """Median change of flux, as a factor, at the epochs of PS1 (2010 to 2014).

    Each band is observed on other nights, so the colours of a variable source are not those
    of any one moment. Stacks reject outliers: the PS1 magnitudes of RR Lyrae, which are faint for
    most of their period, are 0.1 mag fainter than their mean flux.
    """
    row = np.arange(n)
    factor = np.empty((n_epochs, n, 4))
    for epoch in factor:
        for band, fid in enumerate((1, 2, 3, 3)):
            jd = 2455200.0 + 1600 * rng.random(n)
            epoch[:, band] = 10 ** (-0.4 * change(row, jd, np.full(n, fid)))
    return np.median(factor, axis=0)


def _gaia_change(rng, n, change, n_epochs=10):
    """Mean change of flux, as a factor, at the epochs of Gaia DR2 (August 2014 to May 2016)."""
    row, red = np.arange(n), np.full(n, 2)
    jd = 2456900.0 + 650 * rng.random((n_epochs, n))
    return np.mean([10 ** (-0.4 * change(row, one, red)) for one in jd], axis=0)


def _reference(rng, n, mean_flux, change, n_nights=4, n_frames=3):
    """Mean flux over the frames of the reference image, taken on a few nights of one season.

    The frames of a night show short-period variables at nearly the same phase, so their reference
    magnitudes differ from the mean as much as in public alerts.
    """
    begin = 2458250.0 + 300 * rng.random(n)
    total = np.zeros((n, 3))
    row = np.arange(n)
    for _ in range(n_nights):
        for fid in (1, 2, 3):
            band, night = np.full(n, fid), begin + 90 * rng.random(n)
            for jd in night + 0.15 * rng.random((n_frames, n)):
                total[:, fid - 1] += mean_flux[:, fid - 1] * 10 ** (-0.4 * change(row, jd, band))
    return total / (n_nights * n_frames)
