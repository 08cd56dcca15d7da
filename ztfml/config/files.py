"""Find and read the files with settings."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from ztfml.config.values import EMPTY, Config
from ztfml.errors import DataError
from ztfml.io.limits import MAX_SETTINGS_BYTES
from ztfml.io.regular import refuse_pipe

NAME = "ztfml.toml"
"""The name of the files."""


def user_file() -> Path:
    """Return the path of the user's file, which may not exist.

    Returns
    -------
    Path
        ``~/.config/ztfml/ztfml.toml`` on Linux, or in the folder ``XDG_CONFIG_HOME``.

    Examples
    --------
    >>> user_file().name
    'ztfml.toml'
    """
    from platformdirs import user_config_path

    return user_config_path("ztfml") / NAME


def read_config(folder: str | Path = ".") -> Config:
    """Read the settings of the user and of a folder; those of the folder have priority.

    Parameters
    ----------
    folder : str or Path
        The working folder.

    Returns
    -------
    Config

    Raises
    ------
    DataError
        If a file cannot be read, or if a setting is unknown or has a wrong value.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "ztfml.toml").write_text('galaxies = "nedlvs.parquet"')
    27
    >>> config = read_config(folder)
    >>> config.get("galaxies") == str(folder / "nedlvs.parquet")
    True
    """
    of_folder, of_user = Path(folder, NAME), user_file()
    # A link to nowhere is an error, not an absent file.
    found = [path for path in (of_user, of_folder) if os.path.lexists(path)]
    if not found:
        return EMPTY
    if len(found) == 2 and _is_same(*found):
        found = [of_user]
    from ztfml.config.checks import check

    values = {}
    for path in found:
        values |= check(_read(path), path.absolute(), is_user=path == of_user)
    return Config(tuple(path.absolute() for path in found), values)


def _is_same(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _read(path: Path) -> dict[str, Any]:
    refuse_pipe(path)
    if path.is_dir():
        raise DataError(f"{path}: is a folder; settings are read from a file with this name")
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); check it") from error
    if len(content) > MAX_SETTINGS_BYTES:
        raise DataError(f"{path}: has more than {MAX_SETTINGS_BYTES:,} bytes; shorten it")
    try:
        # Some editors write a mark at the beginning.
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid TOML ({_reason(error)}); correct it") from error


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
