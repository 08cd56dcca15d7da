"""The page in Chromium: no errors, no requests, and all keys and buttons work."""

import csv
import re
import shutil

import pytest

from tests.report import nights
from ztfml.labels.label_file import label_rows, read_labels

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright; pip install 'ztfml[test]'"
)

# Unlike wait_for_function, it waits without `eval`, which the page's security policy refuses.
expect = playwright.expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on the path; on Debian: apt-get install chromium"
)

WIDE, NARROW = {"width": 1400, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, page):
    """Open the page in a new browser; record its messages and requests."""
    contexts = []

    def open_page(viewport=WIDE, context=None, **options):
        context = context or browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.messages, tab.requests = [], []
        tab.on("console", lambda message: tab.messages.append(message.text))
        tab.on("pageerror", lambda error: tab.messages.append(str(error)))
        tab.on("request", lambda request: tab.requests.append(request.url))
        tab.goto(page.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()


def focused(tab):
    return tab.evaluate("document.activeElement.id")


def shown(tab, selector="#ranked tbody tr"):
    return tab.locator(f"{selector}:visible").count()


def saved(tab, button, path):
    with tab.expect_download() as download:
        tab.click(button)
    download.value.save_as(path)
    return download.value.suggested_filename


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


def test_j_and_k_move_from_card_to_card(open_page):
    tab = open_page()
    places = []
    for key in "jjkjjk":
        tab.keyboard.press(key)
        places.append(focused(tab))
    assert places == ["c1", "c2", "c1", "c2", "c3", "c2"]
    top = tab.evaluate("document.activeElement.getBoundingClientRect().top")
    assert 0 <= top < 100, "below the bar, at the top of the window"
    for _ in range(60):
        tab.keyboard.press("j")
    assert focused(tab) == "c50"


def test_keys_typed_into_a_note_are_text(open_page):
    tab = open_page()
    tab.keyboard.press("j")
    tab.keyboard.press("n")
    tab.keyboard.type("jkfx /")
    assert tab.locator("#c1 textarea").input_value() == "jkfx /"
    assert tab.locator("#c1").get_attribute("data-mark") == ""
    tab.keyboard.press("Escape")
    assert focused(tab) == "c1"
    tab.keyboard.press("/")
    assert focused(tab) == "search"


def test_marks_are_stored_and_shown_in_the_list(open_page):
    tab = open_page()
    tab.keyboard.press("j")
    tab.keyboard.press("f")
    tab.locator("#c2 .reject").click()
    tab.locator("#c3 select.class").select_option("agn")
    tab.locator("#c3 textarea").fill('a "quoted", note')
    again = open_page(context=tab.context)
    assert again.locator("#c1 .follow").get_attribute("aria-pressed") == "true"
    assert again.locator("#c2").get_attribute("data-mark") == "reject"
    assert again.locator("#c3 select.class").input_value() == "agn"
    assert again.locator("#c3 textarea").input_value() == 'a "quoted", note'
    assert again.locator("#ranked tbody .mark").all_text_contents()[:3] == ["★", "✕", "agn ✎"]
    assert again.locator("#mark-counts").text_content() == "1 followed, 1 classified"
    again.locator("#c1 .follow").click()
    assert again.locator("#c1").get_attribute("data-mark") == ""


def test_exported_labels_can_be_read_for_training(open_page, night, tmp_path):
    tab = open_page()
    assert tab.locator("#export-labels").is_disabled()
    cards = {tab.locator(f"#c{rank} h3").text_content(): rank for rank in range(1, 51)}
    hostile, fading = cards[nights.HOSTILE], cards[nights.FADING]
    tab.locator(f"#c{hostile} select.class").select_option("artifact")
    tab.locator(f"#c{hostile} textarea").fill('=1+1, "quoted"\nand a second line')
    tab.locator(f"#c{fading} select.class").select_option("transient")
    tab.locator(f"#c{cards[nights.MANY]} .follow").click()
    path = tmp_path / "labels.csv"
    assert saved(tab, "#export-labels", path) == "odd_labels_by_eye.csv"
    labels = read_labels(path).set_index("objectId")
    assert labels["candid"].to_dict() == {
        name: nights.CANDIDS[name] for name in (nights.FADING, nights.HOSTILE)
    }
    assert labels["label"].to_dict() == {nights.FADING: "transient", nights.HOSTILE: "artifact"}
    assert labels.loc[nights.HOSTILE, "evidence"].startswith("by eye: =1+1")
    assert not labels["circular"].any()
    assert (label_rows(night, read_labels(path)) >= 0).sum() == 2

    assert saved(tab, "#export-marks", tmp_path / "marks.csv") == "odd_marks.csv"
    with open(tmp_path / "marks.csv", newline="") as file:
        rows = {row["objectId"]: row for row in csv.DictReader(file)}
    assert rows[nights.MANY] == {
        "candid": str(nights.CANDIDS[nights.MANY]),
        "objectId": nights.MANY,
        "mark": "follow",
        "label": "",
        "note": "",
    }
    # With an apostrophe, so that a spreadsheet does not calculate it.
    assert rows[nights.HOSTILE]["note"] == '\'=1+1, "quoted"\nand a second line'


def test_marks_of_two_tabs_are_merged(open_page):
    first = open_page()
    second = open_page(context=first.context)
    first.locator("#c1 .follow").click()
    second.locator("#c2 .reject").click()
    second.locator("#c1 textarea").fill("a note")
    first.locator("#c3 select.class").select_option("agn")
    for tab in (first, second, open_page(context=first.context)):
        expect(tab.locator("#c3 select.class")).to_have_value("agn")
        expect(tab.locator("#c1 textarea")).to_have_value("a note")
        marks = tab.locator("#ranked tbody .mark").all_text_contents()[:3]
        assert marks == ["★ ✎", "✕", "agn"]
        assert tab.messages == []


def test_nights_with_one_name_do_not_overwrite_their_marks(open_page, page, tmp_path):
    """Two pages with the same name, of different objects except one."""
    other = tmp_path / "other" / page.name
    other.parent.mkdir()
    other.write_text(re.sub(r"ZTF23(?!FADING)", "ZTF24", page.read_text("utf-8")), "utf-8")
    tab = open_page()
    for rank in range(1, 11):
        tab.locator(f"#c{rank} .follow").click()
    second = open_page(context=tab.context)
    second.goto(other.as_uri())
    assert second.evaluate("document.body.dataset.night") == "odd"
    second.locator("#c12 .reject").click()
    tab.reload()
    followed = tab.locator("#mark-counts").text_content()
    assert followed.startswith("10 followed")


def test_exported_marks_can_be_imported(open_page, tmp_path):
    tab = open_page()
    tab.locator("#c1 .follow").click()
    tab.locator("#c2 select.class").select_option("agn")
    tab.locator("#c2 textarea").fill('=1+1, "quoted"\nand a second line')
    path = tmp_path / "marks.csv"
    saved(tab, "#export-marks", path)
    other = open_page()
    other.locator("#c1 .reject").click()
    other.locator("#import-file").set_input_files(path)
    expect(other.locator("#import-result")).to_have_text(
        "Imported 2 marks, classes and notes. "
        "1 differ from those in this browser and were not imported."
    )
    assert other.locator("#c1").get_attribute("data-mark") == "reject"
    assert other.locator("#c2 select.class").input_value() == "agn"
    assert other.locator("#c2 textarea").input_value() == '=1+1, "quoted"\nand a second line'
    other.locator("#import-file").set_input_files(
        {"name": "m.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    )
    expect(other.locator("#import-result")).to_have_text(re.compile("^Not imported"))
    assert other.messages == []


def test_filters_apply_to_the_list_and_the_cards(open_page):
    tab = open_page()
    assert shown(tab) == 65
    tab.fill("#search", "fading ZTF23FADING")
    assert shown(tab) == 1
    assert shown(tab, "article") == 1
    assert tab.locator("#row-count").text_content() == "1 of 65 objects"
    tab.fill("#search", "")
    tab.select_option("#by-class", "transient")
    assert shown(tab) == 5
    tab.fill("#by-rate", "0.3")
    assert shown(tab) < 5
    tab.fill("#by-rate", "")
    tab.locator("#c1 .follow").click()
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
        rates.click()
        assert rates.get_attribute("aria-sort") == order
        values = column(7)
        known = [float(value) for value in values if value]
        assert known == sorted(known, reverse=wanted)
        assert values[len(known) :] == [""] * (65 - len(known))
    tab.locator("#ranked th:nth-child(2)").click()
    assert column(2) == [str(rank) for rank in range(1, 66)]


def test_a_button_shows_the_complete_light_curve(open_page):
    tab = open_page()
    card = tab.locator("article", has=tab.locator("h3", has_text=nights.MANY))
    recent, complete = card.locator(".curve").all()
    assert recent.is_visible()
    assert not complete.is_visible()
    card.locator("button", has_text="all").click()
    assert complete.is_visible()
    assert not recent.is_visible()


def test_a_button_switches_between_dark_and_light(open_page):
    tab = open_page(color_scheme="light")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(paper)
    tab.click("#theme")
    assert tab.evaluate(paper) != light
    tab.click("#theme")
    assert tab.evaluate(paper) == light


def test_a_message_appears_if_marks_cannot_be_stored(open_page):
    tab = open_page()
    tab.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    tab.locator("#c1 .follow").click()
    assert "not saved in this browser" in tab.locator("#mark-counts").text_content()
    assert tab.messages == []
