"""Options and arguments that several commands share."""

import functools
import logging
from pathlib import Path

import click

from ztfml.cli.configured import ConfiguredCommand
from ztfml.cli.output import check_outputs
from ztfml.cli.printing import FORMAT
from ztfml.cli.staging import PathOrAddress, is_address, local_copy, remote_files
from ztfml.io.safe_text import printable

PATH = PathOrAddress(path_type=Path)


class Level(click.ParamType):
    """A credible level above 0 and at most 1, also in percent: 0.9, 90% or 90."""

    name = "level"

    def convert(self, value, param, ctx):
        text = str(value).strip()
        try:
            level = float(text.removesuffix("%"))
        except ValueError:
            level = 0.0
        # A number between 1 and 10 without a sign of percent is more likely an error.
        level = level / 100 if text.endswith("%") or level >= 10 else level
        if not 0 < level <= 1:
            self.fail(f"{value!r} is not a level above 0 and at most 1, such as 0.9 or 90%")
        return level


class _StderrHandler(logging.Handler):
    def emit(self, record):
        click.echo(printable(self.format(record)), err=True)


def _set_up(quiet):
    from ztfml.io.progress import show_progress

    show_progress(not quiet)
    logger = logging.getLogger("ztfml")
    logger.handlers = [_StderrHandler()]
    logger.propagate = False
    logger.setLevel(logging.ERROR if quiet else logging.INFO)


def command(example, name=None, configured=None):
    """Declare a command with ``--quiet`` and with examples at the end of its help.

    The tests run every example, so each must work in a folder with the files that it names.
    ``configured`` has the settings of parameters with other names (see `ConfiguredCommand`).
    """

    def declare(function):
        @functools.wraps(function)
        def run(*args, quiet, **kwargs):
            _set_up(quiet)
            with remote_files():
                check_outputs(function.__name__, kwargs)
                return function(*args, **kwargs)

        run = click.option("-q", "--quiet", is_flag=True, help="Print no progress and no remarks.")(
            run
        )
        epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in example.splitlines())
        declared = click.command(name, cls=ConfiguredCommand, epilog=epilog)(run)
        declared.configured = configured or {}
        return declared

    return declare


class OutputFolder:
    """A folder with one output per night, from ``-o DIR/``: its path or address."""

    def __init__(self, path):
        self.path = path


class NightOrAddress(PathOrAddress):
    """A night. With ``-o DIR/``, each task copies its night itself, so an address is passed on."""

    def convert(self, value, param, ctx):
        if is_address(value) and isinstance(ctx.params.get("output"), OutputFolder):
            return value
        return super().convert(value, param, ctx)


def _printed_instead(ctx, value, printed):
    """Remember that ``-o -`` asks for the data on standard output."""
    if printed and str(value) == "-":
        ctx.meta[FORMAT] = "csv"
        return True
    return False


def outputs_option(suffixes, required=True, printed=False):
    """Declare the option ``-o FILE`` or ``-o DIR/`` of a command for many nights.

    With ``printed``, ``-o -`` prints the data instead (see `ztfml.cli.printing`).
    """

    def check(ctx, param, value):
        if value is None or _printed_instead(ctx, value, printed):
            return None
        # Options may follow an address.
        name = value.partition("?")[0] if is_address(value) else value.removeprefix("file://")
        path = Path(name)
        is_file = path.suffix.lower() in suffixes and not name.endswith("/")
        if not is_file and not name.endswith("/") and (is_address(value) or not path.is_dir()):
            raise click.BadParameter(
                f"{name}: the file name must end in {' or '.join(suffixes)}, and the name of a "
                "folder in /"
            )
        if is_address(value):
            return local_copy(value, ctx) if is_file else OutputFolder(value)
        return path if is_file else OutputFolder(path)

    return click.option(
        # The nights need it (see NightOrAddress).
        "-o", "--output", required=required, callback=check, metavar="FILE|DIR/", is_eager=True,
        help=f"Output file ({' or '.join(suffixes)}), or a folder with one file per night"
        + ("; - prints the data." if printed else "."),
    )  # fmt: skip


def output_option(suffixes, required=True, printed=False):
    """Declare the option ``-o FILE``; a suffix not in the list is a usage error.

    With ``printed``, ``-o -`` prints the data instead (see `ztfml.cli.printing`).
    """

    def check(ctx, param, value):
        if value is None or _printed_instead(ctx, value, printed):
            return None
        if value.suffix.lower() not in suffixes:
            raise click.BadParameter(f"{value}: the file name must end in {' or '.join(suffixes)}")
        return value

    return click.option(
        "-o", "--output", type=PATH, required=required, callback=check,
        metavar="FILE", help=f"Output file ({' or '.join(suffixes)})"
        + ("; - prints the data." if printed else "."),
    )  # fmt: skip


