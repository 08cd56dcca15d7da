"""Transients have the light curves that were published."""

import numpy as np
import pandas as pd
import pytest

from tests.simulate.helpers import population_named
from ztfml.astrophysics import blackbody_magnitude
from ztfml.simulate import templates
from ztfml.simulate.populations.fast_blue import fbot_mag
from ztfml.simulate.populations.kilonovae import DAYS, kilonova_mag
from ztfml.simulate.populations.shock_cooling import cooling
from ztfml.simulate.source import mag_of


def test_sn_ia_fades_as_published():
    """g falls 0.9 to 1.3 mag in the 15 days after its peak (Phillips 1993 for B)."""
    days = np.arange(-15, 40, 0.1)
    g = templates.IA.magnitude(days, np.full(len(days), 1))
    peak = days[g.argmin()]
    assert abs(peak) < 2
    assert 0.9 < np.interp(peak + 15, days, g) - g.min() < 1.3
    i = templates.IA.magnitude(np.array([0.0, 10.0, 22.0]), np.full(3, 3))
    assert i[1] > i[2]  # the second maximum


@pytest.mark.parametrize("name", ["IA", "II", "IBC", "ICBL", "IIN", "SLSN", "TDE", "NOVA"])
def test_templates_rise_and_fall_once(name):
    template = getattr(templates, name)
    assert list(template.days) == sorted(template.days)
    assert {len(band) for band in template.below} == {len(template.days)}
    r = np.array(template.below[1])
    top = r.argmin()
    assert r[top] == 0
    assert template.days[top] == 0
    assert (np.diff(r[: top + 1]) < 0).all()
    assert (np.diff(r[top:]) > 0).all()


def test_kilonova_agrees_with_at2017gfo(shared_data):
    """Within 0.9 mag of the photometry of AT2017gfo for three days (Villar et al. 2017)."""
    observed = pd.read_csv(shared_data / "templates" / "AT2017gfo_Villar2017.csv")
    model = kilonova_mag()
    for band, row in (("g", 0), ("r", 1), ("i", 2)):
        points = observed[(observed["band"] == band) & observed["phase_d"].between(0.4, 3.5)]
        expected = np.interp(points["phase_d"], DAYS, model[row]) + 33.0
        assert np.abs(expected - points["abmag"]).median() < 0.9


@pytest.mark.parametrize("band", [0, 1])
def test_kilonova_fades_fast_and_reddens(band):
    for mass, speed in ((0.35, 1.0), (1.0, 1.0), (2.0, 0.75)):
        model = kilonova_mag(mass, speed)
        late, early = (np.interp(day, DAYS, model[band]) for day in (4.0, 1.5))
        assert (late - early) / 2.5 > 0.3
        colour = model[0] - model[1]
        assert np.interp(4.0, DAYS, colour) > np.interp(1.0, DAYS, colour)


def test_fbot_agrees_with_at2018cow(shared_data):
    """Black-body fits of Perley et al. 2019: the g magnitude they give, to 0.7 mag."""
    for line in (shared_data / "templates" / "AT2018cow_Perley2019.dat").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        parts = line.split("\t")
        day = float(parts[0]) - 58284.8
        radius = float(parts[2].split("+")[0]) * 1.496e13
        temperature = float(parts[3].split("+")[0]) * 1e3
        if 3 < day < 25:
            published = blackbody_magnitude(radius, temperature, 4770e-8)
            assert fbot_mag(day, 4770e-8) == pytest.approx(float(published), abs=0.7)


def test_fbot_rises_five_magnitudes_in_days():
    t = np.array([0.4, 3.0])
    faint, bright = fbot_mag(t, 4770e-8)
    assert faint - bright > 3
    days = np.arange(0.2, 20, 0.05)
    flux = 10 ** (-0.4 * fbot_mag(days, 4770e-8))
    assert np.sum(flux > flux.max() / 2) * 0.05 < 6


def test_shock_cooling_is_over_in_days():
    t = np.linspace(0.01, 12, 1200)
    light = cooling(t, 1.6)
    assert light.max() == pytest.approx(1, abs=1e-3)
    assert t[light.argmax()] < 2
    assert light[-1] < 1e-3
    assert cooling(np.array([-1.0]), 1.6)[0] == 0


def test_interacting_supernovae_are_short_and_blue(observed):
    """Above half of their peak for 2 to 14 days in g (Ho et al. 2023), and no bluer than a star."""
    n = 150
    sources = population_named("SN Ibn").draw(np.random.default_rng(3), n, observed)
    step = 0.1
    days = np.arange(observed.first_jd - 60, observed.last_jd + 60, step)
    row, jd = np.repeat(np.arange(n), len(days)), np.tile(days, n)
    g, r = (sources.flux(row, jd, np.full(len(row), fid)).reshape(n, -1) for fid in (1, 2))
    half = (g > g.max(axis=1, keepdims=True) / 2).sum(axis=1) * step
    assert np.quantile(half, (0.05, 0.95)) == pytest.approx((3, 12), abs=2)
    peak = g.argmax(axis=1)
    colour = mag_of(g[np.arange(n), peak]) - mag_of(r[np.arange(n), peak])
    assert colour.min() > -0.5
    assert np.median(colour) == pytest.approx(-0.1, abs=0.1)


def test_type_iib_have_two_peaks(observed):
    sources = population_named("SN IIb").draw(np.random.default_rng(2), 60, observed)
    jd = np.arange(observed.first_jd - 90, observed.last_jd + 60, 0.25)
    double = 0
    for row in range(60):
        flux = sources.flux(np.full(len(jd), row), jd, np.full(len(jd), 1))
        top = (flux[1:-1] > flux[:-2]) & (flux[1:-1] > flux[2:])
        double += top.sum() >= 2
    assert double > 15


def test_afterglow_is_a_power_law_that_steepens(observed):
    sources = population_named("afterglow").draw(np.random.default_rng(3), 30, observed)
    jd = np.arange(observed.first_jd - 3, observed.last_jd + 12, 0.02)
    for row in range(30):
        flux = sources.flux(np.full(len(jd), row), jd, np.full(len(jd), 2))
        begin = np.flatnonzero(flux > 0)[0]
        age = jd[begin:] - jd[begin] + 0.01
        slope = np.gradient(np.log(flux[begin:]), np.log(age))
        early, late = np.interp([0.15, 10], age, slope)
        assert -1.9 < early < -0.5
        assert late < -1.3
        assert late < early
