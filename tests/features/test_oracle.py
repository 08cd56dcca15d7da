"""Light-curve features compared with independent implementations and other packages."""

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest

from tests.features import oracle, oracle_rows
from tests.features.curves import curves_frames
from tests.nights import JD, random_frames
from ztfml.features import FEATURES, compute, of_light_curve
from ztfml.features.context import opposition_distance
from ztfml.night import Night

pytestmark = pytest.mark.filterwarnings("ignore")

NAMES = [feature.name for feature in FEATURES if feature.column is None]
RELATIVE = 1e-9
# Values that are small differences of large ones: a Julian date is held to 4.7e-10 d, so that
# days are known to a few of that; differences of magnitudes (which are of order 20) and their
# rates to some 1e-14 over the time base.
OF_DAYS = 2e-9
OF_ANYTHING = 1e-12
# Squares of differences between fluxes that are nearly equal.
OF_CHI2 = 1e-7
SEEDS = range(3)
"""Samples of realistic light curves."""


def disagreements(alerts, history):
    """Return one line per feature that differs from the oracle for any alert."""
    night = Night.from_frames(alerts, history)
    assert (night.alerts["candid"] == alerts["candid"]).all()
    computed = compute(night)
    expected = pd.DataFrame(oracle.of_night(alerts, history)).astype(float)
    assert set(expected) == set(NAMES)
    unit = {feature.name: feature.unit for feature in FEATURES}
    lines = []
    for name in NAMES:
        ours, theirs = computed[name].to_numpy(), expected[name].to_numpy()
        absolute = OF_DAYS if unit[name] == "d" else OF_ANYTHING
        relative = OF_CHI2 if "chi2" in name else RELATIVE
        same = np.isclose(ours, theirs, rtol=relative, atol=absolute, equal_nan=True)
        if not same.all():
            k = int(np.argmin(same))
            lines.append(f"{name}: {(~same).sum()}, first row {k}: {ours[k]}, not {theirs[k]}")
    return lines


def test_the_oracle_has_every_light_curve_feature():
    row = oracle_rows.Row(JD, 1, 18.0, 0.1, np.nan, 1)
    assert set(oracle.of_alert(row, set(), {})) == set(NAMES)


@pytest.mark.parametrize("max_rows", [10, 40, 150])
@pytest.mark.parametrize("seed", range(7))
def test_on_random_rows(seed, max_rows):
    assert not disagreements(*random_frames(seed, n_objects=26, max_rows=max_rows))


@lru_cache
def shapes(seed):
    return curves_frames(seed, 250)


@pytest.mark.parametrize("seed", SEEDS)
def test_on_realistic_light_curves(seed):
    assert not disagreements(*shapes(seed))


