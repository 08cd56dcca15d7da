"""The command line: parse, call, print.

Data goes to stdout, remarks and progress to stderr. Heavy imports wait until a command needs
them, so that ``ztfml --help`` answers at once.
"""

import dataclasses
import functools
import logging
import sys
from pathlib import Path

import click

from ztfml.errors import ZtfmlError

# pandas, numba and the rest are loaded inside the commands.


class _Commands(click.Group):
    """Turns every error that the user can mend into one sentence and exit code 1."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except ZtfmlError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            # The reader of our output, e.g. `head`, has seen enough.
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error


class _ToStderr(logging.Handler):
    def emit(self, record):
        click.echo(self.format(record), err=True)


def _set_up(quiet):
    from ztfml.io.progress import show_progress

    show_progress(not quiet)
    logger = logging.getLogger("ztfml")
    logger.handlers = [_ToStderr()]
    logger.propagate = False
    logger.setLevel(logging.ERROR if quiet else logging.INFO)


def _command(example, name=None):
    """A command with `--quiet` and an example at the end of its help."""

    def declare(function):
        @functools.wraps(function)
        def run(*args, quiet, **kwargs):
            _set_up(quiet)
            return function(*args, **kwargs)

        run = click.option("-q", "--quiet", is_flag=True, help="No progress and no remarks.")(run)
        epilog = "\b\nExample:\n" + "\n".join(f"  {line}" for line in example.splitlines())
        return click.command(name, epilog=epilog)(run)

    return declare


def _out(suffixes, required=True):
    """The option `-o FILE`, refused as wrong usage if its suffix is not one we write."""

    def check(ctx, param, value):
        if value is not None and value.suffix.lower() not in suffixes:
            raise click.BadParameter(f"{value}: the name must end in {' or '.join(suffixes)}")
        return value

    return click.option(
        "-o", "--output", type=click.Path(path_type=Path), required=required, callback=check,
        metavar="FILE", help=f"Where to write ({', '.join(suffixes)}).",
    )  # fmt: skip


_PATH = click.Path(path_type=Path)
_night = click.argument("night", type=_PATH, metavar="NIGHT.parquet")
_nights = click.argument("nights", type=_PATH, nargs=-1, metavar="NIGHT.parquet...")
_history = click.option(
    "--history", type=_PATH, metavar="FILE",
    help="Previous candidates; by default NAME_prv_candidates.parquet beside the night.",
)  # fmt: skip
_model = click.option(
    "-m", "--model", type=_PATH, metavar="DIR",
    help="A model folder; by default the model that ships with ztfml.",
)  # fmt: skip

_INPUTS_SHOWN = 8
_weights = click.option(
    "--weights", type=_PATH, metavar="FILE",
    help="A TOML file with a table [weights]; by default ztfml's own.",
)  # fmt: skip
_instrument = click.option(
    "--instrument", type=_PATH, metavar="FILE",
    help="A TOML file with a table [instrument]; by default ztfml's own, SEDM.",
)  # fmt: skip


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ztfml")
def main():
    """Classify a night of ZTF alerts and rank its fast transients.

    A NIGHT is a parquet file of alerts; its history is NAME_prv_candidates.parquet beside it.
    """


@main.add_command
@_command("ztfml demo demo")
@click.argument("folder", type=_PATH, default="demo", metavar="[DIR]")
@click.option("--seed", default=8, show_default=True, help="Another seed is another sky.")
def demo(folder, seed):
    """Simulate nights, train on them, predict, rank, plot and report a new one, in a new folder."""
    from ztfml.demo import run_demo

    for line in run_demo(folder, seed):
        click.echo(line)


@main.add_command
@_command("ztfml simulate nights --nights 3 --alerts 5000 --seed 7")
@click.argument("folder", type=_PATH, metavar="DIR")
@click.option("--nights", default=1, show_default=True, type=click.IntRange(1), help="How many.")
@click.option(
    "--alerts", default=5000, show_default=True, type=click.IntRange(1), help="Alerts a night."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--mix", type=click.Choice(["natural", "balanced", "transients"]), default="natural",
    show_default=True, help="Classes as on the sky, as many of each, or mostly transients.",
)  # fmt: skip
@click.option(
    "--start-jd", default=2460474.5, show_default=True, help="Julian date at which they begin."
)
def simulate(folder, nights, alerts, seed, mix, start_jd):
    """Simulate labelled nights of one sky and write them to DIR."""
    from ztfml.simulate import write_nights

    folder.mkdir(parents=True, exist_ok=True)
    for path in write_nights(folder, alerts, nights, seed, mix, start_jd):
        click.echo(path)


@main.add_command
@_command("ztfml ingest ztf_public_20240601.tar.gz -o night.parquet")
@click.argument("packets", type=_PATH, nargs=-1, required=True, metavar="PACKET|DIR|TAR...")
@_out([".parquet"])
@click.option("--cutouts", is_flag=True, help="Keep the image stamps, too, in NAME_fetched.")
def ingest(packets, output, cutouts):
    """Turn avro alert packets, loose or in tar archives, into a night's parquet pair."""
    from ztfml.sources.fetched_folder import fetched_beside
    from ztfml.sources.packets import ingest as ingest_packets

    summary = ingest_packets(packets, output, cutouts)
    click.echo(
        f"{summary.n_alerts} alerts and {summary.n_history} history rows from "
        f"{summary.n_files} files; {summary.n_duplicates} packets came twice, "
        f"{summary.n_skipped} were skipped"
    )
    if cutouts:
        click.echo(f"stamps of {summary.n_cutouts} alerts: {fetched_beside(output)}")
    if summary.skipped_path:
        click.echo(f"skipped: see {summary.skipped_path}")
    click.echo(output)


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


