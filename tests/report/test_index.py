"""The page of several nights, from the records in their pages."""

import pandas as pd
import pytest

from tests.report import nights
from tests.report.browser import NARROW, saved
from ztfml.labels.marks import COLUMNS
from ztfml.report import render
from ztfml.report.index import months_of, night_record, read_record, write_index


@pytest.fixture
def folder(summary, tmp_path):
    """Two pages in one month, one page without a date, and files that are not pages."""
    for name, date, n_fast in (("one", "2023-02-24", 0), ("two", "2023-02-25", 3)):
        jd = 2459999.5 + (name == "two")
        night = summary["night"] | {"title": f"ZTF night {date}", "jd": jd, "name": name}
        changed = summary | {"night": night, "n_fast": n_fast, "index": "index.html"}
        (tmp_path / f"{name}.html").write_text(render(changed), "utf-8")
    (tmp_path / "other.html").write_text("<!doctype html><title>x</title>")
    bad = '<meta name="ztfml-night" content="{&#34;title&#34;: 3}">'
    (tmp_path / "damaged.html").write_text(bad)
    return tmp_path


def test_the_record_of_a_page_is_read_back(summary, page, tmp_path):
    record = night_record(summary)
    assert read_record(page) == record
    assert record["best"][0][0] == nights.FADING
    assert len(record["listed"]) == 65
    assert read_record(tmp_path) is None


def test_the_index_lists_all_pages_of_the_folder(folder):
    index = write_index(folder).read_text("utf-8")
    assert index.count('<td><a href="') == 2
    assert index.index('<td><a href="two.html"') < index.index('<td><a href="one.html"')
    assert '<td class="has-night fast"><a href="two.html"' in index
    assert "2 nights; 3 objects may be fast." in index
    assert nights.HOSTILE not in index
    assert write_index(folder).read_text("utf-8") == index, "the index is not a night"


def test_an_empty_folder(tmp_path):
    assert "No night has a page" in write_index(tmp_path).read_text("utf-8")


def test_months_begin_on_monday_and_skip_unknown_dates():
    months = months_of([{"date": "2024-02-29"}, {"date": "2023-12-31"}, {"date": ""}])
    assert [month["name"] for month in months] == ["February 2024", "December 2023"]
    assert months[0]["weeks"][4][3] == {"day": 29, "nights": [{"date": "2024-02-29"}]}
    assert months[0]["weeks"][0][:3] == [None] * 3


def test_marked_objects_of_all_nights(open_page, folder, tmp_path):
    rows = [[nights.ALONE, "follow", "Ada", "2023-02-20T00:00:00Z"], ["ZTF99", "reject", "", ""]]
    marks = pd.DataFrame(rows, columns=["objectId", "mark", "who", "when"])
    index = write_index(folder, marks.reindex(columns=list(COLUMNS), fill_value=""))
    tab = open_page()
    tab.goto((folder / "one.html").as_uri())
    tab.keyboard.press("j")
    tab.keyboard.press("f")
    tab.keyboard.press("x")
    tab.get_by_role("link", name="All nights").click()
    assert tab.url == index.as_uri()
    assert tab.locator("#open-count").text_content() == (
        "2 followed without a class, of 4 marked objects"
    )
    row = tab.locator("#marked tbody tr", has_text=nights.ALONE)
    assert row.locator("td").nth(3).text_content() == "Ada"
    assert tab.locator("#marked tbody tr").count() == 2
    tab.click("#show-all")
    assert tab.locator("#marked tbody tr").count() == 4
    path = tmp_path / "all.csv"
    assert saved(tab, "#export-marks", path) == "all_marks.csv"
    assert len(pd.read_csv(path)) == 4
    row.get_by_role("link", name="2023-02-25").click()
    assert tab.url == (folder / "two.html").as_uri() + f"#{nights.ALONE}"
    assert tab.locator(".card.current h3").text_content() == nights.ALONE
    assert tab.messages == []


def test_the_index_fits_a_phone(open_page, folder):
    tab = open_page(NARROW)
    tab.goto(write_index(folder).as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
