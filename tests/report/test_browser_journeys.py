"""Work on pages in Chromium: two people merge their marks, and a page of 500 objects."""

import pandas as pd
import pytest

from tests.cli.run import ztfml
from tests.report import nights
from tests.report.browser import NARROW, WIDE, classify, focused, mark, saved, shown
from ztfml.labels.marks import read_marks
from ztfml.model.model import Model
from ztfml.night import Night
from ztfml.ranking import Selection
from ztfml.report import render, summarize, write_report
from ztfml.simulate import write_nights

expect = pytest.importorskip("playwright.sync_api").expect
LARGEST_PAGE = 5_000_000  # bytes


def person(open_page, name, tmp_path, work):
    """Open the page as another person, mark objects and export the marks."""
    tab = open_page()
    tab.fill("#who", name)
    work(tab)
    path = tmp_path / f"{name}_marks.csv"
    saved(tab, "#export-marks", path)
    assert (tab.messages, tab.requests[1:]) == ([], [])
    return path


def test_two_people_merge_their_marks(open_page, night, tmp_path, monkeypatch):
    def ada(tab):
        mark(tab, 1, "follow")
        mark(tab, 2, "reject")
        classify(tab, 3, "agn")
        classify(tab, 4, "star")

    def bob(tab):
        mark(tab, 1, "reject")
        mark(tab, 2, "reject")
        classify(tab, 3, "agn")
        mark(tab, 5, "follow")

    files = [person(open_page, "Ada", tmp_path, ada), person(open_page, "Bob", tmp_path, bob)]
    merged, labels = tmp_path / "all_marks.csv", tmp_path / "by_eye.csv"
    result = ztfml("marks", "merge", *files, "-o", merged, "--labels", labels)
    assert "5 objects, 1 disagreements" in result.stdout
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    names = ranked["objectId"].tolist()
    # One label each for objects 3 and 4; Bob, who was later, rejected object 1.
    assert set(pd.read_csv(labels)["objectId"]) == {names[2], names[3]}

    # The same objects in the next night.
    monkeypatch.setattr(nights, "NOW", nights.NOW + 1)
    monkeypatch.setattr(nights, "CANDIDS", {x: n + 1000 for x, n in nights.CANDIDS.items()})
    night = nights.odd_night(n_plain=60)
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    page = tmp_path / "next.html"
    marks = read_marks(merged)
    page.write_text(render(summarize(night, predictions, ranked, marks=marks)), "utf-8")
    tab = open_page()
    tab.goto(page.as_uri())
    assert tab.locator("#folded-count").text_content() == (
        "2 rejected and 2 classified earlier are folded away"
    )
    assert shown(tab, ".card") == shown(tab) == len(ranked) - 4
    tab.keyboard.press("h")
    cards = {tab.locator(f"#c{rank} h3").text_content(): rank for rank in range(1, 9)}
    first, fifth = cards[names[0]], cards[names[4]]
    assert "Earlier: rejected by Bob" in tab.locator(f"#c{first} .earlier").text_content()
    assert tab.locator(f"#c{fifth}").get_attribute("data-mark") == "follow"
    assert tab.messages == []


@pytest.fixture(scope="module")
def long_page(tmp_path_factory):
    """The page of a simulated night with 500 listed objects."""
    folder = tmp_path_factory.mktemp("long")
    (path,) = write_nights(folder, 1100, 1, seed=8, mix="transients")
    page = folder / "night.html"
    summary = write_report(
        Night.load(path), Model.load(), page, top=500, selection=Selection(everything=True)
    )
    assert len(summary["cards"]) == 500
    return page


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "phone"])
def test_a_page_of_500_objects(open_page, long_page, viewport):
    assert long_page.stat().st_size < LARGEST_PAGE
    tab = open_page(viewport)
    before = len(tab.requests)
    tab.goto(long_page.as_uri())
    assert shown(tab) == 500
    assert tab.locator(".card").count() == 500
    # Only what is near the screen is drawn.
    assert tab.locator(".card[data-built]").count() < 40
    tab.locator("#c500").scroll_into_view_if_needed()
    expect(tab.locator("#c500 .plot")).to_be_visible(timeout=30_000)
    mark(tab, 500, "follow")
    tab.keyboard.press("k")
    assert focused(tab) == "c499"
    tab.keyboard.press("x")
    assert tab.locator("#c499").get_attribute("data-mark") == "reject"
    assert tab.locator("#mark-counts").text_content() == "1 followed, 0 classified"
    tab.select_option("#by-class", "transient")
    assert 0 < shown(tab, ".card") == shown(tab) < 500
    assert tab.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert tab.messages == []
    assert tab.requests[before:] == [long_page.as_uri()]


@pytest.mark.parametrize("width", [1400, 1000, 390])
def test_the_bar_does_not_cover_the_card_that_is_shown(open_page, width):
    tab = open_page({"width": width, "height": 900})
    for _ in range(4):
        tab.keyboard.press("j")
    bar, title = (tab.locator(one).bounding_box() for one in (".bar", "#c4 h3"))
    assert title["y"] >= max(0, bar["y"] + bar["height"])
    # With a longer title, the bar has more lines.
    tab.evaluate("document.querySelector('.bar h1').textContent = 'A long title '.repeat(20)")
    # The page learns of the new height of the bar when the browser draws the next frame.
    tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tab.keyboard.press("j")
    bar, title = (tab.locator(one).bounding_box() for one in (".bar", "#c5 h3"))
    assert title["y"] >= max(0, bar["y"] + bar["height"])


def test_labels_of_the_time_axis_are_not_cut_off(open_page):
    tab = open_page()
    right = "getBoundingClientRect().right"
    missing = f"one => one.{right} - one.ownerSVGElement.{right}"
    labels = tab.locator("#c1 .plot .axes text").all()
    assert len(labels) > 5
    assert max(label.evaluate(missing) for label in labels) < 1
