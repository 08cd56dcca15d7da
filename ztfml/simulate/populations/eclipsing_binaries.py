"""Eclipsing binary stars."""

import numpy as np

from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import variable_source
from ztfml.simulate.stellar import DISK, log_uniform, star_mags


def _eclipsing(days, depth, width, g_r, limits):
    """Model function of eclipsing binaries.

    `depth` is the mean and scatter of the primary eclipse in mag; `width` is the fraction of the
    cycle that each eclipse lasts, 0.5 for contact binaries (EW).
    """

    def draw(rng, n, observed):
        ra, dec = draw_positions(rng, n, observed.fields, disk=DISK)
        period = log_uniform(rng, n, *days)
        deep = np.clip(rng.normal(*depth, n), 0.12, 2.0)
        second = deep * rng.uniform(0.25, 0.95, n) if width < 0.4 else deep * rng.uniform(0.8, 1, n)
        wide = np.clip(width * np.exp(rng.normal(0, 0.25, n)), 0.02, 0.5)
        begin = rng.random(n)

        def change(row, jd, fid):
            phase = ((jd - 2458000.0) / period[row] + begin[row]) % 1
            primary = np.abs(np.minimum(phase, 1 - phase)) / wide[row]
            secondary = np.abs(phase - 0.5) / wide[row]
            shape = deep[row] * (1 + np.cos(np.pi * np.minimum(2 * primary, 1))) / 2
            return shape + second[row] * (1 + np.cos(np.pi * np.minimum(2 * secondary, 1))) / 2

        return variable_source(rng, ra, dec, star_mags(rng, n, *limits, g_r), change)

    return draw


POPULATIONS = (
    Population(
        "contact binary",
        "star",
        0.178,
        _eclipsing((0.22, 0.8), (0.38, 0.18), 0.5, (0.66, 0.33), (12.8, 18.8)),
        mistaken_for=("RR Lyrae", "rotating star"),
    ),
    Population(
        "detached binary",
        "star",
        0.095,
        _eclipsing((0.5, 10), (0.6, 0.3), 0.12, (0.7, 0.4), (12.8, 18.5)),
        mistaken_for=("contact binary",),
    ),
)
