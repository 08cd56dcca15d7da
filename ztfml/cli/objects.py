"""Commands about single objects: fetch, context, plot."""

from pathlib import Path

import click

from ztfml.catalogs.kinds import CONTEXT_KINDS, CONTEXT_ONLINE, describe
from ztfml.cli.configured import catalog_files, config_of
from ztfml.cli.options import (
    PATH,
    OutputFolder,
    command,
    history_option,
    night_argument,
    outputs_option,
)
from ztfml.cli.printing import format_option
from ztfml.errors import ZtfmlError
from ztfml.io.similar import did_you_mean
from ztfml.io.text_tables import print_table
from ztfml.sources.brokers import BROKERS, QUERIED


def _check_brokers(ctx, param, values):
    named = [value.partition("=") for value in values]
    for value, (name, _, _) in zip(values, named, strict=True):
        if name not in QUERIED:
            names = " or ".join(QUERIED)
            remedy = did_you_mean(name, QUERIED) or f"write {names}, or one of these and =URL"
            raise click.BadParameter(f"{value}: {remedy}")
    config = config_of(ctx)
    return [(name, url or config.get(f"brokers.{name}.url")) for name, _, url in named]


object_ids_argument = click.argument("object_ids", nargs=-1, metavar="[OBJECTID]...")


top_of_option = click.option(
    "--top", "top_of", type=(click.IntRange(1), PATH), metavar="K RANKED.csv",
    help="Use the first K objects of a ranked list.",
)  # fmt: skip


def _chosen(night, object_ids, top_of):
    """Return the named objects and the first of a ranked list, with their positions."""
    from ztfml.sources.fetch import objects_of, read_ranked

    names = list(object_ids)
    if top_of:
        names += read_ranked(top_of[1], top_of[0])
    elif not names:
        raise click.UsageError("give object names, or --top K RANKED.csv")
    return objects_of(night, names)


@command(
    "ztfml fetch night.parquet --top 12 ranked.csv\nztfml fetch night.parquet ZTF18abukavn",
    configured={"brokers": "brokers.fetch"},
)
@night_argument
@object_ids_argument
@top_of_option
@click.option(
    "--broker", "brokers", multiple=True, default=QUERIED, show_default=True,
    callback=_check_brokers, metavar="NAME[=URL]",
    help="Brokers to query, in order; later ones fill gaps. Repeatable. "
    + " ".join(f"{name}: {BROKERS[name].provides}." for name in QUERIED),
)  # fmt: skip
@click.option("--offline", is_flag=True, help="Use only cached answers of earlier queries.")
def fetch(night, object_ids, top_of, brokers, offline):
    """Fetch light curves and image cutouts from brokers.

    They are written to the folder NAME_fetched next to the night; `ztfml report` uses them."""
    from ztfml.sources.fetch import fetch as fetch_objects
    from ztfml.sources.fetched_folder import fetched_beside
    from ztfml.sources.web import open_session

    objects = _chosen(night, object_ids, top_of)
    session = open_session(offline)
    folder = fetched_beside(night)
    clients = [BROKERS[name].make_client(session, url) for name, url in brokers]
    found = fetch_objects(folder, objects, clients)
    for sentence in found["problems"].explode().dropna():
        click.echo(sentence, err=True)
    print_table(found.drop(columns="problems"), str(folder))
    n_curves, n_cutouts = ((found[name] != "").sum() for name in ("light_curve", "cutouts"))
    click.echo(f"{n_curves} light curves and {n_cutouts} sets of cutouts for {len(found)} objects")
    if not n_curves and not n_cutouts:
        raise ZtfmlError("nothing was fetched; see the messages above, or try again later")


