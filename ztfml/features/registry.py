"""How features are declared.

A group file makes a `Group` and declares each feature next to the code that computes it:

- `Group.copy`: a packet field, unchanged;
- `Group.feature`: a function of whole alert columns;
- `Group.declare`: written by the group's compiled function ``write``, one light curve at a time.

`ztfml.features.groups` collects the groups. The order of declaration is the order of the columns.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from ztfml.errors import ZtfmlError
from ztfml.schema import ALERT_BY_NAME, BANDS, HISTORY_COLUMNS

BAND_SUFFIX = "_band"
"""A declared name with this suffix stands for one feature per band."""

HISTORY_FIELDS = frozenset(f"history.{column.name}" for column in HISTORY_COLUMNS)
"""The columns of the history that features may read."""

CURVE = "curve"
"""The parameter of an own feature that is computed from the light curve."""

FORCED_FIELDS = frozenset(f"forced.{name}" for name in ("jd", "fid", "flux", "flux_err"))
"""The columns of forced photometry that features may read."""


@dataclass(frozen=True)
class Feature:
    """The declaration of one feature.

    Parameters
    ----------
    name : str
    group : str
        Name of its group.
    unit : str
        An astropy unit string, empty for a pure number.
    meaning : str
        One sentence, without a full stop.
    reads : tuple of str
        The columns it is computed from: ``candidate.<field>`` of the alert, ``history.<field>``
        or ``forced.<field>``.
    missing : str
        When it is NaN.
    column : callable, optional
        A function of whole alert columns; None if the group's compiled function writes it.
    version : int
        Increase it when the definition changes: a model that was trained with another version
        is refused.
    of_curve : callable, optional
        For own features: a function of one light curve.
    """

    name: str
    group: str
    unit: str
    meaning: str
    reads: tuple[str, ...]
    missing: str
    column: Callable | None = None
    version: int = 1
    of_curve: Callable | None = None


class Group:
    """Features that belong together, declared in one file.

    Parameters
    ----------
    name : str
    meaning : str
        What the features of the group describe.
    version : int, default 1
        Version of the features that do not have one of their own. Increase it when a change, such
        as in the night means, affects all features of the group.

    Attributes
    ----------
    features : list of Feature
        In the order of declaration.
    fields : list of tuple
        Fields of the record that the group's compiled function writes.

    Examples
    --------
    >>> demo = Group("demo", "an example")
    >>> demo.copy("fwhm", missing="never")
    >>> [feature.name for feature in demo.features]
    ['fwhm']
    """

    def __init__(self, name: str, meaning: str, version: int = 1):
        self.name = name
        self.meaning = meaning
        self.version = version
        self.features: list[Feature] = []
        self.fields: list[tuple] = []

    def copy(self, *fields: str, missing: str, version: int | None = None) -> None:
        """Declare packet fields that are features without any computation.

        Parameters
        ----------
        *fields : str
            Names of alert columns; units and meanings come from `ztfml.schema`.
        missing : str
            When they are NaN.
        version : int, optional
            By default that of the group.

        Examples
        --------
        >>> demo = Group("demo", "an example")
        >>> demo.copy("drb", "rb", missing="if the packet has none")
        """
        for field in fields:
            source = ALERT_BY_NAME[field]
            reads = (source.in_file,)
            self._add(field, source.unit, source.meaning, reads, missing, version, _unchanged)

    def feature(
        self, unit: str, missing: str, version: int | None = None
    ) -> Callable[[Callable], Callable]:
        """Declare the decorated function as a feature.

        The function takes alert columns as arrays, named by its parameters. Its name is the name
        of the feature, and the first line of its docstring is the meaning. An own feature may
        have the parameter ``curve``: then it is called for each alert, with its `LightCurve` up
        to this alert, and single values of other parameters (see `ztfml.features.own`).

        Parameters
        ----------
        unit : str
            An astropy unit string, empty for a pure number.
        missing : str
            When it is NaN.
        version : int, optional
            By default that of the group.

        Returns
        -------
        callable
            The decorator.

        Raises
        ------
        ZtfmlError
            If a parameter is not a column of the alerts, or the function has no docstring.

        Examples
        --------
        >>> demo = Group("demo", "an example")
        >>> @demo.feature(unit="mag", missing="never")
        ... def limit_minus_mag(diffmaglim, magpsf):
        ...     "Limiting magnitude minus magnitude."
        ...     return diffmaglim - magpsf
        >>> demo.features[0].reads
        ('candidate.diffmaglim', 'candidate.magpsf')
        """

        def declare(function):
            name, fields = function.__name__, tuple(inspect.signature(function).parameters)
            unknown = [one for one in fields if one not in ALERT_BY_NAME and one != CURVE]
            if unknown or not fields:
                reason = f"the parameter {unknown[0]}" if unknown else "no parameter"
                raise ZtfmlError(
                    f"the feature {name} has {reason}; name columns of the alerts (fields of the "
                    "packet without candidate.), or curve"
                )
            text = inspect.getdoc(function)
            if not text:
                raise ZtfmlError(f"the feature {name} has no docstring; write its meaning there")
            meaning = text.partition("\n")[0].rstrip(".")
            if CURVE in fields:
                reads = tuple(sorted(HISTORY_FIELDS))
                self._add(name, unit, meaning, reads, missing, version, None, function)
            else:
                reads = tuple(ALERT_BY_NAME[field].in_file for field in fields)
                self._add(name, unit, meaning, reads, missing, version, function)
            return function

        return declare

    def declare(
        self,
        name: str,
        unit: str,
        meaning: str,
        missing: str,
        reads: tuple[str, ...] = ("jd",),
        version: int | None = None,
        source: str = "history",
    ) -> None:
        """Declare a feature that the group's compiled function writes to ``row.<name>``.

        A name that ends in ``_band`` declares one feature per band: ``row.n_det_band[b]``
        becomes ``n_det_g``, ``n_det_r`` and ``n_det_i``.

        Parameters
        ----------
        name : str
        unit : str
            An astropy unit string, empty for a pure number.
        meaning : str
            One sentence, without a full stop; ``{band}`` is replaced by the band.
        missing : str
            When it is NaN.
        reads : tuple of str
            Names of columns of `source`, and of alert columns with the prefix ``candidate.``.
        version : int, optional
            By default that of the group.
        source : {'history', 'forced'}
            The table that is read besides the alert.

        Examples
        --------
        >>> demo = Group("demo", "an example")
        >>> demo.declare("n_bright_band", "", "bright detections in {band}", "never")
        >>> [feature.name for feature in demo.features]
        ['n_bright_g', 'n_bright_r', 'n_bright_i']
        """
        reads = tuple(field if "." in field else f"{source}.{field}" for field in reads)
        if not name.endswith(BAND_SUFFIX):
            self._add(name, unit, meaning, reads, missing, version)
            self.fields.append((name, np.float64))
            return
        stem = name.removesuffix(BAND_SUFFIX)
        for band in BANDS:
            text = [part.format(band=band) for part in (meaning, missing)]
            self._add(f"{stem}_{band}", unit, text[0], reads, text[1], version)
        self.fields.append((name, np.float64, (len(BANDS),)))

    def _add(self, name, unit, meaning, reads, missing, version, column=None, of_curve=None):
        version = self.version if version is None else version
        self.features.append(
            Feature(name, self.name, unit, meaning, reads, missing, column, version, of_curve)
        )


def _unchanged(values):
    return values


def check_unique(features: Iterable[Feature]) -> None:
    """Raise an error if two features have the same name.

    Parameters
    ----------
    features : iterable of Feature

    Raises
    ------
    ZtfmlError
        If a name is declared twice.

    Examples
    --------
    >>> check_unique([])
    """
    seen = set()
    for feature in features:
        if feature.name in seen:
            raise ZtfmlError(f"the feature {feature.name} is declared twice; rename one of them")
        seen.add(feature.name)
