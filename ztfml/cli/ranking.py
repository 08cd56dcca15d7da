"""Commands of the ranking: rank, recover, fit-ranking."""

import click

from ztfml.cli.inputs import (
    alert_files,
    load_model,
    one_night,
    run_batch,
    selection_from,
    trusted,
)
from ztfml.cli.options import (
    NIGHT,
    PATH,
    OutputFolder,
    batch_options,
    command,
    force_option,
    galaxies_option,
    history_option,
    instrument_option,
    model_option,
    night_argument,
    nights_argument,
    output_option,
    outputs_option,
    ranking_option,
    selection_options,
    skymap_option,
    weights_option,
)
from ztfml.cli.printing import format_option
from ztfml.io.terminal import print_markdown


@command(
    "ztfml rank night.parquet -o ranked.csv --top 12\n"
    "ztfml rank night.parquet --explain ZTF18abukavn --plot why.png\n"
    "ztfml rank night.parquet --galaxies night_galaxies.parquet --min-score 0.1\n"
    "ztfml rank night.parquet --format json\n"
    "ztfml rank nights/*.parquet -o ranked/ --jobs 2"
)
@nights_argument
@history_option
@model_option
@outputs_option([".csv"], required=False, printed=True)
@format_option
@batch_options
@click.option(
    "--top", type=click.IntRange(1),
    help="Number of objects. Default: the number of spectra per night of the instrument.",
)  # fmt: skip
@ranking_option
@weights_option
@instrument_option
@galaxies_option
@skymap_option
@selection_options
@click.option(
    "--explain", "object_id", metavar="OBJECTID",
    help="Print what each term adds to the score of this object.",
)  # fmt: skip
@click.option(
    "--plot", type=PATH, metavar="FIGURE",
    help="With --explain: figure file with the light curve and the terms.",
)  # fmt: skip
def rank(
    nights, history, model, output, batch, top, ranking, weights, instrument, galaxies, skymap,
    everything, min_score, within, object_id, plot, out,
):  # fmt: skip
    """Rank the fast transients of a night, with reasons.

    With --galaxies, the reasons give the luminosity in the most probable host galaxy; with
    --skymap, the credible region and the time since the event. With -o DIR/, several nights are
    ranked, each in a file of its own; nights that are done are skipped.
    """
    if not nights:
        raise click.UsageError("give at least one NIGHT")
    if plot and not object_id:
        raise click.UsageError("--plot needs --explain OBJECTID")
    if object_id and top:
        raise click.UsageError("--explain and --top cannot be combined")
    from ztfml.io.parquet import write_table
    from ztfml.nights.steps import Rank, matcher
    from ztfml.ranking import FastTransientScorer, headline
    from ztfml.sources.formats import open_night

    selection = selection_from(everything, min_score, within, skymap)
    if isinstance(output, OutputFolder):
        if object_id:
            raise click.UsageError("--explain needs one NIGHT, without -o DIR/")
        files = (model, ranking, weights, instrument, galaxies, skymap)
        step = Rank(trusted(), *files, tuple(selection), top)
        return run_batch(step, nights, output, batch, history)
    night = one_night(nights)
    scorer = FastTransientScorer.load(ranking, weights, instrument)
    loaded = load_model(model)
    opened = matcher(galaxies, skymap)(open_night(night, history))
    if object_id:
        ranked = loaded.rank(opened, scorer=scorer)
        if output:
            write_table(ranked, output)
        _explain(opened, ranked, scorer, object_id, loaded, plot, out)
    else:
        top = top or scorer.instrument.spectra_per_night
        ranked = loaded.rank(opened, top, scorer, selection=selection)
        if output:
            write_table(ranked, output)
        title = "\n".join(filter(None, [str(night), headline(ranked)]))
        out.table(ranked, title, ["rank", "objectId", "score", "p_transient", "reasons"])
    if output:
        out.say(output)


def _explain(night, ranked, scorer, object_id, model, figure, out):
    """Print and plot the terms and the reasons of one object."""
    from ztfml.ranking import row_of

    row, terms = row_of(ranked, object_id), scorer.explain(ranked, object_id)
    if figure:
        _plot_terms(night, object_id, row, terms, figure)
    out.table(terms, f"{object_id}: what each term adds to the log odds of the score")
    out.say(
        f"sum {row['log_odds']:.2f}: score {row['score']:.3f}, rank {row['rank']} of {len(ranked)}"
    )
    out.say(row["reasons"])
    if figure:
        out.say(figure)


