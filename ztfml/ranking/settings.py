"""The weights of the ranking and the instrument that it is for, as TOML files have them."""

import tomllib
from pathlib import Path
from typing import NamedTuple

from ztfml.errors import DataError
from ztfml.ranking.terms import TERMS
from ztfml.ranking.trees import load_trees

DEFAULT_FILE = Path(__file__).with_name("ranking.toml")


class Instrument(NamedTuple):
    """What takes the spectra: its limiting magnitude, and how many it takes a night."""

    name: str
    limiting_magnitude: float
    spectra_per_night: int


def read_weights(path=DEFAULT_FILE):
    """Read the weights of the terms from the table ``[weights]`` of a TOML file.

    Parameters
    ----------
    path : str or Path
        By default the package's own ``ranking.toml``.

    Returns
    -------
    dict of str to float
        One for each of `TERMS`, and ``intercept``.

    Raises
    ------
    DataError
        If the file is no TOML, or a weight is missing, unknown or no number.

    Examples
    --------
    >>> sorted(read_weights()) == sorted((*TERMS, "intercept"))
    True
    """
    table = _table(path, "weights")
    odd = set(table) ^ {*TERMS, "intercept"}
    if odd:
        raise DataError(
            f"{path}: [weights] must have exactly {', '.join((*TERMS, 'intercept'))}; "
            f"missing or unknown: {', '.join(sorted(odd))}"
        )
    return {name: _number(path, f"weights.{name}", value) for name, value in table.items()}


def read_trees(path=DEFAULT_FILE):
    """Read the trees that a TOML file names in its table ``[trees]``.

    Parameters
    ----------
    path : str or Path
        By default the package's own ``ranking.toml``, whose trees also serve a file that names
        none, or that is a copy of it elsewhere. Others lie beside the file.

    Returns
    -------
    ztfml.ranking.trees.Trees

    Raises
    ------
    DataError
        If the file is no TOML, or the trees are missing, changed or of another ztfml.

    Examples
    --------
    >>> len(read_trees().sha256)
    64
    """
    if "trees" not in _content(path):
        return read_trees()
    table = _table(path, "trees")
    if set(table) != {"file", "sha256"} or not _are_name_and_hash(**table):
        raise DataError(
            f"{path}: [trees] must have file, a name without a folder, and sha256; "
            f"start from a copy of {DEFAULT_FILE}"
        )
    beside = Path(path).with_name(table["file"])
    own = DEFAULT_FILE.with_name(table["file"])
    return load_trees(beside if beside.is_file() else own, table["sha256"])


def _are_name_and_hash(file, sha256):
    texts = isinstance(file, str) and isinstance(sha256, str)
    return texts and file != "" and Path(file).name == file


def read_instrument(path=DEFAULT_FILE):
    """Read what takes the spectra from the table ``[instrument]`` of a TOML file.

    Parameters
    ----------
    path : str or Path
        By default the package's own ``ranking.toml``.

    Returns
    -------
    Instrument

    Raises
    ------
    DataError
        If the file is no TOML, or a value is missing, unknown, of the wrong kind or not positive.

    Examples
    --------
    >>> read_instrument().spectra_per_night
    12
    """
    table = _table(path, "instrument")
    odd = set(table) ^ set(Instrument._fields)
    if odd:
        raise DataError(
            f"{path}: [instrument] must have exactly {', '.join(Instrument._fields)}; "
            f"missing or unknown: {', '.join(sorted(odd))}"
        )
    spectra = table["spectra_per_night"]
    if type(spectra) is not int or spectra < 1:
        raise DataError(f"{path}: instrument.spectra_per_night must be a whole number from 1 on")
    limit = _number(path, "instrument.limiting_magnitude", table["limiting_magnitude"])
    return Instrument(str(table["name"]), limit, spectra)


def _content(path):
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path}: not a ranking file ({reason}); start from a copy of {DEFAULT_FILE}"
        ) from error


def _table(path, name):
    table = _content(path).get(name)
    if not isinstance(table, dict):
        raise DataError(f"{path}: has no table [{name}]; start from a copy of {DEFAULT_FILE}")
    return table


def _number(path, name, value):
    # A weight of infinity or nan would make every score the same.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise DataError(f"{path}: {name} is {value!r}; write a number")
    return float(value)
