"""The summary of a night: plain values, correct counts, and no look-ahead."""

import base64
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.report import nights
from ztfml.labels.marks import COLUMNS
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.report import render, summarize
from ztfml.report.curve import UNSEEN
from ztfml.sources.links import links
from ztfml.taxonomy import LABELS


def card(summary, name):
    return next(card for card in summary["cards"] if card["objectId"] == name)


def test_the_summary_is_plain_json(summary):
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_counts_of_the_night(summary):
    night = summary["night"]
    assert (night["name"], night["title"], night["jd"]) == (
        "odd",
        "ZTF night 2023-02-25",
        2460000.5,
    )
    assert (night["alerts"], night["objects"], night["with_history"]) == (65, 65, 4)
    assert night["bands"][0] == {"band": "g", "alerts": 65, "median_limit": 20.5}
    assert night["bands"][2] == {"band": "i", "alerts": 0, "median_limit": None}
    assert [row["label"] for row in summary["classes"]] == list(LABELS)
    assert sum(row["alerts"] for row in summary["classes"]) == 65
    assert summary["classes"][4]["alerts"] == 5
    assert summary["cuts"][0]["alerts_left"] == 65


def test_the_list_and_the_cards(summary):
    assert summary["n_ranked"] == 65
    assert [row["rank"] for row in summary["cards"]] == list(range(1, 66))
    first = summary["cards"][0]
    assert first["objectId"] == nights.FADING
    assert first["candid"] == "2200000000000000001"
    assert first["label"] == "transient"


def test_cards_of_odd_objects(summary):
    for name in nights.NAMES:
        one = card(summary, name)
        assert one["candid"] == str(nights.CANDIDS[name])
        assert len(one["probabilities"]) == 5
        assert len(one["terms"]) == len(summary["terms"])
        assert 1 / (1 + np.exp(-sum(one["terms"]))) == pytest.approx(one["score"], rel=0.002)
        assert dict(one["links"])["TNS"].startswith("https://www.wis-tns.org/search?ra=")
    assert all(meaning for _, meaning in summary["terms"])
    assert card(summary, nights.ALONE)["light_curve"]["points"] == [[0.0, 18.0, 0.1, 20.5, 0]]
    limits = [p for p in card(summary, nights.LIMITS)["light_curve"]["points"] if p[1] is None]
    assert [p[0] for p in limits] == [-5.0, -3.0]
    assert len(card(summary, nights.MANY)["light_curve"]["points"]) == 901


def test_earlier_marks_are_on_the_card(night):
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    rows = [
        [nights.FADING, "follow", "", "2023-02-20T01:00:00Z"],
        [nights.FADING, "reject", "Ada", "2023-02-21T01:00:00Z"],
        ["ZTF99other", "follow", "", ""],
    ]
    marks = pd.DataFrame(rows, columns=["objectId", "mark", "who", "when"])
    marks = marks.reindex(columns=list(COLUMNS), fill_value="")
    summary = summarize(night, predictions, ranked, marks=marks)
    assert card(summary, nights.FADING)["earlier"] == {
        "objectId": nights.FADING, "mark": "reject", "who": "Ada", "when": "2023-02-21T01:00:00Z",
    }  # fmt: skip
    assert card(summary, nights.ALONE)["earlier"] is None


def test_the_first_sentence_says_what_the_night_contains(night):
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    fast = summarize(night, predictions, ranked.assign(score=[0.5, 0.2] + [0.01] * 63))["headline"]
    assert fast.startswith("2 objects may be fast (score at least 0.1); the best is ZTF23fading0")
    slow = summarize(night, predictions, ranked.assign(score=0.01))["headline"]
    assert slow.startswith("Nothing")
    assert slow.endswith(".")
    assert summarize(night, predictions, ranked[:0])["headline"].endswith(".")


def test_more_objects_are_ranked_than_listed(night):
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    summary = summarize(night, predictions, ranked, top=10)
    assert (summary["n_ranked"], len(summary["cards"])) == (65, 10)


def test_fetched_data_are_on_the_card(summary):
    one = card(summary, nights.FADING)
    assert one["classified"] == "already classified as IIb"
    assert [match["name"] for match in one["context"]] == ["SN 2023xy", "<b>host</b>"]
    assert one["context"][1]["redshift"] is None
    assert one["stamps"]["of_this_alert"]
    assert [image["kind"] for image in one["stamps"]["images"]] == [
        "science", "reference", "difference",
    ]  # fmt: skip
    assert card(summary, nights.ALONE)["stamps"] is None
    assert card(summary, nights.ALONE)["context"] == []


