"""Marks on the page in Chromium: keys, undo, export, import, other tabs and other nights."""

import csv
import re

import pandas as pd
import pytest

from tests.report import nights
from tests.report.browser import classify, focused, import_file, mark, pressed, saved, shown
from ztfml.labels.label_file import label_rows, read_labels
from ztfml.labels.marks import COLUMNS
from ztfml.report import render, summarize
from ztfml.taxonomy import LABELS

# Unlike wait_for_function, it waits without `eval`, which the page's security policy refuses.
expect = pytest.importorskip("playwright.sync_api").expect


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
    assert focused(tab) == "c62"
    assert tab.url.endswith("#" + tab.locator("#c62 h3").text_content())


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
    mark(tab, 2, "reject")
    classify(tab, 3, "agn")
    tab.locator("#c3 textarea").fill('a "quoted", note')
    again = open_page(context=tab.context)
    assert pressed(again, 1) == ["follow"]
    assert again.locator("#c2").get_attribute("data-mark") == "reject"
    assert pressed(again, 3) == ["agn"]
    assert again.locator("#c3 textarea").input_value() == 'a "quoted", note'
    assert again.locator("#ranked tbody .mark").all_text_contents()[:3] == ["★", "✕", "agn ✎"]
    assert again.locator("#mark-counts").text_content() == "1 followed, 1 classified"
    mark(again, 1, "follow")
    assert again.locator("#c1").get_attribute("data-mark") == ""


def test_keys_scan_fifty_objects(open_page):
    tab = open_page()
    tab.keyboard.press("j")
    given = "xxfs12345x" * 5
    for key in given:
        tab.keyboard.press(key)
    assert focused(tab) == "c51"
    names = {"x": "reject", "f": "follow", "s": "skip"} | {
        str(k + 1): x for k, x in enumerate(LABELS)
    }
    for rank in (1, 3, 4, 5, 9, 50):
        assert pressed(tab, rank) == [names[given[rank - 1]]]
    assert tab.locator("#mark-counts").text_content() == "5 followed, 25 classified"
    for _ in range(3):
        tab.keyboard.press("u")
    assert focused(tab) == "c48"
    assert [pressed(tab, rank) for rank in (47, 48, 49, 50)] == [["star"], [], [], []]
    assert tab.messages == []


def test_keys_work_after_a_click(open_page):
    tab = open_page()
    tab.locator("#c3 h3").click()
    tab.keyboard.press("x")
    assert tab.locator("#c3").get_attribute("data-mark") == "reject"
    mark(tab, 5, "follow")
    tab.keyboard.press("j")
    assert focused(tab) == "c6"
    tab.locator("h1").click()
    tab.keyboard.press("k")
    assert focused(tab) == "c5"
    tab.keyboard.press("?")
    assert tab.locator("#help").is_visible()
    tab.keyboard.press("Escape")
    tab.keyboard.press("c")
    assert tab.locator("#compact").get_attribute("aria-pressed") == "true"


def test_undo_does_not_replace_a_newer_mark_of_another_tab(open_page):
    first = open_page()
    second = open_page(context=first.context)
    mark(first, 1, "follow")
    expect(second.locator("#c1")).to_have_attribute("data-mark", "follow")
    mark(second, 1, "reject")
    expect(first.locator("#c1")).to_have_attribute("data-mark", "reject")
    first.keyboard.press("u")
    assert "changed in another tab" in first.locator("#message").text_content()
    assert first.locator("#c1").get_attribute("data-mark") == "reject"


def test_exported_labels_can_be_read_for_training(open_page, night, tmp_path):
    tab = open_page()
    assert tab.locator("#export-labels").is_disabled()
    names = tab.locator("article h3").all_text_contents()
    cards = {name: rank for rank, name in enumerate(names, start=1)}
    hostile, fading = cards[nights.HOSTILE], cards[nights.FADING]
    classify(tab, hostile, "artifact")
    tab.locator(f"#c{hostile} textarea").fill('=1+1, "quoted"\nand a second line')
    classify(tab, fading, "transient")
    tab.fill("#who", "Ada")
    mark(tab, cards[nights.MANY], "follow")
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
    when = rows[nights.MANY].pop("when")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", when)
    assert rows[nights.MANY] == {
        "candid": str(nights.CANDIDS[nights.MANY]),
        "objectId": nights.MANY,
        "mark": "follow",
        "label": "",
        "note": "",
        "who": "Ada",
        "jd": "2460000.75000",
        "predicted": "transient",
        "rate": rows[nights.MANY]["rate"],
    }
    # With an apostrophe, so that a spreadsheet does not calculate it.
    assert rows[nights.HOSTILE]["note"] == '\'=1+1, "quoted"\nand a second line'


def test_marks_of_two_tabs_are_merged(open_page):
    first = open_page()
    second = open_page(context=first.context)
    mark(first, 1, "follow")
    mark(second, 2, "reject")
    second.locator("#c1 textarea").fill("a note")
    classify(first, 3, "agn")
    for tab in (first, second, open_page(context=first.context)):
        expect(tab.locator("#c3 [data-label=agn]")).to_have_attribute("aria-pressed", "true")
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
        mark(tab, rank, "follow")
    second = open_page(context=tab.context)
    second.goto(other.as_uri())
    assert second.evaluate("document.body.dataset.night") == "odd"
    mark(second, 12, "reject")
    tab.reload()
    followed = tab.locator("#mark-counts").text_content()
    assert followed.startswith("10 followed")


