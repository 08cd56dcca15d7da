"""Recovery: it equals a joint ranking, equal scores share rows, and each figure is right."""

import json

import numpy as np
import pandas as pd
import pytest

from ztfml import features
from ztfml.injection.baselines import BASELINES
from ztfml.injection.observing import Injected
from ztfml.injection.positions import GroupPositions
from ztfml.injection.recall import first_nights, recall_table
from ztfml.injection.recovery import (
    OURS,
    TOPS,
    InjectedNight,
    last_alerts,
    measure_recall,
    recover,
    score_all,
)
from ztfml.injection.report import recovery_report
from ztfml.io.alert_table import latest_rows
from ztfml.io.companions import forced_beside, history_beside
from ztfml.model.probabilities import probabilities
from ztfml.night import Night
from ztfml.ranking import FastTransientScorer


def as_tables(night, folder):
    """The tables of the files of a night: alerts, history and forced photometry."""
    path = folder / "night.parquet"
    night.save(path)
    return [
        pd.read_parquet(file).reset_index(drop=file == path)
        for file in (path, history_beside(path), forced_beside(path))
    ]


def test_recovery_equals_ranking_a_night_that_contains_the_events(injected_night, model, tmp_path):
    injected = injected_night.injected
    rows = np.flatnonzero(injected_night.repeat == 2)
    latest = last_alerts(injected)[rows]
    tables = [
        as_tables(night, tmp_path)
        for night in (injected_night.night, injected.night.subset(latest))
    ]
    path = tmp_path / "together.parquet"
    files = (path, history_beside(path), forced_beside(path))
    for seed, (file, parts) in enumerate(zip(files, zip(*tables, strict=True), strict=True)):
        table = pd.concat(parts, ignore_index=True).sample(frac=1, random_state=seed)
        table.to_parquet(file, index=False)
    together = Night.load(path)
    table = features.compute(together)
    p = probabilities(model.classifier, table)
    index = pd.Index(together.alerts["candid"]).get_indexer(
        injected.night.alerts["candid"].iloc[latest]
    )
    # Forced fluxes are in nJy in the file and in uJy in memory: the last digit may differ.
    np.testing.assert_allclose(
        table.iloc[index].to_numpy(), injected_night.event_tables[0].iloc[latest].to_numpy(),
        rtol=1e-14,
    )  # fmt: skip
    np.testing.assert_array_equal(
        p.iloc[index].to_numpy(), injected_night.event_tables[1].iloc[latest].to_numpy()
    )
    ranked = FastTransientScorer().rank(together, table, p)
    rank = ranked.set_index("candid")["rank"][together.alerts["candid"].iloc[index]].to_numpy()
    night_scores = score_all(injected_night.night, *injected_night.night_tables)[OURS][
        latest_rows(injected_night.night.alerts)
    ]
    event_scores = score_all(injected.night, *injected_night.event_tables)[OURS][
        last_alerts(injected)
    ]
    positions = GroupPositions(np.sort(night_scores), event_scores, injected_night.repeat)
    np.testing.assert_array_equal(rank, positions.above[rows] + 1)
    for name, method in BASELINES.items():
        np.testing.assert_array_equal(
            method(together, table, p)[index],
            method(injected.night, *injected_night.event_tables)[latest],
            err_msg=name,
        )


def test_equal_scores_share_the_remaining_rows():
    night_scores = np.sort([0.9, 0.5, 0.5, 0.1])
    positions = GroupPositions(night_scores, np.array([0.5, 0.95, 0.0]), np.array([0, 0, 1]))
    # Two scores are above the first event (0.9 and 0.95), three are equal (0.5).
    assert positions.probability(2).tolist() == [0, 1, 0]
    assert positions.probability(3) == pytest.approx([1 / 3, 1, 0])
    assert positions.probability(5).tolist() == [1, 1, 1]
    assert positions.rank().tolist() == [4, 1, 5]


def test_alerts_that_a_filter_removes_are_in_no_list():
    positions = GroupPositions(np.array([-np.inf]), np.array([-np.inf, 0.1]), np.array([0, 0]))
    assert positions.probability(12).tolist() == [0, 1]
    assert np.isnan(positions.rank()).tolist() == [True, False]


def make_events(**columns):
    n = len(columns["n_nights"])
    plain = {"kind": ["kilonova"] * n, "peak_mag": [18.5] * n, "rate": [0.5] * n}
    return pd.DataFrame(plain | columns)


