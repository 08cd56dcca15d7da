"""Turn errors of a command into messages and exit codes."""

import sys

import click

from ztfml.errors import ZtfmlError


class ZtfmlGroup(click.Group):
    """A group of commands that reports expected errors in one sentence, with exit code 1."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except ZtfmlError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            # The reader of our output, e.g. `head`, closed the pipe.
            sys.stderr.close()
            sys.exit(0)
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}") from error
