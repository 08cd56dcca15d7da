"""The ranking as a folder: trees, card, weights and instrument, and a page for people."""

from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ztfml.errors import ModelError
from ztfml.features import FEATURES, OPTIONAL
from ztfml.io import folder_writing, verified_folder
from ztfml.io.verified_folder import CARD, FORMAT, N_PROBES, README, TREES, Check
from ztfml.ranking.card_page import ranking_page
from ztfml.ranking.card_schema import CARD_SCHEMA
from ztfml.ranking.learned import learned_inputs
from ztfml.ranking.quantities import QUANTITIES
from ztfml.ranking.settings import Instrument, read_instrument, read_weights, settings_toml
from ztfml.ranking.terms import TERMS
from ztfml.ranking.trees import Trees
from ztfml.taxonomy import PROBABILITY_COLUMNS

SETTINGS = "ranking.toml"
FILES = (TREES, CARD, SETTINGS, README)

_REMEDY = "copy the folder again or fit the ranking again with `ztfml fit-ranking`"


class RankingModel(NamedTuple):
    """A ranking folder, read and checked.

    Attributes
    ----------
    weights : dict of str to float
        One weight for each of `weight_names`, and ``intercept``.
    instrument : Instrument
    trees : Trees
    card : dict
        The content of ``card.json``.
    folder : Path
    """

    weights: dict[str, float]
    instrument: Instrument
    trees: Trees
    card: dict[str, Any]
    folder: Path

    def __repr__(self) -> str:
        return (
            f"<RankingModel {self.folder.name}: {len(TERMS)} terms, "
            f"{len(self.trees.inputs)} tree inputs, fitted {self.card['date']}>"
        )


def load_ranking(folder: str | Path | None = None) -> RankingModel:
    """Read a ranking folder and check everything that can be checked.

    Parameters
    ----------
    folder : str or Path, optional
        By default the ranking that ships with ztfml.

    Returns
    -------
    RankingModel

    Raises
    ------
    ModelError
        If a file is missing or damaged, of a later format, or if this ztfml does not compute an
        input of the trees, or computes it in another way.
    DataError
        If the weights or the instrument cannot be used.

    Examples
    --------
    >>> load_ranking()
    <RankingModel ranking: 20 terms, 63 tree inputs, fitted 2026-11-28>
    """
    return _shipped() if folder is None else verified_folder.run_checks(_steps(Path(folder)))


def shipped_instrument() -> Instrument:
    """Read the instrument of the ranking that ships with ztfml.

    The trees are not read, so that a new ranking can be fitted when those of the shipped one no
    longer fit to the features.

    Returns
    -------
    Instrument

    Raises
    ------
    DataError
        If the file cannot be read.

    Examples
    --------
    >>> shipped_instrument().name
    'SEDM'
    """
    return read_instrument(verified_folder.shipped_folder("ranking") / "ranking.toml")


@lru_cache(maxsize=1)
def _shipped() -> RankingModel:
    return verified_folder.run_checks(_steps(verified_folder.shipped_folder("ranking")))


def verify_ranking(folder: str | Path | None = None) -> list[Check]:
    """Make the checks of `load_ranking` one by one, for people to read.

    Parameters
    ----------
    folder : str or Path, optional
        As for `load_ranking`.

    Returns
    -------
    list of Check
        Up to the first check that fails.

    Examples
    --------
    >>> all(check.passed for check in verify_ranking())
    True
    """
    folder = verified_folder.shipped_folder("ranking") if folder is None else Path(folder)
    return verified_folder.list_checks(_steps(folder), _STEPS)


def is_ranking(folder: str | Path) -> bool:
    """Whether a folder holds a ranking, rather than a classifier.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    bool

    Examples
    --------
    >>> is_ranking(load_ranking().folder)
    True
    """
    return (Path(folder) / SETTINGS).is_file()


def describe_ranking(folder: str | Path | None = None) -> str:
    """Describe a ranking as Markdown: weights, figures of the fit, training nights.

    Parameters
    ----------
    folder : str or Path, optional
        As for `load_ranking`.

    Returns
    -------
    str

    Raises
    ------
    ModelError, DataError
        As for `load_ranking`.

    Examples
    --------
    >>> print(describe_ranking()[:9])
    # ranking
    """
    ranking = load_ranking(folder)
    return ranking_page(ranking.card, ranking.weights, ranking.instrument, ranking.folder.name)