def differing_neighbours(alerts):
    """Return the features of PS1 neighbours that differ from the oracle."""
    computed = compute(Night.from_frames(alerts))
    expected = pd.DataFrame(oracle.of_packets(alerts)).astype(float)
    assert expected["star_offset"].notna().sum() > 20
    return [
        name
        for name in expected
        if not np.allclose(computed[name], expected[name], rtol=RELATIVE, atol=0, equal_nan=True)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_on_random_neighbours(seed):
    alerts = pd.concat([random_frames(seed, n_objects=26)[0]] * 20, ignore_index=True)
    rng = np.random.default_rng(seed)
    n = len(alerts)
    values = {}
    for k in (1, 2, 3):
        values[f"candidate.sgscore{k}"] = rng.choice([0, 0.2, 0.5, 0.7, 1, -999, np.nan, 1.5], n)
        values[f"candidate.distpsnr{k}"] = rng.choice([0, 1, 2.5, 8, -999, np.nan, np.inf], n)
        values[f"candidate.sgmag{k}"] = rng.choice([20.5, 22, -999, np.nan, 99], n)
        values[f"candidate.srmag{k}"] = rng.choice([19.5, 21, -999, np.nan, -10], n)
    assert not differing_neighbours(alerts.assign(candid=range(n), **values))


def test_on_real_neighbours(shared_data):
    for name in ("ztf_alerts_real", "sso_30_asteroids"):
        assert not differing_neighbours(pd.read_parquet(shared_data / "alerts" / f"{name}.parquet"))


def test_realistic_light_curves_give_values_for_every_feature():
    """The comparison is useful only if every feature has values that are not NaN."""
    # All samples that are compared. Half of the sources flare, for the features within a night,
    # so that bounds on the fade of the others are rare in one sample.
    samples = [compute(Night.from_frames(*shapes(seed)))[NAMES] for seed in SEEDS]
    known = pd.concat(samples).notna().sum()
    assert len(NAMES) > 90
    assert known.min() >= 20, known.nsmallest(3)


def test_on_real_alerts(shared_data):
    stem = shared_data / "alerts" / "ztf_alerts_real"
    alerts = pd.read_parquet(f"{stem}.parquet")
    history = pd.read_parquet(f"{stem}_prv_candidates.parquet").reset_index()
    assert len(alerts) == 4892
    assert not disagreements(alerts, history)


# --- cases on which the oracle and the compiled functions once differed -------------------


def curve_of(rows):
    columns = ["jd", "fid", "magpsf", "sigmapsf", "diffmaglim", "isdiffpos"]
    return pd.DataFrame(rows, columns=columns)


def test_an_error_of_zero_counts_as_missing():
    """The point gets the error of a 5-sigma detection, 0.2171 mag, instead of infinite weight."""
    points = [(JD + 0.2, 2, 18.0, 0.0, 20.5, 1), (JD + 2.2, 2, 19.0, 0.0, 20.5, 1)]
    err = np.hypot(2.5 / np.log(10) / 5, 0.015)
    values = of_light_curve(curve_of(points))
    assert values["fade_rate_err_r"] == pytest.approx(2**0.5 * err / 2)
    assert err == pytest.approx(0.2177, abs=1e-4)


def test_a_non_detection_in_the_exposure_of_a_detection_is_ignored():
    """Merged packets list some exposures both as a detection and as a non-detection."""
    points = [
        (JD - 1.8, 2, np.nan, np.nan, 20.5, 0),
        (JD + 0.2, 2, 19.0, 0.1, 20.5, 1),
        (JD + 2.2, 2, 18.5, 0.1, 20.5, 1),
        (JD + 2.2, 2, np.nan, np.nan, 20.5, 0),
        (JD + 2.2, 1, np.nan, np.nan, 20.4, 0),
        (JD + 5.2, 2, 18.0, 0.1, 20.5, 1),
    ]
    values = of_light_curve(curve_of(points))
    assert (values["n_limit_r"], values["n_limit_g"]) == (1, 1)
    assert values["rise_bound_r"] == pytest.approx((20.5 - 19.0 - np.hypot(0.1, 0.015)) / 2)
    # The same of the alert itself, whose epoch the packet before rounded to 0.1 s.
    early = curve_of([*points[:2], (JD + 2.2 - 1e-6, 2, np.nan, np.nan, 20.5, 0), points[2]])
    assert of_light_curve(early)["n_limit_r"] == 1


@pytest.mark.parametrize("mag", [16.0, 17.0, 18.3, 19.1])
def test_the_bluest_of_equal_peaks_is_the_peak(mag):
    """This holds for any errors and any number of exposures per night mean."""
    points = [
        (JD + 0.2, 3, mag, 0.03, 20.5, 1),
        (JD + 1.2, 2, mag, 0.07, 20.5, 1),
        (JD + 1.3, 2, mag, 0.11, 20.5, 1),
        *((JD + 3.2 + 0.01 * k, 1, mag, 0.05 + 0.04 * k, 20.5, 1) for k in range(3)),
        (JD + 9.2, 2, 20.0, 0.1, 20.5, 1),
    ]
    values = of_light_curve(curve_of(points))
    assert values["peak_mag"] == values["peak_mag_g"] == values["peak_mag_i"]
    assert values["days_since_peak"] == values["days_since_peak_g"] < 6.1


def test_shape_features_of_equal_fluxes_are_nan():
    """The rounding error of the mean of three equal fluxes is not scatter."""
    for mag in np.arange(17, 20, 0.1):
        values = of_light_curve(
            curve_of([(JD + 0.2 + k, 2, mag, 0.1 + 0.01 * k, 20.5, 1) for k in range(3)])
        )
        assert values[["stetson_k_r", "von_neumann_r", "flux_skew_r"]].isna().all()
        assert values["chi2_r"] == pytest.approx(0, abs=1e-20)


# --- other packages ---------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_variability_agrees_with_light_curve(seed):
    package = pytest.importorskip("light_curve")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(4, 60))
    t = np.sort(rng.choice(300, n, replace=False)) + 0.2
    mag, sigma, sign = rng.uniform(16, 20, n), rng.uniform(0.02, 0.2, n), rng.choice([1, -1], n)
    rows = zip(JD + t, [2] * n, mag, sigma, [20.5] * n, sign, strict=True)
    values = of_light_curve(curve_of(rows))
    flux = sign * 10 ** (-0.4 * (mag - 23.9))
    err = np.abs(flux) * np.hypot(sigma, 0.015) * 0.4 * np.log(10)

    def theirs(*features):
        return package.Extractor(*features)(t, flux, err)

    by_name = {
        "chi2_r": package.ReducedChi2(),
        "stetson_k_r": package.StetsonK(),
        "flux_skew_r": package.Skew(),
        "von_neumann_r": package.Eta(),
        "cusum_range_r": package.Cusum(),
    }
    ours = values[list(by_name)].to_numpy(float)
    assert ours == pytest.approx(theirs(*by_name.values()), rel=1e-9)
    # Theirs is over the squared mean, which a source about its reference does not have.
    excess, mean = theirs(package.ExcessVariance(), package.Mean())
    assert values["excess_variance_r"] == pytest.approx(excess * mean**2 / np.mean(flux**2))
    gap, duration = theirs(package.MaximumTimeInterval(), package.Duration())
    assert values["longest_gap"] == pytest.approx(gap)
    assert values["max_separation"] == pytest.approx(duration)


