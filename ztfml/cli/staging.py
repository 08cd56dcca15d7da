"""Remote paths on the command line: copied before a command runs, and back when it has ended."""

import re
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from urllib.parse import unquote

import click

# As in ztfml.io.remote, which takes longer to import.
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://")
_STAGING = "ztfml.staging"


class PathOrAddress(click.Path):
    """A path, or the address of a file or folder, of which the command gets a local copy."""

    def convert(self, value, param, ctx):
        if not isinstance(value, str) or not _ADDRESS.match(value):
            return super().convert(value, param, ctx)
        if value.startswith("file://"):
            return Path(unquote(value.removeprefix("file://")))
        return local_copy(value, ctx)


class PlaceOrAddress(click.Path):
    """A path, or the address of a store, which the command uses directly."""

    def convert(self, value, param, ctx):
        if is_address(value):
            return value
        return super().convert(str(value).removeprefix("file://"), param, ctx)


def is_address(value):
    """Whether a value is the address of a remote file or folder."""
    return isinstance(value, str) and _ADDRESS.match(value) and not value.startswith("file://")


def local_copy(address, ctx):
    """Copy a remote file and those that belong to it, and return the local path."""
    from ztfml.errors import ZtfmlError
    from ztfml.io.staging import Staging, folder_for_copies

    root = ctx.find_root()
    if _STAGING not in root.meta:
        root.meta[_STAGING] = Staging(root.with_resource(folder_for_copies()))
    try:
        return root.meta[_STAGING].copy(address)
    except ZtfmlError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def remote_files():
    """Copy the files back that the command changed, and print addresses instead of local names.

    The files of a command that failed are copied, too, if there are any: they are complete.
    """
    staging = click.get_current_context().find_root().meta.get(_STAGING)
    if staging is None:
        yield
        return
    from ztfml.errors import ZtfmlError

    streams = (_Translated(stream, staging) for stream in (sys.stdout, sys.stderr))
    try:
        with redirect_stdout(next(streams)), redirect_stderr(next(streams)):
            yield
    except ZtfmlError as error:
        staging.upload()
        raise type(error)(staging.translate(str(error))) from error
    staging.upload()


def shown(path):
    """Return the address of a local copy, or the path itself."""
    staging = click.get_current_context().find_root().meta.get(_STAGING)
    return str(path) if staging is None else staging.translate(str(path))


class _Translated:
    """A text stream that writes addresses instead of local names."""

    def __init__(self, stream, staging):
        self._stream, self._staging = stream, staging

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        return self._stream.write(self._staging.translate(text) if isinstance(text, str) else text)
