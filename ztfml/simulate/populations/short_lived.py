"""Short-lived transients of any physical origin, to train the ranking."""

import numpy as np

from ztfml.astrophysics import BAND_WAVELENGTH, blackbody_magnitude
from ztfml.simulate.hosts import draw_dust, draw_events, draw_hosts
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import Sources, flux_of, subtraction_noise


def _draw_short_lived(rng, n, observed):
    """Transients that stay above half of their peak flux for up to 12 days.

    They follow no model: rise, fade, colour, cooling, luminosity and host are independent of each
    other, so that a ranking does not depend on the known kinds. Times are distributed evenly in the
    logarithm, down to an hour, so that some change within a night. A third of them fade as a power
    of time, like afterglows, the others exponentially. Two fifths have a second, redder maximum one
    to three weeks later, like the nickel that follows the cooling of an envelope.
    """
    ra, dec = draw_positions(rng, n, observed.fields, avoidance=9)
    peak, z = draw_events(rng, n, (-18.0, 1.8), 20.9)
    half_rise = np.exp(rng.uniform(np.log(0.03), np.log(6.0), n))
    half_fade = np.exp(rng.uniform(np.log(0.05), np.log(10.0), n))
    too_long = np.fmax((half_rise + half_fade) / 12.0, 1.0)
    half_rise, half_fade = half_rise / too_long, half_fade / too_long
    sharpness = rng.uniform(1.0, 3.0, n)
    power = np.where(rng.random(n) < 1 / 3, rng.uniform(1.0, 3.0, n), np.nan)
    second = np.where(rng.random(n) < 0.4, rng.uniform(0.05, 0.6, n), 0.0)
    second_peak, second_width = rng.uniform(8.0, 22.0, n), rng.uniform(0.3, 0.6, n)
    hot = np.exp(rng.uniform(np.log(6e3), np.log(40e3), n))
    cooling = rng.uniform(0.0, 0.9, n)
    rise = half_rise / (1 - (np.log(2) / np.log(1e3)) ** (1 / sharpness))
    start = observed.draw_jd(rng, n, before=rise + 5 * half_fade)
    counterpart, reference_flux = draw_hosts(rng, n, z, -19.0)
    dust = draw_dust(rng, n)

    def flux(row, jd, fid):
        t = jd - start[row]
        after = np.clip(t - rise[row], 0, None) / half_fade[row]
        rising = np.clip(t / rise[row], 1e-6, 1.0)
        light = -np.expm1(-np.log(1e3) * rising ** sharpness[row])
        steep = (1 + after * (2 ** (1 / power[row]) - 1)) ** -power[row]
        light *= np.where(np.isnan(power[row]), 0.5**after, steep)
        cooled = (1 + after) ** -cooling[row]
        kelvin = np.clip(hot[row] * cooled, 4500.0, None)
        colour = blackbody_magnitude(1e14, kelvin, BAND_WAVELENGTH[fid - 1])
        colour -= blackbody_magnitude(1e14, kelvin, BAND_WAVELENGTH[1])
        # The second maximum has a width that is a fraction of the time after which it comes.
        later = (t / second_peak[row] - 1) / second_width[row]
        bump = second[row] * np.exp(-0.5 * later**2)
        bump_colour = np.choose(fid - 1, (0.5, 0.0, -0.1))
        total = light * 10 ** (-0.4 * colour) + bump * 10 ** (-0.4 * bump_colour)
        return np.where(t > 0, flux_of(peak[row] + dust[row, fid - 1]) * total, 0.0)

    return Sources(ra, dec, flux, counterpart, reference_flux, subtraction_noise(rng, n))


POPULATIONS = (
    Population(
        "short-lived", "transient", 0.0, _draw_short_lived, mistaken_for=("dwarf nova", "FBOT"),
        balanced_weight=0.0, fast_weight=1.0,
    ),
)  # fmt: skip
