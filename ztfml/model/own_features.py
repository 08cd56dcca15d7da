"""Own features that a model uses: found in the code that the user allows, and compared."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ztfml.errors import ModelError
from ztfml.features.own import compute_own, load_groups, own_features, source_hash
from ztfml.features.registry import Group
from ztfml.io.safe_text import printable
from ztfml.io.trusted import is_trusted
from ztfml.night import Night

if TYPE_CHECKING:
    from ztfml.model.model import Model


def _declared(card):
    return [feature for feature in card["features"] if "module" in feature]


def trusted_groups(
    card: dict[str, Any], folder: Path, trust: Sequence[str | Path]
) -> tuple[Group, ...]:
    """Import the own features of a model from the modules that the user allows.

    Parameters
    ----------
    card : dict
        The card of the model.
    folder : Path
        For error messages.
    trust : sequence of str or Path
        What the user allows. Modules that the card does not name are not imported.

    Returns
    -------
    tuple of Group

    Raises
    ------
    ModelError
        If a module cannot be imported, or a feature is not defined as it was in training.

    Examples
    --------
    >>> trusted_groups(model.card, model.folder, [])
    ()
    """
    modules = {feature["module"] for feature in _declared(card)}
    entries = {
        entry: module
        for module in sorted(modules)
        for entry in trust
        if is_trusted(module, [entry])
    }
    # A file is imported from its path, anything else by the name in the card.
    groups = load_groups(
        entry if str(entry).endswith(".py") else module for entry, module in entries.items()
    )
    now = {feature.name: feature for feature in own_features(groups)}
    for feature in _declared(card):
        if not is_trusted(feature["module"], trust):
            continue
        name, one = feature["name"], now.get(feature["name"])
        if one is None:
            raise ModelError(
                f"{folder}: uses the feature {name}, which the module {feature['module']} does not "
                "declare; use the module of the training, or train the model again"
            )
        if one.version != feature["version"] or source_hash(one) != feature["source"]:
            raise ModelError(
                f"{folder}: the feature {name} of the module {feature['module']} is not defined as "
                f"in training (version {feature['version']}, now {one.version}, or its code "
                "changed); use the module of the training, or train the model again"
            )
    return groups


def with_own_features(model: "Model", night: Night, known: pd.DataFrame) -> pd.DataFrame:
    """Add the own features of a model to a table.

    Parameters
    ----------
    model : Model
    night : Night
    known : pandas.DataFrame
        Columns that are known already; they are not computed.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ModelError
        If the user does not allow the module of a feature.

    Examples
    --------
    >>> with_own_features(model, night, table) is table
    True
    """
    needed = [feature for feature in _declared(model.card) if feature["name"] not in known]
    if not needed:
        return known
    for feature in needed:
        if not is_trusted(feature["module"], model.trust):
            module = printable(feature["module"])
            raise ModelError(
                f"{model.folder}: uses the feature {feature['name']} of the Python module "
                f"{module}; if you trust it, add --trust {module}.py with its path, or --trust "
                f"{module} if it is installed (trust=[...] in Python)"
            )
    own = compute_own(night, model.own)
    return known.join(own[[feature["name"] for feature in needed]])
