"""Commands of the history store: history add, night, show."""

import logging
from pathlib import Path

import click

from ztfml.cli.inputs import alert_files
from ztfml.cli.options import command, night_argument, nights_argument, output_option
from ztfml.cli.printing import format_option
from ztfml.cli.staging import PlaceOrAddress, shown

log = logging.getLogger(__name__)

store_argument = click.argument("store", type=PlaceOrAddress(path_type=Path), metavar="STORE")


@click.group()
def history():
    """Keep the light curves of many nights.

    STORE is a folder of parquet files with all detections, non-detections and forced photometry
    of the nights that were added, each exposure once."""


@command("ztfml history add store nights/*.parquet", name="add")
@store_argument
@nights_argument
@click.option("--again", is_flag=True, help="Add nights again that were added before.")
def history_add(store, nights, again):
    """Add nights to a store; it is created if it does not exist.

    Nights can be added in any order and several times. After an interruption, run the command
    again."""
    if not nights:
        raise click.UsageError("give at least one NIGHT")
    from ztfml.errors import DataError
    from ztfml.io.progress import track
    from ztfml.store.add import add_night
    from ztfml.store.store import Store

    opened = Store.create(store)
    nights = alert_files(nights)
    errors = []
    n_new = 0
    for night in track(nights, "nights"):
        try:
            added = add_night(opened, night, again, shown(night))
        except DataError as error:
            log.error("%s", error)
            errors.append(error)
            continue
        n_new += added.is_new
        log.info("%s: %s", night, _describe(added))
    if len(errors) == len(nights):
        raise errors[-1]
    click.echo(f"{n_new} nights added, {len(nights) - n_new - len(errors)} added before")
    click.echo(opened)
    if errors:
        raise DataError(f"{len(errors)} of {len(nights)} nights failed; the others were added")


def _describe(added):
    if not added.is_new:
        return "added before"
    return (
        f"{added.n_objects:,} objects, {added.n_rows:,} rows, {added.n_forced:,} rows of forced "
        f"photometry; {added.n_changed} of {added.n_partitions} files replaced"
    )


@command("ztfml history night store night.parquet -o long.parquet --months 6", name="night")
@store_argument
@night_argument
@output_option([".parquet"])
@click.option(
    "--months", default=6.0, show_default=True, type=click.FloatRange(0, min_open=True),
    help="Length of the history before the first alert of each object.",
)  # fmt: skip
def history_night(store, night, output, months):
    """Write a night with the history that a store has of its objects.

    The output has all columns of NIGHT. Its history has the exposures of the store and of NIGHT
    before the last alert of each object. NIGHT need not be in the store."""
    from ztfml.store.night import write_night_with_history
    from ztfml.store.store import Store

    written = write_night_with_history(Store.open(store), night, output, months)
    click.echo(f"{len(written)} alerts and {len(written.history.jd)} history rows")
    click.echo(output)


@command(
    "ztfml history show store\nztfml history show store ZTF18abukavn --format csv", name="show"
)
@store_argument
@click.argument("object_id", metavar="[OBJECTID]", required=False)
@format_option
def history_show(store, object_id, out):
    """List the nights of a store, or print the light curve of an object."""
    from ztfml.store import show
    from ztfml.store.store import Store

    opened = Store.open(store)
    if object_id is not None:
        out.table(show.light_curve(opened, object_id), object_id)
        return
    nights = show.nights(opened)
    if not out.is_data:
        nights["night"] = [Path(night).name for night in nights["night"]]
    out.table(nights, str(store))
    found = show.contents(opened)
    out.say(
        f"{found.n_rows:,} rows and {found.n_forced:,} rows of forced photometry in "
        f"{found.n_cells} cells, {found.n_files} files, {found.n_bytes / 1e6:,.1f} MB"
    )


for _command in (history_add, history_night, history_show):
    history.add_command(_command)