def save_ranking(
    folder: str | Path,
    weights: dict[str, float],
    instrument: Instrument,
    trees: Trees,
    card: dict[str, Any],
    probes: np.ndarray,
    overwrite: bool = False,
) -> Path:
    """Write a ranking folder.

    Parameters
    ----------
    folder : str or Path
        Created if it does not exist; its parent must exist.
    weights : dict of str to float
    instrument : Instrument
    trees : Trees
    card : dict
        ``date``, ``parameters`` and ``rounds`` of the trees, ``training`` (``nights``,
        ``objects``, ``fast``, ``classifier``) and ``metrics`` (as of
        `ztfml.training.fit_ranking.held_out`).
    probes : ndarray, shape (n, n_inputs)
        Rows of the training sample; the first 16 are stored with the log odds.
    overwrite : bool
        Replace an older ranking in the folder when the new one is complete.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ModelError
        If the folder exists and is not a ranking, or cannot be written.

    Examples
    --------
    >>> old = load_ranking()
    >>> probes = np.zeros((1, len(old.trees.inputs)))
    >>> new = save_ranking("my_ranking", old.weights, old.instrument, old.trees, old.card, probes)
    >>> load_ranking(new).weights == old.weights
    True
    """
    folder = Path(folder)
    probes = np.asarray(probes, dtype=np.float64)[:N_PROBES]
    complete = {
        "format": FORMAT,
        "kind": "ranking",
        "model": folder_writing.size_and_hash(trees.text.encode("ascii")),
        **{name: card[name] for name in ("date", "parameters", "rounds", "training", "metrics")},
        "versions": folder_writing.library_versions(),
        "inputs": declare_inputs(trees.inputs),
        "probes": {
            "values": folder_writing.probe_rows(probes),
            "expected": trees.log_odds(probes).tolist(),
        },
    }
    files = {
        TREES: trees.text.encode("ascii"),
        CARD: folder_writing.card_bytes(complete),
        SETTINGS: settings_toml(weights, instrument).encode(),
        README: ranking_page(complete, weights, instrument, folder.name).encode(),
    }
    return folder_writing.write_folder(folder, files, load_ranking, overwrite)


def declare_inputs(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Describe inputs of the trees as the card stores them.

    Parameters
    ----------
    names : sequence of str
        Features, class probabilities and quantities.

    Returns
    -------
    list of dict
        ``name``, ``kind`` (``feature``, ``probability`` or ``quantity``) and ``version``.

    Examples
    --------
    >>> declare_inputs(("total_age",))
    [{'name': 'total_age', 'kind': 'quantity', 'version': 2}]
    """
    known = _known_inputs()
    return [{"name": name, "kind": known[name][0], "version": known[name][1]} for name in names]


def _known_inputs() -> dict[str, tuple[str, int]]:
    """Kind and version of everything that this ztfml can give to the trees."""
    return (
        {feature.name: ("feature", feature.version) for feature in (*FEATURES, *OPTIONAL)}
        | dict.fromkeys(PROBABILITY_COLUMNS, ("probability", 1))
        | {name: ("quantity", quantity.version) for name, quantity in QUANTITIES.items()}
    )


# --- reading -----------------------------------------------------------------------------

_STEPS = (
    "card",
    "size and sha256 of the trees",
    "structure of the trees",
    "inputs of the trees",
    "probe rows",
    "weights and instrument",
)

_RULES = (
    (
        "the list of inputs",
        lambda card: verified_folder.are_names([one["name"] for one in card["inputs"]]),
    ),
    (
        "the recall in metrics",
        lambda card: all(
            len(values) == len(card["metrics"]["top"])
            for values in card["metrics"]["recall"].values()
        ),
    ),
    ("probes", lambda card: _probes(card) is not None),
)


def _steps(folder: Path):
    """Yield the outcome of each of `_STEPS`, and return the ranking."""
    card = verified_folder.read_card(folder, CARD_SCHEMA, _RULES, "ztfml fit-ranking", _REMEDY)
    inputs = tuple(one["name"] for one in card["inputs"])
    yield f"format {card['format']}, {len(inputs)} inputs, fitted {card['date']}"
    text = verified_folder.read_trees(folder, card, _REMEDY)
    yield f"{card['model']['bytes']:,} bytes, {card['model']['sha256'][:12]}..."
    parsed = verified_folder.parse_structure(folder, text, 1, inputs, _REMEDY)
    yield f"{len(parsed)} trees"
    _check_inputs(folder, card)
    yield "all computed by this ztfml, in the same version"
    trees = Trees(text, inputs, parsed)
    values, expected = _probes(card)
    worst = verified_folder.compare_probes(
        folder, trees.log_odds(values), expected, "log odds", _REMEDY
    )
    yield f"{len(values)} rows, largest difference {worst:.1g}"
    weights = read_weights(folder / SETTINGS)
    instrument = read_instrument(folder / SETTINGS)
    yield f"{len(weights) - 1} weights, {instrument.name}"
    return RankingModel(weights, instrument, trees, card, folder)


def _check_inputs(folder: Path, card: dict[str, Any]) -> None:
    known = _known_inputs()
    for one in card["inputs"]:
        if known.get(one["name"]) != (one["kind"], one["version"]):
            now = known.get(one["name"])
            has = f"computes version {now[1]}" if now else "does not compute it"
            raise ModelError(
                f"{folder / CARD}: the trees use the {one['kind']} {one['name']} in version "
                f"{one['version']}, this ztfml {has}; fit the ranking again with "
                "`ztfml fit-ranking`"
            )
        if one["name"] not in learned_inputs():
            raise ModelError(
                f"{folder / CARD}: the trees use {one['name']}, which belongs to no term of this "
                "ztfml; fit the ranking again with `ztfml fit-ranking`"
            )


def _probes(card: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    values = np.array(card["probes"]["values"], dtype=np.float64)
    expected = np.array(card["probes"]["expected"], dtype=np.float64)
    if len(values) == 0 or values.shape != (len(values), len(card["inputs"])):
        raise ValueError("one value per input is needed")
    if expected.shape != (len(values),) or not np.isfinite(expected).all():
        raise ValueError("one value per row is needed")
    return values, expected
