"""Commands that label nights: cuts, label."""

import dataclasses
from pathlib import Path

import click

from ztfml.catalogs.kinds import KINDS, OBJECTS, describe
from ztfml.cli.configured import catalog_files
from ztfml.cli.options import PATH, command, history_option, night_argument, output_option
from ztfml.cli.output import conflicts_beside
from ztfml.cli.printing import format_option
from ztfml.io.similar import did_you_mean


def _cut_options(function):
    """Add one option for each threshold of `Cuts`."""
    from ztfml.labels.thresholds import Cuts

    for field in reversed(dataclasses.fields(Cuts)):
        meaning, unit = field.metadata["help"], field.metadata["unit"]
        unit = f" ({unit})" if unit else ""
        function = click.option(
            f"--{field.name.replace('_', '-')}", type=float, default=field.default,
            show_default=True, help=f"{meaning[0].upper()}{meaning[1:]}{unit}.",
        )(function)  # fmt: skip
    return function


@command("ztfml cuts night.parquet --drb 0.6 --plot cuts.png -o rules_labels.csv")
@night_argument
@history_option
@_cut_options
@output_option([".csv"], required=False, printed=True)
@format_option
@click.option(
    "--plot",
    type=PATH,
    metavar="FIGURE",
    help="Figure file: histograms of drb and sgscore1 with the cuts.",
)
def cuts(night, history, output, plot, out, **thresholds):
    """Classify a night with simple cuts.

    Prints how many alerts each cut removes. With -o, the classes are written as a label file;
    its evidence starts with "rules:".
    """
    from ztfml.labels.rules import DEGREES, apply_cuts
    from ztfml.labels.thresholds import Cuts
    from ztfml.sources.formats import open_night

    chosen = Cuts(**thresholds)
    opened = open_night(night, history)
    result = apply_cuts(opened, chosen)
    if output:
        from ztfml.io.parquet import write_table

        write_table(result.labels, output)
    if plot:
        _plot_cuts(opened, chosen, plot)
    degrees = result.labels.dropna(subset="degree")
    counts = degrees.groupby("degree")["objectId"].agg(["size", "nunique"])
    counts = counts.reindex(DEGREES, fill_value=0).set_axis(["alerts", "objects"], axis=1)
    if out.is_data:
        out.data(result.labels)
    else:
        out.table(result.flow, f"{night}: cut flow")
        out.table(counts.reset_index(), "remaining sources, from transient to AGN")
    for path in filter(None, (output, plot)):
        out.say(path)


def _plot_cuts(night, cuts, path):
    from ztfml import plots

    has_drb = "drb" in night.alerts and night.alerts["drb"].notna().any()
    score, cut = ("drb", cuts.drb) if has_drb else ("rb", cuts.rb)
    fig, axes = plots.figure(2)
    plots.score_histogram(axes[0], night, score, cut)
    plots.score_histogram(axes[1], night, "sgscore1", cuts.sgscore)
    plots.save(fig, path)


def _catalog_options(function):
    """Add the options that name catalogues."""

    def check(ctx, param, values):
        named = [value.partition("=") for value in values]
        for value, (kind, _, path) in zip(values, named, strict=True):
            if kind not in (*KINDS, OBJECTS) or not path:
                similar = did_you_mean(kind, (*KINDS, OBJECTS)) if path else ""
                raise click.BadParameter(
                    f"{value}: "
                    + (similar or f"write KIND=FILE; KIND is {', '.join(KINDS)} or {OBJECTS}")
                )
        return [(kind, Path(path)) for kind, _, path in named]

    online = [kind.name for kind in KINDS.values() if (kind.service or "").startswith("vizier:")]
    for option in (
        click.option(
            "--doubtful", type=PATH, metavar="FILE",
            help="Table (objectId, reason) of objects whose labels are not trusted.",
        ),
        click.option(
            "--mpc", is_flag=True,
            help="Label asteroids by the packet field ssnamenr. Such labels are circular.",
        ),
        click.option(
            "--vizier", type=click.Choice(online), multiple=True,
            help="Query VizieR for this catalogue (online). Repeatable.",
        ),
        click.option("--simbad", is_flag=True, help="Query SIMBAD (online)."),
        click.option(
            "--catalog", "files", multiple=True, callback=check, metavar="KIND=FILE",
            help=f"Catalogue file. KIND is one of: {describe(KINDS)}; or {OBJECTS} (a table of "
            "object names and types, such as TNS, BTS or a label file). Repeatable.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@command(
    "ztfml label night.parquet --catalog vsx=vsx.parquet --catalog objects=bts.csv \\\n"
    "    -o night_labels.csv\n"
    "ztfml label night.parquet --catalog objects=bts.csv -o -",
    configured={"files": catalog_files((*KINDS, OBJECTS))},
)
@night_argument
@_catalog_options
@output_option([".csv"], printed=True)
@format_option
def label(night, files, simbad, vizier, mpc, doubtful, output, out):
    """Label the alerts of a night from catalogues.

    Catalogues are matched by position or by object name. Alerts for which catalogues
    disagree, and doubtful objects, get no label. They are written to NAME_conflicts.csv.
    """
    if not (files or simbad or vizier or mpc):
        raise click.UsageError("give a catalogue with --catalog, --simbad, --vizier or --mpc")
    from ztfml.catalogs.matching import Ephemerides
    from ztfml.catalogs.read import read_catalog, read_doubtful
    from ztfml.io.atomic import write_together
    from ztfml.io.safe_text import safe_table
    from ztfml.labels.catalogs import label_from_catalogs
    from ztfml.sources.formats import open_night

    opened = open_night(night)
    catalogs = [read_catalog(kind, path) for kind, path in files]
    if simbad or vizier:
        from ztfml.catalogs.services import fetch_catalog

        catalogs += [fetch_catalog(kind, opened) for kind in [*["simbad"] * simbad, *vizier]]
    catalogs += [Ephemerides()] * mpc
    found = label_from_catalogs(opened, catalogs)
    if doubtful:
        found = found.set_aside(read_doubtful(doubtful))
    if output:
        conflicts = conflicts_beside(output)
        with write_together(output, conflicts) as parts:
            for part, table in zip(parts, (found.labels, found.conflicts), strict=True):
                safe_table(table).to_csv(part, index=False)
    if out.is_data:
        out.data(found.labels)
    else:
        out.table(found.summary(), f"{night}: labelled alerts per catalogue")
    if output:
        out.say(output)
        out.say(f"{conflicts}: {len(found.conflicts)} conflicts")
