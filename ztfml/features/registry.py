"""What a feature is, and the list of all of them.

A group file makes a `Group` and declares its features beside the code that computes them, in
one of three ways: `Group.copy` (a packet field as it is), `Group.feature` (a function of
whole alert columns), `Group.declare` (written by the group's compiled function of one light
curve). The order of declaration is the order of the table's columns.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ztfml.errors import ZtfmlError
from ztfml.schema import ALERT_BY_NAME, BANDS, HISTORY_COLUMNS

BAND_SUFFIX = "_band"


@dataclass(frozen=True)
class Feature:
    """One number about an alert.

    Parameters
    ----------
    name : str
    group : str
    unit : str
        An astropy unit string, empty for pure numbers.
    meaning : str
        One sentence.
    reads : tuple of str
        The columns it is computed from, ``candidate.…`` of the alert or ``history.…``.
    missing : str
        When it is NaN.
    column : callable, optional
        A function of whole alert columns; None where the group's compiled function of one
        light curve writes it.
    version : int
        Raised when the definition changes, so that a model trained before is refused.
    """

    name: str
    group: str
    unit: str
    meaning: str
    reads: tuple
    missing: str
    column: Callable | None = None
    version: int = 1


class Group:
    """Features that belong together; one file each.

    Parameters
    ----------
    name : str
    meaning : str
        What the group tells about a source.

    Examples
    --------
    >>> demo = Group("demo", "an example")
    >>> demo.copy("fwhm", missing="never")
    >>> [feature.name for feature in demo.features]
    ['fwhm']
    """

    def __init__(self, name, meaning):
        self.name = name
        self.meaning = meaning
        self.features = []
        self.fields = []

    def copy(self, *fields, missing):
        """Declare packet fields that are features as they are."""
        for field in fields:
            source = ALERT_BY_NAME[field]
            self._add(field, source.unit, source.meaning, (source.in_file,), missing, _itself)

    def feature(self, unit, missing):
        """Declare the decorated function of alert columns, which it names as its parameters."""

        def declare(function):
            fields = tuple(inspect.signature(function).parameters)
            reads = tuple(ALERT_BY_NAME[field].in_file for field in fields)
            meaning = inspect.getdoc(function).rstrip(".")
            self._add(function.__name__, unit, meaning, reads, missing, function)
            return function

        return declare

    def declare(self, name, unit, meaning, missing, reads=("jd",)):
        """Declare a feature that the group's compiled function writes to ``row.<name>``.

        A name that ends in ``_band`` stands for one feature a band: ``row.n_det_band[b]``
        becomes ``n_det_g``, ``n_det_r``, ``n_det_i``, and ``{band}`` in the meaning is filled.
        """
        reads = tuple(f"history.{field}" for field in reads)
        if not name.endswith(BAND_SUFFIX):
            self._add(name, unit, meaning, reads, missing)
            self.fields.append((name, np.float64))
            return
        stem = name.removesuffix(BAND_SUFFIX)
        for band in BANDS:
            self._add(f"{stem}_{band}", unit, meaning.format(band=band), reads, missing)
        self.fields.append((name, np.float64, (len(BANDS),)))

    def _add(self, name, unit, meaning, reads, missing, column=None):
        self.features.append(Feature(name, self.name, unit, meaning, reads, missing, column))


def _itself(values):
    return values


HISTORY_FIELDS = frozenset(f"history.{column.name}" for column in HISTORY_COLUMNS)


def check_unique(features):
    """Refuse two features of one name.

    Raises
    ------
    ZtfmlError
        If a name stands twice.

    Examples
    --------
    >>> check_unique([])
    """
    seen = set()
    for feature in features:
        if feature.name in seen:
            raise ZtfmlError(f"the feature {feature.name} is declared twice; rename one")
        seen.add(feature.name)
