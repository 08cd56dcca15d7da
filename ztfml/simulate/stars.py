"""Variable and erupting stars of the Galaxy."""

import numpy as np

from ztfml.simulate import noise
from ztfml.simulate.population import (
    STAR,
    Counterpart,
    Kind,
    Sources,
    column,
    flux_of,
    subtraction_noise,
    variable_source,
)
from ztfml.simulate.sky import place

# Galactic stars: scale height (deg) and halo part of `sky.place`.
_DISK = (9.0, 0.2)
_PLANE = (4.0, 0.008)
_THICK = (14.0, 0.15)
_HALO = (20.0, 1.2)


def star_colours(rng, g_r):
    """g, r, i, z colours along the stellar locus (Covey et al. 2007), with dust and scatter.

    Parameters
    ----------
    rng : numpy.random.Generator
    g_r : ndarray, shape (n,), mag

    Returns
    -------
    ndarray, shape (n, 4)
        Magnitudes relative to r.

    Examples
    --------
    >>> star_colours(np.random.default_rng(1), np.array([0.5])).shape
    (1, 4)
    """
    g_r = np.asarray(g_r)
    # Past the turn at g-r = 1.4 M dwarfs redden in r-i only; giants and dust go on in both.
    turns = [-0.5, 0.2, 0.5, 1.0, 1.4, 2.5, 4]
    r_i = np.interp(g_r, turns, [-0.3, 0.08, 0.22, 0.5, 0.85, 2.0, 3])
    i_z = np.interp(g_r, turns, [-0.25, 0.03, 0.13, 0.28, 0.5, 0.95, 1.6])
    n = len(g_r)
    r_i = r_i + rng.normal(0, 0.06 + 0.1 * np.clip(g_r - 1, 0, 2), n)
    i_z = i_z + rng.normal(0, 0.05 + 0.05 * np.clip(g_r - 1, 0, 2), n)
    return np.column_stack([g_r, np.zeros(n), -r_i, -r_i - i_z])


def _r_mags(rng, n, bright, faint, slope=0.14):
    """Apparent r magnitudes: numbers grow by 10^(slope m) between two limits."""
    low, high = 10 ** (slope * bright), 10 ** (slope * faint)
    return np.log10(low + (high - low) * rng.random(n)) / slope


def _mags(rng, n, bright, faint, g_r):
    """Apparent magnitudes of stars of a colour and its scatter."""
    r = _r_mags(rng, n, bright, faint)
    colour = rng.normal(g_r[0], g_r[1], n)
    return r[:, None] + star_colours(rng, np.clip(colour, -0.6, 4.0))


def _giant_mags(rng, n, bright, faint, r_i):
    """The same of cool giants by r-i: titanium oxide reddens r-i on and on, while g-r stays near 2.

    Colours as PS1 has them of 200 variables of types M and SR.
    """
    r = _r_mags(rng, n, bright, faint)
    r_i = np.clip(rng.normal(*r_i, n), 0.4, 4.5)
    g_r = np.clip(rng.normal(2.0, 0.5, n), 1.0, 4.0)
    i_z = 0.2 + 0.4 * r_i + rng.normal(0, 0.15, n)
    return r[:, None] + np.column_stack([g_r, np.zeros(n), -r_i, -r_i - i_z])


def _pulse(phase, rise):
    """A light curve between -1/2 (bright) and 1/2 with a rise that takes `rise` of the cycle."""
    rising = phase < rise
    part = np.where(rising, phase / rise, (phase - rise) / (1 - rise))
    return np.where(rising, 0.5, -0.5) * np.cos(np.pi * part)


def _log_uniform(rng, n, low, high):
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _pulsator(
    days, amplitude, rise, colour, limits, disk, ratio=(1.0, 0.72, 0.58), wander=0.0, mags=_mags
):
    """A kind that pulses with one period.

    `amplitude` is the g amplitude's median, scatter (dex) and largest; `colour` and `limits` are
    given to `mags`; `ratio` are the amplitudes in g, r, i relative to g; `wander` the
    cycle-to-cycle change of amplitude.
    """

    def draw(rng, n, stage):
        ra, dec = place(rng, n, stage.fields, thin=disk)
        period = _log_uniform(rng, n, *days)
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
            if wander:
                # Amplitudes of neighbouring cycles differ; the junction at minimum stays smooth
                # enough at the cadence of a survey.
                scale = scale * (1 + wander * noise.normal(key[row], whole.astype(int), 0))
            return scale * _pulse(cycles - whole, steep[row])

        return variable_source(rng, ra, dec, mags(rng, n, *limits, colour), change)

    return draw


