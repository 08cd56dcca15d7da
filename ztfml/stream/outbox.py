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
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ztfml.io.atomic import write_beside
from ztfml.io.safe_text import file_name

log = logging.getLogger(__name__)

OUTBOX = "outbox"
"""Name of the folder of a live night's announcements."""

_RECORD = {"id", "created", "night", "to", "sent"}
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

    An announcement is sent to the channels that there were when it was made. Channels that are
    added later also receive those of the same night, but not those of earlier nights.

    Parameters
    ----------
    folder : Path
        Folder of the announcements; created if it does not exist.
    channels : sequence of Channel
        Each with its own name. A thread may call `deliver_to` for each.
    dry_run : bool
        Only log what would be sent.
    night : str
        Identifies the night; nights can share a folder.

    Examples
    --------
    >>> outbox = Outbox(Path("outbox"), [])
    >>> outbox.add({"objectId": "ZTF18abukavn", "reason": "score"})
    True
    >>> outbox.add({"objectId": "ZTF18abukavn", "reason": "score"})
    False
    """

    def __init__(
        self, folder: Path, channels: Sequence[Channel], dry_run: bool = False, night: str = ""
    ) -> None:
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.channels = channels
        self._dry_run, self._night = dry_run, night
        self._lock = threading.Lock()
        self._tries: dict[tuple[str, str], int] = {}
        self._not_before: dict[tuple[str, str], float] = {}
        self._failures = {channel.name: 0 for channel in channels}
        self._channel_not_before = {channel.name: 0.0 for channel in channels}
        self._shown: set[tuple[str, str]] = set()
        # Only those that wait for a channel stay in memory: a season has thousands.
        self._waiting = {one["id"]: one for one in self.announcements() if self._is_waiting(one)}

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
        to = [channel.name for channel in self.channels]
        record = {"id": key, "created": time.time(), "night": self._night, "to": to, "sent": []}
        one = record | announcement
        with self._lock:
            self._write(one)
            self._waiting[key] = one
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
                found.append(_read(path))
            except ValueError:
                log.warning("%s: not readable; this object may be announced again", path)
                path.rename(path.with_suffix(".damaged"))
        return sorted(found, key=lambda one: (one["created"], one["id"]))

    def deliver(self) -> int:
        """Send to all channels what waits and is due.

        Returns
        -------
        int
            Number of announcements that still wait for at least one channel.
        """
        for channel in self.channels:
            self.deliver_to(channel)
        return self.n_waiting()

    def deliver_to(self, channel: Channel) -> None:
        """Send to one channel what waits and is due.

        After a failure the channel waits, and then continues with another announcement, so that
        one that a channel does not accept does not stop the others.

        Parameters
        ----------
        channel : Channel
        """
        with self._lock:
            waiting = [one for one in self._waiting.values() if self._waits_for(one, channel)]
        waiting.sort(key=lambda one: self._tries.get((one["id"], channel.name), 0))
        for one in waiting:
            if self._is_due(one["id"], channel):
                self._send(one, channel)

    def n_waiting(self) -> int:
        """Return the number of announcements that wait for at least one channel.

        Returns
        -------
        int
        """
        with self._lock:
            self._waiting = {
                key: one for key, one in self._waiting.items() if self._is_waiting(one)
            }
            return len(self._waiting)

    def _is_waiting(self, announcement: dict[str, Any]) -> bool:
        return any(self._waits_for(announcement, channel) for channel in self.channels)

    def _waits_for(self, announcement: dict[str, Any], channel: Channel) -> bool:
        is_meant = channel.name in announcement["to"] or announcement["night"] == self._night
        is_done = channel.name in announcement["sent"]
        return is_meant and not is_done and (announcement["id"], channel.name) not in self._shown

    def _is_due(self, key: str, channel: Channel) -> bool:
        times = self._channel_not_before[channel.name], self._not_before.get((key, channel.name), 0)
        return time.monotonic() >= max(times)

    def _send(self, announcement: dict[str, Any], channel: Channel) -> None:
        place = announcement["id"], channel.name
        if self._dry_run:
            log.info("would send to %s: %s", channel.name, headline(announcement))
            self._shown.add(place)
            return
        try:
            channel.send(announcement)
        except Exception as error:  # A fault of a channel must not end the night.
            self._failures[channel.name] += 1
            self._tries[place] = self._tries.get(place, 0) + 1
            now, hint = time.monotonic(), getattr(error, "retry_after", 0.0)
            wait = max(_wait(self._failures[channel.name]), hint)
            self._channel_not_before[channel.name] = now + wait
            self._not_before[place] = now + _wait(self._tries[place])
            log.warning("%s: %s; trying again in %.0f s", channel.name, error, wait)
            return
        self._failures[channel.name] = 0
        self._channel_not_before[channel.name] = time.monotonic() + _SECONDS_BETWEEN
        with self._lock:
            announcement["sent"].append(channel.name)
            self._write(announcement)

    def _write(self, announcement: dict[str, Any]) -> None:
        with write_beside(self._path(announcement["id"])) as part:
            part.write_text(json.dumps(announcement, indent=1), encoding="utf-8")

    def _path(self, key: str) -> Path:
        return self.folder / f"{file_name(key)}.json"


def _read(path: Path) -> dict[str, Any]:
    one = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(one, dict) or not one.keys() >= _RECORD:
        raise ValueError("not a record of an announcement")
    return one


def _wait(n_failures: int) -> float:
    return min(_FIRST_WAIT * 2.0 ** (n_failures - 1), _LONGEST_WAIT)


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
