"""Which rows the ranked list contains, its headline, and reasons from galaxies and sky maps."""

import numpy as np
import pandas as pd
import pytest

from tests.nights import random_night
from tests.ranking.rows import features as feature_row
from tests.ranking.rows import probabilities_of, term
from ztfml.features import compute
from ztfml.ranking import (
    FastTransientScorer,
    Selection,
    best_rates,
    headline,
    load_ranking,
)
from ztfml.ranking.match_reasons import match_reasons


@pytest.fixture
def scored():
    night = random_night(5, n_objects=6, max_alerts=1)
    p = probabilities_of(night)
    return night, compute(night), p


def rank(scored, **conditions):
    night, table, p = scored
    selection = Selection(**conditions) if conditions else None
    return FastTransientScorer().rank(night, table, p, selection=selection)


def test_the_list_has_the_most_probable_class(scored):
    ranked = rank(scored)
    p = scored[2].assign(candid=scored[0].alerts["candid"]).set_index("candid")
    expected = p.idxmax(axis=1).str.removeprefix("p_")
    assert (ranked["label"].to_numpy() == expected[ranked["candid"]].to_numpy()).all()


def test_stars_and_artifacts_are_not_listed(scored):
    night, table, p = scored
    p = p.copy()
    p.loc[:, :] = 0.01
    p["p_star"] = [0.96, 0.89, 0.0, 0.0, 0.0, 0.0]
    p["p_artifact"] = [0.0, 0.0, 0.9, 0.0, 0.0, 0.0]
    names = night.alerts["objectId"]
    listed = rank((night, table, p), min_score=0.0)["objectId"]
    assert sorted(listed) == sorted(names[[1, 3, 4, 5]])
    assert len(rank((night, table, p), everything=True)) == 6
    assert len(rank((night, table, p))) == 6


def test_min_score(scored):
    everything = rank(scored)
    limit = everything["score"].iloc[2]
    kept = rank(scored, min_score=limit, everything=True)
    pd.testing.assert_frame_equal(kept, everything[:3])
    assert rank(scored, min_score=1.0).empty


def test_within_a_credible_region(scored):
    night, table, p = scored
    event = {"skymap_modulus": np.nan, "skymap_modulus_err": np.nan, "days_since_event": 1.0}
    table = table.assign(skymap_level=[0.1, 0.5, 0.9, 0.95, 1.0, np.nan], **event)
    night = night.replace(alerts=night.alerts.assign(skymap_name="S230518h"))
    selection = Selection(within=0.9, everything=True)
    listed = FastTransientScorer().rank(night, table, p, selection=selection)
    assert sorted(listed["objectId"]) == sorted(night.alerts["objectId"][:3])


def test_two_names_of_a_source_have_one_row(scored):
    night, table, p = scored
    alerts = night.alerts.assign(ra=[10.0, 10.0001, 50, 60, 70, 80], dec=0.0)
    two = (night.replace(alerts=alerts), table, p * 0.1)
    everything, once = rank(two, everything=True), rank(two, min_score=0.0)
    assert len(everything) == 6
    assert len(once) == 5
    assert once["rank"].tolist() == [1, 2, 3, 4, 5]
    pair = everything["objectId"].isin(alerts["objectId"][:2])
    best, second = everything["objectId"][pair]
    assert second not in set(once["objectId"])
    (text,) = once["reasons"][once["objectId"] == best]
    assert f"same position as {second}, 0.4″ away" in text
    assert len(FastTransientScorer().rank(*two, top=5, selection=Selection())) == 5


def test_an_empty_list_has_a_headline(scored):
    assert (
        headline(rank(scored, min_score=1.0)) == "nothing to list: no object meets the conditions"
    )


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"direction": "rise", "best_rate": 0.1}, "rises like a SN Ia"),
        ({"direction": "fade", "best_rate": 0.1}, "fades like a supernova"),
        ({"direction": "", "best_rate": np.nan}, "no rate yet"),
        ({"label": "star"}, "probably a star"),
        ({"label": "agn"}, "probably an AGN"),
        ({"label": "artifact"}, "probably an artifact"),
        ({"label": "sso"}, "probably an asteroid"),
    ],
)
def test_headlines(row, text):
    best = {"label": "transient", "direction": "", "best_rate": np.nan, "score": 0.034} | row
    assert headline(pd.DataFrame([best])) == f"nothing fast tonight (best score 0.03, {text})"
    assert headline(pd.DataFrame([best | {"score": 0.1}])) == ""