@pytest.mark.parametrize("seed", range(12))
def test_rates_agree_with_light_curve(seed):
    """One point a night, the brightest first or last, so that the night means are the points."""
    package = pytest.importorskip("light_curve")
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 25))
    t = np.sort(rng.choice(29, n, replace=False)) + 0.2 + 0.1 * rng.random(n)
    mag = 18.5 + 0.05 * t + rng.normal(0, 0.2, n)
    way, peak, sign = ("fade", 0, 1) if seed % 2 else ("rise", -1, -1)
    mag[peak] = 16.0
    sigma = rng.uniform(0.02, 0.3, n)
    rows = zip(JD + t, [2] * n, mag, sigma, [20.5] * n, [1] * n, strict=True)
    values = of_light_curve(curve_of(rows))
    slope, err, chi2 = package.LinearFit()(t, mag, np.hypot(sigma, 0.015))
    for band in ("_r", ""):
        assert values[f"{way}_n{band}"] == n
        assert values[f"{way}_rate{band}"] == pytest.approx(sign * slope, rel=1e-8)
        assert values[f"{way}_chi2{band}"] == pytest.approx(chi2, rel=1e-8)
        inflated = err * max(1, chi2) ** 0.5
        assert values[f"{way}_rate_err{band}"] == pytest.approx(inflated, rel=1e-8)