@main.add_command
@_command("ztfml cuts night.parquet --drb 0.6 --plot cuts.png -o rules_labels.csv")
@_night
@_history
@_cut_options
@_out([".csv"], required=False)
@click.option(
    "--plot", type=_PATH, metavar="FIGURE", help="Histograms of drb and sgscore1 with the cuts."
)
def cuts(night, history, output, plot, **thresholds):
    """Sort a night by hand-made cuts, and print how many each removes and leaves.

    With -o the outcome is written as a label file; its evidence begins with "rules:".
    """
    from ztfml.labels.rules import DEGREES, apply_cuts
    from ztfml.labels.thresholds import Cuts
    from ztfml.night import Night

    chosen = Cuts(**thresholds)
    opened = Night.load(night, history)
    result = apply_cuts(opened, chosen)
    _print_table(result.flow, f"{night}: the cut flow")
    degrees = result.labels.dropna(subset="degree")
    counts = degrees.groupby("degree")["objectId"].agg(["size", "nunique"])
    counts = counts.reindex(DEGREES, fill_value=0).set_axis(["alerts", "objects"], axis=1)
    counts = counts.reset_index()
    _print_table(counts, "what is left, from transient to AGN")
    if output:
        _write_table(result.labels, output)
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
            "--doubtful", type=_PATH, metavar="FILE",
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


@main.add_command
@_command(
    "ztfml label night.parquet --catalog vsx=vsx.parquet --catalog objects=bts.csv \\\n"
    "    -o night_labels.csv"
)
@_night
@_catalog_options
@_out([".csv"])
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
    from ztfml.night import Night

    opened = Night.load_alerts(night)
    catalogs = [read_catalog(kind, path) for kind, path in files]
    if simbad or vizier:
        from ztfml.catalogs.services import fetch_catalog

        catalogs += [fetch_catalog(kind, opened) for kind in [*["simbad"] * simbad, *vizier]]
    catalogs += [Ephemerides()] * mpc
    found = label_from_catalogs(opened, catalogs)
    if doubtful:
        found = found.set_aside(read_doubtful(doubtful))
    conflicts = output.with_name(f"{output.stem.removesuffix('_labels')}_conflicts.csv")
    _write_table(found.conflicts, conflicts)
    _write_table(found.labels, output)
    _print_table(found.summary(), f"{night}: labels by catalogue, in alerts")
    click.echo(output)
    click.echo(f"{conflicts}: {len(found.conflicts)} conflicts")


