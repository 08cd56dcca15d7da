"""Commands of the classifier: features, train, predict, evaluate, model."""

import sys

import click

from ztfml.cli.drift import DriftReport, report_option
from ztfml.cli.inputs import (
    alert_files,
    fail_if_bad,
    for_each_night,
    load_model,
    model_folder,
    own_groups,
    run_batch,
    trusted,
)
from ztfml.cli.options import (
    PATH,
    OutputFolder,
    batch_options,
    command,
    force_option,
    galaxies_option,
    history_option,
    model_option,
    night_argument,
    nights_argument,
    output_option,
    outputs_option,
    trust_option,
)
from ztfml.cli.printing import format_option, written_or_printed
from ztfml.io.terminal import print_markdown


@command(
    "ztfml features night.parquet -o features.parquet\n"
    "ztfml features nights/*.parquet -o features/ --jobs 2\n"
    "ztfml features --list markdown"
)
@nights_argument
@history_option
@outputs_option([".parquet", ".csv"], required=False, printed=True)
@format_option
@batch_options
@click.option(
    "--list", "listing", is_flag=False, flag_value="table",
    type=click.Choice(["table", "markdown", "json"]),
    help="Print the definitions of all features and exit: table (default), markdown or json.",
)  # fmt: skip
@click.option("--broker", is_flag=True, help="Add the broker scores (acai, braai).")
@galaxies_option
@trust_option
def features(nights, history, output, batch, listing, broker, galaxies, out):
    """Compute the features of every alert.

    Features use only data taken up to the alert. With --galaxies, there are also the features of
    the most probable host galaxy and the luminosity in it; with --trust, own features of a Python
    file. Several nights are written to one table, or with -o DIR/ to one file each; nights that
    are done are then skipped. Only one night at a time is in memory.
    """
    if listing:
        from ztfml.features.listing import as_json, as_markdown, as_table

        click.echo({"table": as_table, "markdown": as_markdown, "json": as_json}[listing]())
        return
    if not nights or (output is None and not out.is_data):
        raise click.UsageError("give NIGHT and -o FILE, or --list")
    from ztfml.nights.steps import Features, matcher, write_features

    groups = own_groups()
    if isinstance(output, OutputFolder):
        step = Features(trusted(), broker, galaxies)
        return run_batch(step, nights, output, batch, history)
    match = matcher(galaxies)

    def write_night(night):
        night = match(night)
        return len(night), write_features(night, write, broker, groups)

    with written_or_printed(output, out) as write:
        counts, n_bad = for_each_night(nights, history, write_night)
    n_alerts = sum(number for number, _ in counts)
    out.say(f"{n_alerts} alerts, {counts[0][1]} features: {output or 'printed'}")
    fail_if_bad(n_bad, len(counts) + n_bad)


def _classes(ctx, param, value):
    """Read a list of classes, in the order of the taxonomy."""
    if value is None:
        return None
    from ztfml.taxonomy import LABELS

    named = [name.strip().lower() for name in value.split(",")]
    unknown = [name for name in named if name not in LABELS]
    if unknown or len(set(named)) < 2:
        problem = f"{unknown[0]!r} is not a class" if unknown else "this is one class"
        raise click.BadParameter(f"{problem}; name two or more of {','.join(LABELS)}")
    return [label for label in LABELS if label in named]


