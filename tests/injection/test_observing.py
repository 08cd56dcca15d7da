"""Injected events have the epochs, limits and errors of the night, and alerts like its own."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_night
from ztfml.astrophysics import FAST_RATE, night_of
from ztfml.errors import DataError
from ztfml.injection.conditions import Conditions
from ztfml.injection.observing import FAST_HALF_TIME, _exposures, inject
from ztfml.injection.populations import KINDS, Host
from ztfml.injection.surroundings import Hosts, draw_hosts
from ztfml.schema import PIXEL_SCALE

EIGHT_EACH = dict.fromkeys(KINDS, 8)


@pytest.fixture(scope="module")
def injected(conditions):
    return inject(conditions, EIGHT_EACH, seed=4)


def test_the_requested_number_of_each_kind_is_injected(injected):
    assert injected.events["kind"].value_counts().to_dict() == EIGHT_EACH
    assert set(injected.expected) == set(KINDS)
    assert all(number > 0 for number in injected.expected.values())


def test_the_same_seed_gives_the_same_alerts(conditions, injected):
    again = inject(conditions, EIGHT_EACH, seed=4)
    pd.testing.assert_frame_equal(again.night.alerts, injected.night.alerts)
    pd.testing.assert_frame_equal(again.events, injected.events)
    for column, same in zip(again.night.history, injected.night.history, strict=True):
        np.testing.assert_array_equal(column, same)
    other = inject(conditions, EIGHT_EACH, seed=5)
    assert not other.events["z"].equals(injected.events["z"])


def test_a_kind_does_not_depend_on_the_others(conditions, injected):
    alone = inject(conditions, {"kilonova": 8}, seed=4).events
    with_others = injected.events[injected.events["kind"] == "kilonova"].reset_index(drop=True)
    columns = ["z", "age", "peak_mag", "n_det"]
    pd.testing.assert_frame_equal(alone[columns], with_others[columns])


def test_every_event_is_fast_and_detected_tonight(night, injected):
    events = injected.events
    assert ((events["rate"].abs() > FAST_RATE) | (events["half_time"] < FAST_HALF_TIME)).all()
    last = injected.night.alerts.groupby(injected.event)["jd"].max()
    tonight = night_of(night.alerts["jd"].max())
    assert (night_of(last) == tonight).all()
    assert (events["age"] > 0).all()
    limits = [kind.duration for kind in KINDS.values()]
    assert (events["age"] <= max(limits)).all()


def test_exposures_and_positions_are_those_of_the_night(night, injected):
    history = night.history
    known = set(zip(np.round(history.jd, 4), history.fid, strict=True))
    alerts = night.alerts
    known |= set(zip(np.round(alerts["jd"], 4), alerts["fid"].astype(int), strict=True))
    made = injected.night.history
    assert set(zip(np.round(made.jd, 4), made.fid, strict=True)) <= known
    positions = set(zip(alerts["ra"], alerts["dec"], strict=True))
    alerts = injected.night.alerts
    assert set(zip(alerts["ra"], alerts["dec"], strict=True)) <= positions


def test_detections_are_above_the_limit_and_five_sigma(injected):
    alerts, history = injected.night.alerts, injected.night.history
    assert (alerts["magpsf"] < alerts["diffmaglim"]).all()
    seen = ~np.isnan(history.magpsf)
    assert (history.magpsf[seen] < history.diffmaglim[seen]).all()
    assert (history.sigmapsf[seen] < 1.0857 / 5 * 1.3).all()
    assert np.isnan(history.sigmapsf[~seen]).all()
    assert (alerts["isdiffpos"] == 1).all()
    # The aperture magnitude differs from the PSF magnitude as in the copied alert.
    assert (alerts["magap"] - alerts["magpsf"]).abs().max() < 2
    np.testing.assert_allclose(
        alerts["magfromlim"], alerts["diffmaglim"] - alerts["magap"], atol=1e-9
    )


def test_the_history_agrees_with_the_table_of_events(injected):
    history, events = injected.night.history, injected.events
    seen = ~np.isnan(history.magpsf)
    event = np.repeat(np.arange(len(events)), np.diff(history.start))[seen]
    assert (np.bincount(event) == events["n_det"]).all()
    nights = pd.Series(night_of(history.jd[seen])).groupby(event).nunique()
    assert (nights == events["n_nights"]).all()
    brightest = pd.Series(history.magpsf[seen]).groupby(event).min()
    assert brightest.to_numpy() == pytest.approx(events["peak_mag"].to_numpy())
    # One alert per night of an event.
    assert (np.bincount(injected.event) == events["n_nights"]).all()


def test_counts_and_first_detections_are_as_of_the_alert(injected):
    alerts = injected.night.alerts
    order = np.lexsort([alerts["jd"], injected.event])
    alerts, event = alerts.iloc[order], injected.event[order]
    follows = np.diff(event) == 0
    assert (np.diff(alerts["ndethist"])[follows] >= 1).all()
    assert (np.diff(alerts["jdstarthist"])[follows] == 0).all()
    assert (alerts["jdstarthist"] <= alerts["jd"]).all()
    assert (alerts["ncovhist"] >= alerts["ndethist"]).all()


def test_alerts_have_the_columns_of_the_night_but_their_own_ids_and_surroundings(night, injected):
    made = injected.night.alerts
    assert list(made) == list(night.alerts)
    assert (made.dtypes == night.alerts.dtypes).all()
    assert made["candid"].is_unique
    assert not made["candid"].isin(night.alerts["candid"]).any()
    assert not made["objectId"].isin(night.alerts["objectId"]).any()
    assert made["ssdistnr"].isna().all()
    # The surroundings are the same on all nights of an event.
    for name in ("distpsnr1", "sgscore1", "neargaia", "ra"):
        spread = made.groupby(injected.event)[name].nunique(dropna=False)
        assert (spread == 1).all()


def test_hosts_appear_in_the_ps1_and_reference_fields(injected):
    made, events = injected.night.alerts, injected.events
    host = events.iloc[injected.event].reset_index(drop=True)
    visible = (host["host_mag"] < 21) & (host["host_offset"] < 5)
    at_host = np.isclose(made["distpsnr1"], host["host_offset"])
    assert at_host[visible].mean() > 0.8
    # Another source, which an alert of the night has there, may be nearer than the host.
    behind = visible & ~at_host
    offsets = made[["distpsnr1", "distpsnr2", "distpsnr3"]]
    listed = np.isclose(offsets, host[["host_offset"]]).any(axis=1)
    assert (made["distpsnr1"] < host["host_offset"])[behind].all()
    assert listed[visible].mean() > 0.95
    # The scores of faint galaxies are intermediate, those of bright ones low.
    assert (made["sgscore1"][visible & at_host] < 0.8).all()
    assert (made["sgscore1"][visible & at_host & (host["host_mag"] < 19.5)] < 0.31).all()
    assert made["srmag1"][visible & at_host].to_numpy() == pytest.approx(
        host["host_mag"][visible & at_host].to_numpy()
    )
    at_position = visible & (host["host_offset"] < 1)
    assert (made["distnr"][at_position] * PIXEL_SCALE < 1.5).mean() > 0.9
    # Hosts that are too faint for PS1 are not in its fields.
    faint = host["host_mag"] > 23
    assert faint.any()
    assert not np.isclose(made["distpsnr1"][faint], host["host_offset"][faint]).any()


def test_few_events_are_on_stars(injected):
    made = injected.night.alerts
    on_star = (made["distpsnr1"] < 1.0) & (made["sgscore1"] > 0.5)
    # Some faint hosts have the score of a star.
    assert on_star.mean() < 0.1


def test_offsets_are_larger_for_nearer_hosts():
    rng = np.random.default_rng(0)
    host = Host(-20.0, 0.1, 1.0)
    near, far = (draw_hosts(rng, np.full(2000, z), host) for z in (0.02, 0.2))
    ratio = np.median(near.offset) / np.median(far.offset)
    # 0.41 and 3.3 kpc per arcsec.
    assert ratio == pytest.approx(3.3 / 0.41, rel=0.15)
    # The distance moduli differ by 5.3, but the PSF excludes more light of the larger disk.
    assert 3 < np.median(far.magnitude) - np.median(near.magnitude) < 5


def test_the_light_of_a_host_decreases_with_the_offset():
    hosts = draw_hosts(np.random.default_rng(0), np.full(2000, 0.03), Host(-20.0, 0.1, 1.0))
    near, far = hosts.offset < 0.5, hosts.offset > 15
    assert (hosts.at_event[near] - hosts.magnitude[near]).max() < 0.5
    assert (hosts.at_event[far] - hosts.magnitude[far]).min() > 2


def test_the_light_of_a_host_adds_its_noise(conditions):
    injected = inject(conditions, {"shock-cooling IIb": 80}, seed=2)
    history, host = injected.night.history, injected.events
    event = np.repeat(np.arange(len(host)), np.diff(history.start))
    magnitude = history.magpsf
    light = -2.5 * np.log10(
        10 ** (-0.4 * magnitude) + 10 ** (-0.4 * host["host_at_event"].to_numpy()[event])
    )
    error = conditions.error_of_flux(light, history.diffmaglim)
    expected = 1.0857 * error / 10 ** (-0.4 * magnitude)
    seen = ~np.isnan(magnitude)
    # Reported errors follow the true brightness, with a scatter.
    ratio = (history.sigmapsf / expected)[seen]
    assert np.median(ratio) == pytest.approx(1, abs=0.04)
    bright = (host["host_at_event"].to_numpy()[event] < magnitude)[seen]
    assert bright.any()
    alone = conditions.error_of_flux(magnitude, history.diffmaglim)
    assert (error > 1.05 * alone)[seen][bright].mean() > 0.5


def test_the_three_nearest_sources_are_sorted_by_distance(conditions):
    n = 200
    hosts = Hosts(np.full(n, 18.0), np.linspace(0, 29, n), np.full(n, 22.0))
    fields = conditions.sky.surroundings(
        np.random.default_rng(1), np.full(n, 50.0), np.full(n, 2), hosts
    )
    distance = np.array([fields[f"distpsnr{rank}"] for rank in (1, 2, 3)])
    filled = np.nan_to_num(distance, nan=99)
    assert (np.diff(filled, axis=0) >= 0).all()
    listed = np.isclose(distance, hosts.offset).any(axis=0)
    assert listed[hosts.offset < 5].mean() > 0.9
    assert not (distance[0][hosts.offset > 2] < 1.5).any()


def test_errors_increase_towards_the_limit_as_on_the_night(night, conditions):
    magnitude = np.array([15.0, 18.0, 19.5, 20.4, 25.0])
    error = conditions.error_of_flux(magnitude, np.full(5, 20.5))
    relative = 1.0857 * error / 10 ** (-0.4 * magnitude)
    assert (np.diff(relative) > 0).all()
    # Near the limit (five sigma) the alerts of the night have errors of 0.1 to 0.2 mag.
    assert 0.1 < relative[3] < 0.22
    # For an undetectable source the error is that of the sky.
    assert error[4] == pytest.approx(error[3], rel=0.3)


def test_exposures_count_once_and_stop_at_the_alert():
    night = random_night(3, n_objects=6)
    position = np.arange(len(night))
    row, jd, fid, limit = _exposures(night, position, np.full(len(night), -np.inf))
    for k in position:
        epochs = sorted(zip(jd[row == k], fid[row == k], strict=True))
        assert len(epochs) == len(set(epochs))
        if epochs:
            assert max(epochs)[0] <= night.alerts["jd"].iloc[k]
    assert not np.isnan(limit).any()
    assert (fid >= 1).all()


def test_a_night_without_histories_is_refused(night):
    alone = night.replace(history_days=0)
    with pytest.raises(DataError, match="no object has a history with diffmaglim"):
        Conditions(alone)


def test_a_night_of_artifacts_only_is_refused(night):
    bogus = night.replace(alerts=night.alerts.assign(drb=0.01))
    with pytest.raises(DataError, match="no alert is a real detection"):
        Conditions(bogus)


def test_injection_works_without_positions_and_context_columns(night):
    drop = [name for name in night.alerts if name in {"ra", "dec", "distnr", "magnr", "drb"}]
    drop += [name for name in night.alerts if name.startswith(("distps", "sg", "sr", "near"))]
    bare = night.replace(alerts=night.alerts.drop(columns=drop))
    made = inject(Conditions(bare), {"FBOT like AT2018cow": 3}, seed=1)
    assert list(made.night.alerts) == list(bare.alerts)
    assert made.events["latitude"].isna().all()


def test_too_few_detections_are_an_error(night, monkeypatch):
    monkeypatch.setattr("ztfml.injection.observing._MAX_TRIALS", 6000)
    history = night.history._replace(diffmaglim=np.full(len(night.history.jd), 9.0))
    dim = night.replace(alerts=night.alerts.assign(diffmaglim=9.0), history=history)
    with pytest.raises(
        DataError, match=r"0 of 6000 simulated events of the kind 'kilonova' are detected"
    ):
        inject(Conditions(dim), {"kilonova": 1}, seed=1)
