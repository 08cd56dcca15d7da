"""Light-curve templates of supernovae, tidal disruption events and novae.

Each table lists rest-frame days from the r peak and magnitudes below it. They were read from
published templates with a precision of 0.1 mag, which is what a survey of this depth resolves.
"""

from dataclasses import dataclass

import numpy as np

_INVISIBLE = 12.0  # mag below the peak before the rise


@dataclass(frozen=True)
class Template:
    """Light curves in g, r, i of one type, and the scatter among its members.

    Attributes
    ----------
    days : sequence of float
        Rest-frame days from the r peak.
    below : tuple of three sequences
        g, r, i magnitudes below the r peak at those days.
    peak : tuple of float
        Mean and scatter of the absolute r magnitude at peak.
    stretch : float
        Scatter (ln) of the time scale.
    host : float
        Mean absolute r magnitude of the host galaxy.
    """

    days: tuple
    below: tuple
    peak: tuple
    stretch: float
    host: float

    def magnitude(self, t: np.ndarray, fid: np.ndarray) -> np.ndarray:
        """Return the magnitudes below the r peak at rest-frame days `t` in band `fid`."""
        bands = [np.interp(t, self.days, band, left=_INVISIBLE) for band in self.below]
        # After the last day of the table the light fades like radioactive cobalt, 0.01 mag/d.
        late = 0.0098 * np.clip(t - self.days[-1], 0, None)
        return np.choose(fid - 1, bands) + late


# Nugent et al. 2002 (normal branch) and the B-to-g, R-to-r, I-to-i shift of Jha et al. 2007;
# absolute magnitudes of this table and the next from Richardson et al. 2014.
IA = Template(
    (-18.5, -18, -16, -14, -12, -10, -7, -4, 0, 3, 7, 10, 15, 20, 25, 30, 40, 60, 100),
    (
        (12, 6, 3.4, 2.2, 1.45, 0.92, 0.38, 0.1, 0.02, 0.1, 0.35, 0.6, 1.1, 1.72, 2.2, 2.5, 2.85,
         3.25, 4.1),
        (12, 6, 3.3, 2.15, 1.4, 0.9, 0.4, 0.14, 0, 0.06, 0.28, 0.5, 0.72, 0.78, 0.92, 1.25, 1.8,
         2.45, 3.8),
        (12, 6, 3.4, 2.2, 1.5, 1.0, 0.55, 0.35, 0.35, 0.48, 0.8, 0.98, 0.95, 0.75, 0.7, 0.95, 1.7,
         2.5, 4.0),
    ),
    (-19.2, 0.25), 0.1, -20.8,
)  # fmt: skip


# Anderson et al. 2014; rise of a week (Rubin et al. 2016).
II = Template(
    (-10.5, -10, -7, -4, -2, 0, 10, 20, 40, 60, 80, 95, 105, 115, 150),
    (
        (12, 4, 1.1, 0.25, 0.02, -0.05, 0.2, 0.6, 1.15, 1.5, 1.75, 2.1, 3.3, 4.0, 4.4),
        (12, 4, 1.3, 0.4, 0.1, 0, 0.03, 0.1, 0.2, 0.3, 0.42, 0.75, 1.7, 2.3, 2.7),
        (12, 4, 1.4, 0.55, 0.25, 0.15, 0.12, 0.12, 0.15, 0.2, 0.3, 0.6, 1.5, 2.0, 2.4),
    ),
    (-16.9, 0.8), 0.15, -19.8,
)  # fmt: skip


# Taddia et al. 2018, Drout et al. 2011.
IBC = Template(
    (-20.5, -20, -15, -10, -5, 0, 5, 10, 15, 20, 30, 40, 60, 100),
    (
        (12, 5, 2.3, 0.9, 0.35, 0.45, 0.85, 1.35, 1.8, 2.1, 2.5, 2.75, 3.2, 4.0),
        (12, 5, 2.5, 1.1, 0.3, 0, 0.15, 0.42, 0.75, 1.05, 1.5, 1.75, 2.2, 3.0),
        (12, 5, 2.6, 1.3, 0.4, 0.02, 0.05, 0.25, 0.5, 0.75, 1.15, 1.45, 1.9, 2.7),
    ),
    (-17.7, 0.8), 0.2, -19.9,
)  # fmt: skip


# Like Ibc, brighter and faster: Taddia et al. 2019.
ICBL = Template(tuple(0.8 * day for day in IBC.days), IBC.below, (-18.7, 0.6), 0.2, -18.6)


# Nyholm et al. 2020: slow rise, slow decline, blue.
IIN = Template(
    (-32, -30, -20, -12, -5, 0, 20, 40, 70, 100, 200),
    (
        (12, 4, 1.1, 0.4, 0.05, -0.05, 0.3, 0.7, 1.3, 1.9, 3.6),
        (12, 4, 1.3, 0.55, 0.12, 0, 0.18, 0.42, 0.85, 1.3, 2.7),
        (12, 4, 1.4, 0.7, 0.25, 0.1, 0.22, 0.4, 0.75, 1.15, 2.4),
    ),
    (-18.9, 0.9), 0.3, -19.3,
)  # fmt: skip


# De Cia et al. 2018, Lunnan et al. 2018.
SLSN = Template(
    (-52, -50, -35, -20, -10, 0, 10, 20, 35, 50, 80, 120),
    (
        (12, 4.5, 1.9, 0.6, 0.1, -0.1, 0.1, 0.45, 1.1, 1.9, 3.1, 4.3),
        (12, 4.5, 2.0, 0.75, 0.2, 0, 0.1, 0.3, 0.75, 1.3, 2.3, 3.4),
        (12, 4.5, 2.2, 0.95, 0.4, 0.15, 0.2, 0.35, 0.7, 1.15, 2.0, 3.0),
    ),
    (-21.3, 0.7), 0.25, -17.8,
)  # fmt: skip


# Hammerstein et al. 2023: hot at all times (20,000 K, so g - r = -0.2), t^(-5/3) at late times.
TDE = Template(
    (-42, -40, -25, -15, -7, 0, 10, 25, 50, 80, 150, 250),
    (
        (12, 4, 1.4, 0.4, -0.05, -0.2, -0.1, 0.2, 0.75, 1.25, 2.05, 2.8),
        (12, 4, 1.6, 0.6, 0.15, 0, 0.1, 0.38, 0.95, 1.45, 2.25, 3.0),
        (12, 4, 1.75, 0.75, 0.3, 0.15, 0.25, 0.53, 1.1, 1.6, 2.4, 3.15),
    ),
    (-19.3, 0.8), 0.35, -21.0,
)  # fmt: skip


# Strope et al. 2010 (class S): fast rise, t2 of three weeks before stretching.
NOVA = Template(
    (-2.2, -2, -1, -0.3, 0, 3, 10, 20, 35, 60, 100),
    (
        (12, 6, 2.0, 0.4, 0.15, 0.5, 1.35, 2.3, 3.2, 4.1, 5.1),
        (12, 6, 1.9, 0.3, 0.0, 0.3, 1.0, 1.75, 2.5, 3.3, 4.2),
        (12, 6, 1.9, 0.35, 0.0, 0.3, 1.0, 1.8, 2.6, 3.4, 4.4),
    ),
    (-7.8, 0.8), 0.6, np.nan,
)  # fmt: skip
