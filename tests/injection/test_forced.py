"""Forced photometry of injected events."""

import numpy as np
import pandas as pd
import pytest

from ztfml.features import compute
from ztfml.injection.conditions import Conditions
from ztfml.injection.forced import forced_of
from ztfml.injection.observing import inject
from ztfml.simulate import simulate


def exposures(n_events=200, n=30, flux=1e-8):
    event, day = np.divmod(np.arange(n_events * n), n)
    return pd.DataFrame(
        {"event": event, "jd": day + 0.7, "fid": 1 + day % 2, "limit": 20.5, "true_flux": flux}
    )


def names(n=200):
    return np.array([f"injected{k:06d}" for k in range(n)])


def test_noise_without_a_source():
    """Errors are 0.65 of a fifth of the limit; fluxes scatter by about one error."""
    table = exposures(flux=0.0)
    forced = forced_of(np.random.default_rng(3), table, np.zeros(200), names())
    unit = 10 ** (-0.4 * (20.5 - 23.9)) / 5
    assert np.median(forced.flux_err) / unit == pytest.approx(0.65, abs=0.01)
    pull = forced.flux / forced.flux_err
    assert abs(np.median(pull)) < 0.1
    assert 0.9 < np.std(pull) < 1.1


def test_rows_are_before_the_last_night_and_some_events_have_none():
    forced = forced_of(np.random.default_rng(3), exposures(), np.zeros(200), names())
    assert forced.jd.max() < 29
    empty = (np.diff(forced.start) == 0).mean()
    assert 0.08 < empty < 0.25
    assert 0.6 < len(forced.jd) / (200 * 29) < 0.85
    assert forced.flux.mean() == pytest.approx(1e-8 * 10 ** (0.4 * 23.9), rel=0.1)


def test_a_bright_host_adds_noise():
    faint, bright = (
        forced_of(np.random.default_rng(3), exposures(), np.full(200, flux), names()).flux_err
        for flux in (0.0, 1e-5)
    )
    assert (bright > 2 * faint).all()


def test_no_rows():
    table = exposures(n=1)
    assert forced_of(np.random.default_rng(1), table, np.zeros(200), names()) is None


def test_events_have_forced_photometry_where_the_night_has():
    for forced in (True, False):
        night = next(simulate(600, seed=21, forced=forced))[0]
        injected = inject(Conditions(night), {"kilonova": 8}, seed=4)
        assert (injected.night.forced is None) != forced
        if forced:
            table = compute(injected.night)
            assert table["forced_n"].max() > 5
        else:
            without = injected
    pd.testing.assert_frame_equal(injected.events, without.events)
