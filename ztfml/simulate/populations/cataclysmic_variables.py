"""Cataclysmic variables: dwarf novae in outburst, and novalikes."""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.registry import Population
from ztfml.simulate.sky import draw_positions
from ztfml.simulate.source import (
    NONE,
    STAR,
    Counterpart,
    Sources,
    flux_of,
    subtraction_noise,
    variable_source,
)
from ztfml.simulate.stellar import THICK, log_uniform, star_colours, star_mags


def outburst(t: np.ndarray, length: np.ndarray | float, fade: np.ndarray | float) -> np.ndarray:
    """Return the brightening of a dwarf nova during an outburst, as a fraction of its height.

    A rise of about a day, a plateau, and a fall that is linear in magnitude (Cannizzo & Mattei
    1998).

    Parameters
    ----------
    t : ndarray, d
        Time since the start of the outburst.
    length : ndarray, d
        Length of the plateau.
    fade : ndarray, 1/d
        Rate of the fall, as a fraction of the height.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> float(outburst(np.array([2.0]), 5.0, 0.3)[0])
    1.0
    """
    rise = np.clip(t / 1.2, 0, 1)
    fall = np.clip(1 - fade * np.clip(t - 1.2 - length, 0, None), 0, 1)
    return np.where(t < 0, 0, np.minimum(rise, fall))


def _draw_dwarf_nova(rng, n, observed):
    """Dwarf novae with outbursts every few weeks to ten years (Warner 1995, ch. 3).

    Rarer outbursts are higher (the relation of Kukarkin and Parenago).
    """
    return _dwarf_novae(rng, n, observed, THICK, lambda height: rng.uniform(12.5, 20.3, n) + height)


def _draw_faint_dwarf_nova(rng, n, observed):
    """Dwarf novae whose quiescent star is near or below the limit of PS1, with past outbursts."""
    return _dwarf_novae(
        rng, n, observed, (20.0, 0.4), lambda height: rng.uniform(20.3, 23.5, n), blue=0.1
    )


def _dwarf_novae(rng, n, observed, disk_position, quiescent, blue=0.3):
    """Dwarf novae; ``quiescent(height)`` gives the r magnitude between outbursts."""
    ra, dec = draw_positions(rng, n, observed.fields, disk=disk_position)
    recurrence = log_uniform(rng, n, 15, 3000)
    height = np.clip(1.0 + 1.4 * np.log10(recurrence) + rng.normal(0, 0.6, n), 1.8, 8)
    length = log_uniform(rng, n, 1.5, 10) * (recurrence / 80) ** 0.3
    fade = rng.uniform(0.5, 1.1, n) / height  # mag/d over the height
    key = rng.integers(0, 2**63, n).astype(np.uint64)
    begin = rng.random(n)
    r = quiescent(height)
    mag = r[:, None] + star_colours(rng, rng.normal(blue, 0.35, n))
    base = flux_of(mag[:, :3])
    # In outburst the disk outshines the star and sets the colour (Bruch & Engel 1994).
    disk = base[:, [1]] * 10 ** (0.4 * np.outer(rng.normal(-0.05, 0.1, n), [-1.0, 0.0, 0.7]))
    flickering = 0.08 + 0.25 * rng.random(n) ** 2
    # Reference images of stars with frequent outbursts contain part of the outburst light.
    duty = np.clip(1.5 * length / recurrence, 0, 1)
    bright = (rng.random(n) < duty) * rng.random(n) * 0.5 * (10 ** (0.4 * height) - 1)
    reference = base * (1 + bright)[:, None]

    def flux(row, jd, fid):
        cycle = (jd - 2458000.0) / recurrence[row] + begin[row]
        whole = np.floor(cycle)
        late = 0.6 * noise.uniform(key[row], whole.astype(int), 0)
        since = (cycle - whole - late) * recurrence[row]
        rise = height[row] * outburst(since, length[row], fade[row])
        flicker = flickering[row] * noise.normal(key[row], (jd * 200).astype(int), 3)
        total = base[row, fid - 1] + disk[row, fid - 1] * (10 ** (0.4 * rise) - 1)
        return total * 10 ** (0.4 * flicker) - reference[row, fid - 1]

    kind = np.where(mag[:, 1] < 22.3, STAR, NONE)
    counterpart = Counterpart(kind, mag, np.abs(rng.normal(0, 0.1, n)))
    return Sources(
        ra, dec, flux, counterpart, reference, subtraction_noise(rng, n), persistent=True
    )


