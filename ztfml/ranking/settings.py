"""Weights and instrument of the ranking, from TOML files."""

import logging
import math
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from ztfml.astrophysics import PALOMAR_HEIGHT, PALOMAR_LATITUDE, PALOMAR_LONGITUDE
from ztfml.errors import DataError
from ztfml.io.card_schema import TEXT, fault, only, record_of
from ztfml.io.limits import MAX_SETTINGS_BYTES
from ztfml.io.regular import refuse_pipe
from ztfml.io.similar import did_you_mean
from ztfml.ranking.terms import weight_names

log = logging.getLogger(__name__)


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


class Observatory(NamedTuple):
    """The place of the telescope that takes the spectra.

    Attributes
    ----------
    name : str
    latitude, longitude : float, deg
        Geodetic; longitudes increase to the east.
    height : float, m
        Above the sea.
    """

    name: str
    latitude: float
    longitude: float
    height: float


PALOMAR = Observatory("Palomar", PALOMAR_LATITUDE, PALOMAR_LONGITUDE, PALOMAR_HEIGHT)
"""The observatory if the file of the instrument names no other."""


def settings_schema() -> dict[str, dict]:
    """Return the JSON Schema of each table of a file of settings.

    Returns
    -------
    dict of str to dict

    Examples
    --------
    >>> settings_schema()["instrument"]["properties"]["spectra_per_night"]["minimum"]
    1
    """
    weight = {"type": "number", "minimum": -1e6, "maximum": 1e6}
    instrument = {
        "name": TEXT,
        "limiting_magnitude": {"type": "number", "minimum": -100, "maximum": 100},
        "spectra_per_night": {"type": "integer", "minimum": 1, "maximum": 100_000},
    }
    observatory = {
        "name": TEXT,
        "latitude": {"type": "number", "minimum": -90, "maximum": 90},
        "longitude": {"type": "number", "minimum": -360, "maximum": 360},
        "height": {"type": "number", "minimum": -500, "maximum": 9000},
    }
    return {
        "observatory": only(record_of(observatory)),
        "weights": only(record_of({"intercept": weight}, dict.fromkeys(weight_names(), weight))),
        "instrument": only(record_of(instrument)),
    }


def read_weights(path: str | Path) -> dict[str, float]:
    """Read the weights of the terms from the table ``[weights]`` of a TOML file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to float
        One weight for each of `weight_names`, and ``intercept``. A term without a weight in the
        file gets 0, with a message.

    Raises
    ------
    DataError
        If the file cannot be read or does not fit `settings_schema`, or if all scores would be
        equal.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> weights = read_weights(load_ranking().folder / "ranking.toml")
    >>> weights["young"]
    0.66
    """
    table = _table(
        path, "weights", f"the terms are {', '.join(weight_names())}, and there is an intercept"
    )
    missing = [name for name in weight_names() if name not in table]
    if missing:
        log.warning("%s: has no weight for %s; the weight is 0", path, ", ".join(missing))
    weights = {name: float(table.get(name, 0.0)) for name in (*weight_names(), "intercept")}
    _refuse_equal_scores(path, weights)
    return weights


def _refuse_equal_scores(path: str | Path, weights: dict[str, float]) -> None:
    """Refuse weights with which every score rounds to 0 or to 1."""
    if weights["trees"]:
        return  # Log odds have no bounds.
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
        If the file cannot be read or does not fit `settings_schema`.

    Examples
    --------
    >>> from ztfml.ranking import load_ranking
    >>> read_instrument(load_ranking().folder / "ranking.toml").spectra_per_night
    12
    """
    table = _table(path, "instrument", _COPY)
    limit = float(table["limiting_magnitude"])
    return Instrument(table["name"], limit, table["spectra_per_night"])


def read_observatory(*paths: str | Path | None) -> Observatory:
    """Read the observatory from the table ``[observatory]`` of a TOML file.

    Parameters
    ----------
    *paths : str or Path or None
        Files; the first that has such a table is used.

    Returns
    -------
    Observatory
        `PALOMAR` if no file has such a table.

    Raises
    ------
    DataError
        If the file cannot be read or the table does not fit `settings_schema`.

    Examples
    --------
    >>> read_observatory(None).name
    'Palomar'
    """
    for path in paths:
        table = None if path is None else _table(path, "observatory", _PLACE, required=False)
        if table is not None:
            numbers = (float(table[name]) for name in Observatory._fields[1:])
            return Observatory(table["name"], *numbers)
    return PALOMAR


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
    # score = 1 / (1 + exp(-(intercept + sum of weight * term))); trees: log odds
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
            "score = 1 / (1 + exp(-(intercept + sum of weight * term))); trees: log odds"
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


def _table(path: str | Path, name: str, remedy: str, required: bool = True) -> Any:
    """Read one table of a TOML file and check it."""
    refuse_pipe(path)
    try:
        with open(path, "rb") as file:
            text = file.read(MAX_SETTINGS_BYTES + 1)
        if len(text) > MAX_SETTINGS_BYTES:
            raise ValueError(f"more than {MAX_SETTINGS_BYTES:,} bytes")
        lines = text.decode("utf-8").replace("\r\n", "\n")
        content = tomllib.loads(lines, parse_float=_finite)
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: not a readable TOML file ({reason}); {_COPY}") from error
    table = content.get(name)
    if table is None and not required:
        return None
    if not isinstance(table, dict):
        raise DataError(f"{path}: has no table [{name}]; {_COPY}")
    schema = settings_schema()[name]
    for key in table.keys() - schema["properties"].keys():
        if similar := did_you_mean(key, schema["properties"]):
            raise DataError(f"{path}: [{name}] has an unknown key {key!r}; {similar}")
    found = fault({name: table}, record_of({name: schema}))
    if found:
        raise DataError(f"{path}: {found}; {remedy}")
    return table


def _finite(text: str) -> float:
    # JSON Schema does not exclude NaN, and with an infinite weight all scores would be equal.
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is not a number")
    return float(text)


# 1 / (1 + exp(-37)) is 1 in double precision.
_LOGIT_LIMIT = 36.0

_PLACE = (
    "[observatory] needs name, latitude and longitude (deg, positive to the east) and height (m)"
)
_COPY = "start from a copy of models/ranking/ranking.toml"
