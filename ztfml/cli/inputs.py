"""Open what the options of a command name: nights and models."""

import logging

import click

from ztfml.cli.options import TRUST

log = logging.getLogger(__name__)


def model_folder(folder):
    """Return the model folder that a user named, or else the shipped one."""
    from ztfml.model.folder import shipped_model

    return folder if folder is not None else shipped_model()


def trusted():
    """Return the Python code that the user allows with ``--trust``."""
    return click.get_current_context().meta.get(TRUST, ())


def load_model(folder):
    """Load the model that a command uses, with the code that the user allows."""
    from ztfml.model.model import Model

    return Model.load(folder, trusted())


def own_groups():
    """Import the own features that the user names with ``--trust``."""
    if not trusted():
        return ()
    from ztfml.errors import ModelError
    from ztfml.features.own import load_groups

    groups = load_groups(trusted())
    if not groups:
        raise ModelError(f"{', '.join(trusted())}: declares no own features; define a Group in it")
    return groups


def for_each_night(paths, history, do):
    """Load the nights one at a time and return the result of a function for each.

    Of several nights, bad ones are reported and the others continue. The second result is the
    number of bad nights.
    """
    from ztfml.errors import DataError, ModelError
    from ztfml.io.progress import track
    from ztfml.sources.formats import open_night

    if len(paths) == 1:
        return [do(open_night(paths[0], history))], 0
    if history is not None:
        raise click.UsageError("--history belongs to one night; give one NIGHT with it")
    results, errors = [], []
    for path in track(alert_files(paths), "nights"):
        try:
            night = open_night(path)
        except DataError as error:
            log.error("%s", error)
            errors.append(error)
            continue
        try:
            results.append(do(night))
        except ModelError as error:
            # The model lacks something that depends on the night.
            log.error("%s: %s", path, error)
            errors.append(error)
    if not results:
        raise errors[0]
    return results, len(errors)


def fail_if_bad(n_bad, n_all):
    """End with an error if nights are missing in the output."""
    from ztfml.errors import DataError

    if n_bad:
        raise DataError(f"{n_bad} of {n_all} nights failed; the output contains the others")


def run_batch(step, nights, output, batch, history=None, finish=None):
    """Process nights to one file each in a folder, and print a summary.

    ``finish`` is called before anything is printed, and what it returns is printed.
    """
    from ztfml.errors import DataError
    from ztfml.nights import batch as batches
    from ztfml.nights.staged import expand

    if history is not None and len(nights) > 1:
        raise click.UsageError("--history belongs to one night; give one NIGHT with it")
    found = [one for night in nights for one in expand(night)]
    summary = batches.run_batch(step, alert_files(found), output.path, batch, history)
    last = None if finish is None else finish()
    click.echo(summary)
    click.echo(summary.folder)
    if last is not None:
        click.echo(last)
    if summary.failed:
        raise DataError(
            f"{len(summary.failed)} of {len(summary.outputs)} nights failed; see "
            f"{summary.folder}/{batches.FAILED}, and run the command again to repeat them"
        )


def one_night(nights):
    """Return the only night, or say that several nights need a folder."""
    nights = alert_files(nights) if len(nights) > 1 else nights
    if len(nights) > 1:
        raise click.UsageError("several nights need -o DIR/, a folder with one file per night")
    return nights[0]


def load_observatory(observatory, instrument):
    """Read the observatory from one of the two files."""
    from ztfml.cli.configured import is_given
    from ztfml.ranking.settings import read_observatory

    if is_given("instrument") and not is_given("observatory"):
        # A file on the command line has priority over the settings.
        return read_observatory(instrument, observatory)
    return read_observatory(observatory, instrument)


def selection_from(everything, min_score, within, skymap):
    """Make the selection of rows from the options of a command."""
    from ztfml.ranking.selection import Selection

    if within is not None and skymap is None:
        raise click.UsageError("--within needs --skymap FILE")
    return Selection(min_score, 1.0 if within is None else within, everything)


def alert_files(paths):
    """Drop the files beside nights from the paths, which a shell adds for ``*.parquet``."""
    from ztfml.nights.staged import pure_path
    from ztfml.schema import FORCED_SUFFIX, GALAXIES_SUFFIX, HISTORY_SUFFIX

    suffixes = (HISTORY_SUFFIX, FORCED_SUFFIX, GALAXIES_SUFFIX)
    alerts = [path for path in paths if not pure_path(path).stem.endswith(suffixes)]
    if not alerts:
        raise click.UsageError(
            "give at least one file of alerts; these are only histories or catalogues of galaxies"
        )
    return alerts
