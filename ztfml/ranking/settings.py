"""Weights and instrument of the ranking, from TOML files."""

import logging
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from ztfml.errors import DataError
from ztfml.io.limits import MAX_SETTINGS_BYTES
from ztfml.ranking.terms import TERMS

log = logging.getLogger(__name__)

_MOST_SPECTRA = 100_000


class Instrument(NamedTuple):
    """The instrument that takes the spectra.

    Attributes
    ----------
    name : str
    limiting_magnitude : float
        The magnitude at which a classification spectrum is still possible.
    spectra_per_night : int
    """

    name: str
    limiting_magnitude: float
    spectra_per_night: int


def read_weights(path: str | Path) -> dict[str, float]:
    """Read the weights of the terms from the table ``[weights]`` of a TOML file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to float
        One weight for each of `TERMS`, and ``intercept``. A term without a weight in the file
        gets 0, with a message.

    Raises
    ------
    DataError
        If the file cannot be read, a term is unknown, the intercept is missing, or a weight is
        not a number.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> weights = read_weights(load_ranking().folder / "ranking.toml")
    >>> weights["young"]
    1.0
    """
    table = _table(path, "weights")
    unknown = sorted(set(table) - {*TERMS, "intercept"})
    if unknown:
        raise DataError(
            f"{path}: [weights] has {', '.join(unknown)}, which is not a term of the ranking; "
            f"the terms are {', '.join(TERMS)}, and there is an intercept"
        )
    if "intercept" not in table:
        raise DataError(f"{path}: [weights] has no intercept; add a line `intercept = -14.77`")
    missing = [name for name in TERMS if name not in table]
    if missing:
        log.warning("%s: has no weight for %s; the weight is 0", path, ", ".join(missing))
    table = dict.fromkeys(TERMS, 0.0) | table
    weights = {name: _number(path, f"weights.{name}", value) for name, value in table.items()}
    _refuse_equal_scores(path, weights)
    return weights


def _refuse_equal_scores(path: str | Path, weights: dict[str, float]) -> None:
    """Refuse weights with which every score rounds to 0 or to 1."""
    terms = [weight for name, weight in weights.items() if name != "intercept"]
    lowest = weights["intercept"] + sum(weight for weight in terms if weight < 0)
    highest = weights["intercept"] + sum(weight for weight in terms if weight > 0)
    if lowest > _LOGIT_LIMIT or highest < -_LOGIT_LIMIT:
        raise DataError(
            f"{path}: with the intercept {weights['intercept']:g} every score is "
            f"{0 if highest < 0 else 1}, so nothing can be ranked; write an intercept such as "
            "-14.77"
        )


def read_instrument(path: str | Path) -> Instrument:
    """Read the instrument from the table ``[instrument]`` of a TOML file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Instrument

    Raises
    ------
    DataError
        If the file cannot be read, or a value is missing, unknown, of the wrong type or not
        positive.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> read_instrument(load_ranking().folder / "ranking.toml").spectra_per_night
    12
    """
    table = _table(path, "instrument")
    different = set(table) ^ set(Instrument._fields)
    if different:
        raise DataError(
            f"{path}: [instrument] must have exactly {', '.join(Instrument._fields)}; "
            f"missing or unknown: {', '.join(sorted(different))}"
        )
    spectra = table["spectra_per_night"]
    if type(spectra) is not int or not 1 <= spectra <= _MOST_SPECTRA:
        raise DataError(
            f"{path}: instrument.spectra_per_night must be a whole number from 1 to "
            f"{_MOST_SPECTRA:,}"
        )
    limit = _number(path, "instrument.limiting_magnitude", table["limiting_magnitude"])
    name = table["name"]
    if not isinstance(name, str):
        raise DataError(f"{path}: instrument.name is {name!r}; write it in quotes")
    return Instrument(name, limit, spectra)


def settings_toml(weights: dict[str, float], instrument: Instrument) -> str:
    """Format weights and instrument as the TOML file of a ranking folder.

    Parameters
    ----------
    weights : dict of str to float
    instrument : Instrument

    Returns
    -------
    str

    Examples
    --------
    >>> print(settings_toml({"young": 1.0, "intercept": -3.0}, Instrument("SEDM", 19.5, 12)))
    # score = 1 / (1 + exp(-(intercept + sum of weight * term))), each term from 0 to 1
    <BLANKLINE>
    [instrument]
    name = "SEDM"
    limiting_magnitude = 19.5 # a classification spectrum takes an hour or less
    spectra_per_night = 12
    <BLANKLINE>
    [weights]
    young = 1.0
    intercept = -3.0
    <BLANKLINE>
    """
    import tomlkit

    document = tomlkit.document()
    document.add(
        tomlkit.comment(
            "score = 1 / (1 + exp(-(intercept + sum of weight * term))), each term from 0 to 1"
        )
    )
    document.add(tomlkit.nl())
    document["instrument"] = instrument._asdict()
    document["instrument"].item("limiting_magnitude").comment(
        "a classification spectrum takes an hour or less"
    )
    document["instrument"].add(tomlkit.nl())
    document["weights"] = dict(weights)
    return tomlkit.dumps(document)


def _table(path: str | Path, name: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_SETTINGS_BYTES + 1)
        if len(text) > MAX_SETTINGS_BYTES:
            raise ValueError(f"more than {MAX_SETTINGS_BYTES:,} bytes")
        content = tomllib.loads(text.decode("utf-8").replace("\r\n", "\n"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: not a readable TOML file ({reason}); {_COPY}") from error
    table = content.get(name)
    if not isinstance(table, dict):
        raise DataError(f"{path}: has no table [{name}]; {_COPY}")
    return table


# 1 / (1 + exp(-37)) is 1 in double precision.
_LOGIT_LIMIT = 36.0

_COPY = "start from a copy of models/ranking/ranking.toml"


def _number(path: str | Path, name: str, value: Any) -> float:
    # With a weight of infinity or nan all scores would be equal.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise DataError(f"{path}: {name} is {value!r}; write a number")
    return float(value)