def _eclipsing(days, depth, width, g_r, limits):
    """Eclipses: `width` of the cycle for each, 0.5 where the stars touch (EW)."""

    def draw(rng, n, stage):
        ra, dec = place(rng, n, stage.fields, thin=_DISK)
        period = _log_uniform(rng, n, *days)
        deep = np.clip(rng.normal(*depth, n), 0.12, 2.0)
        second = deep * rng.uniform(0.25, 0.95, n) if width < 0.4 else deep * rng.uniform(0.8, 1, n)
        wide = np.clip(width * np.exp(rng.normal(0, 0.25, n)), 0.02, 0.5)
        begin = rng.random(n)

        def change(row, jd, fid):
            phase = ((jd - 2458000.0) / period[row] + begin[row]) % 1
            first = np.abs(np.minimum(phase, 1 - phase)) / wide[row]
            other = np.abs(phase - 0.5) / wide[row]
            shape = deep[row] * (1 + np.cos(np.pi * np.minimum(2 * first, 1))) / 2
            return shape + second[row] * (1 + np.cos(np.pi * np.minimum(2 * other, 1))) / 2

        return variable_source(rng, ra, dec, _mags(rng, n, *limits, g_r), change)

    return draw


def _irregular(tau, size, g_r, limits, disk, ratio=(1.0, 0.8, 0.65)):
    """A damped random walk: young and irregular stars (Findeisen et al. 2015)."""

    def draw(rng, n, stage):
        ra, dec = place(rng, n, stage.fields, thin=disk)
        modes = noise.walk_modes(rng, _log_uniform(rng, n, *tau))
        sigma = np.minimum(size[0] * 10 ** rng.normal(0, size[1], n), 1.2)
        ratios = np.array(ratio)

        def change(row, jd, fid):
            walk = noise.damped_walk(*modes, row, jd)
            return sigma[row] * ratios[fid - 1] * walk

        return variable_source(rng, ra, dec, _mags(rng, n, *limits, g_r), change)

    return draw


def outburst(t, length, fade):
    """Magnitudes above quiescence lost since the begin of a dwarf-nova outburst, over its height.

    A rise of about a day, a plateau and an exponential-in-flux fall (Cannizzo & Mattei 1998).

    >>> float(outburst(np.array([2.0]), 5.0, 0.3)[0])
    1.0
    """
    rise = np.clip(t / 1.2, 0, 1)
    fall = np.clip(1 - fade * np.clip(t - 1.2 - length, 0, None), 0, 1)
    return np.where(t < 0, 0, np.minimum(rise, fall))


def _draw_dwarf_nova(rng, n, stage):
    """Dwarf novae: outbursts every few weeks to ten years (Warner 1995, ch. 3).

    The rarer, the higher: the relation of Kukarkin and Parenago.
    """
    ra, dec = place(rng, n, stage.fields, thin=_THICK)
    recurrence = _log_uniform(rng, n, 15, 3000)
    height = np.clip(1.0 + 1.4 * np.log10(recurrence) + rng.normal(0, 0.6, n), 1.8, 8)
    length = _log_uniform(rng, n, 1.5, 10) * (recurrence / 80) ** 0.3
    fade = rng.uniform(0.5, 1.1, n) / height  # mag/d over the height
    key = rng.integers(0, 2**63, n).astype(np.uint64)
    begin = rng.random(n)
    r = rng.uniform(12.5, 20.3, n) + height
    mag = r[:, None] + star_colours(rng, rng.normal(0.3, 0.35, n))
    base = flux_of(mag[:, :3])
    # In outburst the disk outshines the star, with a colour of its own (Bruch & Engel 1994).
    disk = base[:, [1]] * 10 ** (0.4 * np.outer(rng.normal(-0.05, 0.1, n), [-1.0, 0.0, 0.7]))
    flickering = 0.08 + 0.25 * rng.random(n) ** 2
    # References of those that are in outburst often have some of it.
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

    seen = np.where(mag[:, 1] < 22.3, STAR, 0)
    counterpart = Counterpart(seen, mag, np.abs(rng.normal(0, 0.1, n)))
    return Sources(ra, dec, flux, counterpart, reference, subtraction_noise(rng, n), steady=True)