def test_recall_of_five_events():
    events = make_events(
        kind=["kilonova", "kilonova", "Ic-BL", "kilonova", "kilonova"],
        n_nights=[2, 3, 2, 1, 2],
        peak_mag=[18.5, 19.5, 16.0, 18.0, 20.5],
        rate=[-0.7, 0.1, 0.4, 0.5, 0.5],
    )
    probability = np.array([1.0, 0.0, 1.0, 0.5, 0.25])
    table = recall_table(events, {"one": {12: probability}}, {"kilonova": 3.0, "Ic-BL": 1.0})

    def value(title, name):
        return table[title][name]["recall"]["one"]["12"]["value"]

    assert value("cells", "two nights or more, peak < 20") == pytest.approx(2 / 3)
    # Three expected kilonovae for four injected give each a weight of 3/4.
    weighted = (0.75 * 1 + 0.75 * 0 + 1) / 2.5
    assert value("cells", "the same, weighted by event rates") == pytest.approx(weighted)
    assert value("cells", "one night, peak < 20") == 0.5
    assert value("cells", "two nights or more, fainter") == 0.25
    assert "one night, fainter" not in table["cells"]
    assert table["kind"]["kilonova"]["n"] == 2
    assert value("kind", "kilonova") == 0.5
    assert value("peak magnitude", "over 20") == 0.25
    assert value("peak magnitude", "up to 17") == 1
    assert value("rate", "0.6 to 1.2") == 1
    assert value("rate", "up to 0.15") == 0
    assert value("nights", "1") == 0.5
    assert value("nights", "2") == 1


def test_intervals_contain_the_value_and_shrink_with_numbers():
    def interval(n):
        events = make_events(n_nights=[2] * n)
        probability = np.arange(n) % 2
        table = recall_table(events, {"one": {12: probability}}, {"kilonova": 1.0}, seed=1)
        one = table["cells"]["two nights or more, peak < 20"]["recall"]["one"]["12"]
        low, high = one["interval"]
        assert low <= one["value"] <= high
        return high - low

    # The standard deviation of a fraction of 1/2 is 1 / (2 sqrt(n)); 90 % are within 1.64 sigma.
    assert interval(400) == pytest.approx(2 * 1.64 / 2 / 20, rel=0.35)
    assert interval(40) > 2 * interval(400)


def test_first_nights_of_three_events():
    class Stub:
        alerts = pd.DataFrame(
            {"jd": [1.5, 2.5, 3.5, 2.5, 3.5, 3.5], "magpsf": [20.5, 19, 19, 18, 18, 17]}
        )

    injected = Injected(Stub, np.array([0, 0, 0, 1, 1, 2]), None, None)
    listed = {"one": np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.5])}
    first = first_nights(injected, listed)
    # The first event is fainter than 20 on its first night, so it does not count there.
    assert first["n"] == [2, 2, 1, 0, 0]
    # An event that was in the list counts on all later nights.
    assert first["listed"]["one"] == [0.75, 0.5, 1.0, None, None]


def test_the_result_is_complete_and_repeatable(injected_night, night, model, labels):
    found = measure_recall(injected_night, labels=labels)
    assert found == recover(night, model, repeats=12, seed=3, labels=labels)
    json.dumps(found, allow_nan=False)
    assert len(found["events"]) == 60
    for part in found["recall"]["cells"].values():
        assert list(part["recall"]) == [OURS, *BASELINES]
        for by_top in part["recall"].values():
            values = [by_top[str(top)]["value"] for top in TOPS]
            assert values == sorted(values)
    counts = pd.Series([event["repeat"] for event in found["events"]]).value_counts()
    assert (counts == 5).all()
    report = recovery_report(found)
    assert "two nights or more, peak < 20" in report
    assert "objects of the night in the first 12" in report
    assert "objects of the night in the first" not in recovery_report(
        measure_recall(injected_night)
    )


def test_fast_transients_of_the_night_are_excluded(injected_night, labels):
    named = labels.assign(evidence="catalogue")
    objects = pd.unique(named["objectId"][named["label"] == "transient"])[:2]
    fast = named["objectId"].isin(objects)
    named.loc[fast, "evidence"] = "TNS: AT2018cow-like FBOT"
    # A star is not excluded, whatever its evidence.
    named.loc[named["label"] == "star", "evidence"] = "was a kilonova candidate"
    assert measure_recall(injected_night, labels=named)["n_excluded"] == 2
    assert measure_recall(injected_night)["n_excluded"] == 0


def test_objects_in_the_first_rows_are_counted_by_class(injected_night, labels):
    class StarsFirst:
        """A scorer that ranks by the probability of a star."""

        def score(self, table, p):
            return p["p_star"].to_numpy()

    counts = measure_recall(injected_night, StarsFirst(), labels)["first_rows"][OURS]
    assert counts["star"] > 9
    assert sum(counts.values()) <= 12 + 1e-9


def test_a_perfect_scorer_recovers_all_events(injected_night):
    class Perfect:
        def score(self, table, p):
            return (table["drb"].to_numpy() > -1) * (len(table) < len(injected_night.night)) * 1.0

    found = measure_recall(injected_night, Perfect())
    for part in found["recall"]["cells"].values():
        assert part["recall"][OURS]["12"]["value"] == 1


def test_zero_events_per_night_are_refused(night, model):
    with pytest.raises(Exception, match="cannot inject 0 events 3 times"):
        InjectedNight(night, model, repeats=3, per_night=0)
