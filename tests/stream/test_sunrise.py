"""Ends of nights and durations, as users write them."""

import datetime

import pytest

from ztfml.errors import DataError
from ztfml.stream.sunrise import end_of_night, next_sunrise, seconds_of

NOW = datetime.datetime(2024, 6, 1, 5, 0, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("start", "rise"),
    # By hand: declination 22.07 and -23.44 deg, equation of time +2.1 and +1.9 min, so hour angles
    # of 106.6 and 74.6 deg before the transit at 19:45 UTC.
    [("2024-06-01 05:00", "2024-06-01 12:39"), ("2024-12-21 02:00", "2024-12-21 14:47")],
)
def test_sunrise_at_palomar(start, rise):
    begin, expected = (
        datetime.datetime.fromisoformat(one).replace(tzinfo=datetime.UTC) for one in (start, rise)
    )
    assert abs(next_sunrise(begin) - expected) <= datetime.timedelta(minutes=4)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("12:30", "2024-06-01T12:30+00:00"),
        ("4:59", "2024-06-02T04:59+00:00"),
        ("2024-06-01T12:30", "2024-06-01T12:30+00:00"),
        ("2024-06-01T05:30-07:00", "2024-06-01T12:30+00:00"),
    ],
)
def test_ends(text, end):
    assert end_of_night(text, NOW) == datetime.datetime.fromisoformat(end)


@pytest.mark.parametrize("text", ["", "noon", "25:00", "2024-05-31T12:00", "2024-13-01"])
def test_an_end_that_is_no_time_or_over(text):
    with pytest.raises(DataError, match=r"not a time|is over"):
        end_of_night(text, NOW)


def test_durations():
    assert [seconds_of(one) for one in ("30", "30s", "5m", "1.5h", " 2m ")] == [
        30.0, 30.0, 300.0, 5400.0, 120.0,
    ]  # fmt: skip
    for text in ("", "0", "-5m", "5 d", "five", "nan"):
        with pytest.raises(DataError, match="not a duration"):
            seconds_of(text)
