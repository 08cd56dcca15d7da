"""Keep a night up to date: receive packets, rank them every few minutes, announce objects."""

from __future__ import annotations

import logging
import math
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from ztfml.errors import ZtfmlError
from ztfml.io.log_filter import filtered_log
from ztfml.nights.manifest import locked
from ztfml.stream.announce import Thresholds, announce
from ztfml.stream.outbox import Outbox
from ztfml.stream.receiver import Counts, Receiver, Stream
from ztfml.stream.rounds import NIGHT, PAGE, Ranker, run_round

log = logging.getLogger(__name__)

# Pause of the loops that rank and send, and time for announcements that wait at the end.
_PAUSE_SECONDS, _FINISH_SECONDS = 0.2, 60.0
_STOP_SECONDS = 1.0
# Seconds between progress lines.
_PROGRESS_SECONDS = 60.0


class Schedule(NamedTuple):
    """When a night is ranked, and when it ends.

    Parameters
    ----------
    every : float, s
        Time from the start of a round to the next one.
    is_over : callable
        Returns whether the night is over.
    idle : float, s
        The night is also over if no message arrives for this time.

    Examples
    --------
    >>> Schedule(300.0, lambda: True).is_over()
    True
    """

    every: float
    is_over: Callable[[], bool]
    idle: float = math.inf


def watch(
    stream: Stream,
    folder: Path,
    ranker: Ranker,
    schedule: Schedule,
    outbox: Outbox,
    thresholds: Thresholds,
) -> Counts:
    """Receive packets until the night is over, and keep its list and page up to date.

    Parameters
    ----------
    stream : Stream
    folder : Path
        The output folder. A run that was interrupted is continued.
    ranker : Ranker
    schedule : Schedule
    outbox : Outbox
        Receives the objects above the thresholds.
    thresholds : Thresholds

    Returns
    -------
    Counts

    Raises
    ------
    BrokerError
        If the broker refuses the consumer.
    DataError
        If another process writes to the folder or the outbox, or the disk is full.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from ztfml.ranking import FastTransientScorer, Selection
    >>> empty_stream = SimpleNamespace(
    ...     poll=lambda n_max, seconds: [], commit=lambda: None, lag=dict
    ... )
    >>> ranker = Ranker(model, FastTransientScorer(), Selection(), lambda night: night)
    >>> schedule = Schedule(300.0, lambda: True)
    >>> outbox = Outbox(Path("outbox"), [])
    >>> folder = Path("live")
    >>> folder.mkdir()
    >>> watch(empty_stream, folder, ranker, schedule, outbox, Thresholds(0.1))
    Counts(received=0, stored=0, repeated=0, skipped=0)
    """
    with locked(folder), locked(outbox.folder), _remarks_once():
        receiver, sender = Receiver(stream, folder), _Sender(outbox)
        receiver.start()
        sender.start()
        try:
            _rank_until_over(receiver, sender, stream, folder, ranker, schedule, thresholds)
            sender.finish()
        finally:
            receiver.stop()
            sender.stop()
        return receiver.counts()


def _remarks_once() -> AbstractContextManager[None]:
    """Log what is unusual in the content of the night once, and not in every round."""
    known = set()

    def is_new(record):
        # Counts and examples differ from round to round.
        what = re.sub(r"\d[\d.,]*", "#", record.getMessage())
        if record.name.startswith("ztfml.stream") or what not in known:
            known.add(what)
            return True
        return False

    return filtered_log(is_new)


def _rank_until_over(receiver, sender, stream, folder, ranker, schedule, thresholds):
    n_ranked, n_listed, next_round, next_line = 0, 0, 0.0, time.monotonic() + _PROGRESS_SECONDS
    is_over = False
    while not is_over:
        is_over = schedule.is_over() or receiver.idle_seconds() > schedule.idle
        if is_over:
            receiver.stop()
        receiver.check()
        sender.check()
        now = time.monotonic()
        # A round writes the night and the list of skipped messages.
        is_new = receiver.n_packets > n_ranked or (
            n_ranked > 0 and receiver.counts().skipped > n_listed
        )
        if is_new and (now >= next_round or is_over):
            next_round = now + schedule.every
            receiver.ask_to_store()
            _, n_ranked, _, n_listed = receiver.counts()
            # The last page of a night does not change any more.
            reload = None if is_over else schedule.every
            try:
                _round(receiver.parts, folder, ranker, sender.outbox, thresholds, reload)
            except Exception as error:
                # Perhaps there are few packets yet, or the disk is full for a moment. A fault of
                # the ranking must not stop the packets from being stored.
                if is_over:
                    raise
                n_ranked = 0
                kind = "" if isinstance(error, ZtfmlError) else f"{type(error).__name__}: "
                log.warning("not ranked: %s%s; trying again in the next round", kind, error)
        if now >= next_line or is_over:
            next_line = now + _PROGRESS_SECONDS
            log.info("%s", _progress(receiver, stream.lag()))
        if not is_over:
            time.sleep(_PAUSE_SECONDS)


def _round(parts, folder, ranker, outbox, thresholds, reload):
    begin = time.monotonic()
    done = run_round(parts, folder, ranker, reload)
    n_new = announce(done.night, done.ranked, outbox, thresholds, folder / PAGE)
    parts.compact()
    log.info(
        "%s: %d alerts ranked in %.1f s, %d new announcements",
        folder / NIGHT, len(done.night), time.monotonic() - begin, n_new,
    )  # fmt: skip


def _progress(receiver, lags):
    counts = receiver.counts()
    waiting = ", ".join(f"{place} {lag}" for place, lag in lags.items() if lag)
    return (
        f"{counts.stored:,} packets stored, {counts.repeated:,} repeated, {counts.skipped:,} "
        f"skipped; waiting: {waiting or 'none'}"
    )


class _Sender:
    """Sends announcements, with a thread for each channel: one that hangs delays nothing else."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self._error: BaseException | None = None
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(channel,), daemon=True)
            for channel in outbox.channels
        ]

    def start(self):
        for thread in self._threads:
            thread.start()

    def check(self):
        """Raise the error that ended a thread."""
        if self._error is not None:
            raise self._error

    def finish(self):
        """Wait for a short time until nothing waits."""
        end = time.monotonic() + _FINISH_SECONDS
        while n_waiting := self.outbox.n_waiting():
            self.check()
            if time.monotonic() > end:
                log.warning(
                    "%s: %d announcements are not sent; the next watch with this outbox sends them",
                    self.outbox.folder, n_waiting,
                )  # fmt: skip
                return
            time.sleep(_PAUSE_SECONDS)

    def stop(self):
        self._is_over.set()
        # A channel that hangs is not waited for: the next watch sends the announcement again.
        for thread in self._threads:
            thread.join(_STOP_SECONDS)

    def _run(self, channel):
        try:
            while not self._is_over.wait(_PAUSE_SECONDS):
                self.outbox.deliver_to(channel)
        except BaseException as error:
            self._error = error
