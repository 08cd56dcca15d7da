"""Supernovae and tidal disruption events drawn from light-curve templates."""

import numpy as np

from ztfml.simulate.hosts import draw_dust, draw_events, draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Sources, flux_of, subtraction_noise
from ztfml.simulate.templates import IA, IBC, ICBL, II, IIN, SLSN, TDE

_YOUNG = 0.3  # fraction of events that began within the last six days


def _supernova(template, faintest=20.7, nuclear=False, host=None):
    """Events of one template that began at any time from which they are still visible.

    `host` replaces the mean absolute magnitude of the host galaxies of the template.
    """

    def draw(rng, n, observed):
        ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
        peak, z = draw_events(rng, n, template.peak, faintest)
        stretch = np.exp(rng.normal(0, template.stretch, n)) * (1 + z)
        # An event is visible until it has faded from its peak to the limit.
        visible_days = np.interp(
            faintest + 0.3 - peak,
            np.maximum.accumulate(np.where(np.array(template.days) > 0, template.below[1], 0)),
            template.days,
        )
        maximum = observed.draw_jd(
            rng, n, before=np.maximum(visible_days, 5) * stretch, after=-template.days[0] * stretch
        )
        # The first nights of an event are the most important but a small part of all its
        # nights, so a fraction of the events is young by construction.
        explosion = observed.draw_jd(rng, n, before=6)
        young = rng.random(n) < _YOUNG
        maximum = np.where(young, explosion - template.days[0] * stretch, maximum)
        dust = draw_dust(rng, n)
        counterpart, reference_flux = draw_hosts(
            rng, n, z, template.host if host is None else host, nuclear
        )

        def flux(row, jd, fid):
            t = (jd - maximum[row]) / stretch[row]
            return flux_of(peak[row] + template.magnitude(t, fid) + dust[row, fid - 1])

        return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))

    return draw


# Fractions of these and all other transients as in the Bright Transient Survey (Perley et al.
# 2020); the fast ones are a handful among the transients of a whole night.
POPULATIONS = (
    Population("SN Ia", "transient", 0.562, _supernova(IA), mistaken_for=("SN Ib/c",)),
    Population("SN II", "transient", 0.18, _supernova(II), mistaken_for=("SN IIn",)),
    Population("SN Ib/c", "transient", 0.06, _supernova(IBC), mistaken_for=("SN Ia",)),
    Population("SN Ic-BL", "transient", 0.015, _supernova(ICBL), mistaken_for=("SN Ib/c", "SN Ia")),
    Population("SN IIn", "transient", 0.045, _supernova(IIN), mistaken_for=("SN II", "agn")),
    Population("SLSN", "transient", 0.02, _supernova(SLSN), mistaken_for=("TDE", "SN IIn")),
    # Events in the centres of their galaxies have the position, the reference source and often the
    # old detections of an active nucleus.
    Population("nuclear SN Ia", "transient", 0.02, _supernova(IA, nuclear=True, host=-21.8),
               mistaken_for=("agn", "TDE"), balanced_weight=0.25),
    Population("nuclear SN II", "transient", 0.01, _supernova(II, nuclear=True, host=-21.0),
               mistaken_for=("agn", "TDE"), balanced_weight=0.2),
    Population("nuclear SLSN", "transient", 0.005, _supernova(SLSN, nuclear=True, host=-18.8),
               mistaken_for=("agn", "TDE"), balanced_weight=0.15),
    Population(
        "TDE", "transient", 0.03, _supernova(TDE, nuclear=True), mistaken_for=("agn", "SLSN")
    ),
)  # fmt: skip
