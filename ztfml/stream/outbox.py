"""Announcements on disk, each sent once to each channel.

An announcement is a file in the folder ``outbox``, which is written before anything is sent and
stays afterwards. So an object is announced once, also if the process is killed at any moment: a
channel that knows the announcements it has received (``file``, ``skyportal``) receives each
exactly once. Others (``slack``, ``command``) cannot say whether a message arrived; if the process
is killed in the moment between the answer and its record, the message is sent a second time, with
the same ``id``.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from ztfml.io.atomic import write_beside
from ztfml.io.safe_text import file_name

log = logging.getLogger(__name__)

OUTBOX = "outbox"
"""Name of the folder of a live night's announcements."""

_FIRST_WAIT, _LONGEST_WAIT = 5.0, 600.0
# Slack accepts one message per second.
_SECONDS_BETWEEN = 1.0


class Channel(Protocol):
    """Where announcements are sent.

    Attributes
    ----------
    name : str
        Identifies the channel in the record of an announcement; without secrets.
    """

    name: str

    def send(self, announcement: dict[str, Any]) -> None:
        """Send an announcement.

        Raises
        ------
        OSError
            If it was not sent; it is tried again later. The message is shown to the user.
        """


class Outbox:
    """The announcements of a folder.

    Parameters
    ----------
    folder : Path
        Folder of the announcements; created if it does not exist.
    channels : sequence of Channel
    dry_run : bool
        Only log what would be sent.

    Examples
    --------
    >>> outbox = Outbox(Path("outbox"), [])
    >>> outbox.add({"objectId": "ZTF18abukavn", "reason": "score"})
    True
    >>> outbox.add({"objectId": "ZTF18abukavn", "reason": "score"})
    False
    """

    def __init__(self, folder: Path, channels: Sequence[Channel], dry_run: bool = False) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._channels = channels
        self._dry_run = dry_run
        self._tries: dict[tuple[str, str], int] = {}
        self._not_before: dict[tuple[str, str], float] = {}
        self._last_sent: dict[str, float] = {}

    def has(self, object_id: str, reason: str) -> bool:
        """Check whether an object has been announced for a reason.

        Parameters
        ----------
        object_id, reason : str

        Returns
        -------
        bool
        """
        return self._path(f"{object_id}.{reason}").exists()

    def add(self, announcement: dict[str, Any]) -> bool:
        """Store an announcement, once for each object and reason.

        Parameters
        ----------
        announcement : dict
            With `objectId` and `reason` (a word), and anything else.

        Returns
        -------
        bool
            Whether it is new.
        """
        key = f"{announcement['objectId']}.{announcement['reason']}"
        if self._path(key).exists():
            return False
        self._write({"id": key, "created": time.time(), "sent": []} | announcement)
        return True

    def announcements(self) -> list[dict[str, Any]]:
        """Return all announcements in the order in which they were added.

        Returns
        -------
        list of dict
        """
        found = []
        for path in self.folder.glob("*.json"):
            try:
                found.append(json.loads(path.read_text(encoding="utf-8")))
            except ValueError:
                log.warning("%s: not readable; this object may be announced again", path)
                path.rename(path.with_suffix(".damaged"))
        return sorted(found, key=lambda one: (one["created"], one["id"]))

    def deliver(self) -> int:
        """Send what waits and is due.

        Returns
        -------
        int
            Number of announcements that still wait for at least one channel.
        """
        n_waiting = 0
        for announcement in self.announcements():
            for channel in self._missing(announcement):
                if self._is_due(announcement["id"], channel):
                    self._send(announcement, channel)
            n_waiting += any(True for _ in self._missing(announcement))
        return n_waiting

    def _missing(self, announcement: dict[str, Any]) -> Iterator[Channel]:
        return (one for one in self._channels if one.name not in announcement["sent"])

    def _is_due(self, key: str, channel: Channel) -> bool:
        now = time.monotonic()
        return now >= self._not_before.get((key, channel.name), 0.0) and (
            now >= self._last_sent.get(channel.name, -_SECONDS_BETWEEN) + _SECONDS_BETWEEN
        )

    def _send(self, announcement: dict[str, Any], channel: Channel) -> None:
        place = announcement["id"], channel.name
        if self._dry_run:
            log.info("would send to %s: %s", channel.name, headline(announcement))
        else:
            try:
                channel.send(announcement)
            except OSError as error:
                self._tries[place] = self._tries.get(place, 0) + 1
                wait = min(_FIRST_WAIT * 2.0 ** (self._tries[place] - 1), _LONGEST_WAIT)
                wait = max(wait, getattr(error, "retry_after", 0.0))
                self._not_before[place] = time.monotonic() + wait
                log.warning("%s: %s; trying again in %.0f s", channel.name, error, wait)
                return
            finally:
                self._last_sent[channel.name] = time.monotonic()
        announcement["sent"].append(channel.name)
        self._write(announcement)

    def _write(self, announcement: dict[str, Any]) -> None:
        with write_beside(self._path(announcement["id"])) as part:
            part.write_text(json.dumps(announcement, indent=1), encoding="utf-8")

    def _path(self, key: str) -> Path:
        return self.folder / f"{file_name(key)}.json"


def headline(announcement: dict[str, Any]) -> str:
    """Return an announcement in one line.

    Parameters
    ----------
    announcement : dict

    Returns
    -------
    str

    Examples
    --------
    >>> headline({"objectId": "ZTF18abukavn", "score": 0.97, "reasons": "rising 1.1 mag/day in g"})
    'ZTF18abukavn, score 0.97: rising 1.1 mag/day in g'
    """
    score = announcement.get("score")
    text = "" if score is None else f", score {score:.2f}"
    return f"{announcement['objectId']}{text}: {announcement.get('reasons', '')}"
