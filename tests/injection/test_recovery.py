"""Recovery: the same as injecting for real, ties without favour, every figure by hand."""

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
    Stage,
    _latest,
    judge,
    recover,
    score_all,
)
from ztfml.injection.report import recovery_report
from ztfml.io.companions import history_beside
from ztfml.model.classifier import probabilities
from ztfml.night import Night, latest_rows
from ztfml.ranking import FastTransientScorer


def in_layout(night, folder):
    """A night as the two tables of its files."""
    path = folder / "night.parquet"
    night.save(path)
    return pd.read_parquet(path), pd.read_parquet(history_beside(path)).reset_index()


def test_it_equals_writing_the_events_into_the_night(stage, model, tmp_path):
    """Features, probabilities, scores and ranks are those of a night that has the events."""
    injected = stage.injected
    some = np.flatnonzero(stage.repeat == 2)
    latest = _latest(injected)[some]
    tables = [in_layout(night, tmp_path) for night in (stage.night, injected.night.subset(latest))]
    alerts, history = (pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True))
    shuffled = alerts.sample(frac=1, random_state=1)
    together = Night.from_frames(shuffled, history.sample(frac=1, random_state=2))
    table = features.compute(together)
    p = probabilities(model.classifier, table)
    place = pd.Index(together.alerts["candid"]).get_indexer(
        injected.night.alerts["candid"].iloc[latest]
    )
    np.testing.assert_array_equal(
        table.iloc[place].to_numpy(), stage.theirs[0].iloc[latest].to_numpy()
    )
    np.testing.assert_array_equal(p.iloc[place].to_numpy(), stage.theirs[1].iloc[latest].to_numpy())
    ranked = FastTransientScorer().rank(together, table, p)
    rank = ranked.set_index("candid")["rank"][together.alerts["candid"].iloc[place]].to_numpy()
    ours = score_all(stage.night, *stage.own)[OURS][latest_rows(stage.night.alerts)]
    theirs = score_all(injected.night, *stage.theirs)[OURS][_latest(injected)]
    among = GroupPositions(np.sort(ours), theirs, stage.repeat)
    np.testing.assert_array_equal(rank, among.above[some] + 1)
    for method, way in BASELINES.items():
        np.testing.assert_array_equal(
            way(together, table, p)[place],
            way(injected.night, *stage.theirs)[latest],
            err_msg=method,
        )


def test_equals_share_the_rows_that_are_left():
    own = np.sort([0.9, 0.5, 0.5, 0.1])
    among = GroupPositions(own, np.array([0.5, 0.95, 0.0]), np.array([0, 0, 1]))
    # Two are above the first (0.9, and 0.95 of its repeat), three have 0.5.
    assert among.probability(2).tolist() == [0, 1, 0]
    assert among.probability(3) == pytest.approx([1 / 3, 1, 0])
    assert among.probability(5).tolist() == [1, 1, 1]
    assert among.rank().tolist() == [4, 1, 5]


def test_what_a_filter_throws_out_is_in_no_list():
    among = GroupPositions(np.array([-np.inf]), np.array([-np.inf, 0.1]), np.array([0, 0]))
    assert among.probability(12).tolist() == [0, 1]
    assert np.isnan(among.rank()).tolist() == [True, False]


def make_events(**columns):
    n = len(columns["n_nights"])
    plain = {"kind": ["kilonova"] * n, "peak_mag": [18.5] * n, "rate": [0.5] * n}
    return pd.DataFrame(plain | columns)


