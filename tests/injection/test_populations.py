"""Light curves of the injected kinds, compared with published events."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztfml.astrophysics import BAND_WAVELENGTH, distance_modulus
from ztfml.injection import populations
from ztfml.injection.physics import apparent_magnitude, photosphere
from ztfml.injection.populations import KINDS, kilonova

G, R, INFRARED = BAND_WAVELENGTH


def medians(name, days, wavelength, n=400, seed=5):
    """Median absolute magnitude of a kind's members at some days."""
    absolute = KINDS[name].draw(np.random.default_rng(seed), n)
    row = np.arange(n)
    return np.array([np.median(absolute(row, np.full(n, t), np.full(n, wavelength))) for t in days])


def test_a_photosphere_obeys_stefan_and_boltzmann():
    radius, temperature = photosphere(np.array([1e42, 1e39]), np.array([1e15, 1e15]), 3000.0)
    luminosity = 4 * np.pi * 5.670374419e-5 * radius**2 * temperature**4
    assert luminosity == pytest.approx([1e42, 1e39], rel=1e-6)
    assert temperature[1] == 3000.0
    assert radius[1] < 1e15


def test_there_is_no_light_before_the_explosion():
    constant = lambda days, _: np.full(len(days), -20.0)  # noqa: E731
    light = apparent_magnitude(constant, np.full(2, 0.1), np.array([-1.0, 1.0]), np.ones(2))
    assert light[0] == 99.0
    # The K-correction makes it 2.5 log(1 + z) brighter than the distance modulus alone.
    assert light[1] == pytest.approx(-20 + 38.387 - 2.5 * np.log10(1.1), abs=0.01)


def test_kilonova_follows_at2017gfo():
    """g, r, i of AT2017gfo (Villar et al. 2017) at 40.7 Mpc, 0.35, 0.25, 0.18 mag of dust."""
    observed = {
        0.5: (17.40, 17.40, 17.36), 1.0: (17.46, 17.54, 17.45), 1.5: (18.61, 17.99, 17.81),
        2.5: (20.21, 19.12, 18.45), 3.5: (20.93, 19.78, 18.93), 4.5: (21.74, 20.39, 19.39),
    }  # fmt: skip
    cosine = np.cos(np.radians(25))
    one = kilonova(*(np.array([x]) for x in (0.023, 0.256, 0.050, 0.149, cosine)))
    for day, magnitudes in observed.items():
        model = one(np.zeros(3, int), np.full(3, day), BAND_WAVELENGTH) + 33.05
        assert model == pytest.approx(np.array(magnitudes) - [0.35, 0.25, 0.18], abs=0.65)


def test_a_kilonova_is_redder_and_fainter_in_the_blue_from_its_equator():
    seen = [
        kilonova(*(np.array([x]) for x in (0.023, 0.256, 0.050, 0.149, cosine)))
        for cosine in (1.0, 0.0)
    ]
    one, day = np.zeros(1, int), np.ones(1)
    pole, equator = (
        [float(absolute(one, day, np.array([band]))[0]) for band in (G, R)] for absolute in seen
    )
    assert equator[0] > pole[0] + 0.3
    assert equator[0] - equator[1] > pole[0] - pole[1]


def test_fbots_like_at2018cow_are_hot_and_fade_at_its_rate():
    g, r = (medians("FBOT like AT2018cow", (3.0, 6.0, 10.0, 20.0), band) for band in (G, R))
    assert g[0] < -19.5
    assert (g - r < -0.2).all()
    # AT2018cow faded by about 0.2 mag/day in its first weeks (Perley et al. 2019).
    assert 0.1 < (g[2] - g[0]) / 7 < 0.35


def test_fbots_like_koala_rise_in_two_days_and_fade_in_three():
    days = np.linspace(0.2, 12, 60)
    g = medians("FBOT like ZTF18abvkwla", days, G / 1.25)
    above = days[g < g.min() + 0.75]
    assert g.min() == pytest.approx(-20.8, abs=0.5)
    assert 3.0 < above[-1] - above[0] < 6.5


def test_an_off_axis_afterglow_rises_later_and_is_fainter():
    rng = np.random.default_rng
    off, on = (KINDS[f"afterglow {side} axis"].draw(rng(3), 300) for side in ("off", "on"))
    days = np.geomspace(0.01, 30, 40)
    curves = np.array([off(np.arange(300), np.full(300, t), np.full(300, R)) for t in days])
    peak = days[curves.argmin(axis=0)]
    assert np.median(peak) > 0.1
    bright = np.array([on(np.arange(300), np.full(300, t), np.full(300, R)) for t in days])
    assert np.median(curves.min(axis=0)) > np.median(bright.min(axis=0))