@main.add_command
@_command("ztfml features night.parquet -o features.parquet\nztfml features --list markdown")
@_nights
@_history
@_out([".parquet", ".csv"], required=False)
@click.option(
    "--list", "listing", is_flag=False, flag_value="table",
    type=click.Choice(["table", "markdown", "json"]),
    help="Print what each feature is instead: as a table (the default), markdown or json.",
)  # fmt: skip
@click.option("--broker", is_flag=True, help="Add the brokers' scores (acai, braai).")
def features(nights, history, output, listing, broker):
    """Compute the features of every alert, each as of its own epoch.

    Several nights are written one below the other; one at a time is in memory.
    """
    if listing:
        from ztfml.features.listing import as_json, as_markdown, as_table

        click.echo({"table": as_table, "markdown": as_markdown, "json": as_json}[listing]())
        return
    if not nights or output is None:
        raise click.UsageError("name a night and, with -o, where to write; or ask for --list")
    import pandas as pd

    from ztfml.features import compute_in_parts
    from ztfml.io.parquet import write_tables

    def write_features(night):
        for table in compute_in_parts(night, broker=broker):
            ids = night.alerts.loc[table.index, ["objectId", "candid", "jd"]]
            write(pd.concat([ids, table], axis=1))
        return len(night), table.shape[1]

    with write_tables(output) as write:
        counts = _for_each_night(nights, history, write_features)
    n_alerts = sum(number for number, _ in counts)
    click.echo(f"{n_alerts} alerts, {counts[0][1]} features: {output}")


@main.add_command
@_command("ztfml train nights/*.parquet -o my_model")
@click.argument("nights", type=_PATH, nargs=-1, required=True, metavar="NIGHT.parquet...")
@click.option(
    "-o", "--output", type=_PATH, required=True, metavar="DIR", help="The model folder to write."
)
@click.option(
    "--labels", type=_PATH, multiple=True, metavar="FILE",
    help="A label file, once or one a night; by default NAME_labels.csv beside each night.",
)  # fmt: skip
@click.option(
    "--drop-circular", is_flag=True,
    help="Leave out labels that were read from a field that is also a feature.",
)  # fmt: skip
@click.option(
    "--class-weight", type=click.Choice(["none", "balanced"]), default="balanced",
    show_default=True, help="Whether rare classes weigh as much as common ones.",
)  # fmt: skip
def train(nights, output, labels, drop_circular, class_weight):
    """Train a model on labelled nights, and print how good it is, the honest figure first."""
    from ztfml.training.train import train as train_model

    report = train_model(
        _alert_files(nights),
        output,
        labels=labels or None,
        drop_circular=drop_circular,
        class_weight=None if class_weight == "none" else class_weight,
    )
    click.echo(report)
    click.echo(output)


def _alert_files(paths):
    """The alerts' files among the paths: with `*.parquet` a shell names the histories too."""
    from ztfml.schema import HISTORY_SUFFIX

    alerts = [path for path in paths if not path.stem.endswith(HISTORY_SUFFIX)]
    if not alerts:
        raise click.UsageError("name at least one file of alerts, not only histories")
    return alerts


@main.add_command
@_command("ztfml predict night.parquet -o predictions.parquet -m my_model")
@_nights
@_history
@_model
@_out([".parquet", ".csv"])
def predict(nights, history, model, output):
    """Give every alert its five class probabilities.

    Several nights are written one below the other; one at a time is in memory.
    """
    if not nights:
        raise click.UsageError("name a night")
    from collections import Counter

    from ztfml.io.parquet import write_tables
    from ztfml.model.model import Model

    loaded = Model.load(model)

    def write_predictions(night):
        predictions = loaded.predict(night)
        write(predictions)
        return Counter(predictions["label"])

    with write_tables(output) as write:
        counts = sum(_for_each_night(nights, history, write_predictions), Counter())
    told = ", ".join(f"{label} {count}" for label, count in counts.most_common())
    click.echo(f"{counts.total()} alerts: {told}: {output}")


