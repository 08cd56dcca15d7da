"""The values of settings, each with the file that it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ztfml.errors import DataError


class Value(NamedTuple):
    """The value of a setting.

    Attributes
    ----------
    value : object
        As commands use it: paths are absolute, and of a table it is the path of the file.
    file : Path
        The file that has it.
    text : str
        As people read it.

    Examples
    --------
    >>> Value("fink", Path("ztfml.toml"), "fink").file.name
    'ztfml.toml'
    """

    value: Any
    file: Path
    text: str


class Config(NamedTuple):
    """The settings of the user and of the working folder.

    Attributes
    ----------
    files : tuple of Path
        The files that were read; a later one has priority.
    values : mapping of str to Value
        The settings that they have.

    Examples
    --------
    >>> config = Config((), {})
    >>> config.get("galaxies") is None
    True
    """

    files: tuple[Path, ...]
    values: Mapping[str, Value]

    def get(self, name: str) -> Any:
        """Return the value of a setting, or None."""
        found = self.values.get(name)
        return None if found is None else found.value

    def secret(self, name: str, sent_to: str) -> Any:
        """Return the value of a setting that is sent to the address in another setting.

        Raises
        ------
        DataError
            If the address is in another file than the secret: a folder from someone else could
            send a password to a server of their choice.
        """
        found, address = self.values.get(name), self.values.get(sent_to)
        if found is None:
            return None
        if address is not None and address.file != found.file:
            raise DataError(
                f"{address.file}: {sent_to} is in this file, but {name} is in {found.file}; write "
                "both in one file, because a secret is sent only to an address beside it"
            )
        return found.value


EMPTY = Config((), {})
"""No settings."""