def test_exported_marks_can_be_imported(open_page, tmp_path):
    tab = open_page()
    mark(tab, 1, "follow")
    classify(tab, 2, "agn")
    tab.locator("#c2 textarea").fill('=1+1, "quoted"\nand a second line')
    path = tmp_path / "marks.csv"
    saved(tab, "#export-marks", path)
    other = open_page()
    mark(other, 1, "reject")
    expect(import_file(other, path)).to_have_text(
        "Imported 2 marks, classes and notes. "
        "1 differ from newer ones in this browser and were not imported."
    )
    assert other.locator("#c1").get_attribute("data-mark") == "reject"
    assert pressed(other, 2) == ["agn"]
    assert other.locator("#c2 textarea").input_value() == '=1+1, "quoted"\nand a second line'
    assert other.messages == []


FILES = {
    "semicolons and other names": "ZTF ID;Class;Comment\n{0};AGN;seen\n{0};AGN;seen\n",
    "tabs and old Mac spelling": "objectId\tMARK\tlabel\r\n{0}\tRejected\tagn\r\n",
    "a damaged candid": "candid,objectId,label\n2.2E+18,{0},agn\n",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_of_other_programs_can_be_imported(open_page, text, encoding):
    tab = open_page()
    name = tab.locator("#c10 h3").text_content()
    message = import_file(tab, text.format(name).encode(encoding))
    expect(message).to_have_text(re.compile("^Imported [12] marks, classes and notes.$"))
    assert "agn" in pressed(tab, 10) or tab.locator("#c10").is_hidden()
    assert "1 " in tab.locator("#folded-count").text_content()


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"", b"objectId,note\nZTF,\xe9\n", b"\x00\x01\xff", b"PK\x03\x04"]
)
def test_other_files_are_not_imported(open_page, content):
    tab = open_page()
    expect(import_file(tab, content)).to_have_text(re.compile("^Not imported: the file"))
    assert tab.messages == []


def test_a_newer_mark_replaces_an_older_one_and_notes_are_joined(open_page):
    tab = open_page()
    mark(tab, 1, "reject")
    tab.locator("#c1 textarea").fill("mine")
    name = tab.locator("#c1 h3").text_content()
    candid = tab.locator("#c1").get_attribute("data-candid")
    row = f"{candid},{name},follow,theirs,Bob,2099-01-01T00:00:00Z"
    text = f"candid,objectId,mark,note,who,when\n{row}\n"
    expect(import_file(tab, text.encode())).to_have_text("Imported 2 marks, classes and notes.")
    assert tab.locator("#c1").get_attribute("data-mark") == "follow"
    assert tab.locator("#c1 textarea").input_value() == "mine; theirs"


def test_objects_that_were_rejected_or_classified_before_are_folded_away(open_page, page, tmp_path):
    """The page of the next night: other candids, 1 d later."""
    tab = open_page()
    tab.fill("#who", "Ada")
    mark(tab, 1, "reject")
    mark(tab, 2, "follow")
    classify(tab, 3, "agn")
    mark(tab, 4, "skip")
    names = [tab.locator(f"#c{rank} h3").text_content() for rank in range(1, 5)]
    later = tmp_path / "later.html"
    text = re.sub(r"\b2([23]000000000000\d{5})\b", r"3\1", page.read_text("utf-8"))
    text = text.replace('"jd":2460000.75', '"jd":2460001.75').replace("[0.0,18.0", "[-0.5,18.0")
    later.write_text(text, "utf-8")
    next_night = open_page(context=tab.context)
    next_night.goto(later.as_uri())
    assert next_night.locator("#folded-count").text_content() == (
        "1 rejected and 1 classified earlier are folded away"
    )
    assert not next_night.locator("#c1").is_visible()
    assert not next_night.locator("#c3").is_visible()
    assert shown(next_night) == 63
    earlier = next_night.locator("#c2 .earlier").text_content()
    assert earlier.startswith("Earlier: followed by Ada on 20")
    assert earlier.endswith("Since then: 1 new detection in 1.0 d.")
    next_night.keyboard.press("h")
    assert shown(next_night) == 65
    assert next_night.locator("#c3 .earlier").is_visible()
    # A decision about this alert is not an earlier one.
    mark(next_night, 3, "follow")
    assert next_night.locator("#c3 .earlier").is_hidden()
    next_night.keyboard.press("h")
    next_night.evaluate(f"location.hash = {names[0]!r}")
    expect(next_night.locator("#c1")).to_be_visible()
    assert next_night.messages == []


def test_marks_of_a_file_are_used_and_can_be_changed(browser, open_page, night, tmp_path):
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    names = ranked["objectId"].tolist()
    rows = [
        (names[0], "reject", "", "Ada"),
        (names[1], "", "agn", ""),
        (names[2], "follow", "", ""),
    ]
    marks = pd.DataFrame(rows, columns=["objectId", "mark", "label", "who"])
    marks = marks.reindex(columns=list(COLUMNS), fill_value="")
    path = tmp_path / "with_marks.html"
    path.write_text(render(summarize(night, predictions, ranked, marks=marks)), "utf-8")
    tab = open_page()
    tab.goto(path.as_uri())
    assert tab.locator("#folded-count").text_content() == (
        "1 rejected and 1 classified earlier are folded away"
    )
    tab.keyboard.press("h")
    assert tab.locator("#c1 .earlier").text_content() == "Earlier: rejected by Ada."
    mark(tab, 1, "reject")
    mark(tab, 3, "skip")
    tab.reload()
    assert tab.locator("#c1").get_attribute("data-mark") == "", "the removed mark stays removed"
    assert tab.locator("#c3").get_attribute("data-mark") == "skip"
    assert tab.locator("#folded-count").text_content() == "1 classified earlier are folded away"


def test_a_message_appears_if_marks_cannot_be_stored(open_page):
    tab = open_page()
    tab.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    mark(tab, 1, "follow")
    assert "not saved in this browser" in tab.locator("#mark-counts").text_content()
    assert tab.messages == []
