"""Parameters of the classifier that a user can set for training."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ztfml.errors import DataError
from ztfml.io.safe_text import printable
from ztfml.io.similar import did_you_mean


class Range(NamedTuple):
    """Type and limits of a parameter."""

    kind: type
    low: float
    high: float


RANGES = {
    "n_estimators": Range(int, 1, 10_000),
    "num_leaves": Range(int, 2, 10_000),
    "learning_rate": Range(float, 1e-4, 1),
    "min_child_samples": Range(int, 0, 1_000_000),
    "feature_fraction": Range(float, 1e-3, 1),
    "reg_lambda": Range(float, 0, 1e6),
    "early_stopping_rounds": Range(int, 1, 10_000),
    "random_state": Range(int, 0, 2**31 - 1),
}
"""Parameters of `AlertClassifier` that can be set, with their limits. The other parameters have
options of their own."""


def read_parameters(given: Sequence[str] = (), path: str | Path | None = None) -> dict[str, Any]:
    """Read parameters of the classifier from a TOML file and from texts.

    Parameters
    ----------
    given : sequence of str
        As on the command line: ``"num_leaves=31"``. They replace values of the file.
    path : str or Path, optional
        A TOML file with lines such as ``num_leaves = 31``.

    Returns
    -------
    dict
        Arguments of `AlertClassifier`.

    Raises
    ------
    DataError
        If the file cannot be read, or a name, type or value is not allowed.

    Examples
    --------
    >>> read_parameters(["num_leaves=31", "learning_rate=0.05"])
    {'num_leaves': 31, 'learning_rate': 0.05}
    """
    values = {} if path is None else _read_file(Path(path))
    parameters = {name: _checked(name, value, f"{path}: ") for name, value in values.items()}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator:
            raise DataError(f"{printable(text)} is not a parameter; write NAME=VALUE")
        parameters[name.strip()] = _checked(name.strip(), value.strip(), "")
    return parameters


def _read_file(path):
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(
            f"{path}: this is not a TOML file ({printable(str(error))}); write lines such as "
            "num_leaves = 31"
        ) from error


def _checked(name, value, where):
    if name not in RANGES:
        raise DataError(
            f"{where}{printable(name)!r} is not a parameter; "
            + (did_you_mean(name, RANGES) or f"the parameters are {', '.join(RANGES)}")
        )
    allowed = RANGES[name]
    number = _number(value, allowed.kind)
    if number is None or not allowed.low <= number <= allowed.high:
        kind = "a whole number" if allowed.kind is int else "a number"
        raise DataError(
            f"{where}{name} = {printable(str(value))} is not {kind} from {allowed.low:g} to "
            f"{allowed.high:g}"
        )
    return number


def _number(value, kind):
    """The value as a number of that type, or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
        whole = int(number) if number.is_integer() else None
    except (ValueError, OverflowError):
        return None
    return whole if kind is int else number
