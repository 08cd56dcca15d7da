"""The command that writes a night or a store for other tools."""

import click

from ztfml.cli.options import PATH, command
from ztfml.cli.staging import PlaceOrAddress, is_address, local_copy


@command("ztfml export night.parquet --hats night_hats\nztfml export store --hats store_hats")
@click.argument("source", type=PlaceOrAddress(path_type=str), metavar="NIGHT|STORE")
@click.option(
    "--hats", "folder", type=PATH, required=True, metavar="DIR",
    help="The new HATS catalogue.",
)  # fmt: skip
def export(source, folder):
    """Write a night or a history store as a HATS catalogue.

    The catalogue has one row per object, with its light curve, forced photometry and alerts as
    nested columns. LSDB and nested-pandas read it, and all commands of ztfml."""
    from ztfml.store.hats import export_hats
    from ztfml.store.store import is_store

    if is_address(source) and not is_store(source):
        source = local_copy(source, click.get_current_context())
    click.echo(f"{export_hats(source, folder)} objects")
    click.echo(folder)
