"""The page in Chromium: no errors, no requests, and all controls work."""

import re
from urllib.parse import quote

import pytest

from tests.report import nights
from tests.report.browser import NARROW, WIDE, focused, mark, shown


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_no_messages_no_requests_and_no_horizontal_scrolling(
    open_page, page, viewport, color_scheme
):
    tab = open_page(viewport, color_scheme=color_scheme)
    tab.keyboard.press("j")
    assert tab.messages == []
    assert {url for url in tab.requests if not url.startswith("data:")} == {page.as_uri()}
    assert tab.evaluate("document.documentElement.scrollWidth") == viewport["width"]
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (color_scheme == "dark")
    tab.emulate_media(media="print")
    assert not tab.locator(".filters").is_visible()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_hostile_names_are_not_executed(open_page):
    tab = open_page()
    assert tab.evaluate("window.hacked") is None
    assert nights.HOSTILE in tab.locator("article h3").all_text_contents()
    assert nights.HOSTILE in tab.locator("#ranked tbody td:nth-child(3) a").all_text_contents()


def test_filters_apply_to_the_list_and_the_cards(open_page):
    tab = open_page()
    assert shown(tab) == 65
    tab.fill("#search", "fading ZTF23FADING")
    assert shown(tab) == 1
    assert shown(tab, "article") == 1
    assert tab.locator("#row-count").text_content() == "1 of 65 ranked"
    tab.fill("#search", "")
    tab.select_option("#by-class", "transient")
    assert shown(tab) == 5
    tab.fill("#by-rate", "0.3")
    assert shown(tab) < 5
    tab.fill("#by-rate", "")
    mark(tab, 1, "follow")
    tab.select_option("#by-mark", "follow")
    assert shown(tab) == 1
    tab.select_option("#by-mark", "none")
    assert shown(tab) == 4


def test_sorting_puts_missing_values_last(open_page):
    tab = open_page()

    def column(number):
        return [
            cell.get_attribute("data-value")
            for cell in tab.locator(f"#ranked tbody td:nth-child({number})").all()
        ]

    rates = tab.locator("#ranked th:nth-child(7)")
    for order, wanted in (("descending", True), ("ascending", False)):
        rates.locator("button").click()
        assert rates.get_attribute("aria-sort") == order
        values = column(7)
        known = [float(value) for value in values if value]
        assert known == sorted(known, reverse=wanted)
        assert values[len(known) :] == [""] * (65 - len(known))
    tab.locator("#ranked th:nth-child(2) button").click()
    assert column(2) == [str(rank) for rank in range(1, 66)]


def test_cards_follow_the_order_of_the_list(open_page):
    tab = open_page()
    tab.locator("#ranked th:nth-child(9) button").click()
    order = tab.locator("#ranked tbody tr").evaluate_all("rows => rows.map(r => r.dataset.candid)")
    assert tab.locator(".card").evaluate_all("cards => cards.map(c => c.dataset.candid)") == order
    tab.keyboard.press("j")
    assert tab.locator(".card.current").get_attribute("data-candid") == order[0]


def test_an_address_opens_its_card(open_page, page):
    tab = open_page()
    tab.goto(f"{page.as_uri()}#{quote(nights.HOSTILE)}")
    tab.reload()
    assert tab.locator(".card.current h3").text_content() == nights.HOSTILE
    assert tab.messages == []


def test_cards_are_drawn_when_they_come_into_view(open_page):
    tab = open_page()
    assert tab.locator(".card[data-built]").count() < 30
    for _ in range(40):
        tab.keyboard.press("j")
    assert tab.locator("#c40 .plot").is_visible()


def test_twelve_objects_fit_on_a_screen(open_page):
    tab = open_page()
    tab.keyboard.press("j")
    tab.keyboard.press("c")
    boxes = [tab.locator(f"#c{rank}").bounding_box() for rank in range(1, 13)]
    assert all(box["y"] >= 0 and box["y"] + box["height"] <= WIDE["height"] for box in boxes)
    tab.keyboard.press("x")
    assert focused(tab) == "c2"


@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_fifty_candidates_take_26_pages(open_page, paper):
    tab = open_page()
    pdf = tab.pdf(format=paper)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 26
    assert tab.locator("#printed").text_content() == "50 of 65 listed objects are printed."
    tab.select_option("#by-class", "transient")
    assert len(re.findall(rb"/Type\s*/Page\b", tab.pdf(format=paper))) == 4


def test_a_button_switches_between_dark_and_light(open_page):
    tab = open_page(color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(paper)
    tab.click("#theme")
    assert tab.evaluate(paper) != light
    tab.click("#theme")
    assert tab.evaluate(paper) == light


def test_an_alert_without_a_time_can_be_marked(open_page, page, tmp_path):
    text = page.read_text("utf-8")
    curve = re.compile(r'"light_curve":\{.*?"modulus":[^}]*\}')
    timeless = tmp_path / "timeless.html"
    timeless.write_text(curve.sub('"light_curve":null', text, count=1), "utf-8")
    tab = open_page()
    tab.goto(timeless.as_uri())
    tab.keyboard.press("j")
    assert "The time of this alert is unknown." in tab.locator("#c1").text_content()
    mark(tab, 1, "follow")
    assert tab.locator("#c1").get_attribute("data-mark") == "follow"
    assert tab.messages == []