@command(
    "ztfml train nights/*.parquet -o new_model\n"
    "ztfml train night.parquet --labels night_labels_by_eye.csv --onto default -o extended_model"
)
@click.argument("nights", type=PATH, nargs=-1, required=True, metavar="NIGHT...")
@click.option(
    "-o", "--output", type=PATH, required=True, metavar="DIR", help="Model folder to write."
)
@force_option
@click.option(
    "--labels", type=PATH, multiple=True, metavar="FILE",
    help="Label file; one for all nights, or one per night. "
    "Default: NAME_labels.csv next to each night.",
)  # fmt: skip
@click.option(
    "--onto", type=PATH, metavar="DIR",
    help="Extend this model with the labels instead of training a new one; "
    "default: the model that ships with ztfml.",
)  # fmt: skip
@click.option(
    "--classes", callback=_classes, metavar="CLASS,CLASS...",
    help="Train a model of these classes only, with any number of objects. "
    "Default: all classes, with at least 20 objects each.",
)  # fmt: skip
@click.option(
    "--drop-circular", is_flag=True,
    help="Ignore labels derived from a packet field that is also a feature.",
)  # fmt: skip
@click.option(
    "--class-weight", type=click.Choice(["none", "balanced"]), default="balanced",
    show_default=True, help="balanced: every class has the same total weight in training.",
)  # fmt: skip
@click.option(
    "--param", "given", multiple=True, metavar="NAME=VALUE",
    help="Parameter of the classifier, for example num_leaves=31; can be repeated.",
)  # fmt: skip
@click.option(
    "--params", type=PATH, metavar="FILE",
    help="TOML file with parameters of the classifier, one per line.",
)  # fmt: skip
@trust_option
def train(nights, output, force, labels, onto, classes, drop_circular, class_weight, given, params):
    """Train a model on labelled nights.

    Prints the cross-validated scores of the model. The first is for sources that are not in
    the training set. With --onto, tens or hundreds of labels are enough, of any classes. The own
    features in a Python file that is named with --trust are used besides those of ztfml.
    """
    if onto is not None:
        if classes or drop_circular or given or params:
            raise click.UsageError(
                "--onto cannot be combined with --classes, --drop-circular, --param or --params"
            )
        from ztfml.training.extend import extend

        base = load_model(None if str(onto) == "default" else onto)
        print_markdown(extend(alert_files(nights), base, output, labels or None, overwrite=force))
        click.echo(output)
        return
    from ztfml.training.parameters import read_parameters
    from ztfml.training.train import train as train_model

    report = train_model(
        alert_files(nights),
        output,
        labels=labels or None,
        classes=classes,
        drop_circular=drop_circular,
        class_weight=None if class_weight == "none" else class_weight,
        overwrite=force,
        parameters=read_parameters(given, params),
        own=own_groups(),
    )
    print_markdown(report)
    click.echo(output)


@command(
    "ztfml predict night.parquet -o predictions.parquet -m my_model\n"
    "ztfml predict night.parquet -o predictions.parquet --report drift.csv --report drift.png\n"
    "ztfml predict nights/*.parquet -o predictions/ --jobs 2"
)
@nights_argument
@history_option
@model_option
@outputs_option([".parquet", ".csv"], required=False, printed=True)
@format_option
@batch_options
@report_option
def predict(nights, history, model, output, batch, report, out):
    """Predict the five class probabilities of every alert.

    Several nights are written to one table, or with -o DIR/ to one file each; nights that are
    done are then skipped. Only one night at a time is in memory. With --report, one sentence per
    night says whether its features look like those of the training data.
    """
    if not nights:
        raise click.UsageError("give at least one NIGHT")
    if output is None and not out.is_data:
        raise click.UsageError("give -o FILE, -o DIR/, or -o - to print the predictions")
    if isinstance(output, OutputFolder):
        if report:
            raise click.UsageError("--report needs -o FILE")
        from ztfml.nights.steps import Predict

        return run_batch(Predict(trusted(), model), nights, output, batch, history)
    from collections import Counter

    loaded = load_model(model)
    drift = DriftReport(loaded, report, out)

    def write_predictions(night):
        predictions = drift.predict(night)
        write(predictions)
        return Counter(predictions["label"])

    with written_or_printed(output, out) as write:
        results, n_bad = for_each_night(nights, history, write_predictions)
    counts = sum(results, Counter())
    summary = ", ".join(f"{label} {count}" for label, count in counts.most_common())
    drift.write()
    out.say(f"{counts.total()} alerts: {summary}: {output or 'printed'}")
    drift.say()
    fail_if_bad(n_bad, len(results) + n_bad)


