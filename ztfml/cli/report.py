"""The command that writes the page of a night."""

import click

from ztfml.cli.inputs import (
    load_model,
    load_observatory,
    one_night,
    run_batch,
    selection_from,
    trusted,
)
from ztfml.cli.options import (
    PATH,
    OutputFolder,
    batch_options,
    command,
    galaxies_option,
    history_option,
    instrument_option,
    model_option,
    nights_argument,
    observatory_option,
    outputs_option,
    ranking_option,
    selection_options,
    skymap_option,
    weights_option,
)


@command(
    "ztfml report night.parquet -o night.html\n"
    "ztfml report night.parquet -o night.html --marks ada_marks.csv\n"
    "ztfml report nights/*.parquet -o pages/ --jobs 2"
)
@nights_argument
@history_option
@model_option
@ranking_option
@weights_option
@instrument_option
@observatory_option
@galaxies_option
@skymap_option
@selection_options
@outputs_option([".html"])
@batch_options
@click.option(
    "--top", default=200, show_default=True, type=click.IntRange(1),
    help="Number of objects listed.",
)  # fmt: skip
@click.option(
    "--marks", type=PATH, metavar="MARKS.csv",
    help="Earlier marks, exported on a page or written by ztfml marks merge.",
)  # fmt: skip
def report(
    nights, history, model, ranking, weights, instrument, observatory, galaxies, skymap, everything,
    min_score, within, output, batch, top, marks,
):  # fmt: skip
    """Write the HTML page of a night.

    The page has a summary, the ranked list and each listed object in detail. It is one file and
    loads nothing from the network. It includes light curves, cutouts and
    catalogue matches from NAME_fetched next to the night, if that folder exists. With
    --marks, objects that were rejected or classified before are folded away. With
    -o DIR/, each night gets a page of its own, and index.html has a calendar, the best
    objects of each night and the marked objects; nights that are done are skipped.
    """
    if not nights:
        raise click.UsageError("give at least one NIGHT")
    from ztfml.labels.marks import read_marks
    from ztfml.nights.steps import Report, matcher
    from ztfml.ranking import FastTransientScorer
    from ztfml.report import write_report
    from ztfml.sources.fetched_folder import fetched_beside
    from ztfml.sources.formats import open_night

    earlier = None if marks is None else read_marks(marks)
    selection = selection_from(everything, min_score, within, skymap)
    place = load_observatory(observatory, instrument)
    if isinstance(output, OutputFolder):
        files = (model, ranking, weights, instrument, galaxies, skymap)
        step = Report(trusted(), *files, tuple(selection), top, marks, tuple(place))
        run_batch(step, nights, output, batch, history, lambda: _write_index(output.path, earlier))
        return
    night = one_night(nights)
    loaded = load_model(model)
    folder = fetched_beside(night)
    opened = matcher(galaxies, skymap)(open_night(night, history))
    folder = folder if folder.is_dir() else None
    scorer = FastTransientScorer.load(ranking, weights, instrument)
    summary = write_report(
        opened, loaded, output, folder, top, scorer, selection, earlier, observatory=place
    )
    click.echo(f"{len(summary['cards'])} of {summary['n_ranked']} ranked objects listed")
    click.echo(output)


def _write_index(folder, marks):
    """Write the page of all nights of a folder, or of an address, and return its name.

    There is none if the folder does not exist.
    """
    from ztfml.nights.staged import label_of, staged
    from ztfml.report.index import INDEX, write_index

    with staged(folder) as (pages,):
        if not pages.is_dir():
            return None
        write_index(pages, marks)
    return f"{label_of(folder).rstrip('/')}/{INDEX}"
