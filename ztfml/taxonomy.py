"""The five classes and the degrees of confidence."""

from enum import IntEnum


class AlertClass(IntEnum):
    """The five classes, in the order of the probability columns.

    ARTIFACT
        Not a source: bad subtraction, ghost, edge, cosmic ray.
    SSO
        A Solar System object.
    STAR
        A variable or eruptive star in the Galaxy, including cataclysmic variables, and classical
        novae that SIMBAD lists as stars.
    AGN
        An active galactic nucleus or quasar.
    TRANSIENT
        An extragalactic event that does not repeat: supernova, tidal disruption, kilonova,
        afterglow; also novae reported as transients by TNS or BTS.

    Examples
    --------
    >>> AlertClass.AGN.label, int(AlertClass.AGN)
    ('agn', 3)
    """

    ARTIFACT = 0
    SSO = 1
    STAR = 2
    AGN = 3
    TRANSIENT = 4

    @property
    def label(self) -> str:
        """Name in label files and predictions, e.g. ``'agn'``."""
        return self.name.lower()


LABELS = tuple(member.label for member in AlertClass)
PROBABILITY_COLUMNS = tuple(f"p_{label}" for label in LABELS)

CONFIDENCES = ("high", "medium", "low")
