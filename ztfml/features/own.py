"""Own features: declared like those of ztfml, in a Python file of the user.

A file of own features makes a `Group` and decorates functions with `Group.feature`. The parameters
of a function name what it reads: columns of the alerts as arrays, or ``curve``, the light curve up
to one alert. `compute_own` computes them for a night.
"""

import hashlib
import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ztfml.compiled import kernel
from ztfml.errors import ModelError
from ztfml.features.groups import FEATURES, OPTIONAL
from ztfml.features.registry import CURVE, Feature, Group, check_unique
from ztfml.io.trusted import import_trusted
from ztfml.lightcurves.light_curve import Band, LightCurve, light_curve_of, make_workspace
from ztfml.night import Night

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def load_groups(modules: Iterable[str | Path]) -> tuple[Group, ...]:
    """Import Python files or modules, and return the groups of features that they declare.

    Parameters
    ----------
    modules : iterable of str or Path
        Python files, or names of installed modules. Their code runs.

    Returns
    -------
    tuple of Group
        In the order of declaration.

    Raises
    ------
    ModelError
        If a module cannot be imported.

    Examples
    --------
    >>> load_groups(["json"])
    ()
    """
    found = [one for name in modules for one in vars(import_trusted(name)).values()]
    return tuple(dict.fromkeys(one for one in found if isinstance(one, Group)))


def own_features(groups: Iterable[Group]) -> tuple[Feature, ...]:
    """Return the features of groups, and check that they can be used beside those of ztfml.

    Parameters
    ----------
    groups : iterable of Group

    Returns
    -------
    tuple of Feature

    Raises
    ------
    ZtfmlError
        If a name is used twice.
    ModelError
        If a feature cannot be computed from a function, or its name is not plain.

    Examples
    --------
    >>> mine = Group("mine", "an example")
    >>> @mine.feature(unit="mag", missing="never")
    ... def depth(diffmaglim, magpsf):
    ...     "Limiting magnitude minus magnitude."
    ...     return diffmaglim - magpsf
    >>> [feature.name for feature in own_features([mine])]
    ['depth']
    """
    found = tuple(feature for group in groups for feature in group.features)
    check_unique((*FEATURES, *OPTIONAL, *found))
    for feature in found:
        if function_of(feature) is None:
            raise ModelError(
                f"the feature {feature.name} has no function; declare it with Group.feature"
            )
        if not _NAME.fullmatch(feature.name):
            raise ModelError(
                f"{feature.name!r} is not a name of a feature; use letters, digits and _ only"
            )
    return found


def function_of(feature: Feature):
    """Return the function that computes a feature, or None.

    Parameters
    ----------
    feature : Feature

    Returns
    -------
    callable or None

    Examples
    --------
    >>> function_of(FEATURES[0]).__name__
    '_unchanged'
    """
    return feature.column or feature.of_curve


def compute_own(night: Night, groups: Iterable[Group]) -> pd.DataFrame:
    """Compute own features of the alerts of a night.

    Parameters
    ----------
    night : Night
    groups : iterable of Group

    Returns
    -------
    pandas.DataFrame of float64
        One row per alert, with the index of ``night.alerts``; values that are not finite are NaN.

    Raises
    ------
    ModelError
        If a function fails or does not return one number per alert.

    Examples
    --------
    >>> mine = Group("mine", "an example")
    >>> @mine.feature(unit="d", missing="never")
    ... def time_span(curve):
    ...     "Time from the first to the last detection."
    ...     return curve.jd[-1] - curve.jd[0]
    >>> own = compute_own(night, [mine])
    >>> bool(np.allclose(own["time_span"].fillna(0), table["max_separation"].fillna(0)))
    True
    """
    features = own_features(groups)
    table = np.full((len(features), len(night)), np.nan)
    for k, feature in enumerate(features):
        if feature.column is not None:
            table[k] = _column(night.alerts, feature)
    of_curves = [(k, one) for k, one in enumerate(features) if one.of_curve is not None]
    if of_curves and len(night):
        _fill_from_curves(night, of_curves, table)
    table[~np.isfinite(table)] = np.nan
    names = [feature.name for feature in features]
    return pd.DataFrame(table.T, columns=names, index=night.alerts.index)


def _parameters(feature):
    return tuple(inspect.signature(function_of(feature)).parameters)