def _context_options(function):
    """Add the options that name catalogues for `ztfml context`."""

    def check(ctx, param, values):
        named = [value.partition("=") for value in values]
        for value, (source, _, path) in zip(values, named, strict=True):
            if source not in CONTEXT_KINDS or not path:
                similar = did_you_mean(source, CONTEXT_KINDS) if path else ""
                raise click.BadParameter(
                    f"{value}: "
                    + (similar or f"write KIND=FILE; KIND is one of {', '.join(CONTEXT_KINDS)}")
                )
        return [(source, Path(path)) for source, _, path in named]

    titles = ", ".join(CONTEXT_KINDS[name].title for name in CONTEXT_ONLINE)
    for option in (
        click.option(
            "--online", is_flag=True, help=f"Query {titles} (online)."
        ),
        click.option(
            "--catalog", "files", multiple=True, callback=check, metavar="KIND=FILE",
            help=f"Catalogue file. KIND is one of: {describe(CONTEXT_KINDS)}. Repeatable.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@command(
    "ztfml context night.parquet --top 12 ranked.csv --catalog tns=tns_public_objects.csv",
    configured={"files": catalog_files(CONTEXT_KINDS)},
)
@night_argument
@object_ids_argument
@top_of_option
@_context_options
@format_option
def context(night, object_ids, top_of, files, online, out):
    """Find objects in catalogues.

    The matches (known classes, host galaxies, distances) are printed and written to
    NAME_fetched/context.csv next to the night. Rows of other objects and catalogues in that
    file are kept.
    """
    if not (files or online):
        raise click.UsageError("give a catalogue with --catalog, or use --online")
    from ztfml.catalogs.context import find_context, merge_context
    from ztfml.sources import fetched_folder as fetched

    objects = _chosen(night, object_ids, top_of)
    rows, catalogs = find_context(objects, files, CONTEXT_ONLINE if online else ())
    if not catalogs:
        raise ZtfmlError("no catalogue could be read; see the messages above, or try again later")
    folder = fetched.fetched_beside(night)
    old = fetched.context(folder)
    fetched.write_context(folder, merge_context(old, rows, objects["objectId"], catalogs))
    shown = [name for name in rows.columns if name != "redshift"]
    out.table(rows, ", ".join(catalogs), shown)
    n_known = rows["objectId"].nunique()
    out.say(f"{n_known} of {len(objects)} objects have matches: {folder}/context.csv")


@command(
    "ztfml plot night.parquet ZTF18abukavn -o figure.png\n"
    "ztfml plot night.parquet --top 12 ranked.csv -o panels/\n"
    "ztfml plot night.parquet --top 12 ranked.csv -o panels.pdf"
)
@night_argument
@click.argument("object_id", metavar="[OBJECTID]", required=False)
@top_of_option
@history_option
@outputs_option([".png", ".pdf", ".svg"])
def plot(night, object_id, top_of, history, output):
    """Draw the light curve of an object, or panels of the best objects.

    The light curve ends at the latest alert of the object and shows its rise and fade rates.
    With --top, each object of the ranked list gets a panel with light curve, cutouts from
    NAME_fetched, reasons and terms: one PNG file each with -o DIR/, or one PDF."""
    if bool(object_id) == bool(top_of):
        raise click.UsageError("give one object name, or --top K RANKED.csv")
    in_folder = isinstance(output, OutputFolder)
    if object_id and in_folder:
        raise click.UsageError("-o DIR/ needs --top K RANKED.csv")
    if top_of and not in_folder and output.suffix.lower() != ".pdf":
        raise click.UsageError("with --top, write to -o DIR/ or to -o FILE.pdf")
    from ztfml import plots
    from ztfml.sources.formats import open_night

    if object_id:
        fig, (ax,) = plots.figure()
        plots.light_curve(open_night(night, history), object_id, ax)
        plots.save(fig, output)
        click.echo(output)
        return
    from ztfml.plots.panels import panels, read_rows, save_panels, save_pdf
    from ztfml.sources.fetched_folder import fetched_beside

    rows = read_rows(top_of[1], top_of[0])
    folder = fetched_beside(night)
    figures = panels(open_night(night, history), rows, folder if folder.is_dir() else None)
    if in_folder:
        for path in save_panels(figures, output.path):
            click.echo(path)
    else:
        click.echo(f"{save_pdf(figures, output)} pages")
        click.echo(output)
