"""Secrets are sent only to the address beside them, and never printed."""

import json

import pytest

from tests.cli.run import ztfml
from ztfml.cli import watch_config
from ztfml.cli.configured import ConfiguredCommand
from ztfml.config import read_config
from ztfml.errors import DataError

LOGIN = '[brokers.fink]\nusername = "ada"\npassword = "secret7"\n'


@pytest.fixture
def environment(monkeypatch):
    """A function that returns the environment of ``ztfml watch`` with some arguments."""
    for name in ("USERNAME", "PASSWORD", "PROTOCOL"):
        monkeypatch.delenv(f"ZTFML_KAFKA_{name}", raising=False)

    def of_arguments(*arguments):
        from ztfml.cli.live import watch

        command = ConfiguredCommand("watch", params=watch.params)
        command.configured = watch.configured
        arguments = [*arguments, "--topic", "t", "--group", "g", "-o", "d"]
        with command.make_context("watch", arguments) as ctx:
            streams = watch_config.stream_environment(ctx.params["broker"])
            return ctx.params, streams | watch_config.channel_environment()

    return of_arguments


def test_the_credentials_of_the_chosen_broker_are_used(write, environment):
    write(LOGIN + 'server = "a:1"\nprotocol = "sasl_ssl"\n[brokers.ztf]\nusername = "bob"')
    parameters, found = environment("--from", "fink")
    assert parameters["server"] == "a:1"
    assert found["ZTFML_KAFKA_USERNAME"] == "ada"
    assert found["ZTFML_KAFKA_PASSWORD"] == "secret7"
    assert found["ZTFML_KAFKA_PROTOCOL"] == "sasl_ssl"
    assert environment("--from", "ztf")[1]["ZTFML_KAFKA_USERNAME"] == "bob"


def test_credentials_in_the_environment_have_priority_together(write, environment, monkeypatch):
    write(LOGIN)
    monkeypatch.setenv("ZTFML_KAFKA_USERNAME", "bob")
    _, found = environment("--from", "fink")
    assert found["ZTFML_KAFKA_USERNAME"] == "bob"
    assert "ZTFML_KAFKA_PASSWORD" not in found


def test_a_password_is_not_sent_to_the_server_of_another_file(write, environment):
    write(LOGIN, of_user=True)
    write('[brokers.fink]\nserver = "elsewhere:1"')
    with pytest.raises(DataError, match="write both in one file") as error:
        environment("--from", "fink")
    assert "secret7" not in str(error.value)
    _, found = environment("--from", "fink", "--server", "mine:1")
    assert found["ZTFML_KAFKA_PASSWORD"] == "secret7"


def test_a_token_is_not_sent_to_the_server_of_another_file(write):
    write('[notifications]\nskyportal_token = "secret7"', of_user=True)
    write('[notifications]\nskyportal = "https://elsewhere"')
    with pytest.raises(DataError, match="write both in one file"):
        read_config().secret("notifications.skyportal_token", "notifications.skyportal")


def test_channels_and_thresholds_are_read(write, environment, working):
    write(
        '[notifications]\nfile = "found.jsonl"\nslack = "https://hooks/secret7"\nmin_score = 0.3\n'
        'skyportal = "https://fritz.science"\nskyportal_token = "secret8"\noutbox = "out"'
    )
    parameters, found = environment("--from", "fink")
    file = f"file={working / 'found.jsonl'}"
    assert parameters["channels"] == (file, "slack", "skyportal=https://fritz.science")
    assert parameters["min_score"] == 0.3
    assert parameters["high_score"] == 0.5
    assert parameters["outbox"] == working / "out"
    assert found["ZTFML_SLACK_URL"] == "https://hooks/secret7"
    assert found["ZTFML_SKYPORTAL_TOKEN"] == "secret8"


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
def test_secrets_are_not_printed(write, format_):
    write(LOGIN + '[notifications]\nslack = "https://hooks/secret7"')
    result = ztfml("config", "show", "--format", format_)
    assert "secret7" not in result.output
    assert "ada" not in result.output


def test_a_secret_in_the_environment_is_not_printed(write, monkeypatch):
    monkeypatch.setenv("ZTFML_SLACK_URL", "secret7")
    rows = {
        row["setting"]: row
        for row in json.loads(ztfml("config", "show", "--format", "json").stdout)
    }
    assert rows["notifications.slack"]["value"] == "set"
    assert rows["notifications.slack"]["source"] == "ZTFML_SLACK_URL"