@main.add_command
@_command(
    "ztfml rank night.parquet -o ranked.csv --top 12\n"
    "ztfml rank night.parquet --explain ZTF18abukavn --plot why.png"
)
@_night
@_history
@_model
@_out([".csv"], required=False)
@click.option(
    "--top", type=click.IntRange(1),
    help="How many objects; by default the spectra that the instrument takes a night.",
)  # fmt: skip
@_weights
@_instrument
@click.option(
    "--explain", "object_id", metavar="OBJECTID",
    help="Say what each term adds to the score of this object instead.",
)  # fmt: skip
@click.option(
    "--plot", type=_PATH, metavar="FIGURE",
    help="With --explain: its light curve and what each term adds.",
)  # fmt: skip
def rank(night, history, model, output, top, weights, instrument, object_id, plot):
    """Rank the fast transients of a night, with reasons."""
    if plot and not object_id:
        raise click.UsageError("--plot draws one object; name it with --explain")
    if object_id and top:
        raise click.UsageError("--explain is of one object, whatever its rank; leave out --top")
    from ztfml.model.model import Model
    from ztfml.night import Night

    scorer = _scorer(weights, instrument)
    loaded = Model.load(model)
    opened = Night.load(night, history)
    if object_id:
        ranked = loaded.rank(opened, scorer=scorer)
        _explain(opened, ranked, scorer, object_id, loaded, plot)
    else:
        ranked = loaded.rank(opened, top or scorer.instrument.spectra_per_night, scorer)
        _print_table(ranked[["rank", "objectId", "score", "p_transient", "reasons"]], str(night))
    if output:
        _write_table(ranked, output)
        click.echo(output)


def _explain(night, ranked, scorer, object_id, model, figure):
    """Print the terms and the reasons of one object, and draw them."""
    from ztfml import features
    from ztfml.model.classifier import probabilities
    from ztfml.ranking import row_of

    row, terms = row_of(ranked, object_id), scorer.explain(ranked, object_id)
    _print_table(terms, f"{object_id}: what the terms add, each value from 0 to 1")
    click.echo(
        f"{terms['adds'].sum():.2f} and the intercept, {scorer.weights['intercept']:.2f}: score "
        f"{row['score']:.3f}, rank {row['rank']} of {len(ranked)}"
    )
    click.echo(row["reasons"])
    latest = night.subset((night.alerts["candid"] == row["candid"]).to_numpy())
    table = features.compute(latest)
    seen = scorer.explain_trees(table, probabilities(model.classifier, table))
    if len(seen):
        _print_table(seen[:_INPUTS_SHOWN], "alike: what the trees go by, in log odds")
    if figure:
        from ztfml import plots

        fig, axes = plots.figure(2, width=10.0, height=5.5, n_columns=1)
        plots.light_curve(axes[0], night, object_id)
        plots.contributions(axes[1], terms, row)
        plots.save(fig, figure)
        click.echo(figure)


def _check_brokers(ctx, param, values):
    from ztfml.sources.brokers import BROKERS

    named = [value.partition("=") for value in values]
    for value, (name, _, _) in zip(values, named, strict=True):
        if name not in BROKERS:
            names = " or ".join(BROKERS)
            raise click.BadParameter(f"{value}: write {names}, or such a name with =URL")
    return [(name, url or None) for name, _, url in named]


_object_ids = click.argument("object_ids", nargs=-1, metavar="[OBJECTID]...")
_top_of = click.option(
    "--top", "top_of", type=(click.IntRange(1), _PATH), metavar="K RANKED.csv",
    help="The first K objects of a ranked list.",
)  # fmt: skip


