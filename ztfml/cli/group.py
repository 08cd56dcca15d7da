"""Turn errors of a command into messages and exit codes."""

import sys

import click

from ztfml.errors import ZtfmlError


class ZtfmlGroup(click.Group):
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
