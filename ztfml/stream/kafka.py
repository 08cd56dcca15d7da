"""A Kafka consumer that loses nothing and says what it misses.

Positions are committed by the caller when packets are stored (auto-commit is off). Where to start
is decided here and not by ``auto.offset.reset``, so that packets that the broker has deleted are
reported as a gap.
"""

from __future__ import annotations

import datetime
import logging
import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ztfml.errors import BrokerError
from ztfml.io.safe_text import file_name
from ztfml.stream.messages import Message

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, TopicPartition

log = logging.getLogger(__name__)

# Seconds for one request to the broker.
_REQUEST_SECONDS = 20.0
# Messages in memory, in kB: about 300 packets with their cutouts.
_QUEUE_KB = 32_000
SESSION_SECONDS = 30.0
"""A consumer that restarts within this time gets its partitions back without a rebalance."""

USERNAME, PASSWORD, PROTOCOL = (
    f"ZTFML_KAFKA_{name}" for name in ("USERNAME", "PASSWORD", "PROTOCOL")
)
"""Environment variables with the credentials; the protocol is sasl_plaintext by default."""


def settings(
    servers: str,
    group: str,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    session: float = SESSION_SECONDS,
) -> dict[str, Any]:
    """Return the configuration of a consumer.

    Parameters
    ----------
    servers : str
        ``HOST:PORT``, or several separated by commas.
    group : str
        Name of the consumer group, which has the positions in the topics.
    folder : Path
        The output folder, which identifies this consumer in the group.
    environment : mapping of str to str
        With the credentials, if the broker needs any (`USERNAME`, `PASSWORD`).
    session : float, s
        Time without a sign of life after which the broker gives the partitions to others.

    Returns
    -------
    dict
        As librdkafka needs it.

    Raises
    ------
    BrokerError
        If there is a user name without a password, or the reverse.

    Examples
    --------
    >>> settings("localhost:9092", "team", Path("night"), {})["enable.auto.commit"]
    False
    """
    found: dict[str, Any] = {
        "bootstrap.servers": servers,
        "group.id": group,
        # Kafka allows letters, digits and ._- only.
        "group.instance.id": file_name(f"{socket.gethostname()}:{Path(folder).absolute()}"),
        "session.timeout.ms": round(1000 * session),
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "auto.offset.reset": "error",
        "queued.max.messages.kbytes": _QUEUE_KB,
        "reconnect.backoff.max.ms": 10_000,
        "allow.auto.create.topics": False,
        "topic.metadata.refresh.interval.ms": 10_000,
        # Errors are reported by this module, once for each outage.
        "log_level": 0,
    }
    user, password = environment.get(USERNAME), environment.get(PASSWORD)
    if bool(user) != bool(password):
        given, absent = (USERNAME, PASSWORD) if user else (PASSWORD, USERNAME)
        raise BrokerError(f"{given} is set, but not {absent}; set both, or none")
    if user:
        found |= {
            "security.protocol": environment.get(PROTOCOL, "sasl_plaintext"),
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password,
        }
    return found


def require_confluent_kafka() -> None:
    """Check that the Kafka client is installed.

    Raises
    ------
    BrokerError
        The message says how to install it.

    Examples
    --------
    >>> require_confluent_kafka()
    """
    try:
        import confluent_kafka  # noqa: F401
    except ImportError as error:
        raise BrokerError(
            "live streams need confluent-kafka; install it with pip install 'ztfml[stream]'"
        ) from error


