"""The rules of axe-core (WCAG 2 A and AA) on the pages, in both colour schemes and on a phone."""

import pytest

from tests.report.browser import NARROW, WIDE, mark
from ztfml.report.index import write_index

axe = pytest.importorskip("axe_playwright_python.sync_playwright")


def violations(tab):
    options = {"resultTypes": ["violations"]}
    found = axe.Axe().run(tab, options=options).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"])
        for one in found
    ]


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_page_is_accessible(open_page, viewport, color_scheme):
    tab = open_page(viewport, color_scheme=color_scheme)
    tab.keyboard.press("j")
    mark(tab, 2, "follow")
    mark(tab, 3, "reject")
    mark(tab, 4, "skip")
    tab.locator("#c2 .plot").wait_for()
    assert violations(tab) == []
    tab.keyboard.press("Escape")
    tab.keyboard.press("?")
    assert violations(tab) == []


def test_compact_mode_and_the_index_are_accessible(open_page, page):
    tab = open_page()
    tab.keyboard.press("j")
    tab.keyboard.press("c")
    assert violations(tab) == []
    tab.goto(write_index(page.parent).as_uri())
    assert violations(tab) == []


def test_everything_can_be_reached_with_the_keyboard(open_page):
    tab = open_page()
    reached = []
    for _ in range(14):
        tab.keyboard.press("Tab")
        reached.append(
            tab.evaluate("document.activeElement.id || document.activeElement.textContent")
        )
    for name in ("who", "compact", "show-help", "theme", "import-marks"):
        assert name in reached
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.evaluate(outline) == "solid"
