"""The commands of live nights, as users type them."""

import random

import pytest

from tests.benchmarks.live_kills import outcome
from tests.cli.run import one_sentence, ztfml
from tests.stream.broker import NoBrokerError


def test_kills_of_a_watch(tmp_path):
    """`python -m tests.benchmarks.live_kills` kills more often."""
    try:
        found = outcome(tmp_path, 60, 2, random.Random(3), longest=6.0, finish="12s")
    except NoBrokerError as reason:
        pytest.skip(str(reason))
    assert found["kills of the consumer"] + found["kills of the broker"] == 2
    assert found["the night is that of ztfml ingest"]
    assert found["the list is that of ztfml rank"]
    n_objects = found["announced objects"]
    assert n_objects > 0
    assert found["lines in the file"] == n_objects
    # A command is run twice if the process is killed between its end and the record.
    assert n_objects <= found["runs of the command"] <= n_objects + 2
    assert found["temporary files left"] == 0


WATCH = ["watch", "--from", "ztf", "--server", "127.0.0.1:9", "--topic", "t", "--group", "g"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--every", "soon"], "not a duration"),
        (["--until", "2020-01-01T00:00"], "is over"),
        (["--notify", "mail=me"], "no such channel"),
        (["--notify", "slack"], "ZTFML_SLACK_URL"),
    ],
)
def test_wrong_options(arguments, words, tmp_path, monkeypatch):
    monkeypatch.delenv("ZTFML_SLACK_URL", raising=False)
    one_sentence(ztfml(*WATCH, "-o", tmp_path / "live", *arguments, code=1), words)
    assert not (tmp_path / "live").exists()


def test_a_broker_whose_server_is_not_known(tmp_path):
    arguments = ["--from", "fink", "--topic", "t", "--group", "g", "-o", tmp_path / "live"]
    assert "--from fink needs --server" in ztfml("watch", *arguments, code=2).stderr


def test_a_server_that_cannot_be_reached(tmp_path, monkeypatch):
    monkeypatch.setattr("ztfml.stream.replay._ANSWER_SECONDS", 1.0)
    result = ztfml("replay", tmp_path, "--server", "127.0.0.1:9", "--topic", "t", code=1)
    one_sentence(result, "127.0.0.1:9", "check --server")
