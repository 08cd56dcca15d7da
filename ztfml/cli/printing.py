"""Print the result of a command: as tables for people, or as CSV or JSON for other programs."""

import functools
from contextlib import contextmanager, nullcontext

import click

from ztfml.io.text_tables import print_table

FORMAT = "ztfml.format"
FORMATS = ("table", "csv", "json")


def format_option(function):
    """Declare ``--format`` and pass a `Printer` to the command as ``out``."""

    @functools.wraps(function)
    def run(*args, print_as, **kwargs):
        # `-o -` asks for data on standard output.
        asked = click.get_current_context().meta.get(FORMAT)
        return function(*args, out=Printer(print_as or asked), **kwargs)

    return click.option(
        "--format", "print_as", type=click.Choice(FORMATS),
        help="Print the result as a table for people (default), or as csv or json for other "
        "programs; names of files and remarks then go to standard error. -o - means --format csv.",
    )(run)  # fmt: skip


class Printer:
    """Print data to standard output; in csv and json, everything else to standard error."""

    def __init__(self, print_as):
        self.is_data = print_as in ("csv", "json")
        self.is_json = print_as == "json"

    def say(self, text):
        """Print a remark, such as the name of a file that was written."""
        click.echo(text, err=self.is_data)

    def data(self, frame):
        """Print a table as csv or json."""
        # Imported here because `ztfml --help` needs no pandas.
        from ztfml.io.data_text import as_csv, as_json

        click.echo((as_json if self.is_json else as_csv)(frame), nl=False)

    def table(self, frame, title, columns=None):
        """Print a table; the one for people has only some columns."""
        if self.is_data:
            self.data(frame)
        else:
            print_table(frame if columns is None else frame[columns], title)


@contextmanager
def written_or_printed(output, out):
    """Give a function that takes parts of a table, to write them to a file and to print them."""
    from ztfml.io.parquet import write_tables

    parts = []
    with nullcontext() if output is None else write_tables(output) as write:

        def take(part):
            if write:
                write(part)
            if out.is_data:
                parts.append(part)

        yield take
    if parts:
        import pandas as pd

        out.data(pd.concat(parts, ignore_index=True))
