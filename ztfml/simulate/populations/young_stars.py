"""Young stars with irregular variability."""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import variable_source
from ztfml.simulate.stellar import PLANE, log_uniform, star_mags


def _irregular(tau, size, g_r, limits, disk, ratio=(1.0, 0.8, 0.65)):
    """Model function of irregular stars: a damped random walk (Findeisen et al. 2015)."""

    def draw(rng, n, observed):
        ra, dec = draw_positions(rng, n, observed.fields, disk=disk)
        modes = noise.walk_modes(rng, log_uniform(rng, n, *tau))
        sigma = np.minimum(size[0] * 10 ** rng.normal(0, size[1], n), 1.2)
        ratios = np.array(ratio)

        def change(row, jd, fid):
            walk = noise.damped_walk(*modes, row, jd)
            return sigma[row] * ratios[fid - 1] * walk

        return variable_source(rng, ra, dec, star_mags(rng, n, *limits, g_r), change)

    return draw


POPULATIONS = (
    Population(
        "young star",
        "star",
        0.055,
        _irregular((1, 40), (0.3, 0.2), (1.6, 0.5), (13.0, 19.0), PLANE),
        mistaken_for=("semi-regular", "agn"),
    ),
)
