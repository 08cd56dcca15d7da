"""Progress bars appear on terminals only, and after two seconds."""

import sys

import pytest

from ztfml.io import progress


@pytest.fixture
def bars(monkeypatch):
    """Bars that are started, on a stderr that claims to be a terminal."""
    started = []

    class Bar:
        def add_task(self, description, total):
            started.append((description, total))
            return 0

        def update(self, task, completed):
            started.append(completed)

        def stop(self):
            started.append("stopped")

    monkeypatch.setattr(progress, "_start_bar", Bar)
    monkeypatch.setattr(progress, "SHOW_AFTER", -1.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    yield started
    progress.show_progress(False)


def test_a_bar_counts_the_items(bars):
    progress.show_progress(True)
    assert list(progress.track(["a", "b"], "reading")) == ["a", "b"]
    assert bars == [("reading", 2), 1, 2, "stopped"]


def test_bars_are_off_by_default(bars):
    assert list(progress.track(["a", "b"], "reading")) == ["a", "b"]
    assert bars == []


def test_the_bar_stops_after_an_error(bars):
    progress.show_progress(True)
    items = progress.track(iter([1, 2]), "reading", total=2)
    next(items)
    next(items)
    items.close()
    assert bars == [("reading", 2), 1, "stopped"]
