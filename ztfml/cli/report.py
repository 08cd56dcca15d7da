"""The command that writes the page of a night."""

import click

from ztfml.cli.inputs import make_scorer
from ztfml.cli.options import (
    command,
    history_option,
    instrument_option,
    model_option,
    night_argument,
    output_option,
    weights_option,
)


@command("ztfml report night.parquet -o night.html")
@night_argument
@history_option
@model_option
@weights_option
@instrument_option
@output_option([".html"])
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
    from ztfml.report import write_report
    from ztfml.sources.fetched_folder import fetched_beside
    from ztfml.sources.formats import open_night

    loaded = Model.load(model)
    folder = fetched_beside(night)
    opened = open_night(night, history)
    folder = folder if folder.is_dir() else None
    scorer = make_scorer(weights, instrument)
    summary = write_report(opened, loaded, output, folder, top, scorer)
    click.echo(f"{len(summary['ranked'])} objects listed, {len(summary['cards'])} with a card")
    click.echo(output)
