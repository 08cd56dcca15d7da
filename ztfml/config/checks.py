"""Check the content of a file with settings."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ztfml.config.settings import SETTINGS, Setting
from ztfml.config.values import Value
from ztfml.errors import DataError
from ztfml.io.similar import did_you_mean

_TEXT = dict.fromkeys(("path", "output", "text", "secret"), "text that is not empty") | {
    "table": "a table or the name of a file",
    "paths": "the name of a file or a list of names",
    "texts": "text or a list of texts",
}
_TABLES = ({name.rpartition(".")[0] for name in SETTINGS} | {"brokers"}) - {""}


def check(content: dict[str, Any], file: Path, is_user: bool) -> dict[str, Value]:
    """Check the settings of a file, and make its paths absolute.

    Parameters
    ----------
    content : dict
        The content of the TOML file.
    file : Path
        Its path. Relative paths are relative to its folder.
    is_user : bool
        Whether it is the file of the user; some settings are refused in others.

    Returns
    -------
    dict of str to Value

    Raises
    ------
    DataError
        If a setting is unknown or has a wrong value.

    Examples
    --------
    >>> check({"galaxy": "nedlvs.parquet"}, Path("ztfml.toml"), True)
    Traceback (most recent call last):
    ...
    ztfml.errors.DataError: ztfml.toml: unknown setting 'galaxy'; did you mean 'galaxies'?
    """
    found = {}
    for name, value in _settings(content, "", file):
        setting = SETTINGS[name]
        if setting.user_only and not is_user:
            from ztfml.config.files import user_file

            raise DataError(
                f"{file}: {name} runs a program, so it is allowed only in your own file "
                f"({user_file()})"
            )
        found[name] = _checked(setting, value, file)
    return found


def _settings(table: dict[str, Any], before: str, file: Path) -> Iterator[tuple[str, Any]]:
    """Yield the full name and the value of each setting of a table."""
    for key, value in table.items():
        name = f"{before}{key}"
        if name in SETTINGS:
            yield name, value
        elif name in _TABLES:
            if not isinstance(value, dict):
                raise DataError(f"{file}: {name} must be a table; begin it with a line [{name}]")
            yield from _settings(value, f"{name}.", file)
        else:
            raise DataError(f"{file}: unknown setting {name!r}; {_suggestion(key, before)}")


def _suggestion(key: str, before: str) -> str:
    inside = (one.removeprefix(before) for one in SETTINGS if one.startswith(before))
    keys = {name.partition(".")[0]: None for name in inside}
    if similar := did_you_mean(key, keys, before):
        return similar
    # The key may be in the wrong table.
    for name in SETTINGS:
        if name.rpartition(".")[2] == key:
            return f"did you mean {name!r}?"
    return f"write one of {', '.join(keys)}"


def _checked(setting: Setting, value: Any, file: Path) -> Value:
    kind = setting.kind
    if kind == "table" and isinstance(value, dict):
        text = ", ".join(f"{key} = {one}" for key, one in value.items())
        return Value(str(file), file, text)
    if kind == "score":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or math.isnan(value) or not 0 <= value <= 1:
            raise _wrong(setting, file, "a number from 0 to 1")
        return Value(float(value), file, f"{value:g}")
    if kind in ("paths", "texts"):
        texts = value if isinstance(value, list) else [value]
        if not texts:
            raise _wrong(setting, file, _TEXT[kind])
        several = [_text(setting, one, file) for one in texts]
        if kind == "paths":
            several = [_absolute(one, file) for one in several]
        return Value(several, file, ", ".join(several))
    text = _text(setting, value, file)
    if kind in ("path", "output", "table"):
        text = _absolute(text, file)
    return Value(text, file, "set" if kind == "secret" else text)


def _text(setting: Setting, value: Any, file: Path) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise _wrong(setting, file, _TEXT[setting.kind])
    if setting.choices and value not in setting.choices:
        similar = did_you_mean(value, setting.choices)
        raise DataError(
            f"{file}: {setting.name} is {value!r}; "
            + (similar or f"write {' or '.join(setting.choices)}")
        )
    return value


def _wrong(setting: Setting, file: Path, expected: str) -> DataError:
    # Without the value, which may be a password.
    key = setting.name.rpartition(".")[2]
    return DataError(
        f"{file}: {setting.name} must be {expected}, for example {key} = {setting.example}"
    )


def _absolute(text: str, file: Path) -> str:
    # os.path leaves the home of an unknown user as it is.
    return text if "://" in text else os.path.join(file.parent, os.path.expanduser(text))
