"""Commands about the settings in ztfml.toml: config show."""

import os

import click

from ztfml.cli.configured import config_of, used
from ztfml.cli.options import command
from ztfml.cli.printing import format_option


@click.group()
def config():
    """Show the settings in ztfml.toml."""


@config.add_command
@command("ztfml config show\nztfml config show --format json", name="show")
@click.option("--all", "everything", is_flag=True, help="Also print settings without a value.")
@format_option
def show(everything, out):
    """Print the settings, their values and where they come from.

    Settings are read from ztfml.toml in your own configuration folder and in the working folder,
    which has priority. Environment variables have priority over both, and options on the command
    line over all. Passwords, tokens and other secrets are printed as "set". With --format csv or
    json, all settings are printed.
    """
    import pandas as pd

    from ztfml.config.files import user_file
    from ztfml.config.table import DEFAULT, rows

    found = config_of()
    _check_tables(found)
    table = pd.DataFrame(rows(found, os.environ))
    files = " and ".join(map(str, found.files))
    title = f"settings of {files}" if files else f"no settings; {user_file()} does not exist"
    if not (everything or out.is_data):
        # Not the 40 settings of single brokers and catalogues that have no value.
        is_common = (table["value"] != "none") & (table["setting"].str.count("[.]") < 2)
        table = table[(table["source"] != DEFAULT) | is_common]
    out.table(table, title)


def _check_tables(config):
    """Check the files and tables of the ranking, which other commands read when they rank."""
    if not config.files:
        return
    from ztfml.ranking import settings

    for name in ("weights", "instrument", "observatory"):
        path = used(config, name)
        if path is not None:
            getattr(settings, f"read_{name}")(path)