def _plot_terms(night, object_id, row, terms, path):
    from ztfml import plots

    fig, axes = plots.figure(2, width=10.0, height=5.5, n_columns=1)
    plots.light_curve(night, object_id, axes[0])
    plots.contributions(axes[1], terms, row)
    plots.save(fig, path)


@command(
    "ztfml recover night.parquet -o recovery.json --repeats 20 --plot recovery.png\n"
    "ztfml recover night.parquet -o recovery.json --repeats 20 --galaxies night_galaxies.parquet"
)
@night_argument
@history_option
@model_option
@click.option(
    "--repeats", default=200, show_default=True, type=click.IntRange(1),
    help="Number of simulated copies of the night.",
)  # fmt: skip
@click.option(
    "--per-night", default=5, show_default=True, type=click.IntRange(1),
    help="Injected events per copy.",
)  # fmt: skip
@click.option(
    "--seed",
    default=1,
    show_default=True,
    help="Random seed; the same seed injects the same events.",
)
@click.option(
    "--labels", type=PATH, metavar="FILE",
    help="Label file. Default: NAME_labels.csv next to the night, if it exists.",
)  # fmt: skip
@ranking_option
@weights_option
@instrument_option
@galaxies_option
@output_option([".json"])
@click.option(
    "--plot",
    type=PATH,
    metavar="FIGURE",
    help="Figure file: recall, in total and by type, brightness and rate.",
)
def recover(
    night, history, model, repeats, per_night, seed, labels, ranking, weights, instrument, galaxies,
    output, plot,
):  # fmt: skip
    """Measure how many injected fast transients the ranking recovers.

    Kilonovae, afterglows, fast blue transients and fast supernovae at physical distances are
    observed with the cadence and depth of the night and ranked with its real objects. The
    result is the recall in the first 12, 25 and 50 rows, compared with other selections. With
    --galaxies, hosts of the events are added to the catalogue, as far as it would contain them.
    """
    import json

    from ztfml.injection.recovery import recover as recover_events
    from ztfml.injection.report import recovery_report
    from ztfml.io.atomic import write_beside
    from ztfml.io.companions import labels_beside
    from ztfml.labels.label_file import read_labels
    from ztfml.ranking import FastTransientScorer
    from ztfml.sources.formats import open_night

    loaded = load_model(model)
    opened = open_night(night, history)
    if labels is None and labels_beside(night).is_file():
        labels = labels_beside(night)
    label_table = None if labels is None else read_labels(labels)
    scorer = FastTransientScorer.load(ranking, weights, instrument)
    catalog = None
    if galaxies is not None:
        from ztfml.catalogs.galaxies import GalaxyCatalog

        catalog = GalaxyCatalog.load(galaxies)
    result = recover_events(opened, loaded, scorer, repeats, per_night, seed, label_table, catalog)
    with write_beside(output) as part:
        part.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
    if plot:
        _plot_recovery(result, plot)
    print_markdown(recovery_report(result))
    for path in filter(None, (output, plot)):
        click.echo(path)


def _plot_recovery(result, path):
    from ztfml import plots

    fig, axes = plots.figure(6, width=7.0, height=5.0, n_columns=2)
    plots.recall_by_top(axes[0], result)
    plots.first_listed(axes[1], result)
    for ax, part in zip(axes[2:], ("kind", "nights", "peak magnitude", "rate"), strict=True):
        plots.recall_by_part(ax, result, part)
    plots.save(fig, path)


@command("ztfml fit-ranking simulated/*.parquet -o my_ranking", name="fit-ranking")
@nights_argument
@model_option
@click.option(
    "-o", "--output", type=PATH, required=True, metavar="DIR", help="The ranking folder to write."
)
@click.option(
    "--calibrate", type=NIGHT, multiple=True, metavar="NIGHT",
    help="Another simulated night, on which the scores become probabilities. Can be repeated.",
)  # fmt: skip
@force_option
def fit_ranking(nights, model, output, calibrate, force):
    """Fit the ranking on simulated nights: boosted trees, and the weights of the terms.

    Use nights from ztfml simulate on which the model was not trained. The fit prints its recall
    on objects that were left out. Use the folder with --ranking.
    """
    if not nights:
        raise click.UsageError("name at least one simulated night")
    from ztfml.ranking.folder import describe_ranking
    from ztfml.training.fit_ranking import fit_ranking as fit

    fitted = fit(
        alert_files(nights),
        output,
        load_model(model),
        calibrate_on=calibrate,
        overwrite=force,
    )
    print_markdown(describe_ranking(fitted))
    click.echo(output)