def _draw_superoutburst(rng, n, observed):
    """Single outbursts of dwarf novae that are quiet for decades (Kato 2015).

    They rise within two days, fade by 0.1 mag/d for weeks, drop by 1.5 to 2.5 mag in a few days
    and then fade slowly. Some are as short as normal outbursts. The quiescent star is 5 to 8 mag
    fainter, often too faint for PS1.
    """
    ra, dec = draw_positions(rng, n, observed.fields, disk=(20.0, 0.4))
    peak = 20.2 + np.log10(rng.random(n)) / 0.2
    peak = np.clip(peak, 11.5, None)
    r = peak + np.clip(rng.normal(6.2, 1.1, n), 3.5, 8.5)
    mag = r[:, None] + star_colours(rng, rng.normal(0.15, 0.3, n))
    base = flux_of(mag[:, :3])
    short = rng.random(n) < 0.6
    plateau = np.where(short, log_uniform(rng, n, 1.5, 8), rng.uniform(12, 30, n))
    slope = np.where(short, 0.02, rng.normal(0.11, 0.025, n))
    rise = rng.uniform(0.5, 2.0, n)
    drop = rng.uniform(1.5, 2.5, n)
    steep = rng.uniform(0.4, 1.0, n)  # mag/d of the fall
    colour = rng.normal(-0.12, 0.1, n)
    # Short outbursts become invisible within days after the plateau.
    span = rise + plateau + 8
    begin = observed.draw_jd(rng, n, before=span, after=-0.3)

    def flux(row, jd, fid):
        t = jd - begin[row]
        after = t - rise[row] - plateau[row]
        below = slope[row] * np.clip(t - rise[row], 0, plateau[row])
        fallen = steep[row] * np.clip(after, 0, None)
        tail = drop[row] + 0.04 * np.clip(after - drop[row] / steep[row], 0, None)
        below = below + np.where(short[row], fallen, np.minimum(fallen, tail))
        below = below + 6 * np.clip(1 - t / rise[row], 0, 1)
        redder = np.clip(colour[row] + 0.08 * np.clip(after, 0, 6), None, 0.5)
        tint = np.array([1.0, 0.0, -0.7])[fid - 1] * redder
        return np.where(t > 0, flux_of(peak[row] + below + tint), 0.0)

    kind = np.where(mag[:, 1] < 22.3, STAR, NONE)
    counterpart = Counterpart(kind, mag, np.abs(rng.normal(0, 0.1, n)))
    return Sources(ra, dec, flux, counterpart, base.copy(), subtraction_noise(rng, n))


def _draw_novalike(rng, n, observed):
    """Novalikes, polars and symbiotic stars with flickering, slow changes, high and low states."""
    ra, dec = draw_positions(rng, n, observed.fields, disk=THICK)
    slow = noise.walk_modes(rng, log_uniform(rng, n, 3, 100))
    states = noise.walk_modes(rng, log_uniform(rng, n, 60, 500))
    sigma = 0.2 * 10 ** rng.normal(0, 0.2, n)
    step = np.where(rng.random(n) < 0.5, rng.uniform(0.6, 2.5, n), 0.0)
    flickering = 0.05 + 0.2 * rng.random(n)
    period = log_uniform(rng, n, 0.06, 0.4)
    deep = np.where(rng.random(n) < 0.3, rng.uniform(0.4, 2.0, n), 0.0)
    key = rng.integers(0, 2**63, n).astype(np.uint64)

    def change(row, jd, fid):
        low = step[row] / (1 + np.exp(-6 * noise.damped_walk(*states, row, jd)))
        walk = sigma[row] * noise.damped_walk(*slow, row, jd)
        flicker = flickering[row] * noise.normal(key[row], (jd * 200).astype(int), 3)
        eclipse = deep[row] * (np.abs((jd / period[row]) % 1 - 0.5) < 0.05)
        return low + walk + flicker + eclipse

    return variable_source(rng, ra, dec, star_mags(rng, n, 13.5, 20.0, (0.25, 0.4)), change)


POPULATIONS = (
    Population("dwarf nova", "star", 0.025, _draw_dwarf_nova, mistaken_for=("transient",)),
    Population(
        "faint dwarf nova",
        "star",
        0.01,
        _draw_faint_dwarf_nova,
        mistaken_for=("transient",),
        balanced_weight=0.35,
    ),
    # A few dozen are visible on the whole sky at any time. Nothing resembles a fast transient
    # more, so balanced nights have many of them to learn from.
    Population(
        "superoutburst",
        "star",
        0.001,
        _draw_superoutburst,
        mistaken_for=("FBOT", "SN Ibn"),
        balanced_weight=0.17,
    ),
    Population("novalike", "star", 0.015, _draw_novalike, mistaken_for=("quasar", "blazar")),
)
