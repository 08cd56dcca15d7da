"""The settings that ``ztfml.toml`` can contain: one record for each.

To add a setting, add a record to the list below. The reader of the file, ``ztfml config show`` and
the documentation read these records; a setting with the name of an option gives its default.
"""

from __future__ import annotations

from dataclasses import dataclass

from ztfml.catalogs.kinds import CONTEXT_KINDS, KINDS, OBJECTS
from ztfml.sources.brokers import BROKERS, QUERIED
from ztfml.stream.servers import SERVERS


@dataclass(frozen=True)
class Setting:
    """A setting of ``ztfml.toml``.

    Parameters
    ----------
    name : str
        The key, with dots between tables.
    kind : {'path', 'output', 'table', 'paths', 'text', 'texts', 'score', 'secret'}
        A path of an input or of an output; a path or a table; one or several paths; text; one or
        several texts; a number from 0 to 1; a text that is never printed.
    meaning : str
        One line for the documentation.
    example : str
        A value in TOML.
    default : str
        What applies without the setting, for people.
    choices : tuple of str
        The only texts that are allowed.
    environment : str
        Environment variable that has priority.
    sent_to : str
        For a secret: the setting with the address that receives it.
    user_only : bool
        Whether only the file of the user may have it.

    Examples
    --------
    >>> SETTINGS["galaxies"].kind
    'path'
    """

    name: str
    kind: str
    meaning: str
    example: str
    default: str = "none"
    choices: tuple[str, ...] = ()
    environment: str = ""
    sent_to: str = ""
    user_only: bool = False


def _broker(name: str) -> list[Setting]:
    """Return the settings of one broker."""
    settings = []
    if name in QUERIED:
        settings.append(
            Setting(
                f"brokers.{name}.url", "text", "address of the service that `fetch` queries",
                '"http://localhost:8000"', "address of the broker",
            )
        )  # fmt: skip
    if name not in SERVERS:
        return settings
    table = f"brokers.{name}"
    return [
        *settings,
        Setting(
            f"{table}.server", "text", "Kafka server for `watch`", '"localhost:9092"',
            SERVERS[name] or "none",
        ),
        Setting(f"{table}.topics", "texts", "topics for `watch`", '["ztf_%Y%m%d_programid1"]'),
        Setting(f"{table}.group", "text", "consumer group for `watch`", '"my_team"'),
        Setting(
            f"{table}.username", "secret", "user name for the Kafka server", '"ada"',
            environment="ZTFML_KAFKA_USERNAME", sent_to=f"{table}.server",
        ),
        Setting(
            f"{table}.password", "secret", "password for the Kafka server", '"..."',
            environment="ZTFML_KAFKA_PASSWORD", sent_to=f"{table}.server",
        ),
        Setting(
            f"{table}.protocol", "text", "security protocol of the Kafka server", '"sasl_ssl"',
            "sasl_plaintext", ("sasl_plaintext", "sasl_ssl"), environment="ZTFML_KAFKA_PROTOCOL",
        ),
    ]  # fmt: skip


CATALOGS = (*dict.fromkeys((*KINDS, OBJECTS, *CONTEXT_KINDS)),)
"""The kinds of catalogues, for ``ztfml label`` and ``ztfml context``."""

SETTINGS = {
    setting.name: setting
    for setting in (
        Setting(
            "model", "path", "model folder", '"my_model"', "the model that ships with ztfml"
        ),
        Setting(
            "ranking", "path", "ranking folder", '"my_ranking"',
            "the ranking that ships with ztfml",
        ),
        Setting(
            "weights", "table", "file or table with the weights of the ranking", '"weights.toml"',
            "weights of the ranking",
        ),
        Setting(
            "instrument", "table", "file or table with the instrument", '"sedm.toml"',
            "instrument of the ranking",
        ),
        Setting(
            "observatory", "table", "file or table with the observatory", '"calar_alto.toml"',
            "Palomar",
        ),
        Setting("galaxies", "path", "catalogue of galaxies", '"nedlvs.parquet"'),
        Setting("store", "output", "history store for `watch`", '"store"'),
        *(
            Setting(
                f"catalogs.{kind}", "paths", f"catalogue files of the kind `{kind}`",
                f'"{kind}.parquet"',
            )
            for kind in CATALOGS
        ),
        Setting(
            "brokers.fetch", "texts", "brokers that `fetch` queries, in order", '["fink"]',
            ", ".join(QUERIED), QUERIED,
        ),
        Setting(
            "brokers.watch", "text", "broker of `watch`", '"babamul"', choices=tuple(SERVERS)
        ),
        *(setting for name in dict.fromkeys((*BROKERS, *SERVERS)) for setting in _broker(name)),
        Setting(
            "notifications.file", "output", "file to which `watch` appends announcements",
            '"found.jsonl"',
        ),
        Setting(
            "notifications.command", "text", "program that receives announcements",
            '"notify-send ztfml"', user_only=True,
        ),
        Setting(
            "notifications.slack", "secret", "address of a Slack webhook",
            '"https://hooks.slack.com/services/..."', environment="ZTFML_SLACK_URL",
        ),
        Setting(
            "notifications.skyportal", "text", "address of a SkyPortal server",
            '"https://fritz.science"',
        ),
        Setting(
            "notifications.skyportal_token", "secret", "token for the SkyPortal server", '"..."',
            environment="ZTFML_SKYPORTAL_TOKEN", sent_to="notifications.skyportal",
        ),
        Setting(
            "notifications.min_score", "score", "announce objects with this score", "0.1", "0.1"
        ),
        Setting(
            "notifications.high_score", "score", "announce an object again at this score", "0.5",
            "0.5",
        ),
        Setting(
            "notifications.outbox", "output", "folder that remembers announcements", '"outbox"',
            "DIR/outbox of the night",
        ),
    )
}  # fmt: skip
"""All settings by name, in the order of the documentation."""
