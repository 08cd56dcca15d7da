"""Forced photometry of simulated nights."""

import numpy as np
import pytest

from ztfml.features import compute
from ztfml.lightcurves.forced import load_forced
from ztfml.night import Night
from ztfml.simulate import simulate, write_nights
from ztfml.simulate.forced import FORCED_SINCE

N_ALERTS = 700


@pytest.fixture(scope="module")
def nights():
    return list(simulate(N_ALERTS, n_nights=2, seed=12, mix="balanced"))


def test_forced_photometry_covers_the_thirty_days_before_the_night(nights):
    for night, _ in nights:
        forced, begin = night.forced, float(night.name.rpartition("_")[2])
        assert forced.jd.min() >= begin - 30
        assert forced.jd.max() < begin
        assert set(forced.object_ids.to_pylist()) <= set(night.alerts["objectId"])
        for k in range(len(forced.object_ids)):
            jd = forced.jd[forced.start[k] : forced.start[k + 1]]
            assert len(jd) > 0
            assert (np.diff(jd) >= 0).all()


def test_some_objects_have_no_forced_photometry(nights):
    """15 % have none; of the rest, one in three has no exposure in a part of the month."""
    night, _ = nights[0]
    with_some = np.diff(night.visible_forced, axis=0)[0] > 0
    assert 0.5 < with_some.mean() < 0.85


def test_flux_without_a_source_is_noise(nights):
    """Before supernovae and at asteroids the flux is 0, with the scatter of real photometry."""
    night, labels = nights[0]
    asteroid = (labels["label"] == "sso").to_numpy()
    first, last = night.visible_forced
    pull = np.concatenate(
        [night.forced.flux[a:b] / night.forced.flux_err[a:b] for a, b in
         zip(first[asteroid], last[asteroid], strict=True)]
    )  # fmt: skip
    assert len(pull) > 800
    assert abs(np.median(pull)) < 0.1
    assert 0.85 < 1.48 * np.median(np.abs(pull)) < 1.15
    assert (np.abs(pull) > 5).mean() < 0.01


def test_forced_flux_of_a_detection_agrees_with_its_magnitude(nights):
    night, _ = nights[0]
    rows = night.history_frame()
    rows = rows[rows["magpsf"].notna() & (rows["sigmapsf"] < 0.05)]
    forced = {}
    for k, name in enumerate(night.forced.object_ids.to_pylist()):
        for m in range(night.forced.start[k], night.forced.start[k + 1]):
            forced[name, round(night.forced.jd[m], 5)] = night.forced.flux[m]
    sign = np.where(rows["isdiffpos"].isin([-1, "f"]), -1, 1)
    flux = sign * 10 ** (-0.4 * (rows["magpsf"].to_numpy() - 23.9))
    names = rows.get("objectId", rows.index)
    pairs = [(f, forced.get((name, round(jd, 5)))) for name, jd, f in
             zip(names, rows["jd"], flux, strict=True)]  # fmt: skip
    ratio = np.array([b / a for a, b in pairs if b is not None])
    assert len(ratio) > 50
    assert abs(np.median(ratio) - 1) < 0.02


def test_forced_photometry_can_be_left_out_and_is_absent_before_schema_4(nights):
    night, labels = next(simulate(N_ALERTS, n_nights=2, seed=12, mix="balanced", forced=False))
    assert night.forced is None
    assert labels.equals(nights[0][1])
    assert night.alerts.equals(nights[0][0].alerts)
    assert next(simulate(60, seed=1, start_jd=FORCED_SINCE - 30))[0].forced is None


def test_files_hold_what_simulate_yields(nights, tmp_path):
    path = write_nights(tmp_path, N_ALERTS, 1, seed=12, mix="balanced")[0]
    stored = load_forced(tmp_path / f"{path.stem}_fp_hists.parquet")
    direct = next(simulate(N_ALERTS, seed=12, mix="balanced"))[0].forced
    assert sorted(stored.object_ids.to_pylist()) == sorted(direct.object_ids.to_pylist())
    np.testing.assert_allclose(np.sort(stored.flux), np.sort(direct.flux), rtol=1e-12)
    names = [name for name in compute(Night.load(path)) if name.startswith("forced_")]
    assert len(names) == 22
    write_nights(tmp_path, N_ALERTS, 1, seed=12, mix="balanced", forced=False)
    assert Night.load(path).forced is None