def _chosen(night, object_ids, top_of):
    """The objects that are named, and those on top of a ranked list, as the night knows them."""
    from ztfml.sources.brokers import objects_of, read_ranked

    names = list(object_ids)
    if top_of:
        names += read_ranked(top_of[1], top_of[0])
    elif not names:
        raise click.UsageError("name objects, or take the first of a list: --top 12 RANKED.csv")
    return objects_of(night, names)


@main.add_command
@_command("ztfml fetch night.parquet --top 12 ranked.csv\nztfml fetch night.parquet ZTF18abukavn")
@_night
@_object_ids
@_top_of
@click.option(
    "--broker", "brokers", multiple=True, default=("alerce", "fink"), show_default=True,
    callback=_check_brokers, metavar="NAME[=URL]",
    help="Whom to ask; may be given again: what the first has not, the next is asked for.",
)  # fmt: skip
@click.option("--offline", is_flag=True, help="Ask nobody: take what was answered before.")
def fetch(night, object_ids, top_of, brokers, offline):
    """Fetch full light curves and image stamps of objects into NAME_fetched beside the night."""
    from ztfml.sources.brokers import BROKERS
    from ztfml.sources.brokers import fetch as fetch_objects
    from ztfml.sources.fetched_folder import fetched_beside
    from ztfml.sources.web import open_session

    objects = _chosen(night, object_ids, top_of)
    session = open_session(offline)
    folder = fetched_beside(night)
    found = fetch_objects(folder, objects, [BROKERS[name](session, url) for name, url in brokers])
    for sentence in found["problems"].explode().dropna():
        click.echo(sentence, err=True)
    _print_table(found.drop(columns="problems"), str(folder))
    n_curves, n_cutouts = ((found[name] != "").sum() for name in ("light_curve", "cutouts"))
    click.echo(f"{n_curves} light curves and {n_cutouts} sets of stamps of {len(found)} objects")
    if not n_curves and not n_cutouts:
        raise ZtfmlError("nothing was fetched; see above for why, or try again later")