def test_an_afterglow_decays_more_steeply_after_the_break():
    early = np.diff(medians("afterglow on axis", (0.05, 0.1), R))
    late = np.diff(medians("afterglow on axis", (5.0, 10.0), R))
    # t^-1 is 0.75 mag per doubling of the time, t^-2 is 1.5 mag.
    assert 0.5 < early[0] < 1.1
    assert 1.2 < late[0] < 2.0


def test_shock_cooling_has_a_peak_before_that_of_nickel():
    days = np.geomspace(0.1, 40, 80)
    n = 300
    absolute = KINDS["shock-cooling IIb"].draw(np.random.default_rng(2), n)
    g = np.array([absolute(np.arange(n), np.full(n, t), np.full(n, G)) for t in days])
    dip = (g[1:-1] > g[:-2]) & (g[1:-1] > g[2:])
    assert dip.any(axis=0).mean() > 0.7
    assert -18.5 < np.median(g.min(axis=0)) < -16.5


def test_broad_lined_supernovae_peak_within_two_weeks():
    days = np.linspace(1, 30, 60)
    r = medians("Ic-BL", days, R)
    assert 7 < days[r.argmin()] < 17
    assert -19.2 < r.min() < -17.8


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 50), st.floats(-4, 2))
@settings(max_examples=60, deadline=None)
def test_magnitudes_are_finite_at_any_time(name, seed, log_days):
    absolute = KINDS[name].draw(np.random.default_rng(seed), 5)
    row = np.arange(5)
    for wavelength in (2000e-8, G, INFRARED):
        magnitude = absolute(row, np.full(5, 10**log_days), np.full(5, wavelength))
        assert np.isfinite(magnitude).all()
        # Early afterglows reach -38 (GRB 080319B).
        assert (magnitude > -42).all()


def test_every_kind_has_a_rate_a_redshift_limit_and_a_description():
    for kind in KINDS.values():
        assert kind.rate > 0
        assert 0 < kind.max_redshift < 4
        assert kind.draw.__doc__


def test_the_black_bodies_of_at2018cow_are_the_published_ones(shared_data):
    rows = (shared_data / "templates" / "AT2018cow_Perley2019.dat").read_text().splitlines()[1:]
    published = [
        [float(row.split()[0]), *(float(value) for value in re.findall(r"([\d.]+)\+", row)[-2:])]
        for row in rows
        if row.strip()
    ]
    mjd, radius, temperature = np.array(published).T
    days = (mjd - 58285.0) / 1.0141
    for day, *used in zip(
        populations._COW_DAYS, populations._COW_RADIUS, populations._COW_TEMPERATURE, strict=True
    ):
        nearest = np.abs(days - day).argmin()
        assert days[nearest] == pytest.approx(day, abs=0.06)
        assert used == pytest.approx([radius[nearest], temperature[nearest]], abs=0.06)


def check_photometry(model, days, magnitude, z, last):
    """Check that the published g magnitudes, without dust, agree with the table of the model."""
    absolute = magnitude - distance_modulus(z) + 2.5 * np.log10(1 + z)
    use = (days > model.days[3]) & (days < last)
    assert use.sum() > 10
    interpolated = np.interp(np.log(days[use]), np.log(model.days), model.magnitude)
    assert np.median(np.abs(interpolated - absolute[use])) < 0.12
    assert np.quantile(np.abs(interpolated - absolute[use]), 0.9) < 0.3


def test_the_table_of_at2020xnd_is_the_published_one(shared_data):
    rows = (shared_data / "templates" / "AT2020xnd_Perley2021.dat").read_text().splitlines()
    rows = [row.split() for row in rows if row.split()[2:3] == ["g"]]
    mjd, magnitude = np.array([[float(row[0]), float(row[-1])] for row in rows]).T
    check_photometry(populations._KOALA, (mjd - 59132.5) / 1.2433, magnitude, 0.2433, 28)


def test_the_table_of_sn2018gep_is_the_published_one(shared_data):
    rows = (shared_data / "templates" / "SN2018gep_opt_phot.dat").read_text().splitlines()
    rows = [row.split() for row in rows]
    seen = [row for row in rows if row[2] == "g" and float(row[3]) < 50]
    jd, magnitude = np.array([[float(row[1]), float(row[3])] for row in seen]).T
    check_photometry(populations._GEP, (jd - 2458370.66) / 1.0315, magnitude - 0.03, 0.0315, 30)


def test_the_table_of_sn2021csp_is_the_published_one(shared_data):
    rows = (shared_data / "templates" / "SN2021csp_phot.txt").read_text().splitlines()
    rows = [row.split() for row in rows if ">" not in row and row.split()[2:3] == ["g"]]
    mjd, magnitude = np.array([[float(row[1]), float(row[3])] for row in rows]).T
    check_photometry(populations._CSP, (mjd - 59254.5) / 1.084, magnitude - 0.1, 0.084, 48)
