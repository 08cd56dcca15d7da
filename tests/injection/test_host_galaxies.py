"""Hosts of injected events in a catalogue of galaxies."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.run import ztfml
from ztfml import features
from ztfml.catalogs.galaxies import GalaxyCatalog
from ztfml.catalogs.galaxy_table import read_galaxies
from ztfml.injection.conditions import Conditions
from ztfml.injection.host_galaxies import match_injected
from ztfml.injection.observing import inject
from ztfml.io.companions import galaxies_beside
from ztfml.night import Night
from ztfml.simulate import write_nights


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return write_nights(tmp_path_factory.mktemp("night"), 800, seed=21)[0]


@pytest.fixture(scope="module")
def matched(path):
    night = Night.load(path)
    injected = inject(Conditions(night), {"kilonova": 60, "FBOT like AT2018cow": 60}, seed=4)
    catalog = GalaxyCatalog.from_frame(read_galaxies(galaxies_beside(path)))
    return injected, match_injected(injected, catalog, seed=4)


def test_near_hosts_are_in_the_catalogue_and_give_the_luminosity(matched):
    injected, night = matched
    host = (night.alerts["galaxy_name"] == "host").to_numpy()
    events = injected.events.iloc[injected.event]
    bright = (events["host_total"] < 16.5).to_numpy()
    assert host[bright].mean() > 0.85
    assert host[(events["host_total"] > 19.5).to_numpy()].mean() < 0.05
    modulus = night.alerts["galaxy_modulus"][host].to_numpy()
    expected = 5 * np.log10(events["z"][host] * 299792.458 / 67.66) + 25
    # Peculiar velocities of 300 km/s.
    assert np.median(np.abs(modulus - expected.to_numpy())) < 0.2
    table = features.compute(night)
    assert table["abs_mag"][host].between(-23, -10).mean() > 0.95


def test_the_offset_is_that_of_the_event(matched):
    injected, night = matched
    host = (night.alerts["galaxy_name"] == "host").to_numpy()
    offset = injected.events["host_offset"].to_numpy()[injected.event]
    assert night.alerts["galaxy_offset"][host].to_numpy() == pytest.approx(offset[host], rel=1e-3)


def test_the_same_seed_gives_the_same_hosts(path, matched):
    injected, night = matched
    catalog = GalaxyCatalog.from_frame(read_galaxies(galaxies_beside(path)))
    again = match_injected(injected, catalog, seed=4)
    pd.testing.assert_frame_equal(again.alerts, night.alerts)


def test_recover_with_a_catalogue(path, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    out = tmp_path / "recovery.json"
    ranks = []
    for galaxies in ((), ("--galaxies", galaxies_beside(path))):
        ztfml("recover", path, "--repeats", 6, "-o", out, *galaxies)
        events = pd.DataFrame(json.loads(out.read_text())["events"])
        ranks.append(events["rank: ztfml"].to_numpy())
    # The distance of the host changes the learned term of the luminosity.
    assert (ranks[0] != ranks[1]).any()