@command("ztfml evaluate night.parquet -o metrics.json --plot figure.png")
@night_argument
@history_option
@model_option
@click.option(
    "--labels",
    type=PATH,
    metavar="FILE",
    help="Label file. Default: NAME_labels.csv next to the night.",
)
@output_option([".json"], required=False, printed=True)
@format_option
@click.option(
    "--plot", type=PATH, metavar="FIGURE",
    help="Figure file: confusion matrix, reliability, precision-recall, F1 by magnitude.",
)  # fmt: skip
@report_option
def evaluate(night, history, model, labels, output, plot, report, out):
    """Compare the predictions of a model with the labels of a night.

    The first score uses only objects that are not in the training set, and only labels that
    are independent of the features. Intervals contain 90 % of bootstrap samples of objects. With
    --report, a sentence says whether all alerts of the night look like the training data.
    """
    import json

    from ztfml.evaluation.text import evaluation_report, per_class
    from ztfml.io.atomic import write_beside
    from ztfml.io.companions import labels_beside
    from ztfml.sources.formats import open_night
    from ztfml.training.evaluate import evaluate as evaluate_night

    loaded = load_model(model)
    opened = open_night(night, history)
    metrics = evaluate_night(opened, labels or labels_beside(night), loaded)
    text = json.dumps(metrics, indent=1, allow_nan=False) + "\n"
    if output:
        with write_beside(output) as part:
            part.write_text(text)
    if plot:
        _plot_metrics(metrics, plot)
    drift = DriftReport(loaded, report, out)
    if report:
        drift.predict(opened)
        drift.write()
    if out.is_json:
        click.echo(text, nl=False)
    elif out.is_data:
        out.data(per_class(metrics))
    else:
        print_markdown(evaluation_report(metrics))
    for path in filter(None, (output, plot)):
        out.say(path)
    drift.say()


def _plot_metrics(metrics, path):
    from ztfml import plots

    fig, axes = plots.figure(4, width=7.0, height=5.5, n_columns=2)
    plots.confusion(axes[0], metrics)
    plots.reliability(axes[1], metrics)
    plots.precision_recall(axes[2], metrics)
    plots.scores_by_magnitude(axes[3], metrics)
    plots.save(fig, path)


@click.group()
def model():
    """Show or verify the folder of a model or a ranking."""


@model.add_command
@command(
    "ztfml model show my_model\nztfml model show my_model --format json",
    configured={"folder": "model"},
)
@click.argument("folder", type=PATH, metavar="[DIR]", required=False)
@format_option
def show(folder, out):
    """Show the scores and the training data of a model or a ranking.

    With --format json, its card; with csv, the scores of each class."""
    import json
    from pathlib import Path

    from ztfml.evaluation.text import per_class
    from ztfml.model.folder import describe_model
    from ztfml.ranking.folder import describe_ranking, is_ranking

    folder = model_folder(folder)
    text = describe_ranking(folder) if is_ranking(folder) else describe_model(folder)
    if not out.is_data:
        print_markdown(text)
        return
    card = (Path(folder) / "card.json").read_text(encoding="utf-8")
    if out.is_json:
        click.echo(card, nl=False)
    elif is_ranking(folder):
        raise click.UsageError("a ranking has no table of classes; use --format json")
    else:
        out.data(per_class(json.loads(card)["metrics"][0]))


@model.add_command
@command("ztfml model verify my_model", configured={"folder": "model"})
@click.argument("folder", type=PATH, metavar="[DIR]", required=False)
@trust_option
def verify(folder):
    """Check that the folder of a model or a ranking is complete.

    It must also reproduce the results that are stored in its card."""
    from ztfml.model.folder import verify_model
    from ztfml.ranking.folder import is_ranking, verify_ranking

    folder = model_folder(folder)
    checks = verify_ranking(folder) if is_ranking(folder) else verify_model(folder, trusted())
    for check in checks:
        click.echo(f"{'ok    ' if check.passed else 'FAILED'} {check.check}: {check.outcome}")
    if not checks[-1].passed:
        sys.exit(1)
