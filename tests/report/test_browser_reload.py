"""The page of a live night in Chromium: it reloads itself, and the reader does not notice."""

import functools
import http.server
import os
import threading

import pytest

from tests.report.browser import mark, pressed
from ztfml.report import render

expect = pytest.importorskip("playwright.sync_api").expect

NAME = "ztfml night.html"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(params=["file", "http"])
def address(request, tmp_path):
    """The address of the page in a folder."""
    if request.param == "file":
        yield (tmp_path / NAME).as_uri()
        return
    handler = functools.partial(_Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/{NAME.replace(' ', '%20')}"
        server.shutdown()


def write(folder, summary, headline, age=0, reload=1.0):
    """Write the page as a round of a watch does, at some seconds before now."""
    part = folder / "part"
    part.write_text(render(summary | {"reload": reload, "headline": headline}), encoding="utf-8")
    time = part.stat().st_mtime - age
    os.utime(part, (time, time))
    part.rename(folder / NAME)


def test_a_changed_page_keeps_the_place_and_the_marks(address, summary, tmp_path, open_page):
    write(tmp_path, summary, "before", age=100)
    tab = open_page()
    tab.goto(address)
    tab.fill("#search", "ztf")
    tab.locator("#ranked th", has_text="last").locator("button").click()
    order = tab.locator("#ranked tbody a").all_text_contents()
    mark(tab, 7, "reject")
    for _ in range(20):
        tab.keyboard.press("j")
    name = tab.locator(".card.current h3").text_content()
    tab.keyboard.press("n")
    tab.keyboard.type("rising?")
    tab.keyboard.press("ArrowLeft")
    tab.mouse.wheel(0, 120)
    tab.wait_for_timeout(300)
    top = tab.evaluate("document.querySelector('.card.current').getBoundingClientRect().top")
    started = tab.evaluate("performance.timeOrigin")
    if address.startswith("http"):
        tab.wait_for_timeout(5_000)
        assert tab.evaluate("performance.timeOrigin") == started, "it has not changed"
    # In the next round the first object is gone and the others have other ranks.
    fewer = [card | {"rank": card["rank"] - 1} for card in summary["cards"][1:]]
    write(tmp_path, summary | {"cards": fewer}, "after")
    expect(tab.locator(".headline")).to_have_text("after")
    assert tab.locator(".card.current h3").text_content() == name
    now = tab.evaluate("document.querySelector('.card.current').getBoundingClientRect().top")
    assert abs(now - top) < 2
    assert tab.input_value("#search") == "ztf"
    gone = summary["cards"][0]["objectId"]
    assert tab.locator("#ranked tbody a").all_text_contents() == [n for n in order if n != gone]
    assert pressed(tab, 6) == ["reject"]
    tab.keyboard.type("!")
    assert tab.locator(".card.current textarea").input_value() == "rising!?"
    tab.keyboard.press("Escape")
    tab.keyboard.press("u")
    assert pressed(tab, 6) == []
    assert [one for one in tab.messages if "favicon" not in one and "404" not in one] == []


def test_it_reloads_only_if_the_reader_wants_it(summary, tmp_path, open_page):
    write(tmp_path, summary, "before")
    tab = open_page()
    tab.goto((tmp_path / NAME).as_uri())
    tab.uncheck("#reload")
    write(tmp_path, summary, "after")
    tab.wait_for_timeout(5_000)
    assert tab.locator(".headline").text_content() == "before"
    tab.check("#reload")
    expect(tab.locator(".headline")).to_have_text("after")
    # The last page of a night does not reload itself.
    write(tmp_path, summary, "last", reload=None)
    expect(tab.locator(".headline")).to_have_text("last")
    assert tab.locator("#reload").count() == 0
