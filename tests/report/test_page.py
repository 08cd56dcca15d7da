"""The HTML file: complete, small, safe and reproducible."""

import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from tests.report import nights
from ztfml.errors import DataError
from ztfml.report import render, write_report


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def parsed(page):
    return Page(page.read_text(encoding="utf-8"))


def test_the_page_loads_nothing(parsed):
    for tag, attributes in parsed.tags:
        for name in ("src", "srcset", "data", "action", "background", "poster"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
    assert parsed.all("link") == []
    style = next(text for text in parsed.text if ":root" in text)
    assert "url(" not in style
    assert "@import" not in style


def test_external_links_are_safe(summary):
    for card in summary["cards"]:
        assert len(card["links"]) == 10
        assert all(address.startswith("https://") for _, address in card["links"])


def test_hostile_names_are_escaped(parsed, page):
    assert [script.get("type") for script in parsed.all("script")] == ["application/json", None]
    assert not any("onerror" in attributes for _, attributes in parsed.tags)
    assert nights.HOSTILE in parsed.text
    text = page.read_text(encoding="utf-8").partition('id="data">')[2].partition("</script>")[0]
    assert not set("<>&") & set(text)
    cards = {card["objectId"]: card for card in json.loads(text)["cards"]}
    assert nights.HOSTILE in cards
    assert cards[nights.FADING]["context"][1]["name"] == "<b>host</b>"
    assert {"data-object": nights.HOSTILE}.items() <= max(
        parsed.all("article"), key=lambda article: article["data-object"] == nights.HOSTILE
    ).items()


def test_every_object_has_a_row_and_a_card(parsed):
    rows = [a["data-candid"] for a in parsed.all("tr") if "data-candid" in a]
    cards = [a["data-candid"] for a in parsed.all("article")]
    assert len(rows) == 65
    assert cards == rows
    assert str(nights.CANDIDS[nights.FADING]) == cards[0]


def test_the_same_summary_gives_the_same_page(summary, page):
    assert render(summary) == page.read_text(encoding="utf-8")


def test_the_page_is_small(page):
    assert page.stat().st_size < 15e6 / 10


def test_a_page_of_500_objects_with_usual_light_curves_is_small(summary):
    many = next(card for card in summary["cards"] if card["objectId"] == nights.MANY)
    usual = {**many, "light_curve": {**many["light_curve"]}}
    usual["light_curve"]["points"] = usual["light_curve"]["points"][:100]
    assert len(render({**summary, "cards": [usual] * 500}).encode()) < 5e6


def test_numbers_are_neither_nan_nor_none(page):
    body = page.read_text(encoding="utf-8").partition("<body")[2].partition("<script>")[0]
    assert not re.search(r"\b(nan|NaN|None|inf)\b", body)


def test_a_missing_output_folder(night, tmp_path):
    predictions = nights.predictions_of(night)
    ranked = nights.ranked_of(night, predictions)
    model = SimpleNamespace(
        card={}, folder="mine", predict_and_rank=lambda *_: (predictions, ranked)
    )
    with pytest.raises(DataError, match="cannot be written"):
        write_report(night, model, tmp_path / "none" / "night.html")
    write_report(night, model, tmp_path / "night.html", top=3)
    assert (tmp_path / "night.html").read_text(encoding="utf-8").count("<article") == 3