def _context_options(function):
    """The catalogues that `ztfml context` looks into, files and services."""

    def check(ctx, param, values):
        from ztfml.catalogs.context import SOURCES

        named = [value.partition("=") for value in values]
        for value, (source, _, path) in zip(values, named, strict=True):
            if source not in SOURCES or not path:
                raise click.BadParameter(
                    f"{value}: write KIND=FILE, with {', '.join(SOURCES)} as KIND"
                )
        return [(source, Path(path)) for source, _, path in named]

    for option in (
        click.option(
            "--online", is_flag=True, help="Ask NED, SIMBAD, Milliquas and VSX, online."
        ),
        click.option(
            "--catalog", "files", multiple=True, callback=check, metavar="KIND=FILE",
            help="A catalogue as a file: tns (its public objects), galaxies (any list of them), "
            "ned, simbad, milliquas, vsx, gcvs, gaia or agn. May be given again.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function


@main.add_command
@_command(
    "ztfml context night.parquet --top 12 ranked.csv --online \\\n"
    "    --catalog tns=tns_public_objects.csv"
)
@_night
@_object_ids
@_top_of
@_context_options
def context(night, object_ids, top_of, files, online):
    """Tell what catalogues know of where objects are: classes, hosts, distances.

    The table goes to NAME_fetched/context.csv beside the night; what stands there of other
    objects and catalogues stays.
    """
    if not (files or online):
        raise click.UsageError("name a catalogue with --catalog, or ask with --online")
    from ztfml.catalogs.context import ONLINE, find_context, merge_context
    from ztfml.sources import fetched_folder as fetched

    objects = _chosen(night, object_ids, top_of)
    rows, asked = find_context(objects, files, ONLINE if online else ())
    if not asked:
        raise ZtfmlError("no catalogue answered; see above for why, or try again later")
    folder = fetched.fetched_beside(night)
    old = fetched.context(folder)
    fetched.write_context(folder, merge_context(old, rows, objects["objectId"], asked))
    _print_table(rows.drop(columns="redshift"), ", ".join(asked))
    n_known = rows["objectId"].nunique()
    click.echo(f"{n_known} of {len(objects)} objects have known neighbours: {folder}/context.csv")


@main.add_command
@_command("ztfml evaluate night.parquet -o metrics.json --plot figure.png")
@_night
@_history
@_model
@click.option(
    "--labels", type=_PATH, metavar="FILE", help="By default NAME_labels.csv beside the night."
)
@_out([".json"], required=False)
@click.option(
    "--plot", type=_PATH, metavar="FIGURE",
    help="Confusion, reliability, precision against recall, F1 by magnitude.",
)  # fmt: skip
def evaluate(night, history, model, labels, output, plot):
    """Compare a model's predictions with the labels of a night.

    The honest figure comes first: of objects that the model was never trained on, by labels
    that were read from none of its features. Intervals hold nine of ten draws of the objects.
    """
    import json

    from ztfml.evaluation.text import evaluation_report
    from ztfml.io.atomic import write_beside
    from ztfml.model.model import Model
    from ztfml.night import Night, labels_beside
    from ztfml.training.evaluate import evaluate as evaluate_night

    loaded = Model.load(model)
    found = evaluate_night(Night.load(night, history), labels or labels_beside(night), loaded)
    click.echo(evaluation_report(found))
    if output:
        with write_beside(output) as part:
            part.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
        click.echo(output)
    if plot:
        from ztfml import plots

        fig, axes = plots.figure(4, width=7.0, height=5.5, n_columns=2)
        plots.confusion(axes[0], found)
        plots.reliability(axes[1], found)
        plots.precision_recall(axes[2], found)
        plots.scores_by_magnitude(axes[3], found)
        plots.save(fig, plot)
        click.echo(plot)


@main.add_command
@_command("ztfml recover night.parquet -o recovery.json --plot recovery.png")
@_night
@_history
@_model
@click.option(
    "--repeats", default=200, show_default=True, type=click.IntRange(1),
    help="How many times the night is filled anew.",
)  # fmt: skip
@click.option(
    "--per-night", default=5, show_default=True, type=click.IntRange(1),
    help="Events injected each time.",
)  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="The same seed injects the same events.")
@click.option(
    "--labels", type=_PATH, metavar="FILE",
    help="By default NAME_labels.csv beside the night, if there is one.",
)  # fmt: skip
@_out([".json"])
@click.option("--plot", type=_PATH, metavar="FIGURE", help="Recall in all and by parts.")
def recover(night, history, model, repeats, per_night, seed, labels, output, plot):
    """Inject fast transients into a night and count how many the ranking puts on top.

    Kilonovae, afterglows, fast blue transients and fast supernovae at physical distances are
    observed as the night observed, and ranked among its objects: recall in the first 12, 25
    and 50 rows, beside other ways to make such a list.
    """
    import json

    from ztfml.injection.recovery import recover as recover_events
    from ztfml.injection.report import recovery_report
    from ztfml.io.atomic import write_beside
    from ztfml.labels.label_file import read_labels
    from ztfml.model.model import Model
    from ztfml.night import Night, labels_beside

    loaded = Model.load(model)
    opened = Night.load(night, history)
    if labels is None and labels_beside(night).is_file():
        labels = labels_beside(night)
    known = None if labels is None else read_labels(labels)
    found = recover_events(
        opened, loaded, repeats=repeats, a_night=per_night, seed=seed, labels=known
    )
    click.echo(recovery_report(found))
    with write_beside(output) as part:
        part.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    click.echo(output)
    if plot:
        from ztfml import plots

        fig, axes = plots.figure(6, width=7.0, height=5.0, n_columns=2)
        plots.recall_by_top(axes[0], found)
        plots.first_listed(axes[1], found)
        for ax, part in zip(axes[2:], ("kind", "nights", "peak magnitude", "rate"), strict=True):
            plots.recall_by_part(ax, found, part)
        plots.save(fig, plot)
        click.echo(plot)


@main.add_command
@_command("ztfml plot night.parquet ZTF18abukavn -o figure.png")
@_night
@click.argument("object_id", metavar="OBJECTID")
@_history
@_out([".png", ".pdf", ".svg"])
def plot(night, object_id, history, output):
    """Draw an object's light curve as of its latest alert, with its rise and fade."""
    from ztfml import plots
    from ztfml.night import Night

    fig, (ax,) = plots.figure()
    plots.light_curve(ax, Night.load(night, history), object_id)
    plots.save(fig, output)
    click.echo(output)


@main.add_command
@_command("ztfml report night.parquet -o night.html")
@_night
@_history
@_model
@_weights
@_instrument
@_out([".html"])
@click.option(
    "--top", default=50, show_default=True, type=click.IntRange(1),
    help="How many objects have a card.",
)  # fmt: skip
def report(night, history, model, weights, instrument, output, top):
    """Make a night's page: what it held, the ranked list, and a card for each of the first.

    It is one file that loads nothing. What was fetched for the night (NAME_fetched beside it)
    is on the cards.
    """
    from ztfml.model.model import Model
    from ztfml.night import Night
    from ztfml.report import write_report
    from ztfml.sources.fetched_folder import fetched_beside

    loaded = Model.load(model)
    folder = fetched_beside(night)
    opened = Night.load(night, history)
    folder = folder if folder.is_dir() else None
    scorer = _scorer(weights, instrument)
    summary = write_report(opened, loaded, output, folder, top, scorer)
    click.echo(f"{len(summary['ranked'])} objects listed, {len(summary['cards'])} with a card")
    click.echo(output)


@main.group()
def model():
    """Show or check a model folder."""


@model.add_command
@_command("ztfml model show my_model")
@click.argument("folder", type=_PATH, metavar="[DIR]", required=False)
def show(folder):
    """Say what a model is, how good it is, and what it was trained on."""
    from ztfml.model.folder import describe_model

    click.echo(describe_model(_model_folder(folder)))


@model.add_command
@_command("ztfml model verify my_model")
@click.argument("folder", type=_PATH, metavar="[DIR]", required=False)
def verify(folder):
    """Check that a model folder is whole and gives the probabilities that its card expects."""
    from ztfml.model.folder import verify_model

    checks = verify_model(_model_folder(folder))
    for check in checks:
        click.echo(f"{'ok    ' if check.passed else 'FAILED'} {check.check}: {check.outcome}")
    if not checks[-1].passed:
        sys.exit(1)


def _scorer(weights, instrument):
    from ztfml.ranking import (
        DEFAULT_FILE,
        FastTransientScorer,
        read_instrument,
        read_trees,
        read_weights,
    )

    weights = weights or DEFAULT_FILE
    return FastTransientScorer(
        read_weights(weights), read_instrument(instrument or DEFAULT_FILE), read_trees(weights)
    )


def _model_folder(folder):
    from ztfml.model.folder import shipped_model

    return folder if folder is not None else shipped_model()


def _for_each_night(paths, history, do):
    """What a function gives for each night, of which only one is in memory at a time."""
    from ztfml.io.progress import track
    from ztfml.night import Night

    if history is not None and len(paths) > 1:
        raise click.UsageError("--history is of one night; name one night with it")
    paths = track(paths, "nights") if len(paths) > 1 else paths
    return [do(Night.load(path, history)) for path in paths]


def _write_table(table, path):
    from ztfml.io.parquet import write_tables

    with write_tables(path) as write:
        write(table)


def _print_table(frame, title):
    from rich.console import Console
    from rich.table import Table

    table = Table(show_edge=False)
    for name in frame.columns:
        text = not hasattr(frame[name].dtype, "kind") or frame[name].dtype.kind not in "fiu"
        table.add_column(str(name), justify="left" if text else "right", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    # Into a file or a pipe nothing is cut off.
    width = None if sys.stdout.isatty() else 200
    console = Console(width=width, highlight=False, markup=False)
    # A title of the table itself would be folded to its width.
    console.print(title, style="italic", soft_wrap=True)
    console.print(table)