def _draw_superoutburst(rng, n, stage):
    """Outbursts seen once, of dwarf novae that rest for decades (Kato 2015).

    They rise within two days, fade 0.1 mag/d for weeks, then fall by 1.5 to 2.5 mag in a few
    days and fade on slowly; some are as short as those of others. The quiescent star is 5 to
    8 mag fainter, often too faint for PS1.
    """
    ra, dec = place(rng, n, stage.fields, thin=(20.0, 0.4))
    peak = 20.2 + np.log10(rng.random(n)) / 0.2
    peak = np.clip(peak, 11.5, None)
    r = peak + np.clip(rng.normal(6.2, 1.1, n), 3.5, 8.5)
    mag = r[:, None] + star_colours(rng, rng.normal(0.15, 0.3, n))
    base = flux_of(mag[:, :3])
    short = rng.random(n) < 0.6
    plateau = np.where(short, _log_uniform(rng, n, 1.5, 8), rng.uniform(12, 30, n))
    slope = np.where(short, 0.02, rng.normal(0.11, 0.025, n))
    rise = rng.uniform(0.5, 2.0, n)
    drop = rng.uniform(1.5, 2.5, n)
    steep = rng.uniform(0.4, 1.0, n)  # mag/d of the fall
    colour = rng.normal(-0.12, 0.1, n)
    # A fall to quiescence takes a short one out of sight within days.
    span = rise + plateau + 8
    begin = stage.first_jd - span + rng.random(n) * (stage.last_jd - stage.first_jd + span - 0.3)

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

    seen = np.where(mag[:, 1] < 22.3, STAR, 0)
    counterpart = Counterpart(seen, mag, np.abs(rng.normal(0, 0.1, n)))
    return Sources(ra, dec, flux, counterpart, base.copy(), subtraction_noise(rng, n))


def _draw_novalike(rng, n, stage):
    """Novalikes, polars and symbiotic stars: flickering, slow changes, high and low states."""
    ra, dec = place(rng, n, stage.fields, thin=_THICK)
    slow = noise.walk_modes(rng, _log_uniform(rng, n, 3, 100))
    states = noise.walk_modes(rng, _log_uniform(rng, n, 60, 500))
    sigma = 0.2 * 10 ** rng.normal(0, 0.2, n)
    step = np.where(rng.random(n) < 0.5, rng.uniform(0.6, 2.5, n), 0.0)
    flickering = 0.05 + 0.2 * rng.random(n)
    period = _log_uniform(rng, n, 0.06, 0.4)
    deep = np.where(rng.random(n) < 0.3, rng.uniform(0.4, 2.0, n), 0.0)
    key = rng.integers(0, 2**63, n).astype(np.uint64)

    def change(row, jd, fid):
        low = step[row] / (1 + np.exp(-6 * noise.damped_walk(*states, row, jd)))
        walk = sigma[row] * noise.damped_walk(*slow, row, jd)
        flicker = flickering[row] * noise.normal(key[row], (jd * 200).astype(int), 3)
        eclipse = deep[row] * (np.abs((jd / period[row]) % 1 - 0.5) < 0.05)
        return low + walk + flicker + eclipse

    return variable_source(rng, ra, dec, _mags(rng, n, 13.5, 20.0, (0.25, 0.4)), change)


