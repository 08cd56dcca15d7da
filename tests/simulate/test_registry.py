"""Populations are independent of one another and found automatically."""

import numpy as np
import pandas as pd
import pytest

from ztfml.simulate import POPULATIONS, Population, population_table, simulate
from ztfml.simulate.registry import find_populations, sort_populations
from ztfml.simulate.source import Counterpart, Sources, flux_of
from ztfml.simulate.survey import field_centres
from ztfml.taxonomy import LABELS


def _draw_bright(rng, n, observed):
    """Sources of 18 mag that are always there, one in each of some fields."""
    exposure = rng.choice(observed.exposures, n)
    ra, dec = (values[observed.survey.field[exposure]] for values in field_centres())
    return Sources(
        ra,
        dec,
        lambda row, jd, fid: np.full(len(row), flux_of(18.0)),
        Counterpart.none(n),
        np.zeros((n, 3)),
        np.zeros(n),
    )


# At a third of the transients, at least two alerts a night have this kind in each mix.
EXTRA = Population("extra", "transient", 0.5, _draw_bright)


def _alerts(populations, n_nights=2, mix="balanced"):
    nights = simulate(900, n_nights=n_nights, seed=5, mix=mix, populations=populations)
    tables = [
        night.alerts.assign(evidence=labels["evidence"], night=number)
        for number, (night, labels) in enumerate(nights)
    ]
    return pd.concat(tables).set_index(["night", "candid"]).sort_index()


@pytest.fixture(scope="module")
def alerts():
    return _alerts(POPULATIONS)


def test_the_order_of_declaration_has_no_effect(alerts):
    pd.testing.assert_frame_equal(_alerts(POPULATIONS[::-1]), alerts)


@pytest.mark.parametrize("mix", ["natural", "balanced"])
def test_a_new_population_leaves_the_alerts_of_the_others_identical(mix):
    """It takes a part of their alerts; those that remain are equal to the bit."""
    before, after = _alerts(POPULATIONS, mix=mix), _alerts((*POPULATIONS, EXTRA), mix=mix)
    assert (after["evidence"] == "simulated: extra").sum() > 2
    for name in before["evidence"].unique():
        old, new = (table[table["evidence"] == name] for table in (before, after))
        fewer = min(len(old), len(new))
        both = old.index.intersection(new.index)
        assert len(both) == fewer, name
        pd.testing.assert_frame_equal(old.loc[both], new.loc[both])
    others = after[after["evidence"] != "simulated: extra"]
    assert len(others) < len(before)


def test_each_population_is_found_once():
    assert find_populations() == POPULATIONS
    names = [population.name for population in POPULATIONS]
    assert len(set(names)) == len(names)
    assert {"asteroid", "RR Lyrae", "blazar", "dipole", "FBOT", "kilonova"} <= set(names)
    assert {population.label for population in POPULATIONS} == set(LABELS)


def test_a_repeated_name_is_refused():
    with pytest.raises(ValueError, match="two populations are named 'extra'"):
        sort_populations([EXTRA, EXTRA])


def test_mistaken_for_names_existing_populations():
    known = {*LABELS, *(population.name for population in POPULATIONS)}
    for population in POPULATIONS:
        assert population.mistaken_for, population.name
        assert set(population.mistaken_for) <= known - {population.name}, population.name


def test_the_table_lists_every_population():
    lines = population_table().splitlines()
    assert len(lines) == len(POPULATIONS) + 1
    for line, population in zip(lines[1:], POPULATIONS, strict=True):
        assert line.startswith(f"{population.name} ")
        assert ", ".join(population.mistaken_for) in line


@pytest.mark.parametrize("population", POPULATIONS, ids=lambda population: population.name)
def test_every_population_draws_valid_sources(population, observed):
    sources = population.draw(np.random.default_rng(8), 50, observed)
    assert len(sources) == 50
    assert ((sources.ra >= 0) & (sources.ra < 360)).all()
    assert (np.abs(sources.dec) <= 90).all()
    row = np.repeat(np.arange(50), 3)
    jd = np.tile(observed.first_jd + np.array([-60.0, -1.0, 0.3]), 50)
    flux = sources.flux(row, jd, np.tile([1, 2, 3], 50))
    assert flux.shape == (150,)
    assert np.isfinite(flux).all()
    backward = sources.flux(row[::-1], jd[::-1], np.tile([1, 2, 3], 50)[::-1])
    np.testing.assert_array_equal(backward[::-1], flux)
    assert sources.reference_flux.shape == (50, 3)
    assert (sources.reference_flux >= 0).all()