class KafkaStream:
    """The messages of some topics, in the order of their partitions.

    Parameters
    ----------
    configuration : mapping
        Result of `settings`.
    topics : sequence of str
        They may not exist yet.
    since : datetime.datetime, optional
        Without a committed position, older messages are skipped; by default none.

    Raises
    ------
    BrokerError
        If confluent-kafka is not installed.

    Examples
    --------
    >>> stream = KafkaStream(settings("localhost:9", "team", Path("night"), {}), ["ztf"])
    >>> stream.poll(10, 0.1)
    []
    >>> stream.close()
    """

    def __init__(
        self,
        configuration: Mapping[str, Any],
        topics: Sequence[str],
        since: datetime.datetime | None = None,
    ) -> None:
        require_confluent_kafka()
        from confluent_kafka import Consumer

        self._servers = configuration["bootstrap.servers"]
        self._fatal: str | None = None
        self._is_down = False
        self._absent: set[str] = set()
        self._next: dict[tuple[str, int], int] = {}
        self._consumer = Consumer(dict(configuration) | {"error_cb": self._on_error})
        # Subscribed by the first poll. A consumer that joins the group stops another one with the
        # same identity, so the folder must be locked before.
        self._topics: list[str] = list(topics)
        self._is_subscribed = False
        self._since = since

    def poll(self, n_max: int, seconds: float) -> list[Message]:
        """Return the messages that arrive within some time.

        Parameters
        ----------
        n_max : int
            Largest number of messages.
        seconds : float, s
            Longest wait.

        Returns
        -------
        list of Message

        Raises
        ------
        BrokerError
            If the broker refuses the consumer, e.g. for wrong credentials. A broker that cannot
            be reached, and topics that do not exist, are waited for.
        """
        if not self._is_subscribed:
            self._is_subscribed = True
            self._consumer.subscribe(
                self._topics, on_assign=self._on_assign, on_revoke=self._on_revoke
            )
        received = self._consumer.consume(n_max, seconds)
        if self._fatal:
            raise BrokerError(self._fatal)
        messages = []
        for one in received:
            topic, number, offset = one.topic(), one.partition(), one.offset()
            error = one.error()
            if error is not None:
                self._report(error, topic, number)
            elif topic is not None and number is not None and offset is not None:
                messages.append(Message(topic, number, offset, one.key(), one.value()))
                self._next[topic, number] = offset + 1
        if messages and self._is_down:
            log.warning("%s: connected again", self._servers)
            self._is_down = False
        if self._fatal:
            raise BrokerError(self._fatal)
        return messages

    def commit(self) -> None:
        """Commit the positions after all messages that `poll` returned.

        If the broker cannot be reached, the messages will be delivered again.
        """
        from confluent_kafka import KafkaException, TopicPartition

        if not self._next:
            return
        positions = [TopicPartition(*place, offset) for place, offset in self._next.items()]
        try:
            self._consumer.commit(offsets=positions, asynchronous=False)
        except KafkaException as error:
            log.warning(
                "positions are not committed (%s); packets will be delivered again",
                error.args[0].str(),
            )

    def lag(self) -> dict[str, int]:
        """Return the number of messages that wait in each partition.

        Returns
        -------
        dict of str to int
            By ``topic/partition``; only partitions whose end the broker has told.
        """
        from confluent_kafka import TopicPartition

        found = {}
        for place, offset in sorted(self._next.items()):
            _, high = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
            if high >= 0:
                found["/".join(map(str, place))] = max(0, high - offset)
        return found

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _on_assign(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        from confluent_kafka import KafkaException

        try:
            committed = consumer.committed(partitions, timeout=_REQUEST_SECONDS)
        except KafkaException:
            committed = []
        for partition, known in zip(partitions, committed, strict=False):
            self._next.pop((partition.topic, partition.partition), None)
            if known.offset >= 0:
                self._next[partition.topic, partition.partition] = known.offset
                partition.offset = known.offset
                partition.offset = self._checked(consumer, partition)
            else:
                partition.offset = self._start(consumer, partition)
        consumer.assign(partitions)
        self._report_others(consumer, [one.topic for one in partitions])

    def _report_others(self, consumer: Any, assigned: list[str]) -> None:
        """Warn if another consumer of the group receives a part of the packets."""
        from confluent_kafka import KafkaException

        try:
            topics = consumer.list_topics(timeout=_REQUEST_SECONDS).topics
        except KafkaException:
            return
        for name in self._topics:
            n_all = len(topics[name].partitions) if name in topics else 0
            if assigned.count(name) < n_all:
                log.warning(
                    "topic %s: another consumer of this group receives %d of %d partitions; use "
                    "another --group for each list",
                    name, n_all - assigned.count(name), n_all,
                )  # fmt: skip

    def _on_revoke(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._next.pop((partition.topic, partition.partition), None)

    def _start(self, consumer: Any, partition: TopicPartition) -> int:
        """Return where a new group begins; report what it skips."""
        from confluent_kafka import OFFSET_BEGINNING, KafkaException, TopicPartition

        if self._since is None:
            return OFFSET_BEGINNING
        place = partition.topic, partition.partition
        asked = TopicPartition(*place, round(1000 * self._since.timestamp()))
        try:
            low, high = consumer.get_watermark_offsets(partition, timeout=_REQUEST_SECONDS)
            (found,) = consumer.offsets_for_times([asked], timeout=_REQUEST_SECONDS)
        except KafkaException as error:
            log.warning("%s/%d: read from its beginning (%s)", *place, error.args[0].str())
            return OFFSET_BEGINNING
        # A negative offset: no message is as new.
        offset = max(low, found.offset if found.offset >= 0 else high)
        if offset > low:
            log.warning(
                "%s/%d: skipped %d packets from before %s UTC",
                *place, offset - low, f"{self._since:%Y-%m-%d %H:%M}",
            )  # fmt: skip
        return offset

    def _checked(self, consumer: Any, partition: TopicPartition) -> int:
        """Return where to continue; report packets that the broker does not have any more."""
        from confluent_kafka import KafkaException

        try:
            low, _ = consumer.get_watermark_offsets(partition, timeout=_REQUEST_SECONDS)
        except KafkaException:
            return partition.offset
        if partition.offset < low:
            return self._restart_at(partition.topic, partition.partition, low)
        return partition.offset

    def _restart_at(self, topic: str, number: int, low: int) -> int:
        """Report that a position is not in the topic any more, and go to the oldest packet."""
        offset = self._next.get((topic, number), low)
        if offset < low:
            log.warning(
                "%s/%d: gap: the broker has deleted %d packets (offsets %d to %d)",
                topic, number, low - offset, offset, low - 1,
            )  # fmt: skip
        else:
            log.warning(
                "%s/%d: the broker has started this topic again; reading it from the beginning",
                topic, number,
            )  # fmt: skip
        self._next[topic, number] = low
        return low

    def _on_error(self, error: KafkaError) -> None:
        self._report(error, None, None)

    def _report(self, error: KafkaError, topic: str | None, number: int | None) -> None:
        from confluent_kafka import KafkaError as E
        from confluent_kafka import TopicPartition

        code = error.code()
        if code == E._PARTITION_EOF:
            return
        if code == E._AUTO_OFFSET_RESET and topic is not None and number is not None:
            partition = TopicPartition(topic, number)
            low, _ = self._consumer.get_watermark_offsets(partition, timeout=_REQUEST_SECONDS)
            partition.offset = self._restart_at(topic, number, low)
            self._consumer.seek(partition)
        elif code == E.UNKNOWN_TOPIC_OR_PART:
            name = topic or ""
            if name not in self._absent:
                log.warning("topic %s does not exist yet; waiting for it", name)
                self._absent.add(name)
        elif code in (E._AUTHENTICATION, E.SASL_AUTHENTICATION_FAILED):
            self._fatal = (
                f"{self._servers}: the broker refuses the credentials; check {USERNAME} and "
                f"{PASSWORD}"
            )
        elif code in (E.TOPIC_AUTHORIZATION_FAILED, E.GROUP_AUTHORIZATION_FAILED):
            what = f"topic {topic}" if code == E.TOPIC_AUTHORIZATION_FAILED else "this group"
            self._fatal = (
                f"{self._servers}: you may not read {what}; ask the broker for access, or name "
                "another --topic or --group"
            )
        elif error.fatal():
            self._fatal = f"{self._servers}: {error.str()}; another watch may use this group"
        elif not self._is_down:
            log.warning("%s: %s; trying again", self._servers, error.str())
            self._is_down = True