night_argument = click.argument("night", type=PATH, metavar="NIGHT")


NIGHT = NightOrAddress(path_type=Path)
nights_argument = click.argument("nights", type=NIGHT, nargs=-1, metavar="NIGHT...")


history_option = click.option(
    "--history", type=PATH, metavar="FILE",
    help="Previous candidates. Default: NAME_prv_candidates next to the night.",
)  # fmt: skip


def batch_options(function):
    """Declare the options of ``-o DIR/``, and pass them to the command as one object."""

    @functools.wraps(function)
    def run(*args, jobs, scheduler, prepare, again, **kwargs):
        used = jobs or scheduler or prepare or again
        if used and not isinstance(kwargs["output"], OutputFolder):
            raise click.UsageError("--jobs, --scheduler, --prepare and --again need -o DIR/")
        if jobs and scheduler:
            raise click.UsageError("--jobs and --scheduler cannot be combined")
        from ztfml.nights.options import Options

        return function(*args, batch=Options(jobs or 1, scheduler, prepare, again), **kwargs)

    for option in (
        click.option(
            "--again", is_flag=True,
            help="With -o DIR/: process nights again that are done.",
        ),
        click.option(
            "--prepare", is_flag=True,
            help="With -o DIR/: compile the code and check the model on every worker first.",
        ),
        click.option(
            "--scheduler", metavar="ADDRESS|FILE.json",
            help="With -o DIR/: scheduler of a Dask cluster, for example tcp://10.0.0.1:8786.",
        ),
        click.option(
            "--jobs", type=click.IntRange(1), metavar="N",
            help="With -o DIR/: number of nights at the same time, each in one process with one "
            "thread.",
        ),
    ):  # fmt: skip
        run = option(run)
    return run


def _store_trust(ctx, param, value):
    ctx.meta[TRUST] = value


TRUST = "ztfml.trust"


trust_option = click.option(
    "--trust", multiple=True, metavar="CODE", envvar="ZTFML_TRUST", callback=_store_trust,
    expose_value=False,
    help="Python file or module with own features, or type of an own classifier, that may be used; "
    "can be repeated. A model never runs other code.",
)  # fmt: skip


def model_option(function):
    """Declare the options ``-m DIR`` and ``--trust CODE``."""
    option = click.option(
        "-m", "--model", type=PATH, metavar="DIR",
        help="Model folder. Default: the model that ships with ztfml.",
    )  # fmt: skip
    return option(trust_option(function))


force_option = click.option(
    "--force", is_flag=True, help="Replace an older model in the output folder."
)


ranking_option = click.option(
    "--ranking", type=PATH, metavar="DIR",
    help="Folder written by ztfml fit-ranking. Default: the ranking that ships with ztfml.",
)  # fmt: skip


weights_option = click.option(
    "--weights", type=PATH, metavar="FILE",
    help="TOML file with a table [weights]. Default: the weights of the ranking.",
)  # fmt: skip


instrument_option = click.option(
    "--instrument", type=PATH, metavar="FILE",
    help="TOML file with a table [instrument]. Default: that of the ranking (SEDM).",
)  # fmt: skip


observatory_option = click.option(
    "--observatory", type=PATH, metavar="FILE",
    help="TOML file with a table [observatory]. Default: that of --instrument, or Palomar.",
)  # fmt: skip


galaxies_option = click.option(
    "--galaxies", type=PATH, metavar="FILE",
    help="Catalogue of galaxies with distances or redshifts (NED-LVS, GLADE+, DESI, ...).",
)  # fmt: skip


skymap_option = click.option(
    "--skymap", type=PATH, metavar="FILE",
    help="Sky map of a gravitational-wave, gamma-ray or neutrino alert (HEALPix FITS).",
)  # fmt: skip


def selection_options(function):
    """Declare the options that select rows of the ranked list."""
    for option in (
        click.option(
            "--all", "everything", is_flag=True,
            help="Also list objects that are stars or artifacts with at least 90 % probability, "
            "and every name of a source with several names.",
        ),
        click.option(
            "--min-score", type=click.FloatRange(0, 1), default=0.0, metavar="SCORE",
            help="List only objects with at least this score.",
        ),
        click.option(
            "--within", type=Level(), metavar="LEVEL",
            help="With --skymap: list only objects in this credible region, such as 0.9 or 90%.",
        ),
    ):  # fmt: skip
        function = option(function)
    return function