def test_latitudes_agree_with_rotations_by_hand():
    """The matrix of the Hipparcos catalogue (ESA SP-1200, eq. 1.5.11) and the obliquity."""
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 300), np.degrees(np.arcsin(rng.uniform(-1, 1, 300)))
    alerts, _ = random_frames(1, n_objects=26)
    alerts = pd.concat([alerts] * 10, ignore_index=True).iloc[:300]
    alerts = alerts.assign(candid=range(300), **{"candidate.ra": ra, "candidate.dec": dec})
    values = compute(Night.from_frames(alerts))
    a, d = np.radians(ra), np.radians(dec)
    x, y, z = np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)
    sin_b = -0.8676661490 * x - 0.1980763734 * y + 0.4559837762 * z
    assert values["abs_gal_lat"].to_numpy() == pytest.approx(
        np.abs(np.degrees(np.arcsin(sin_b))), abs=1e-4
    )
    obliquity = np.radians(84381.406 / 3600)
    sin_beta = np.cos(obliquity) * z - np.sin(obliquity) * y
    assert values["abs_ecl_lat"].to_numpy() == pytest.approx(
        np.abs(np.degrees(np.arcsin(sin_beta))), abs=1e-4
    )


def test_latitudes_agree_with_astropy_one_position_at_a_time():
    from astropy.coordinates import SkyCoord

    alerts, _ = random_frames(2)
    values = compute(Night.from_frames(alerts))
    for k, (ra, dec) in alerts[["candidate.ra", "candidate.dec"]].iterrows():
        position = SkyCoord(ra, dec, unit="deg")
        assert values["abs_gal_lat"][k] == pytest.approx(abs(position.galactic.b.deg), abs=1e-9)
        ecliptic = position.barycentricmeanecliptic
        assert values["abs_ecl_lat"][k] == pytest.approx(abs(ecliptic.lat.deg), abs=1e-9)


def test_opposition_agrees_with_astropy():
    from astropy.coordinates import SkyCoord, get_sun
    from astropy.time import Time

    rng = np.random.default_rng(9)
    ra, dec, jd = rng.uniform(0, 360, 50), rng.uniform(-30, 90, 50), rng.uniform(2.45e6, 2.47e6, 50)
    sun = get_sun(Time(np.round(jd, 2), format="jd", scale="tdb"))
    sun, here = (
        SkyCoord(*position, unit="deg").barycentricmeanecliptic.lon.deg
        for position in ((sun.ra.deg, sun.dec.deg), (ra, dec))
    )
    expected = np.abs((here - sun) % 360 - 180)
    assert opposition_distance(ra, dec, jd) == pytest.approx(expected, abs=1e-9)


def test_opposition_agrees_with_the_astronomical_almanac():
    """The low-precision Sun of the Astronomical Almanac (page C5), good to 0.01 deg."""
    rng = np.random.default_rng(8)
    jd = np.append(rng.uniform(2450000, 2470000, 39), np.nan)
    ra, dec = rng.uniform(0, 360, 40), rng.uniform(-30, 90, 40)
    alerts, _ = random_frames(1, n_objects=26)
    fields = {"candidate.jd": jd, "candidate.ra": ra, "candidate.dec": dec}
    values = compute(Night.from_frames(alerts.iloc[:40].assign(candid=range(40), **fields)))
    day = jd - 2451545
    mean_longitude, anomaly = 280.460 + 0.9856474 * day, np.radians(357.528 + 0.9856003 * day)
    of_date = mean_longitude + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)
    # Counted from the equinox of J2000, which the equinox leaves by 50.29 arcsec a year.
    sun = np.radians(of_date - 50.29 / 3600 * day / 365.25)
    a, d = np.radians(ra), np.radians(dec)
    obliquity = np.radians(84381.406 / 3600)
    x = np.cos(d) * np.cos(a)
    y = np.cos(obliquity) * np.cos(d) * np.sin(a) + np.sin(obliquity) * np.sin(d)
    distance = np.degrees(np.arccos(-np.cos(np.arctan2(y, x) - sun)))
    ours = values["opposition_distance"].to_numpy()
    assert ours == pytest.approx(distance, abs=0.03, nan_ok=True)
    assert np.isnan(ours).sum() == 1