def test_cutouts_keep_their_orientation(summary):
    images = card(summary, nights.FADING)["stamps"]["images"]
    science, reference, difference = (
        np.array(Image.open(io.BytesIO(base64.b64decode(image["png"].partition(",")[2]))))
        for image in images
    )
    assert (science[..., 1] == 0).all(), "missing pixels are transparent"
    assert (reference[..., 1] == 255).all()
    assert reference[0, 0, 0] < reference[62, 62, 0], "the first row stays the first"
    assert len(np.unique(difference[..., 0])) == 1


def test_photometry_outside_the_history_is_marked(night, summary):
    points = card(summary, nights.FADING)["light_curve"]["points"]
    # The points at -50 d and +2 d were fetched; the night already has -3 d.
    detections = {round(p[0]): p[4] for p in points if p[1] is not None}
    assert detections == {-50: UNSEEN, -3: 0, -2: 0, -1: 0, 0: 0, 2: UNSEEN}
    predictions = nights.predictions_of(night)
    without = summarize(night, predictions, nights.ranked_of(night, predictions))
    seen = [p for p in points if not p[4] & UNSEEN]
    assert card(without, nights.FADING)["light_curve"]["points"] == seen


def test_a_night_without_positions_has_no_sky():
    night = nights.odd_night()
    night = night.replace(alerts=night.alerts.drop(columns=["ra", "dec"]))
    predictions = nights.predictions_of(night)
    summary = summarize(night, predictions, nights.ranked_of(night, predictions))
    assert summary["sky"] is None
    assert [name for name, _ in summary["cards"][0]["links"]] == [
        "ALeRCE", "Fink", "Lasair", "Fritz",
    ]  # fmt: skip


def test_an_alert_without_a_time_has_no_light_curve():
    night = nights.odd_night()
    first = night.alerts.index == 0
    night = night.replace(alerts=night.alerts.assign(jd=night.alerts["jd"].mask(first)))
    predictions = nights.predictions_of(night)
    summary = summarize(night, predictions, nights.ranked_of(night, predictions))
    timeless = card(summary, night.alerts["objectId"].iloc[0])
    assert timeless["light_curve"] is None
    assert timeless["reasons"]
    assert f'data-object="{timeless["objectId"]}"' in render(summary)


def test_links_contain_names_and_positions():
    found = dict(links("ZTF18abukavn", 123.5, -4.25))
    assert list(found) == [
        "ALeRCE", "Fink", "Lasair", "Fritz", "TNS", "NED", "SIMBAD", "PS1", "Legacy Survey",
        "Aladin",
    ]  # fmt: skip
    assert all("ZTF18abukavn" in found[name] for name in ("ALeRCE", "Fink", "Lasair", "Fritz"))
    for name in list(found)[4:]:
        assert "123.500000" in found[name]
        assert "-4.250000" in found[name]


@pytest.mark.parametrize("name", ["a/../b", 'x"onclick=', "j a v a", "ü?#&"])
def test_links_of_strange_names_are_valid_urls(name):
    for _, address in links(name):
        assert set('" <>#?&').isdisjoint(address)
        assert address.count("/") <= 5


def test_the_title_of_several_nights():
    night = nights.odd_night()
    night.alerts.loc[0, "jd"] += 3
    predictions = nights.predictions_of(night)
    summary = summarize(night, predictions, nights.ranked_of(night, predictions))
    assert summary["night"]["title"] == "ZTF alerts 2023-02-25 to 2023-02-28"


def test_a_real_night(shared_data):
    night = Night.load(shared_data / "alerts" / "ztf_alerts_2458451.5.parquet")
    predictions, ranked = Model.load().predict_and_rank(night, top=20)
    summary = summarize(night, predictions, ranked, top=20)
    json.dumps(summary, allow_nan=False)
    assert summary["night"]["title"] == "ZTF night 2018-11-29"
    assert sum(row["alerts"] for row in summary["classes"]) == len(night)
    assert [row["objectId"] for row in summary["cards"]] == ranked["objectId"].tolist()
    for card in summary["cards"]:
        packet = dict(card["packet"])
        assert packet["real-bogus score"].startswith("rb ")
        assert card["light_curve"]["points"]
    assert render(summary).count("<article") == 20


def test_infinite_values_are_missing_on_the_page(night):
    alerts = night.alerts.assign(distnr=np.inf, magnr=np.inf, drb=np.inf)
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions).assign(age=np.inf, last_mag=-np.inf)
    summary = summarize(night.replace(alerts=alerts), predictions, ranked, None, None, 3)
    json.dumps(summary, allow_nan=False)
    assert summary["cards"][0]["age"] is None
    assert "reference source" not in dict(summary["cards"][0]["packet"])
    assert "inf" not in str(summary["cards"][0]["packet"])
