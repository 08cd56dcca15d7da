"""Turn errors of a command into messages and exit codes."""

import os
import sys
import traceback
from contextlib import suppress

import click

from ztfml.cli.signals import Stopped, exit_stopped, stop_on_signals
from ztfml.errors import ZtfmlError
from ztfml.io.safe_text import printable


class ZtfmlGroup(click.Group):
    """A group of commands that reports every error in one sentence.

    Exit codes: 1 for an error, 2 for wrong usage, 130 after Ctrl-C and 143 after SIGTERM.
    """

    def main(self, *args, **kwargs):
        try:
            with stop_on_signals():
                return super().main(*args, **kwargs)
        except Stopped as stopped:
            exit_stopped(stopped.number)

    def make_context(self, *args, **kwargs):
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            # The reader of the help or of the version.
            _drop_output()
            sys.exit(0)

    def invoke(self, ctx):
        try:
            result = super().invoke(ctx)
            # Here, and not when Python ends, because an error is still reported here.
            sys.stdout.flush()
            return result
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except ZtfmlError as error:
            raise _failure(str(error)) from error
        except BrokenPipeError:
            # The reader of our output, e.g. `head`, closed the pipe.
            _drop_output()
            sys.exit(0)
        except OSError as error:
            where = error.filename or _place_without_name(error)
            _drop_output()
            raise _failure(f"{where}: {error.strerror or error}") from error
        except MemoryError as error:
            raise _failure(
                "the memory is full; process fewer nights at once, or use a larger computer"
            ) from error
        except Exception as error:
            if ctx.params.get("debug"):
                traceback.print_exc()
            text = " ".join(str(error).split())[:300]
            raise _failure(
                f"internal error ({type(error).__name__}: {text}); please report it, with the "
                "command and the output of `ztfml --debug ...`"
            ) from error


def _place_without_name(error):
    if isinstance(error, FileNotFoundError):
        return "the working folder does not exist any more"
    return "standard output or a temporary folder"


def _failure(message):
    # One line, also if a name in it has control characters.
    return click.ClickException(printable(" ".join(message.split())))


def _drop_output():
    """Discard what is still buffered for stdout, so that Python does not fail to write it."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
