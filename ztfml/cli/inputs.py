"""Open what the options of a command name: nights and models."""

import click

from ztfml.cli.options import TRUST


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
    """Load the nights one at a time and return the result of a function for each."""
    from ztfml.io.progress import track
    from ztfml.sources.formats import open_night

    if history is not None and len(paths) > 1:
        raise click.UsageError("--history belongs to one night; give one NIGHT with it")
    paths = alert_files(paths) if len(paths) > 1 else paths
    paths = track(paths, "nights") if len(paths) > 1 else paths
    return [do(open_night(path, history)) for path in paths]


def matcher(galaxies, skymap=None):
    """Return a function that matches nights with a catalogue of galaxies and a sky map.

    Both files are read first, so that a wrong file is an error before the work.
    """
    catalogs = []
    if galaxies is not None:
        from ztfml.catalogs.galaxies import GalaxyCatalog

        catalogs.append(GalaxyCatalog.load(galaxies))
    if skymap is not None:
        from ztfml.catalogs.skymap import SkyMap

        catalogs.append(SkyMap.load(skymap))

    def match(night):
        for catalog in catalogs:
            night = catalog.match(night)
        return night

    return match


def selection_from(everything, min_score, within, skymap):
    """Make the selection of rows from the options of a command."""
    from ztfml.ranking.selection import Selection

    if within is not None and skymap is None:
        raise click.UsageError("--within needs --skymap FILE")
    return Selection(min_score, 1.0 if within is None else within, everything)


def alert_files(paths):
    """Drop the files beside nights from the paths, which a shell adds for ``*.parquet``."""
    from ztfml.schema import FORCED_SUFFIX, GALAXIES_SUFFIX, HISTORY_SUFFIX

    suffixes = (HISTORY_SUFFIX, FORCED_SUFFIX, GALAXIES_SUFFIX)
    alerts = [path for path in paths if not path.stem.endswith(suffixes)]
    if not alerts:
        raise click.UsageError(
            "give at least one file of alerts; these are only histories or catalogues of galaxies"
        )
    return alerts
