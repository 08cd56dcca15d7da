"""The consumer loses nothing, and says what it waits for and what it misses."""

import datetime
import logging
import re
import sys
import time

import pytest

from ztfml.errors import BrokerError
from ztfml.stream.kafka import KafkaStream, settings
from ztfml.stream.replay import publish

SESSION = 2.0
SECONDS = 30


@pytest.fixture
def connect(broker, tmp_path):
    streams = []

    def connect(*topics, environment=(), group="team", name="night", since=None):
        configuration = settings(
            broker.server, group, tmp_path / name, dict(environment), SESSION
        ) | {"topic.metadata.refresh.interval.ms": 500}
        # With a fixed member, this broker needs several seconds for each start.
        del configuration["group.instance.id"]
        streams.append(KafkaStream(configuration, topics, since))
        return streams[-1]

    yield connect
    for stream in streams:
        stream.close()


def receive(stream, n, seconds=SECONDS):
    """Poll until there are n messages; return their values."""
    found, end = [], time.monotonic() + seconds
    while len(found) < n and time.monotonic() < end:
        found += stream.poll(100, 0.2)
    return sorted(message.value for message in found)


def values(first, last):
    return [b"%03d" % k for k in range(first, last)]


def send(broker, first, last, topic="ztf"):
    broker.send(topic, [(None, value) for value in values(first, last)])


def test_positions_are_kept_when_they_are_committed(broker, connect):
    send(broker, 0, 10)
    stream = connect("ztf")
    assert receive(stream, 10) == values(0, 10)
    assert stream.lag() == {"ztf/0": 0, "ztf/1": 0}
    stream.commit()
    send(broker, 10, 16)
    assert receive(stream, 6) == values(10, 16)
    stream.close()  # Without a commit.
    again = connect("ztf")
    assert receive(again, 6) == values(10, 16)
    assert receive(again, 1, 1.0) == []


def test_a_topic_that_does_not_exist_yet(broker, connect, caplog):
    stream = connect("ztf_20240601")
    assert receive(stream, 1, 2.0) == []
    assert caplog.text.count("topic ztf_20240601 does not exist yet; waiting for it") == 1
    send(broker, 0, 4, "ztf_20240601")
    assert receive(stream, 4) == values(0, 4)


def test_a_broker_that_starts_again(broker, connect, caplog):
    send(broker, 0, 6)
    stream = connect("ztf")
    assert receive(stream, 6) == values(0, 6)
    stream.commit()
    broker.kill()
    assert receive(stream, 1, 3.0) == []
    assert "trying again" in caplog.text
    broker.start()  # This broker forgets all messages and positions.
    send(broker, 0, 3)
    assert receive(stream, 3) == values(0, 3)


def test_a_new_group_skips_what_is_older(broker, connect, caplog):
    send(broker, 0, 10)
    time.sleep(0.2)
    now = datetime.datetime.now(datetime.UTC)
    time.sleep(0.2)
    send(broker, 10, 14)
    stream = connect("ztf", since=now)
    assert receive(stream, 4) == values(10, 14)
    assert "ztf/0: skipped 5 packets from before" in caplog.text
    stream.commit()
    stream.close()
    send(broker, 14, 16)
    # With a position, the time is not used.
    later = connect("ztf", since=now + datetime.timedelta(days=1))
    assert receive(later, 2) == values(14, 16)


def test_another_consumer_of_the_group_is_reported(broker, connect, caplog):
    send(broker, 0, 10)
    first = connect("ztf")
    assert receive(first, 10) == values(0, 10)
    assert "another consumer" not in caplog.text
    second, end = connect("ztf", name="other"), time.monotonic() + SECONDS
    while "another consumer" not in caplog.text and time.monotonic() < end:
        first.poll(10, 0.2)
        second.poll(10, 0.2)
    assert "topic ztf: another consumer of this group receives" in caplog.text


def test_a_server_that_does_not_exist(tmp_path, caplog):
    stream = KafkaStream(settings("127.0.0.1:9", "team", tmp_path, {}, SESSION), ["ztf"])
    end = time.monotonic() + 10
    while "trying again" not in caplog.text and time.monotonic() < end:
        assert stream.poll(10, 0.1) == []
    stream.close()
    assert caplog.text.count("127.0.0.1:9: ") == 1


def test_deleted_and_repeated_positions_are_reported(tmp_path, caplog):
    stream = KafkaStream(settings("127.0.0.1:9", "team", tmp_path, {}, SESSION), ["ztf"])
    stream._next["ztf", 0] = 120
    assert stream._restart_at("ztf", 0, 150) == 150
    assert "ztf/0: gap: the broker has deleted 30 packets (offsets 120 to 149)" in caplog.text
    assert stream._restart_at("ztf", 0, 0) == 0
    assert "ztf/0: the broker has started this topic again" in caplog.text
    assert stream._next == {("ztf", 0): 0}
    stream.close()


def test_credentials_come_from_the_environment(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    secrets = {"ZTFML_KAFKA_USERNAME": "me", "ZTFML_KAFKA_PASSWORD": "secret"}
    found = settings("localhost:1", "team", tmp_path, secrets)
    assert found["sasl.password"] == "secret"
    assert found["security.protocol"] == "sasl_plaintext"
    assert "sasl.password" not in settings("localhost:1", "team", tmp_path, {})
    with pytest.raises(BrokerError, match="ZTFML_KAFKA_PASSWORD"):
        settings("localhost:1", "team", tmp_path, {"ZTFML_KAFKA_USERNAME": "me"})
    with pytest.raises(BrokerError, match="PASSWORD is set, but not ZTFML_KAFKA_USERNAME"):
        settings("localhost:1", "team", tmp_path, {"ZTFML_KAFKA_PASSWORD": "secret"})


def test_a_missing_client_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(BrokerError, match="install it with pip install"):
        KafkaStream(settings("localhost:1", "team", tmp_path, {}), ["ztf"])
    with pytest.raises(BrokerError, match="install it with pip install"):
        publish([], "localhost:1", "ztf")


def test_the_identity_of_a_consumer_has_the_characters_that_kafka_allows(tmp_path):
    found = {
        settings("localhost:1", "team", tmp_path / name, {})["group.instance.id"]
        for name in ("a b", "a_b", "a/b", "x" * 300)
    }
    assert len(found) == 4
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", one) for one in found)


def test_wrong_credentials(connect):
    secrets = {"ZTFML_KAFKA_USERNAME": "me", "ZTFML_KAFKA_PASSWORD": "wrong"}
    stream = connect("ztf", environment=secrets)
    with pytest.raises(BrokerError, match="refuses the credentials") as caught:
        receive(stream, 1, 10.0)
    assert "wrong" not in str(caught.value)
