"""Asteroids, stars, active galaxies and artifacts have known properties."""

import numpy as np
import pytest

from tests.simulate.helpers import population_named
from ztfml.simulate import simulate
from ztfml.simulate.populations.agn import quasar_variability
from ztfml.simulate.sky import ecliptic
from ztfml.simulate.source import mag_of


def test_asteroids_are_near_the_ecliptic_and_detected_once_per_position(two_nights):
    for night, labels in zip(two_nights.nights, two_nights.labels, strict=True):
        asteroid = (labels["label"] == "sso").to_numpy()
        alerts = night.alerts[asteroid]
        latitude = ecliptic(alerts["ra"].to_numpy(), alerts["dec"].to_numpy())[1]
        assert np.median(np.abs(latitude)) < 12
        assert alerts["objectId"].is_unique
        known = alerts["ssdistnr"].notna()
        assert 0.85 < known.mean() < 0.99
        assert (alerts.loc[known, "ssdistnr"] <= 5).mean() > 0.95
        assert np.abs(alerts["magpsf"] - alerts["ssmagnr"])[known].median() < 0.6
        assert alerts.loc[~known, "ssnamenr"].isna().all()
        assert night.alerts.loc[~asteroid, "ssdistnr"].isna().all()
        assert (alerts["isdiffpos"] == 1).all()
        code = night.object_code[asteroid]
        found = ~np.isnan(night.history.magpsf)
        rows = np.concatenate([[0], np.cumsum(found)])
        detections = (
            rows[night.history.start[code[code >= 0] + 1]]
            - rows[night.history.start[code[code >= 0]]]
        )
        assert (detections <= 1).all()


def test_an_asteroid_detected_twice_is_two_objects_with_one_name():
    alerts = next(simulate(2000, seed=6, mix="balanced"))[0].alerts
    named = alerts[alerts["ssnamenr"].notna()]
    pairs = named[named.duplicated("ssnamenr", keep=False)].sort_values(["ssnamenr", "jd"])
    assert len(pairs) > 10
    two = pairs.groupby("ssnamenr").nth([0, 1])
    first, second = two.iloc[::2].reset_index(), two.iloc[1::2].reset_index()
    moved = np.hypot(
        (second["ra"] - first["ra"]) * np.cos(np.radians(first["dec"])),
        second["dec"] - first["dec"],
    )
    arcsec_a_minute = moved * 3600 / ((second["jd"] - first["jd"]) * 1440)
    assert 0.2 < arcsec_a_minute.median() < 1.0


def test_outbursts_of_dwarf_novae_have_the_colour_of_a_disk(observed):
    """Outbursts are blue, but not bluer than a black body, for any quiescent star."""
    n = 400
    sources = population_named("dwarf nova").draw(np.random.default_rng(4), n, observed)
    every = np.arange(n)
    g, r = (sources.flux(every, np.full(n, observed.first_jd), np.full(n, fid)) for fid in (1, 2))
    seen = (mag_of(np.maximum(g, 1e-9)) < 20) & (mag_of(np.maximum(r, 1e-9)) < 20)
    assert seen.sum() > 15
    colour = mag_of(g[seen]) - mag_of(r[seen])
    assert np.median(colour) == pytest.approx(-0.05, abs=0.15)
    assert np.quantile(colour, 0.05) > -0.5


def test_rr_lyrae_are_periodic(observed):
    sources = population_named("RR Lyrae").draw(np.random.default_rng(4), 25, observed)
    jd = 2460474.5 + np.arange(0, 3, 0.004)
    lags = np.arange(75, 206)  # 0.3 to 0.82 d
    for row in range(25):
        flux = sources.flux(np.full(len(jd), row), jd, np.full(len(jd), 1))
        swing = np.ptp(flux)
        total = flux - flux.min() + sources.reference_flux[row, 0] * 0.2
        assert 0.1 < 2.5 * np.log10(total.max() / total.min()) < 5
        change = [np.median(np.abs(flux[lag:] - flux[:-lag])) / swing for lag in lags]
        assert min(change) < 0.05
        assert max(change) > 0.2


def test_quasars_vary_as_published():
    sf_inf, tau = quasar_variability(4000.0, -23.0, 9.0)
    assert np.log10(sf_inf) == pytest.approx(-0.51)
    assert np.log10(tau) == pytest.approx(2.4)
    bright, _ = quasar_variability(4000.0, -27.0, 9.0)
    red, _ = quasar_variability(8000.0, -23.0, 9.0)
    assert bright < sf_inf
    assert red < sf_inf


def test_classes_have_known_properties(balanced):
    night, labels = balanced
    table = night.alerts.assign(
        kind=labels["evidence"].str.removeprefix("simulated: "),
        label=labels["label"],
        g_r=night.alerts["sgmag1"] - night.alerts["srmag1"],
        r_i=night.alerts["srmag1"] - night.alerts["simag1"],
    )
    median = table.groupby("kind")[["g_r", "r_i", "sgscore1", "magnr", "distpsnr1"]].median()
    by_class = table.groupby("label").median(numeric_only=True)
    assert median.loc["quasar", "g_r"] < 0.4 < median.loc["Seyfert galaxy", "g_r"]
    assert median.loc["quasar", "sgscore1"] > 0.9
    assert median.loc["Seyfert galaxy", "sgscore1"] < 0.3
    assert median.loc["Mira", "r_i"] > 1.8
    assert by_class.loc["agn", "magnr"] > by_class.loc["star", "magnr"] + 1
    assert by_class.loc["transient", "distpsnr1"] > 1 > by_class.loc["star", "distpsnr1"]
    assert by_class.loc["artifact", "drb"] < 0.2 < 0.99 < by_class.loc["transient", "drb"]
    assert by_class.loc["artifact", "rb"] < 0.5 < by_class.loc["star", "rb"]


def test_transients_are_positive_and_others_have_both_signs(balanced):
    night, labels = balanced
    transient = (labels["label"] == "transient").to_numpy()
    assert (night.alerts.loc[transient, "isdiffpos"] == 1).mean() > 0.98
    assert 0.2 < (night.alerts.loc[~transient, "isdiffpos"] == 1).mean() < 0.9
