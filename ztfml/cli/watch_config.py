"""What ``ztfml watch`` takes from ``ztfml.toml``: the broker and the channels."""

import click

from ztfml.cli.configured import secrets, used

_CHANNELS = ("file", "command", "slack", "skyportal")


def of_broker(key):
    """Return the function that reads a setting of the chosen broker."""

    def read(config):
        # --from is eager, so it was read before.
        broker = click.get_current_context().params.get("broker")
        return used(config, f"brokers.{broker}.{key}")

    return read


def channels(config):
    """Return the channels of announcements, as ``--notify`` takes them."""
    named = ((kind, config.get(f"notifications.{kind}")) for kind in _CHANNELS)
    # The address of Slack is a secret, which the channel reads from the environment.
    return [
        "slack" if kind == "slack" else f"{kind}={value}"
        for kind, value in named
        if value is not None
    ]


CONFIGURED = {
    "broker": "brokers.watch",
    "server": of_broker("server"),
    "topics": of_broker("topics"),
    "group": of_broker("group"),
    "channels": channels,
    "min_score": "notifications.min_score",
    "high_score": "notifications.high_score",
    "outbox": "notifications.outbox",
}
"""The setting of each parameter."""


def stream_environment(broker):
    """Return the environment with the credentials of a broker."""
    names = [f"brokers.{broker}.{key}" for key in ("username", "password")]
    found = secrets(names, "server")
    return secrets([f"brokers.{broker}.protocol"]) | found


def channel_environment():
    """Return the environment with the secrets of the channels."""
    return secrets(["notifications.slack"]) | secrets(["notifications.skyportal_token"], "channels")
