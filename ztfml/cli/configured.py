"""Commands whose options take their defaults from ``ztfml.toml``."""

import os
from functools import partial

import click
from click.core import ParameterSource

from ztfml.config import EMPTY, read_config
from ztfml.errors import DataError

_META = "ztfml.config"


class ConfiguredCommand(click.Command):
    """A command that reads ``ztfml.toml`` before its options.

    A parameter with the name of a setting has the setting as its default; ``configured`` has the
    settings of other parameters: the name, or a function of the `Config`. The help does not read
    the file, so that it can always be shown.
    """

    configured = {}

    def parse_args(self, ctx, args):
        if not ({"-h", "--help"}.intersection(args) or ctx.resilient_parsing):
            config = config_of(ctx)
            sources = ((one.name, self.configured.get(one.name, one.name)) for one in self.params)
            # Click calls these functions for parameters that the command line does not give.
            ctx.default_map = {
                name: partial(source, config) if callable(source) else partial(used, config, source)
                for name, source in sources
                if callable(source) or source in config.values
            }
        return super().parse_args(ctx, args)


def config_of(ctx=None):
    """Return the settings of the working folder and the user; they are read once."""
    root = (ctx or click.get_current_context()).find_root()
    if root.params.get("no_config"):
        return EMPTY
    if _META not in root.meta:
        root.meta[_META] = read_config()
    return root.meta[_META]


def used(config, name):
    """Return the value of a setting that a command uses; an input file must exist."""
    if name not in config.values:
        return None
    from ztfml.config.settings import SETTINGS

    value, file, _ = config.values[name]
    if SETTINGS[name].kind in ("path", "paths", "table"):
        for path in value if isinstance(value, list) else [value]:
            if "://" not in path and not os.path.exists(path):
                raise DataError(f"{file}: {name} is {path}, which does not exist")
    return value


def is_from_config(name):
    """Whether the value of a parameter of this command comes from ``ztfml.toml``."""
    return _source(name) is ParameterSource.DEFAULT_MAP


def is_given(name):
    """Whether the value of a parameter of this command was given on the command line."""
    return _source(name) is ParameterSource.COMMANDLINE


def _source(name):
    return click.get_current_context().get_parameter_source(name)


def catalog_files(kinds):
    """Return the function that lists the catalogues of some kinds, as an option takes them."""

    def files(config):
        named = ((kind, used(config, f"catalogs.{kind}")) for kind in kinds)
        return [f"{kind}={path}" for kind, paths in named for path in paths or ()]

    return files


def secrets(names, address=None):
    """Return the environment variables, completed with secrets of ``ztfml.toml``.

    Parameters
    ----------
    names : sequence of str
        Settings with an environment variable. If one of the variables is set, none of the
        settings is used.
    address : str, optional
        The parameter of the command with the address that receives the secrets.

    Returns
    -------
    dict of str to str
    """
    from ztfml.config.settings import SETTINGS

    config, found = config_of(), dict(os.environ)
    settings = [SETTINGS[name] for name in names if name in SETTINGS]
    if any(setting.environment in found for setting in settings):
        return found
    for setting in settings:
        sent_to = setting.sent_to if address is None or is_from_config(address) else ""
        value = config.secret(setting.name, sent_to) if sent_to else config.get(setting.name)
        if value is not None:
            found[setting.environment] = value
    return found