def _field(alerts, name):
    return alerts[name].to_numpy() if name in alerts else np.full(len(alerts), np.nan)


def _column(alerts, feature):
    arguments = [_field(alerts, name) for name in _parameters(feature)]
    try:
        values = np.asarray(feature.column(*arguments), dtype=np.float64)
    except Exception as error:
        raise _failure(feature, error) from error
    if values.shape != (len(alerts),):
        raise ModelError(
            f"the feature {feature.name} has the shape {values.shape} for {len(alerts)} alerts; "
            "its function must return one number per alert"
        )
    return values


def _failure(feature, error, where=""):
    return ModelError(
        f"the function of the feature {feature.name} fails{where} ({type(error).__name__}: "
        f"{error}); correct it in the module {function_of(feature).__module__}"
    )


def _fill_from_curves(night, features, table):
    alerts, history = night.alerts, night.history
    workspace = make_workspace(int((night.last - night.first).max()))
    fields = ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos")
    columns = [alerts[name].to_numpy(np.float64) for name in fields]
    arguments = {
        k: [None if name == CURVE else _field(alerts, name) for name in _parameters(feature)]
        for k, feature in features
    }
    for i in np.flatnonzero(~np.isnan(columns[0])):
        point = [column[i] for column in columns]
        counts = _assemble(history, night.first[i], night.last[i], *point, workspace)
        curve = _view(workspace, point[0], *counts)
        for k, feature in features:
            values = (curve if one is None else one[i] for one in arguments[k])
            try:
                table[k, i] = feature.of_curve(*values)
            except Exception as error:
                where = f" for candid {alerts['candid'].iloc[i]}"
                raise _failure(feature, error, where) from error


@kernel
def _assemble(history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, workspace):
    """Write a light curve to the workspace; return what `_view` needs besides it."""
    curve = light_curve_of(
        history, first, last, jd, fid, magpsf, sigmapsf, isdiffpos, workspace
    )  # fmt: skip
    return len(curve.jd), len(curve.limit_jd), curve.episode


def _view(workspace, now, n, n_limits, episode):
    """The light curve in the workspace. A compiled function cannot return arrays to Python."""
    jd, mag, err, limit_jd, _ = workspace.rows
    band, sign, _ = workspace.codes
    bands = []
    for b in range(3):
        found, before, limits = workspace.count[b]
        columns = (column[:found] for column in workspace.detections[b])
        limit = (column[:limits] for column in workspace.limits[b])
        bands.append(Band(*columns, workspace.signs[b, :found], int(before), *limit))
    return LightCurve(
        jd[:n], band[:n], mag[:n], err[:n], sign[:n], episode, limit_jd[:n_limits], *bands, now
    )


def source_hash(feature: Feature) -> str:
    """Hash the source code of the function of an own feature.

    Parameters
    ----------
    feature : Feature

    Returns
    -------
    str
        It notices a changed definition with an unchanged version number, but not a change of
        other functions that the function calls.

    Raises
    ------
    ModelError
        If the function is not defined in a file that can be imported.

    Examples
    --------
    >>> len(source_hash(FEATURES[0]))
    16
    """
    function = function_of(feature)
    if function.__module__ == "__main__":
        raise ModelError(
            f"the feature {feature.name} is defined in a notebook or script; move it to a Python "
            "file of its own and import it, so that the saved model can find it"
        )
    try:
        source = inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError) as error:
        raise ModelError(
            f"the source of the feature {feature.name} cannot be read ({error}); define it in a "
            "file"
        ) from error
    return hashlib.sha256(textwrap.dedent(source).strip().encode()).hexdigest()[:16]


def check_rows(night: Night, groups: Sequence[Group]) -> None:
    """Check that own features of an alert do not depend on other alerts of the night.

    Parameters
    ----------
    night : Night
    groups : sequence of Group

    Raises
    ------
    ModelError
        If the features of every second alert change when the other alerts are left out.

    Examples
    --------
    >>> check_rows(night, [])
    """
    whole = compute_own(night, groups)
    half = compute_own(night.subset(np.arange(0, len(night), 2)), groups)
    for name in whole:
        if not np.array_equal(whole[name].to_numpy()[::2], half[name].to_numpy(), equal_nan=True):
            raise ModelError(
                f"the feature {name} of an alert depends on other alerts of the night; compute it "
                "from the alert and its light curve only"
            )
