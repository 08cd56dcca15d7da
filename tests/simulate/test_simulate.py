"""Simulated nights: reproducible, in the logic of real packets, with the physics they claim."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ztfml import schema
from ztfml.astrophysics import blackbody_magnitude
from ztfml.errors import DataError
from ztfml.night import Night, labels_beside
from ztfml.simulate import KINDS, MIXES, noise, simulate, write_nights
from ztfml.simulate import transients as sn
from ztfml.simulate.agn import quasar_variability
from ztfml.simulate.population import Stage, mag_of
from ztfml.simulate.sky import ecliptic
from ztfml.simulate.survey import (
    FIELD,
    LATITUDE,
    SURVEY_START,
    field_centres,
    field_of,
    moon_light,
    observe,
)
from ztfml.taxonomy import LABELS

N_ALERTS = 1500


@pytest.fixture(scope="module")
def two_nights():
    nights, labels = zip(*simulate(N_ALERTS, n_nights=2, seed=4), strict=True)
    return SimpleNamespace(nights=nights, labels=labels)


@pytest.fixture(scope="module")
def balanced():
    return next(simulate(N_ALERTS, seed=9, mix="balanced"))


@pytest.fixture(scope="module")
def stage():
    survey = observe(np.random.default_rng(0), 2460474.5, 1)
    exposures = survey.of_night(0)
    fields = np.unique(survey.field[exposures])
    return Stage(survey, fields, exposures, 2460474.5, 2460475.5)


def _kind(name):
    return next(kind for kind in KINDS if kind.name == name)


def _history_of(night, object_id):
    return night.light_curve(object_id).query("not is_alert")


# --- reproducibility ------------------------------------------------------------------


def test_equal_arguments_give_equal_files(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        write_nights(folder, 300, n_nights=2, seed=7)
    names = sorted(path.name for path in folders[0].iterdir())
    assert names == [
        f"ztf_alerts_{jd}{ending}"
        for jd in ("2460474.5", "2460475.5")
        for ending in (".parquet", "_labels.csv", "_prv_candidates.parquet")
    ]
    for name in names:
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name


def test_another_seed_gives_another_night():
    one, other = (next(simulate(200, seed=seed))[0] for seed in (1, 2))
    assert set(one.alerts["objectId"]).isdisjoint(other.alerts["objectId"]) or not np.array_equal(
        one.alerts["magpsf"], other.alerts["magpsf"]
    )


def test_does_not_touch_the_global_generator():
    np.random.seed(3)  # noqa: NPY002
    first = next(simulate(50, seed=1))[0].alerts["magpsf"]
    np.random.seed(4)  # noqa: NPY002
    second = next(simulate(50, seed=1))[0].alerts["magpsf"]
    np.testing.assert_array_equal(first, second)


def test_noise_belongs_to_the_pair_not_to_the_order():
    key = np.random.default_rng(1).integers(0, 2**63, 20_000).astype(np.uint64)
    number = np.arange(20_000)
    values = noise.normal(key, number, 1)
    order = np.random.default_rng(2).permutation(20_000)
    np.testing.assert_array_equal(noise.normal(key[order], number[order], 1), values[order])
    assert abs(values.mean()) < 0.03
    assert values.std() == pytest.approx(1, abs=0.02)
    assert abs(np.corrcoef(values, noise.normal(key, number, 2))[0, 1]) < 0.03
    assert abs(np.corrcoef(values, noise.normal(key, number + 1, 1))[0, 1]) < 0.03


# --- numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("n_alerts", [1, 7, 333])
def test_exactly_the_alerts_asked_for(n_alerts):
    for night, labels in simulate(n_alerts, n_nights=2, seed=n_alerts):
        assert len(night) == len(labels) == n_alerts


def test_natural_mix(two_nights):
    for labels in two_nights.labels:
        share = labels["label"].value_counts(normalize=True)
        for label, wanted in MIXES["natural"].items():
            assert share[label] == pytest.approx(wanted, abs=3 / N_ALERTS)


def test_balanced_mix_has_all_classes_and_the_fast_kinds(balanced):
    labels = balanced[1]
    share = labels["label"].value_counts(normalize=True)
    assert share[list(LABELS)].tolist() == pytest.approx([0.2] * 5, abs=3 / N_ALERTS)
    kinds = set(labels["evidence"])
    assert {"simulated: kilonova", "simulated: FBOT", "simulated: afterglow"} <= kinds


def test_labels_name_the_kind_of_their_class(balanced):
    night, labels = balanced
    classes = {f"simulated: {kind.name}": kind.label for kind in KINDS}
    assert (labels["evidence"].map(classes) == labels["label"]).all()
    assert (labels["confidence"] == "high").all()
    np.testing.assert_array_equal(labels["candid"], night.alerts["candid"])
    np.testing.assert_array_equal(labels["objectId"], night.alerts["objectId"])


def test_weights_of_each_class_add_up():
    for label in LABELS:
        total = sum(kind.weight for kind in KINDS if kind.label == label)
        assert total == pytest.approx(1, abs=0.01), label


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_alerts": 0}, "at least one"),
        ({"n_alerts": 10, "n_nights": 0}, "at least one"),
        ({"n_alerts": 10, "mix": "equal"}, "natural, balanced, transients"),
        ({"n_alerts": 10, "histories": "short"}, "mixed, long"),
    ],
)
def test_nonsense_is_refused_at_once(arguments, words):
    with pytest.raises(DataError, match=words):
        simulate(**arguments)


# --- the layout -----------------------------------------------------------------------


def test_every_packet_column_is_there(two_nights):
    wanted = [c.name for c in schema.ALERT_COLUMNS if not c.prefix.startswith("classifications")]
    for night in two_nights.nights:
        assert set(night.alerts) == set(wanted)


def test_save_and_load_give_the_same_night(tmp_path, two_nights):
    night = two_nights.nights[1]
    path = tmp_path / "night.parquet"
    night.save(path)
    again = Night.load(path)
    pd.testing.assert_frame_equal(again.alerts[night.alerts.columns], night.alerts)
    assert len(again.history.jd) == len(night.history.jd)
    for object_id in night.alerts["objectId"].iloc[:40]:
        pd.testing.assert_frame_equal(again.light_curve(object_id), night.light_curve(object_id))


def test_written_labels_stand_beside(tmp_path):
    path = write_nights(tmp_path, 60, seed=2, mix="balanced")[0]
    labels = pd.read_csv(labels_beside(path), dtype={"candid": "int64"})
    assert set(labels["candid"]) == set(Night.load(path).alerts["candid"])
    assert list(labels) == ["candid", "objectId", "label", "evidence", "confidence"]


def test_no_sentinel_and_only_valid_values(two_nights, balanced):
    for night in (*two_nights.nights, balanced[0]):
        for name in night.alerts.columns:
            column = schema.ALERT_BY_NAME[name]
            if column.kind in ("text", "id"):
                continue
            values = night.alerts[name].to_numpy(float)
            values = values[~np.isnan(values)]
            assert np.isfinite(values).all(), name
            assert not (values == schema.SENTINEL).any(), name
            if column.kind == "float":
                assert values.min(initial=column.valid[1]) >= column.valid[0], name
                assert values.max(initial=column.valid[0]) <= column.valid[1], name


def test_ids_are_unique_and_of_the_right_form(two_nights):
    for night in two_nights.nights:
        assert night.alerts["candid"].is_unique
        assert (night.alerts["candid"].astype(str).str.len() == 19).all()
        assert night.alerts["objectId"].str.fullmatch(r"ZTF\d\d[a-z]{7}").all()


# --- the logic of packets -------------------------------------------------------------


def test_alerts_are_detections(two_nights, balanced):
    for night in (*two_nights.nights, balanced[0]):
        alerts = night.alerts
        assert (alerts["magpsf"] < alerts["diffmaglim"]).all()
        assert (alerts["sigmapsf"] < 1.0857 / 5).all()
        assert (alerts["sigmapsf"] > 0.01).all()
        assert (alerts["scorr"] >= 5).all()
        assert (alerts["nbad"] == 0).all()
        np.testing.assert_allclose(alerts["magap"] - alerts["magpsf"], alerts["magdiff"])
        np.testing.assert_allclose(alerts["diffmaglim"] - alerts["magap"], alerts["magfromlim"])
        np.testing.assert_allclose(alerts["aimage"] / alerts["bimage"], alerts["elong"])


def test_alerts_belong_to_the_night_and_its_exposures(two_nights):
    for number, night in enumerate(two_nights.nights):
        jd = night.alerts["jd"]
        assert jd.between(2460474.5 + number, 2460475.5 + number).all()
        assert len(np.unique(jd)) < 450  # exposures of a night, not one an alert
        assert (night.alerts.groupby("jd")["fid"].nunique() == 1).all()


def test_counts_agree_with_the_history(two_nights, balanced):
    for night in (*two_nights.nights, balanced[0]):
        alerts, history = night.alerts, night.history
        found = np.concatenate([[0], np.cumsum(~np.isnan(history.magpsf))])
        before = found[night.last] - found[night.first]
        assert (alerts["ndethist"] >= before + 1).all()
        assert (alerts["ncovhist"] > alerts["ndethist"]).all()
        assert (alerts["jdstarthist"] <= alerts["jd"]).all()
        rows = np.flatnonzero(before)
        first = [
            history.jd[a:b][~np.isnan(history.magpsf[a:b])].min()
            for a, b in zip(night.first[rows], night.last[rows], strict=True)
        ]
        assert (alerts["jdstarthist"].to_numpy()[rows] <= np.array(first) + 1e-9).all()


def test_history_rows(two_nights):
    night = two_nights.nights[1]
    history = night.history
    missed = np.isnan(history.magpsf)
    assert missed.any()
    assert (~missed).any()
    np.testing.assert_array_equal(missed, np.isnan(history.sigmapsf))
    np.testing.assert_array_equal(missed, history.isdiffpos == 0)
    assert (history.magpsf[~missed] < history.diffmaglim[~missed]).all()
    assert np.isfinite(history.diffmaglim).all()
    assert (history.jd < 2460476.5).all()


def test_history_is_what_packets_carry(two_nights):
    """Each row lies within 30 d before a detection, or in the night itself."""
    night = two_nights.nights[0]
    history = night.history
    for a, b in zip(history.start[:-1], history.start[1:], strict=True):
        jd = history.jd[a:b]
        found = jd[~np.isnan(history.magpsf[a:b])]
        following = np.append(found, np.inf)[np.searchsorted(found, jd)]
        assert ((following - jd <= 30) | (jd >= 2460474.5)).all()


def test_history_may_hold_later_visits_of_the_night(two_nights):
    night = two_nights.nights[0]
    code = night.object_code
    with_rows = code >= 0
    end = night.history.start[code[with_rows] + 1]
    assert (end > night.last[with_rows]).any()


def test_histories_are_of_packets_of_brokers_or_missing(two_nights):
    night, labels = two_nights.nights[0], two_nights.labels[0]
    alone = pd.Series(night.object_code < 0).groupby(labels["label"]).mean()
    # Brokers keep no history of what looks bogus.
    assert 0.3 < alone["artifact"] < 0.6
    assert 0.01 < alone["star"] < 0.15
    old = (night.last > night.first) & (labels["label"] == "star")
    span = night.alerts["jd"][old] - night.history.jd[night.first[old]]
    assert 0.4 < (span <= 31).mean() < 0.8
    assert 0.2 < (span > 60).mean() < 0.5


def test_long_histories_change_nothing_else():
    (mixed, _), (long, _) = (
        next(simulate(300, seed=3, histories=how)) for how in ("mixed", "long")
    )
    pd.testing.assert_frame_equal(mixed.alerts, long.alerts)
    assert len(long.history.jd) > 1.3 * len(mixed.history.jd)


def test_histories_are_as_long_as_real_ones(two_nights):
    rows = np.mean([len(night.history.jd) / len(night) for night in two_nights.nights])
    assert 20 < rows < 60


# --- nights share a sky ---------------------------------------------------------------


def test_variable_objects_come_again(two_nights):
    one, two = (set(night.alerts["objectId"]) for night in two_nights.nights)
    again = one & two
    assert len(again) > 0.03 * N_ALERTS
    classes = pd.concat(two_nights.labels).set_index("objectId")["label"]
    assert set(classes[list(again)]) >= {"star", "agn"}
    assert "sso" not in set(classes[list(again)])
    assert classes.groupby(level=0).nunique().max() == 1


def test_history_grows_and_loses_nothing(two_nights):
    one, two = two_nights.nights
    again = sorted(set(one.alerts["objectId"]) & set(two.alerts["objectId"]))[:150]
    grown = 0
    for object_id in again:
        first, second = _history_of(one, object_id), _history_of(two, object_id)
        if len(first) == 0:
            continue
        both = first.merge(second, on=["jd", "fid", "diffmaglim"], suffixes=("", "_later"))
        assert len(both) == len(first)
        np.testing.assert_array_equal(both["magpsf"], both["magpsf_later"])
        grown += len(second) > len(first)
    assert grown > 0


def test_alerts_of_the_first_night_are_history_of_the_second(two_nights):
    one, two = two_nights.nights
    alerts = one.alerts[one.alerts["objectId"].isin(two.alerts["objectId"])].head(80)
    seen = 0
    for alert in alerts.itertuples():
        rows = _history_of(two, alert.objectId)
        if len(rows):
            match = rows[(rows["jd"] == alert.jd) & (rows["magpsf"] == alert.magpsf)]
            assert len(match) == 1
            seen += 1
    assert seen > 20


def test_an_object_keeps_its_surroundings(two_nights):
    one, two = (night.alerts.drop_duplicates("objectId") for night in two_nights.nights)
    both = one.merge(two, on="objectId", suffixes=("", "_later"))
    for name in ("sgscore1", "distpsnr1", "srmag1", "nmtchps", "neargaia"):
        np.testing.assert_array_equal(both[name], both[f"{name}_later"])
    assert (np.abs(both["dec"] - both["dec_later"]) * 3600 < 3).all()
    assert (both["ndethist_later"] > both["ndethist"]).all()


# --- the survey -----------------------------------------------------------------------


def test_fields_cover_the_sky_once():
    ra, dec = field_centres()
    np.testing.assert_array_equal(field_of(ra, dec), np.arange(len(ra)))
    assert dec.min() > -28.8
    assert len(ra) * FIELD**2 == pytest.approx(41253 * (1 + np.sin(np.radians(28.8))) / 2, rel=0.03)


def test_exposures_are_at_night_and_high(stage):
    from astropy import units
    from astropy.coordinates import AltAz, EarthLocation, SkyCoord, get_sun
    from astropy.time import Time

    survey = stage.survey
    some = np.random.default_rng(1).choice(len(survey.jd), 200, replace=False)
    site = EarthLocation.from_geodetic(-116.86 * units.deg, LATITUDE * units.deg)
    when = Time(survey.jd[some], format="jd")
    frame = AltAz(obstime=when, location=site)
    ra, dec = (values[survey.field[some]] for values in field_centres())
    altitude = SkyCoord(ra, dec, unit=units.deg).transform_to(frame).alt.deg
    assert altitude.min() > 28
    assert get_sun(when).transform_to(frame).alt.deg.max() < -12


@pytest.mark.parametrize(
    ("start_jd", "commonest", "visits"), [(2459000.5, 3, (7, 11)), (2460474.5, 2, (9, 14))]
)
def test_cadence_is_that_of_the_survey(start_jd, commonest, visits):
    """Every third night before October 2020, every second after; some fields every night."""
    survey = observe(np.random.default_rng(0), start_jd, 1)
    gaps, minutes, nights = [], [], []
    for first, last in zip(survey.start[:-1], survey.start[1:], strict=True):
        jd = survey.jd[first:last]
        assert (np.diff(jd) > 0).all()
        visited = np.unique(np.floor(jd))
        gaps.append(np.diff(visited))
        minutes.append(np.diff(jd)[np.diff(jd) < 0.4] * 1440)
        nights.append(np.sum(visited > start_jd - 30))
    gaps, minutes, nights = np.concatenate(gaps), np.concatenate(minutes), np.array(nights)
    assert np.bincount(gaps.astype(int))[1:].argmax() + 1 == commonest
    assert 0.15 < np.mean(gaps == 1) < 0.45
    assert 0.05 < np.mean(gaps > 3) < 0.32
    assert visits[0] <= np.median(nights[nights > 0]) <= visits[1]
    assert np.mean(nights[nights > 0] > 15) > 0.02
    assert 35 < np.median(minutes) < 70
    assert 0.005 < np.mean(survey.fid == 3) < 0.05


def test_moonlight_takes_depth():
    survey = observe(np.random.default_rng(5), 2460474.5, 1)
    light, g = moon_light(survey.jd), survey.fid == 1
    dark, bright = survey.limit[g & (light < 0.1)], survey.limit[g & (light > 0.9)]
    assert 0.5 < np.median(dark) - np.median(bright) < 1.2
    assert 20 < np.median(survey.limit) < 20.8


def test_the_first_nights_of_the_survey_have_no_past():
    night = next(simulate(150, seed=1, start_jd=SURVEY_START + 20))[0]
    assert (night.history.jd >= SURVEY_START).all()
    assert night.alerts["ndethist"].max() < 60
    assert night.alerts["drb"].isna().all()  # not yet in packets
    assert night.alerts["rb"].quantile(0.95) < 0.8


# --- physics --------------------------------------------------------------------------


def test_asteroids_lie_along_the_ecliptic_and_move_on(two_nights):
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
        assert (alerts.loc[~known, "ssnamenr"] == "null").all()
        assert night.alerts.loc[~asteroid, "ssdistnr"].isna().all()
        assert (alerts["isdiffpos"] == 1).all()
        code = night.object_code[asteroid]
        found = ~np.isnan(night.history.magpsf)
        rows = np.concatenate([[0], np.cumsum(found)])
        own = (
            rows[night.history.start[code[code >= 0] + 1]]
            - rows[night.history.start[code[code >= 0]]]
        )
        assert (own <= 1).all()


def test_an_asteroid_detected_twice_is_two_objects_of_one_name():
    alerts = next(simulate(2000, seed=6, mix="balanced"))[0].alerts
    named = alerts[(alerts["ssnamenr"] != "null")]
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


def test_sn_ia_fades_as_published():
    """g falls 0.9 to 1.3 mag in the 15 days after its peak (Phillips 1993 for B)."""
    days = np.arange(-15, 40, 0.1)
    g = sn.IA.magnitude(days, np.full(len(days), 1))
    peak = days[g.argmin()]
    assert abs(peak) < 2
    assert 0.9 < np.interp(peak + 15, days, g) - g.min() < 1.3
    i = sn.IA.magnitude(np.array([0.0, 10.0, 22.0]), np.full(3, 3))
    assert i[1] > i[2]  # the second maximum


@pytest.mark.parametrize("name", ["IA", "II", "IBC", "ICBL", "IIN", "SLSN", "TDE", "NOVA"])
def test_templates_rise_and_fall_once(name):
    template = getattr(sn, name)
    assert list(template.days) == sorted(template.days)
    assert {len(band) for band in template.below} == {len(template.days)}
    r = np.array(template.below[1])
    top = r.argmin()
    assert r[top] == 0
    assert template.days[top] == 0
    assert (np.diff(r[: top + 1]) < 0).all()
    assert (np.diff(r[top:]) > 0).all()


def test_kilonova_is_that_of_2017(shared_data):
    """Within 0.9 mag of the photometry of AT2017gfo for three days (Villar et al. 2017)."""
    observed = pd.read_csv(shared_data / "templates" / "AT2017gfo_Villar2017.csv")
    model = sn.kilonova_mag()
    for band, row in (("g", 0), ("r", 1), ("i", 2)):
        points = observed[(observed["band"] == band) & observed["phase_d"].between(0.4, 3.5)]
        expected = np.interp(points["phase_d"], sn._KN_DAYS, model[row]) + 33.0
        assert np.abs(expected - points["abmag"]).median() < 0.9


@pytest.mark.parametrize("band", [0, 1])
def test_kilonova_fades_fast_and_reddens(band):
    for mass, speed in ((0.35, 1.0), (1.0, 1.0), (2.0, 0.75)):
        model = sn.kilonova_mag(mass, speed)
        late, early = (np.interp(day, sn._KN_DAYS, model[band]) for day in (4.0, 1.5))
        assert (late - early) / 2.5 > 0.3
        colour = model[0] - model[1]
        assert np.interp(4.0, sn._KN_DAYS, colour) > np.interp(1.0, sn._KN_DAYS, colour)


def test_fbot_is_at2018cow(shared_data):
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
            assert sn.fbot_mag(day, 4770e-8) == pytest.approx(float(published), abs=0.7)


def test_fbot_rises_five_magnitudes_in_days():
    t = np.array([0.4, 3.0])
    faint, bright = sn.fbot_mag(t, 4770e-8)
    assert faint - bright > 3
    days = np.arange(0.2, 20, 0.05)
    flux = 10 ** (-0.4 * sn.fbot_mag(days, 4770e-8))
    assert np.sum(flux > flux.max() / 2) * 0.05 < 6


def test_shock_cooling_is_over_in_days():
    t = np.linspace(0.01, 12, 1200)
    light = sn.cooling(t, 1.6)
    assert light.max() == pytest.approx(1, abs=1e-3)
    assert t[light.argmax()] < 2
    assert light[-1] < 1e-3
    assert sn.cooling(np.array([-1.0]), 1.6)[0] == 0


def test_interacting_supernovae_are_brief_and_hot(stage):
    """Above half of their peak for 2 to 14 days in g (Ho et al. 2023), and no bluer than a star."""
    n = 150
    sources = _kind("SN Ibn").draw(np.random.default_rng(3), n, stage)
    step = 0.1
    days = np.arange(stage.first_jd - 60, stage.last_jd + 60, step)
    row, jd = np.repeat(np.arange(n), len(days)), np.tile(days, n)
    g, r = (sources.flux(row, jd, np.full(len(row), fid)).reshape(n, -1) for fid in (1, 2))
    half = (g > g.max(axis=1, keepdims=True) / 2).sum(axis=1) * step
    assert np.quantile(half, (0.05, 0.95)) == pytest.approx((3, 12), abs=2)
    peak = g.argmax(axis=1)
    colour = mag_of(g[np.arange(n), peak]) - mag_of(r[np.arange(n), peak])
    assert colour.min() > -0.5
    assert np.median(colour) == pytest.approx(-0.1, abs=0.1)


def test_outbursts_of_dwarf_novae_have_the_colour_of_a_disk(stage):
    """Blue, but not bluer than any black body, whatever the quiescent star is."""
    n = 400
    sources = _kind("dwarf nova").draw(np.random.default_rng(4), n, stage)
    every = np.arange(n)
    g, r = (sources.flux(every, np.full(n, stage.first_jd), np.full(n, fid)) for fid in (1, 2))
    seen = (mag_of(np.maximum(g, 1e-9)) < 20) & (mag_of(np.maximum(r, 1e-9)) < 20)
    assert seen.sum() > 15
    colour = mag_of(g[seen]) - mag_of(r[seen])
    assert np.median(colour) == pytest.approx(-0.05, abs=0.15)
    assert np.quantile(colour, 0.05) > -0.5


def test_iib_have_two_peaks(stage):
    sources = _kind("SN IIb").draw(np.random.default_rng(2), 60, stage)
    jd = np.arange(stage.first_jd - 90, stage.last_jd + 60, 0.25)
    double = 0
    for row in range(60):
        flux = sources.flux(np.full(len(jd), row), jd, np.full(len(jd), 1))
        top = (flux[1:-1] > flux[:-2]) & (flux[1:-1] > flux[2:])
        double += top.sum() >= 2
    assert double > 15


def test_afterglow_is_a_power_law_that_steepens(stage):
    sources = _kind("afterglow").draw(np.random.default_rng(3), 30, stage)
    jd = np.arange(stage.first_jd - 3, stage.last_jd + 12, 0.02)
    for row in range(30):
        flux = sources.flux(np.full(len(jd), row), jd, np.full(len(jd), 2))
        begin = np.flatnonzero(flux > 0)[0]
        age = jd[begin:] - jd[begin] + 0.01
        slope = np.gradient(np.log(flux[begin:]), np.log(age))
        early, late = np.interp([0.15, 10], age, slope)
        assert -1.9 < early < -0.5
        assert late < -1.3
        assert late < early


def test_rr_lyrae_repeat_themselves(stage):
    sources = _kind("RR Lyrae").draw(np.random.default_rng(4), 25, stage)
    jd = 2460474.5 + np.arange(0, 3, 0.004)
    lags = np.arange(75, 206)  # 0.3 to 0.82 d
    for row in range(25):
        flux = sources.flux(np.full(len(jd), row), jd, np.full(len(jd), 1))
        swing = np.ptp(flux)
        total = flux - flux.min() + sources.glare[row, 0] * 0.2
        assert 0.1 < 2.5 * np.log10(total.max() / total.min()) < 5
        change = [np.median(np.abs(flux[lag:] - flux[:-lag])) / swing for lag in lags]
        assert min(change) < 0.05
        assert max(change) > 0.2


def test_damped_walk_has_its_structure_function():
    """SF^2(dt) = 2 (1 - exp(-dt/tau)) for unit variance (MacLeod et al. 2010, eq. 3)."""
    rng = np.random.default_rng(5)
    n, tau = 6000, 100.0
    modes = noise.walk_modes(rng, np.full(n, tau))
    row, start = np.arange(n), 2460000.0
    first = noise.damped_walk(*modes, row, np.full(n, start))
    assert first.std() == pytest.approx(1, abs=0.04)
    for wait in (10.0, 100.0, 500.0):
        later = noise.damped_walk(*modes, row, np.full(n, start + wait))
        expected = 2 * (1 - np.exp(-wait / tau))
        assert np.mean((later - first) ** 2) == pytest.approx(expected, rel=0.1)


def test_quasars_vary_as_published():
    sf_inf, tau = quasar_variability(4000.0, -23.0, 9.0)
    assert np.log10(sf_inf) == pytest.approx(-0.51)
    assert np.log10(tau) == pytest.approx(2.4)
    bright, _ = quasar_variability(4000.0, -27.0, 9.0)
    red, _ = quasar_variability(8000.0, -23.0, 9.0)
    assert bright < sf_inf
    assert red < sf_inf


def test_classes_look_as_known(balanced):
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


def test_supernovae_are_brighter_than_their_reference(balanced):
    night, labels = balanced
    own = (labels["label"] == "transient").to_numpy()
    assert (night.alerts.loc[own, "isdiffpos"] == 1).mean() > 0.98
    assert 0.2 < (night.alerts.loc[~own, "isdiffpos"] == 1).mean() < 0.9


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_draws_sound_sources(kind, stage):
    sources = kind.draw(np.random.default_rng(8), 50, stage)
    assert len(sources) == 50
    assert ((sources.ra >= 0) & (sources.ra < 360)).all()
    assert (np.abs(sources.dec) <= 90).all()
    row = np.repeat(np.arange(50), 3)
    jd = np.tile(stage.first_jd + np.array([-60.0, -1.0, 0.3]), 50)
    flux = sources.flux(row, jd, np.tile([1, 2, 3], 50))
    assert flux.shape == (150,)
    assert np.isfinite(flux).all()
    backward = sources.flux(row[::-1], jd[::-1], np.tile([1, 2, 3], 50)[::-1])
    np.testing.assert_array_equal(backward[::-1], flux)
    assert sources.glare.shape == (50, 3)
    assert (sources.glare >= 0).all()


def test_flux_100_is_magnitude_20():
    assert float(mag_of(100.0)) == 20.0
