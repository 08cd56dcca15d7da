"""Stars with one period: pulsating and rotating stars."""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import variable_source
from ztfml.simulate.stellar import (
    DISK,
    FAR_HALO,
    HALO,
    PLANE,
    THICK,
    giant_mags,
    log_uniform,
    star_mags,
)


def _pulse(phase, rise):
    """A curve between -1/2 (bright) and 1/2; `rise` is the fraction of the cycle spent rising."""
    rising = phase < rise
    part = np.where(rising, phase / rise, (phase - rise) / (1 - rise))
    return np.where(rising, 0.5, -0.5) * np.cos(np.pi * part)


def _pulsator(
    days,
    amplitude,
    rise,
    colour,
    limits,
    disk,
    ratio=(1.0, 0.72, 0.58),
    cycle_scatter=0.0,
    mags=star_mags,
):
    """Model function of stars with one period.

    `days` are the limits of the period; `amplitude` the median, scatter (dex) and maximum of the
    g amplitude; `rise` the fraction of the cycle spent rising; `colour` and `limits` are passed
    to `mags`; `disk` describes the distribution on the sky; `ratio` the amplitudes in g, r, i
    relative to g; `cycle_scatter` the relative change of amplitude from cycle to cycle.
    """

    def draw(rng, n, observed):
        ra, dec = draw_positions(rng, n, observed.fields, disk=disk)
        period = log_uniform(rng, n, *days)
        size = amplitude[0] * 10 ** rng.normal(0, amplitude[1], n)
        size = np.minimum(size, amplitude[2])
        begin = rng.random(n)
        key = rng.integers(0, 2**63, n).astype(np.uint64)
        steep = np.clip(rise * np.exp(rng.normal(0, 0.15, n)), 0.05, 0.6)
        ratios = np.array(ratio)

        def change(row, jd, fid):
            cycles = (jd - 2458000.0) / period[row] + begin[row]
            whole = np.floor(cycles)
            scale = size[row] * ratios[fid - 1]
            if cycle_scatter:
                # The amplitude changes at minimum light; the step is invisible at the cadence
                # of a survey.
                scale = scale * (1 + cycle_scatter * noise.normal(key[row], whole.astype(int), 0))
            return scale * _pulse(cycles - whole, steep[row])

        return variable_source(rng, ra, dec, mags(rng, n, *limits, colour), change)

    return draw


def _stars(name, fraction, mistaken_for, *model, balanced_weight=None, **more):
    return Population(
        name,
        "star",
        fraction,
        _pulsator(*model, **more),
        mistaken_for=mistaken_for,
        balanced_weight=balanced_weight,
    )


POPULATIONS = (
    _stars("RR Lyrae", 0.15, ("delta Scuti", "quasar"),
           (0.3, 0.8), (0.8, 0.15, 1.4), 0.17, (0.23, 0.2), (12.8, 19.8), HALO),
    # Halo stars as blue and faint as quasars. On a natural night every fourth RR Lyrae star is one.
    _stars("faint RR Lyrae", 0.05, ("quasar", "faint quasar"),
           (0.28, 0.75), (0.75, 0.18, 1.4), 0.17, (0.16, 0.12), (16.8, 20.4), FAR_HALO,
           balanced_weight=0.4),
    _stars("Mira", 0.07, ("semi-regular",),
           (120, 500), (3.5, 0.15, 7.0), 0.42, (3.0, 0.8), (12.5, 18.5), PLANE,
           ratio=(1.0, 0.85, 0.6), cycle_scatter=0.08, mags=giant_mags),
    _stars("semi-regular", 0.181, ("Mira", "young star"),
           (30, 300), (0.38, 0.3, 1.8), 0.48, (2.0, 0.8), (12.5, 17.6), PLANE,
           ratio=(1.0, 0.75, 0.55), cycle_scatter=0.25, mags=giant_mags),
    _stars("Cepheid", 0.03, ("RR Lyrae",),
           (2, 50), (0.8, 0.12, 1.5), 0.3, (1.4, 0.5), (12.8, 17.5), PLANE),
    _stars("delta Scuti", 0.05, ("RR Lyrae",),
           (0.04, 0.2), (0.3, 0.15, 0.8), 0.35, (0.4, 0.25), (12.8, 17.8), DISK),
    _stars("rotating star", 0.07, ("contact binary",),
           (0.5, 30), (0.14, 0.22, 0.6), 0.5, (1.0, 0.35), (12.6, 17.8), DISK,
           ratio=(1.0, 0.85, 0.75), cycle_scatter=0.2),
    # Hot subdwarfs and white dwarfs with companions: as blue as quasars, with short periods.
    _stars("hot subdwarf", 0.015, ("quasar", "novalike"),
           (0.06, 0.6), (0.35, 0.2, 1.2), 0.5, (-0.2, 0.15), (13.0, 19.0), THICK),
)  # fmt: skip
