"""Commands that label nights: cuts, label."""

import dataclasses
from pathlib import Path

import click

from ztfml.cli.options import PATH, command, history_option, night_argument, output_option
from ztfml.cli.output import print_table, write_table


def _cut_options(function):
    """One option for each threshold of `Cuts`, without loading the rules for `--help`."""
    from ztfml.labels.thresholds import Cuts

    for field in reversed(dataclasses.fields(Cuts)):
        unit = f", {field.metadata['unit']}" if field.metadata["unit"] else ""
        function = click.option(
            f"--{field.name.replace('_', '-')}", type=float, default=field.default,
            show_default=True, help=f"{field.metadata['help'].capitalize()}{unit}.",
        )(function)  # fmt: skip
    return function


@command("ztfml cuts night.parquet --drb 0.6 --plot cuts.png -o rules_labels.csv")
@night_argument
@history_option
@_cut_options
@output_option([".csv"], required=False)
@click.option(
    "--plot", type=PATH, metavar="FIGURE", help="Histograms of drb and sgscore1 with the cuts."
)
def cuts(night, history, output, plot, **thresholds):
    """Sort a night by hand-made cuts, and print how many each removes and leaves.

    With -o the outcome is written as a label file; its evidence begins with "rules:".
    """
    from ztfml.labels.rules import DEGREES, apply_cuts
    from ztfml.labels.thresholds import Cuts
    from ztfml.sources.formats import open_night

    chosen = Cuts(**thresholds)
    opened = open_night(night, history)
    result = apply_cuts(opened, chosen)
    print_table(result.flow, f"{night}: the cut flow")
    degrees = result.labels.dropna(subset="degree")
    counts = degrees.groupby("degree")["objectId"].agg(["size", "nunique"])
    counts = counts.reindex(DEGREES, fill_value=0).set_axis(["alerts", "objects"], axis=1)
    counts = counts.reset_index()
    print_table(counts, "what is left, from transient to AGN")
    if output:
        write_table(result.labels, output)
        click.echo(output)
    if plot:
        from ztfml import plots

        has_drb = "drb" in opened.alerts and opened.alerts["drb"].notna().any()
        score, cut = ("drb", chosen.drb) if has_drb else ("rb", chosen.rb)
        fig, axes = plots.figure(2)
        plots.score_histogram(axes[0], opened, score, cut)
        plots.score_histogram(axes[1], opened, "sgscore1", chosen.sgscore)
        plots.save(fig, plot)
        click.echo(plot)


def _catalog_options(function):
    """The options that name catalogues, with the kinds there are."""
    from ztfml.catalogs.kinds import KINDS, OBJECTS

    def check(ctx, param, values):
        named = [value.partition("=") for value in values]
        for value, (kind, _, path) in zip(values, named, strict=True):
            if kind not in (*KINDS, OBJECTS) or not path:
                raise click.BadParameter(
                    f"{value}: write KIND=FILE, with {', '.join(KINDS)} or {OBJECTS} as KIND"
                )
        return [(kind, Path(path)) for kind, _, path in named]

    online = [kind.name for kind in KINDS.values() if (kind.vizier or "").startswith("vizier:")]
    for option in (
        click.option(
            "--doubtful", type=PATH, metavar="FILE",
            help="A table of objects (objectId, reason) whose labels are not believed.",
        ),
        click.option(
            "--mpc", is_flag=True,
            help="The known asteroid that the packet names. Such labels are circular.",
        ),
        click.option(
            "--vizier", type=click.Choice(online), multiple=True,
            help="Ask VizieR for a catalogue, online; may be given again.",
        ),
        click.option("--simbad", is_flag=True, help="Ask SIMBAD, online."),
        click.option(
            "--catalog", "files", multiple=True, callback=check, metavar="KIND=FILE",
            help=f"A catalogue of places ({', '.join(KINDS)}; agn is any list of AGN) or a table "
            f"of {OBJECTS} with types (TNS, BTS, a label file). May be given again.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@command(
    "ztfml label night.parquet --catalog vsx=vsx.parquet --catalog objects=bts.csv \\\n"
    "    -o night_labels.csv"
)
@night_argument
@_catalog_options
@output_option([".csv"])
def label(night, files, simbad, vizier, mpc, doubtful, output):
    """Label a night by catalogues: what stands there, and what the objects were found to be.

    Alerts of which the catalogues disagree, and doubtful ones, get no label; they go to
    NAME_conflicts.csv.
    """
    if not (files or simbad or vizier or mpc):
        raise click.UsageError("name a catalogue with --catalog, --simbad, --vizier or --mpc")
    from ztfml.catalogs.matching import Ephemerides
    from ztfml.catalogs.read import read_catalog, read_doubtful
    from ztfml.labels.catalogs import label_from_catalogs
    from ztfml.sources.formats import open_alerts

    opened = open_alerts(night)
    catalogs = [read_catalog(kind, path) for kind, path in files]
    if simbad or vizier:
        from ztfml.catalogs.services import fetch_catalog

        catalogs += [fetch_catalog(kind, opened) for kind in [*["simbad"] * simbad, *vizier]]
    catalogs += [Ephemerides()] * mpc
    found = label_from_catalogs(opened, catalogs)
    if doubtful:
        found = found.set_aside(read_doubtful(doubtful))
    conflicts = output.with_name(f"{output.stem.removesuffix('_labels')}_conflicts.csv")
    write_table(found.conflicts, conflicts)
    write_table(found.labels, output)
    print_table(found.summary(), f"{night}: labels by catalogue, in alerts")
    click.echo(output)
    click.echo(f"{conflicts}: {len(found.conflicts)} conflicts")