def _draw_flare(rng, n, stage):
    """M-dwarf flares: a sharp rise and a fall in two parts (Davenport et al. 2014, eq. 4)."""
    ra, dec = place(rng, n, stage.fields, thin=(25.0, 0.4))
    start = rng.choice(stage.survey.jd[stage.exposures], n) - 0.04 * rng.random(n) ** 2
    half = _log_uniform(rng, n, 4, 40) / 1440
    r = rng.uniform(15.5, 21.0, n)
    mag = r[:, None] + star_colours(rng, np.full(n, 1.45) + rng.normal(0, 0.08, n))
    mag[:, 2] -= rng.uniform(0, 1.2, n)  # later types: redder in r - i
    base = flux_of(mag[:, :3])
    # A flare is a 9,000 K flash: the lift is larger in g than in r and i.
    height = np.column_stack([np.ones(n), np.full(n, 0.55), np.full(n, 0.35)])
    height *= (base[:, 0] * 10 ** rng.uniform(-0.6, 1.3, n))[:, None]

    def flux(row, jd, fid):
        t = (jd - start[row]) / half[row]
        late = np.clip(t, 0, None)
        shape = 0.689 * np.exp(-1.6 * late) + 0.303 * np.exp(-0.2783 * late)
        return column(height[row], fid) * np.where(t < 0, 0, shape)

    counterpart = Counterpart(np.full(n, STAR), mag, np.abs(rng.normal(0, 0.15, n)))
    return Sources(ra, dec, flux, counterpart, base.copy(), subtraction_noise(rng, n), steady=True)


KINDS = (
    Kind("RR Lyrae", "star", 0.2,
         _pulsator((0.3, 0.8), (0.8, 0.15, 1.4), 0.17, (0.23, 0.2), (12.8, 19.8), _HALO)),
    Kind("contact binary", "star", 0.178,
         _eclipsing((0.22, 0.8), (0.38, 0.18), 0.5, (0.66, 0.33), (12.8, 18.8))),
    Kind("detached binary", "star", 0.095,
         _eclipsing((0.5, 10), (0.6, 0.3), 0.12, (0.7, 0.4), (12.8, 18.5))),
    Kind("Mira", "star", 0.07,
         _pulsator((120, 500), (3.5, 0.15, 7.0), 0.42, (3.0, 0.8), (12.5, 18.5), _PLANE,
                   (1.0, 0.85, 0.6), 0.08, _giant_mags)),
    Kind("semi-regular", "star", 0.181,
         _pulsator((30, 300), (0.38, 0.3, 1.8), 0.48, (2.0, 0.8), (12.5, 17.6), _PLANE,
                   (1.0, 0.75, 0.55), 0.25, _giant_mags)),
    Kind("Cepheid", "star", 0.03,
         _pulsator((2, 50), (0.8, 0.12, 1.5), 0.3, (1.4, 0.5), (12.8, 17.5), _PLANE)),
    Kind("delta Scuti", "star", 0.05,
         _pulsator((0.04, 0.2), (0.3, 0.15, 0.8), 0.35, (0.4, 0.25), (12.8, 17.8), _DISK)),
    Kind("rotating star", "star", 0.07,
         _pulsator((0.5, 30), (0.14, 0.22, 0.6), 0.5, (1.0, 0.35), (12.6, 17.8), _DISK,
                   (1.0, 0.85, 0.75), 0.2)),
    Kind("young star", "star", 0.055,
         _irregular((1, 40), (0.3, 0.2), (1.6, 0.5), (13.0, 19.0), _PLANE)),
    # Hot subdwarfs and white dwarfs with companions; as blue as quasars, and quick.
    Kind("hot subdwarf", "star", 0.015,
         _pulsator((0.06, 0.6), (0.35, 0.2, 1.2), 0.5, (-0.2, 0.15), (13.0, 19.0), _THICK)),
    Kind("dwarf nova", "star", 0.035, _draw_dwarf_nova),
    # Some tens of them are up on all of the sky; as nothing looks more like a fast transient, a
    # balanced night has many to learn from.
    Kind("superoutburst", "star", 0.001, _draw_superoutburst, balanced=0.17),
    Kind("novalike", "star", 0.015, _draw_novalike),
    Kind("stellar flare", "star", 0.005, _draw_flare, one_night=True),
)  # fmt: skip
