"""Asteroids, stars, active galaxies and artifacts have known properties."""

import numpy as np
import pytest

from tests.simulate.helpers import population_named
from ztfml.simulate import simulate
from ztfml.simulate.populations.agn import quasar_variability
from ztfml.simulate.sky import ecliptic, galactic_latitude
from ztfml.simulate.source import flux_of, mag_of


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


def _difference(name, observed, n, days, fid=2, seed=4):
    """Sources of a population, and their difference flux on days after the first night."""
    sources = population_named(name).draw(np.random.default_rng(seed), n, observed)
    jd = observed.first_jd + np.asarray(days, float)
    row = np.repeat(np.arange(n), len(jd))
    flux = sources.flux(row, np.tile(jd, n), np.full(len(row), fid))
    return sources, flux.reshape(n, len(jd))


def test_faint_rr_lyrae_are_as_blue_as_quasars_and_change_within_hours(observed):
    sources, flux = _difference("faint RR Lyrae", observed, 300, np.arange(0, 0.8, 0.05), fid=1)
    mag = sources.counterpart.mag
    colour = mag[:, 0] - mag[:, 1]
    assert 0.0 < np.median(colour) < 0.3
    assert ((mag[:, 1] > 16) & (mag[:, 1] < 21)).mean() > 0.95
    assert (np.abs(galactic_latitude(sources.ra, sources.dec)) > 20).mean() > 0.5
    total = flux + sources.reference_flux[:, [0]]
    change = 2.5 * np.log10(total.max(axis=1) / total.min(axis=1))
    assert np.median(change) > 0.4
    assert (flux.max(axis=1) > 0).mean() > 0.9
    assert (flux.min(axis=1) < 0).mean() > 0.9


def test_faint_dwarf_novae_are_near_the_limit_of_ps1_and_have_repeated_outbursts(observed):
    days = -np.arange(0, 700, 2.0)
    sources, flux = _difference("faint dwarf nova", observed, 300, days)
    r = sources.counterpart.mag[:, 1]
    assert ((r > 20) & (r < 23.7)).all()
    bright = flux > flux_of(20.0)
    outbursts = (np.diff(bright.astype(int), axis=1) == 1).sum(axis=1)
    assert (outbursts >= 2).mean() > 0.25


def test_changing_nuclei_that_turned_off_are_always_below_the_reference(observed):
    _, flux = _difference("changing-look AGN", observed, 400, -np.arange(0, 60, 5.0))
    limit = flux_of(20.5)
    below, above = (flux < -limit).all(axis=1), (flux > limit).all(axis=1)
    assert below.mean() > 0.1
    assert above.mean() > 0.05


def test_liners_are_weak_nuclei_of_red_galaxies(observed):
    sources, flux = _difference("LINER", observed, 400, -np.arange(0, 400, 20.0))
    mag = sources.counterpart.mag
    assert 0.6 < np.median(mag[:, 0] - mag[:, 1]) < 0.9
    assert np.median(np.abs(flux).max(axis=1) / sources.reference_flux[:, 1]) < 0.2


def test_bright_blazars_are_brighter_than_17_and_vary_strongly(observed):
    sources, flux = _difference("bright blazar", observed, 300, -np.arange(0, 400, 10.0))
    assert np.quantile(sources.counterpart.mag[:, 1], 0.9) < 17.7
    total = flux + sources.reference_flux[:, [1]]
    assert np.median(np.std(-2.5 * np.log10(total), axis=1)) > 0.15


def test_rare_residuals_have_a_middling_drb_and_few_detections(balanced):
    night, labels = balanced
    rows = (labels["evidence"] == "simulated: rare residual").to_numpy()
    alerts = night.alerts[rows]
    assert len(alerts) > 20
    assert set(labels["label"][rows]) == {"artifact"}
    assert 0.3 < alerts["drb"].median() < 0.8
    assert alerts["drb"].max() < 0.95
    assert (alerts["isdiffpos"] < 0).mean() > 0.55
    assert (alerts["ndethist"] / alerts["ncovhist"]).quantile(0.9) < 0.05


@pytest.mark.parametrize("name", ["nuclear SN Ia", "nuclear SN II", "nuclear SLSN"])
def test_nuclear_supernovae_are_in_the_centres_of_their_hosts(observed, name):
    sources, flux = _difference(name, observed, 200, [0.0])
    assert np.quantile(sources.counterpart.distance, 0.95) < 0.4
    assert (flux >= 0).all()


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
