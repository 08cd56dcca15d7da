"""Light curves on the page in Chromium."""

import itertools

import pytest

from tests.report import nights


def test_the_light_curve_zooms_moves_and_reads_values(open_page):
    tab = open_page()
    card = tab.locator("article", has=tab.locator("h3", has_text=nights.MANY))
    card.scroll_into_view_if_needed()
    card.locator(".ring").wait_for()
    few = card.locator(".detection").count()
    assert 1 < few < 20, "the last 30 days"
    card.get_by_role("button", name="all data").click()
    assert card.locator(".detection").count() == 901
    card.get_by_role("button", name="zoom in").click()
    half = card.locator(".detection").count()
    assert 400 < half < 500
    label = "text:nth-of-type(1)"
    before = card.locator(f".axes {label}").text_content()
    card.get_by_role("button", name="earlier").click()
    assert card.locator(f".axes {label}").text_content() != before
    card.locator(".plot").dblclick()
    assert card.locator(".detection").count() == few
    fading = tab.locator("article", has=tab.locator("h3", has_text=nights.FADING))
    fading.locator(".ring").hover(force=True)
    assert fading.locator(".reading").text_content() == (
        "18.00 ± 0.10 mag in g, 2023-02-25 06:00 UTC (0.00 d), limit 20.5"
    )
    assert fading.locator(".limit").count() == 1
    fading.locator("[data-shows=limits]").click()
    assert fading.locator(".limit").count() == 0
    assert card.locator("[data-shows=limits]").get_attribute("aria-pressed") == "false"
    fading.locator("[data-shows=flux]").click()
    assert "µJy" in fading.locator(".axes").text_content()
    fading.locator("[data-shows=g]").click()
    assert fading.locator(".detection").count() == 0
    assert tab.messages == []


def test_bright_is_up_and_time_increases_to_the_right(open_page):
    tab = open_page()
    fading = tab.locator("article", has=tab.locator("h3", has_text=nights.FADING))
    fading.scroll_into_view_if_needed()
    fading.locator(".ring").wait_for()
    boxes = [one.bounding_box() for one in fading.locator(".detection").all()]
    # Fetched data at -50 d and +2 d are not in the first view.
    assert len(boxes) == 4
    assert [box["x"] for box in boxes] == sorted(box["x"] for box in boxes)
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes), "fading"
    steps = [after["y"] - before["y"] for before, after in itertools.pairwise(boxes)]
    # 16.0, 16.8, 17.4, 18.0 mag
    assert steps[1] / steps[0] == pytest.approx(0.75, abs=0.05)