def test_recall_by_hand():
    events = make_events(
        kind=["kilonova", "kilonova", "Ic-BL", "kilonova", "kilonova"],
        n_nights=[2, 3, 2, 1, 2],
        peak_mag=[18.5, 19.5, 16.0, 18.0, 20.5],
        rate=[-0.7, 0.1, 0.4, 0.5, 0.5],
    )
    share = np.array([1.0, 0.0, 1.0, 0.5, 0.25])
    table = recall_table(events, {"one": {12: share}}, {"kilonova": 3.0, "Ic-BL": 1.0})

    def value(title, name):
        return table[title][name]["recall"]["one"]["12"]["value"]

    assert value("cells", "two nights or more, peak < 20") == pytest.approx(2 / 3)
    # Kilonovae weigh 3 / 4 each, the other 1.
    weighed = (0.75 * 1 + 0.75 * 0 + 1) / 2.5
    assert value("cells", "the same, kinds as common as they are") == pytest.approx(weighed)
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


def test_intervals_hold_the_value_and_close_with_numbers():
    def interval(n):
        events = make_events(n_nights=[2] * n)
        share = np.arange(n) % 2
        table = recall_table(events, {"one": {12: share}}, {"kilonova": 1.0}, seed=1)
        one = table["cells"]["two nights or more, peak < 20"]["recall"]["one"]["12"]
        low, high = one["interval"]
        assert low <= one["value"] <= high
        return high - low

    # The standard deviation of a fraction of 1/2 is 1 / (2 sqrt(n)), nine tenths within 1.64.
    assert interval(400) == pytest.approx(2 * 1.64 / 2 / 20, rel=0.35)
    assert interval(40) > 2 * interval(400)


def test_first_nights_by_hand():
    class Stub:
        alerts = pd.DataFrame(
            {"jd": [1.5, 2.5, 3.5, 2.5, 3.5, 3.5], "magpsf": [20.5, 19, 19, 18, 18, 17]}
        )

    injected = Injected(Stub, np.array([0, 0, 0, 1, 1, 2]), None, None)
    listed = {"one": np.array([0.0, 0.0, 1.0, 1.0, 0.0, 0.5])}
    first = first_nights(injected, listed)
    # The first is fainter than 20 on its first night, and does not count then.
    assert first["n"] == [2, 2, 1, 0, 0]
    # Once in the list counts for all nights that follow.
    assert first["listed"]["one"] == [0.75, 0.5, 1.0, None, None]


def test_what_it_says_is_whole_and_repeatable(stage, night, model, labels):
    found = judge(stage, labels=labels)
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
    assert "the night's own in the first 12" in report
    assert "the night's own" not in recovery_report(judge(stage))


def test_the_nights_own_fast_transients_are_set_aside(stage, labels):
    named = labels.assign(evidence="catalogue")
    objects = pd.unique(named["objectId"][named["label"] == "transient"])[:2]
    own = named["objectId"].isin(objects)
    named.loc[own, "evidence"] = "TNS: AT2018cow-like FBOT"
    # A star is none, whatever its evidence tells.
    named.loc[named["label"] == "star", "evidence"] = "was a kilonova candidate"
    assert judge(stage, labels=named)["set_aside"] == 2
    assert judge(stage)["set_aside"] == 0


def test_the_first_rows_are_told_by_label(stage, labels):
    class First:
        """A scorer that puts stars first, as much as their order says."""

        def terms(self, table, p):
            return table.assign(p_star=p["p_star"])

        def score(self, terms):
            return terms["p_star"].to_numpy()

    counts = judge(stage, First(), labels)["first_rows"][OURS]
    assert counts["star"] > 9
    assert sum(counts.values()) <= 12 + 1e-9


def test_a_scorer_that_knows_recovers_all(stage):
    class Knows:
        def terms(self, table, p):
            return table

        def score(self, terms):
            return (terms["drb"].to_numpy() > -1) * (len(terms) < len(stage.night)) * 1.0

    found = judge(stage, Knows())
    for part in found["recall"]["cells"].values():
        assert part["recall"][OURS]["12"]["value"] == 1


def test_a_number_of_zero_is_refused(night, model):
    with pytest.raises(Exception, match="cannot inject 0 events 3 times"):
        Stage(night, model, repeats=3, a_night=0)
