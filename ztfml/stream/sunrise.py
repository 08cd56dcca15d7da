"""When a live night ends."""

from __future__ import annotations

import datetime
import re

from ztfml.astrophysics import PALOMAR_HEIGHT, PALOMAR_LATITUDE, PALOMAR_LONGITUDE
from ztfml.errors import DataError

# Altitude of the centre of the Sun at sunrise, with refraction and its radius, in degrees.
_HORIZON = -0.833


def next_sunrise(after: datetime.datetime) -> datetime.datetime:
    """Return the next sunrise at Palomar Observatory.

    Parameters
    ----------
    after : datetime.datetime
        With a time zone.

    Returns
    -------
    datetime.datetime
        In UTC, to two minutes.

    Examples
    --------
    >>> start = datetime.datetime(2024, 6, 1, 4, 0, tzinfo=datetime.UTC)
    >>> next_sunrise(start).strftime("%Y-%m-%d %H:%M")
    '2024-06-01 12:40'
    """
    import astropy.units as u
    import numpy as np
    from astropy.coordinates import AltAz, EarthLocation, get_sun
    from astropy.time import Time
    from astropy.utils import iers

    place = EarthLocation(
        lat=PALOMAR_LATITUDE * u.deg, lon=PALOMAR_LONGITUDE * u.deg, height=PALOMAR_HEIGHT * u.m
    )
    minutes = np.arange(0, 24 * 60 + 2, 2)
    # Newer tables of the Earth's rotation change the result by less than a second.
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None):
        times = Time(after) + minutes * u.min
        altitude = get_sun(times).transform_to(AltAz(obstime=times, location=place)).alt.deg
    rises = np.flatnonzero((altitude[1:] > _HORIZON) & (altitude[:-1] <= _HORIZON))
    return after.astimezone(datetime.UTC) + datetime.timedelta(minutes=int(minutes[rises[0] + 1]))


def end_of_night(text: str, now: datetime.datetime) -> datetime.datetime:
    """Return the time that an option names.

    Parameters
    ----------
    text : str
        ``sunrise``, ``HH:MM`` (UTC, the next one), or a date with a time such as
        ``2024-06-01T12:30``; UTC unless it has a time zone.
    now : datetime.datetime
        With a time zone.

    Returns
    -------
    datetime.datetime

    Raises
    ------
    DataError
        If the text is not a time, or the time is over.

    Examples
    --------
    >>> now = datetime.datetime(2024, 6, 1, 23, 0, tzinfo=datetime.UTC)
    >>> end_of_night("12:30", now).isoformat()
    '2024-06-02T12:30:00+00:00'
    """
    if text == "sunrise":
        return next_sunrise(now)
    if re.fullmatch(r"\d{1,2}:\d{2}", text):
        hour, minute = map(int, text.split(":"))
        if hour < 24 and minute < 60:
            end = now.astimezone(datetime.UTC).replace(
                hour=hour, minute=minute, second=0, microsecond=0
            )
            return end if end > now else end + datetime.timedelta(days=1)
    try:
        end = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(
            f"{text}: not a time; use sunrise, HH:MM or YYYY-MM-DDTHH:MM (UTC)"
        ) from error
    end = end.astimezone(datetime.UTC) if end.tzinfo else end.replace(tzinfo=datetime.UTC)
    if end <= now:
        now = now.astimezone(datetime.UTC)
        raise DataError(f"{text}: this time is over; it is {now:%Y-%m-%d %H:%M} UTC")
    return end


def seconds_of(text: str) -> float:
    """Return a duration in seconds.

    Parameters
    ----------
    text : str
        A number with the unit s, m or h; seconds without a unit.

    Returns
    -------
    float, s

    Raises
    ------
    DataError
        If it is not a positive duration.

    Examples
    --------
    >>> seconds_of("5m"), seconds_of("90")
    (300.0, 90.0)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", text)
    seconds = (
        float(found[1]) * {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}[found[2]] if found else 0
    )
    if seconds <= 0:
        raise DataError(f"{text}: not a duration; use for example 30s, 5m or 1h")
    return seconds