def test_a_minimum_rate_of_zero_is_not_a_rate():
    rates = best_rates(feature_row(rise_bound_g=0.004, age=1.0))
    assert rates["direction"][0] == ""
    assert best_rates(feature_row(rise_bound_g=0.4, age=1.0))["direction"][0] == "rise"


# --- galaxies and sky maps -------------------------------------------------------------------


def galaxy(name="NGC 1", **changed):
    row = {
        "galaxy_chance": 0.01, "galaxy_offset_kpc": 3.1, "galaxy_offset_radii": np.nan,
        "galaxy_modulus": 33.01, "abs_mag": -17.2, "abs_mag_err": 0.11,
    } | changed  # fmt: skip
    return match_reasons(pd.DataFrame({"galaxy_name": [name]}), pd.DataFrame([row]))[0]


def test_reasons_from_a_galaxy():
    assert galaxy() == "M = −17.2 ± 0.1 in NGC 1 at 40 Mpc, offset 3.1 kpc"
    assert galaxy("") == "M = −17.2 ± 0.1 in a galaxy at 40 Mpc, offset 3.1 kpc"
    assert galaxy(None).startswith("M = −17.2 ± 0.1 in a galaxy")
    assert galaxy(abs_mag=np.nan) == "in NGC 1 at 40 Mpc, offset 3.1 kpc"
    assert galaxy(galaxy_offset_radii=1.26).endswith("offset 3.1 kpc (1.3 half-light radii)")
    assert galaxy(galaxy_chance=0.2).endswith(", 20% by chance")
    assert galaxy(galaxy_chance=0.7) == galaxy(galaxy_chance=np.nan) == ""
    assert "at 0.8 Mpc" in galaxy(galaxy_modulus=24.47)


def test_luminosity_at_the_distance_of_a_typical_host():
    row = {"host_mag": 19.0, "host_offset": 2.0, "magpsf": 18.4, "positive": 1.0, "age": 1.0}
    none = pd.DataFrame({"objectId": ["a"]})
    (text,) = match_reasons(none, pd.DataFrame([row]))
    assert text == "M ≈ −18 ± 1.3 (typical host)"
    for other in ({"host_offset": 20.0}, {"host_mag": np.nan}, {"positive": 0.0}):
        assert match_reasons(none, pd.DataFrame([row | other])) == [""]
    # A faint galaxy at this distance may be there by chance.
    assert match_reasons(none, pd.DataFrame([row | {"host_mag": 22.0, "host_offset": 9.0}])) == [""]


def event(**changed):
    row = {
        "skymap_level": 0.45, "days_since_event": 1.0, "age": 0.2,
        "skymap_modulus": np.nan, "skymap_modulus_err": np.nan,
    } | changed  # fmt: skip
    return match_reasons(pd.DataFrame({"skymap_name": ["S230518h"]}), pd.DataFrame([row]))[0]


def test_reasons_from_a_sky_map():
    assert event() == "inside the 50 % region of S230518h, first detection 0.8 d after it"
    assert event(age=3.0).endswith("first detection 2.0 d before it")
    assert event(skymap_level=0.95).startswith("outside the 90 % region of S230518h")
    assert event(days_since_event=np.nan) == "inside the 50 % region of S230518h"
    assert event(skymap_modulus=35.0).endswith("after it, event at 100 Mpc")
    assert event(skymap_level=np.nan) == ""


def test_terms_from_galaxies_and_sky_maps():
    assert term("localized") == 0
    assert term("localized", age=0.0) == 0
    scorer = FastTransientScorer()
    table = feature_row(age=0.5, magpsf=18.0, peak_mag=17.0).assign(
        abs_mag=-14.0, galaxy_chance=0.1, skymap_level=0.2, days_since_event=3.5
    )
    p = pd.DataFrame(
        [dict.fromkeys(("p_artifact", "p_sso", "p_star", "p_agn", "p_transient"), 0.2)]
    )
    terms = scorer.terms(table, p).iloc[0]
    assert terms["localized"] == pytest.approx(0.4 * load_ranking().weights["localized"])
    # First detected before the event.
    before = scorer.terms(table.assign(days_since_event=0.2), p).iloc[0]
    assert before["localized"] == 0
