"""The folder of a live night: its name, which night it has, and when it ends.

The folder remembers this, so that a watch that is started again continues the same night, and does
not mix it with another one.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path

from ztfml.errors import DataError
from ztfml.io.atomic import write_beside
from ztfml.stream.sunrise import end_of_night

_RECORD = "watch.json"
# The date changes at noon at Palomar, which is at about 20:00 UTC.
_NOON = datetime.timedelta(hours=4)


def with_date(text: str, now: datetime.datetime) -> str:
    """Replace ``%Y%m%d`` by the date of the night.

    Parameters
    ----------
    text : str
        Name of a topic or folder.
    now : datetime.datetime
        With a time zone.

    Returns
    -------
    str
        With the date in UTC during the night. It changes at 20:00 UTC, at noon at Palomar.

    Examples
    --------
    >>> evening = datetime.datetime(2024, 5, 31, 23, 0, tzinfo=datetime.UTC)
    >>> with_date("ztf_%Y%m%d_programid1", evening)
    'ztf_20240601_programid1'
    """
    return text.replace("%Y%m%d", f"{_date(now):%Y%m%d}")


def _date(now: datetime.datetime) -> datetime.date:
    return (now.astimezone(datetime.UTC) + _NOON).date()


def start_of_night(text: str, now: datetime.datetime) -> datetime.datetime:
    """Return the time that an option names.

    Parameters
    ----------
    text : str
        ``noon`` (the last one at Palomar, 20:00 UTC), or a date with a time such as
        ``2024-06-01T02:30``; UTC unless it has a time zone.
    now : datetime.datetime
        With a time zone.

    Returns
    -------
    datetime.datetime

    Raises
    ------
    DataError
        If the text is not a time.

    Examples
    --------
    >>> now = datetime.datetime(2024, 6, 1, 4, 0, tzinfo=datetime.UTC)
    >>> start_of_night("noon", now).isoformat()
    '2024-05-31T20:00:00+00:00'
    """
    if text == "noon":
        date = datetime.datetime.combine(_date(now), datetime.time(), datetime.UTC)
        return date - _NOON
    try:
        start = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{text}: not a time; use noon or YYYY-MM-DDTHH:MM (UTC)") from error
    return start.astimezone(datetime.UTC) if start.tzinfo else start.replace(tzinfo=datetime.UTC)


def open_folder(
    folder: Path, until: str | None, now: datetime.datetime
) -> datetime.datetime | None:
    """Create the folder of a live night, or continue it, and return when the night ends.

    Parameters
    ----------
    folder : Path
    until : str or None
        As for `ztfml.stream.sunrise.end_of_night`; None: the night has no end.
    now : datetime.datetime
        With a time zone.

    Returns
    -------
    datetime.datetime or None
        The end of the night of the folder, which may be over.

    Raises
    ------
    DataError
        If the folder has another night that is not finished, or the end is not a time.

    Examples
    --------
    >>> evening = datetime.datetime(2024, 6, 1, 4, 0, tzinfo=datetime.UTC)
    >>> folder = Path("a_live_night")
    >>> open_folder(folder, "12:30", evening).isoformat()
    '2024-06-01T12:30:00+00:00'
    >>> after_the_end = evening + datetime.timedelta(hours=9)
    >>> open_folder(folder, "12:30", after_the_end).isoformat()
    '2024-06-01T12:30:00+00:00'
    >>> open_folder(folder, None, evening + datetime.timedelta(days=1))
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: a_live_night: has the night of 2024-06-01; name another folder, for ...
    """
    record = _read(folder / _RECORD)
    if record.get("option") == until and record.get("until"):
        return _time(record["until"], folder / _RECORD)
    date = _date(now).isoformat()
    if record.get("night", date) != date:
        raise DataError(
            f"{folder}: has the night of {record['night']}; name another folder, for example "
            "-o nights/%Y%m%d/"
        )
    end = end_of_night(until, now) if until else None
    folder.mkdir(parents=True, exist_ok=True)
    content = {"night": date, "option": until, "until": end and end.isoformat()}
    with write_beside(folder / _RECORD) as part:
        part.write_text(json.dumps(content) + "\n", encoding="utf-8")
    return end


def _time(text: str, path: Path) -> datetime.datetime:
    try:
        return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
    except ValueError as error:
        raise DataError(f"{path}: cannot be read; remove this file") from error


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {key: value for key, value in found.items() if isinstance(value, str)}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        raise DataError(f"{path}: cannot be read; remove this file") from error
