"""A night with unusual objects and its page."""

import shutil

import pytest

from tests.report import nights
from tests.report.browser import WIDE
from ztfml.report import render, summarize


@pytest.fixture(scope="session")
def night():
    return nights.odd_night(n_plain=60)


@pytest.fixture(scope="session")
def fetched_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd") / "odd_fetched"
    nights.fetch(folder)
    return folder


@pytest.fixture(scope="session")
def summary(night, fetched_folder):
    predictions = nights.predictions_of(night)
    return summarize(night, predictions, nights.ranked_of(night, predictions), None, fetched_folder)


@pytest.fixture(scope="session")
def page(summary, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "night.html"
    path.write_text(render(summary), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no playwright; pip install 'ztfml[test]'"
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on the path; on Debian: apt-get install chromium")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=chromium,
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
        tab.set_default_timeout(15_000)
        tab.messages, tab.requests = [], []
        tab.on("console", lambda message: tab.messages.append(message.text))
        tab.on("pageerror", lambda error: tab.messages.append(str(error)))
        tab.on("request", lambda request: tab.requests.append(request.url))
        tab.goto(page.as_uri())
        return tab

    yield open_page
    for context in contexts:
        context.close()
