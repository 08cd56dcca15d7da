"""A table of all settings with their values and sources."""

from __future__ import annotations

from collections.abc import Mapping

from ztfml.config.settings import SETTINGS
from ztfml.config.values import Config

DEFAULT = "default"
"""The source of a value that no file and no environment variable gives."""


def rows(config: Config, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the value and the source of every setting.

    Parameters
    ----------
    config : Config
    environment : mapping of str to str
        Environment variables, some of which have priority.

    Returns
    -------
    list of dict
        With the keys ``setting``, ``value`` and ``source``. Secrets have the value ``set``.

    Examples
    --------
    >>> rows(Config((), {}), {})[0]
    {'setting': 'model', 'value': 'the model that ships with ztfml', 'source': 'default'}
    """
    return [
        dict(
            zip(
                ("setting", "value", "source"),
                (name, *_row(name, config, environment)),
                strict=True,
            )
        )
        for name in SETTINGS
    ]


def _row(name: str, config: Config, environment: Mapping[str, str]) -> tuple[str, str]:
    setting = SETTINGS[name]
    if setting.environment in environment:
        value = "set" if setting.kind == "secret" else environment[setting.environment]
        return value, setting.environment
    if name in config.values:
        _, file, text = config.values[name]
        return text, str(file)
    return setting.default, DEFAULT
