"""The folder of a live night is continued, and never has two nights."""

import datetime

import pytest

from ztfml.errors import DataError
from ztfml.stream.folder import open_folder, start_of_night, with_date


def utc(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("now", "date"),
    [
        # Sunset at Palomar is at 3:00 UTC in June, and at 0:40 UTC in December.
        ("2024-05-31T20:00", "20240601"),
        ("2024-05-31T23:30", "20240601"),
        ("2024-06-01T03:00", "20240601"),
        ("2024-06-01T12:50", "20240601"),
        ("2024-06-01T19:59", "20240601"),
    ],
)
def test_the_date_is_that_of_the_night(now, date):
    assert with_date("ztf_%Y%m%d_programid1", utc(now)) == f"ztf_{date}_programid1"


def test_a_night_that_was_interrupted_before_its_end_is_finished(tmp_path):
    folder = tmp_path / "live"
    end = open_folder(folder, "sunrise", utc("2024-06-01T04:00"))
    assert utc("2024-06-01T12:00") < end < utc("2024-06-01T13:00")
    # Started again in the night, after sunrise, and on the next evening.
    for now in ("2024-06-01T09:00", "2024-06-01T12:50", "2024-06-02T03:00"):
        assert open_folder(folder, "sunrise", utc(now)) == end
    assert open_folder(folder, "14:00", utc("2024-06-01T12:50")) == utc("2024-06-01T14:00")


@pytest.mark.parametrize("until", [None, "13:00", "2024-06-02T13:00"])
def test_another_night_is_refused(until, tmp_path):
    open_folder(tmp_path, "sunrise", utc("2024-06-01T04:00"))
    with pytest.raises(DataError, match=r"has the night of 2024-06-01; name another folder"):
        open_folder(tmp_path, until, utc("2024-06-02T04:00"))


def test_a_night_without_an_end_is_continued_until_noon(tmp_path):
    for now in ("2024-05-31T22:00", "2024-06-01T04:00", "2024-06-01T19:00"):
        assert open_folder(tmp_path, None, utc(now)) is None
    with pytest.raises(DataError, match="another folder"):
        open_folder(tmp_path, None, utc("2024-06-01T20:30"))


@pytest.mark.parametrize("content", ["", "[]", "{", '{"until": "x", "option": "sunrise"}'])
def test_a_damaged_record(content, tmp_path):
    (tmp_path / "watch.json").write_text(content)
    with pytest.raises(DataError, match="remove this file"):
        open_folder(tmp_path, "sunrise", utc("2024-06-01T04:00"))


def test_a_time_that_is_over_creates_nothing(tmp_path):
    with pytest.raises(DataError, match="is over"):
        open_folder(tmp_path / "live", "2024-05-01T12:00", utc("2024-06-01T04:00"))
    assert not (tmp_path / "live").exists()


def test_the_start_of_the_night():
    now = utc("2024-06-01T04:00")
    assert start_of_night("noon", now) == utc("2024-05-31T20:00")
    assert start_of_night("noon", utc("2024-05-31T20:30")) == utc("2024-05-31T20:00")
    assert start_of_night("2024-06-01T02:30", now) == utc("2024-06-01T02:30")
    assert start_of_night("2024-05-31T19:30-07:00", now) == utc("2024-06-01T02:30")
