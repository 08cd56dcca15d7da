"""The kinds of catalogues, and how far each can be trusted: radius, types, doubts.

A catalogue of places says what stands there, not what flared up there tonight. So every kind has
a radius with its reason. What a type leaves open, and a distance beyond `UNSURE_BEYOND`, is counted
in doubts, each of which costs a step of confidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ztfml.taxonomy import LABELS, label_of

OBJECTS = "objects"
"""What a table of objects is called where a kind of catalogue is asked for."""

UNSURE_BEYOND = 1.0
"""A match beyond this many arcsec is less sure.

A faint ZTF alert is good to 0.3 arcsec, most catalogues to 0.5. Of the matches of the public
alerts with VSX within 2 arcsec, 94 % lie within 1.
"""


@dataclass(frozen=True)
class Kind:
    """A kind of catalogue of places.

    Parameters
    ----------
    name : str
    radius : float
        How far from an alert an entry may stand to be what the alert is of, in arcsec.
    why : str
        The reason for the radius.
    type_names : tuple of str
        What the column with the types may be called, in small letters without ``_`` or spaces.
    label : callable
        Gives the label of a type, or None.
    doubt : callable
        Gives how many doubts a type leaves about the class: 0, 1 or 2.
    vizier : str or None
        How the cross-match service of the CDS calls it.
    """

    name: str
    radius: float
    why: str
    type_names: tuple
    label: Callable
    doubt: Callable
    vizier: str | None = None

    def meanings(self, text):
        """Give each class that a type may mean, with its doubts.

        >>> KINDS["vsx"].meanings("EA|EB"), KINDS["vsx"].meanings("AM|QSO")
        ([('star', 1)], [('star', 1), ('agn', 1)])
        """
        return meanings(text, self.label, self.doubt(text))


def meanings(text, label, doubts):
    """Give each class that the alternatives of a type, parted by bars, may mean.

    Parameters
    ----------
    text : str
    label : callable
        Gives the label of one alternative, or None.
    doubts : int

    Returns
    -------
    list of (str, int)
        Labels and doubts; one empty label where no alternative means any of the five classes.

    Examples
    --------
    >>> meanings("SN Ia|TDE", lambda name: label_of("tns", name), 0)
    [('transient', 0)]
    """
    labels = {label(one) for one in text.split("|")} - {None}
    return [(one, doubts) for one in LABELS[::-1] if one in labels][::-1] or [("", doubts)]


def meanings_of_object(text):
    """Give each class that a type in a table of objects may mean, with its doubts.

    Our own labels count as they stand, all others as TNS and the Bright Transient Survey write.

    >>> meanings_of_object("star"), meanings_of_object("CV?"), meanings_of_object("SN Ia|Varstar")
    ([('star', 0)], [('star', 1)], [('star', 0), ('transient', 0)])
    """
    return meanings(text, _object_label, int("?" in text))


def _object_label(name):
    name = name.strip()
    return name if name in LABELS else label_of("bts", name)


# Variables of which the catalogue does not say what kind they are; quasars are among them.
_UNSPECIFIC = {"VAR", "MISC", "*", "S", "L", "CST", "UNK", "NON-CV"}


def _doubt_of_variable(text):
    if set(text.replace(":", "").upper().split("|")) & _UNSPECIFIC:
        return 2
    return int(any(mark in text for mark in ":|?"))


def _doubt_of_simbad(text):
    # Stars that are not known to vary may yet have a neighbour that does.
    quiet = text in ("*", "Star", "**", "PM*", "HighPM*")
    return int(quiet or "candidate" in text.lower() or text.endswith("?"))


def _doubt_of_quasar(text):
    # Q, A and B are broad-line quasars, broad-line AGN and BL Lacs with spectra. K and N have
    # narrow lines: their cores are hidden, and what is seen to vary may be something else. The
    # rest are candidates by colour, radio or X-rays.
    return int(not text.startswith(("Q", "A", "B")))


def _doubt_of_listed(text):
    return int("?" in text or text.lower() == "bcu")  # 4LAC: blazar candidate of unknown type


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "vsx", 2.0,
            "most of its positions come from surveys and are good to 1 arcsec; of the public "
            "alerts 589 have an entry within 2 arcsec, of which 0.5 by chance",
            ("type", "vtype", "vartype"), lambda name: label_of("vsx", name),
            _doubt_of_variable, "vizier:B/vsx/vsx",
        ),
        Kind(
            "gcvs", 2.0,
            "its positions were revised to about 1 arcsec (Samus et al. 2017, ARep 61, 80)",
            ("vartype", "type", "vtype"), lambda name: label_of("gcvs", name),
            _doubt_of_variable, "vizier:B/gcvs/gcvs_cat",
        ),
        Kind(
            "gaia", 1.5,
            "its own positions are exact: what is allowed for is the alert's error and proper "
            "motion, and in crowded fields more would catch neighbours",
            ("class", "bestclassname"), lambda name: label_of("gaia", name),
            lambda text: 1,  # the outcome of a classifier
            "vizier:I/358/vclassre",
        ),
        Kind(
            "milliquas", 1.5,
            "its optical positions are good to 0.5 arcsec; more would take a supernova beside a "
            "nucleus for the nucleus",
            ("type", "objecttype", "class"), lambda name: label_of("milliquas", name),
            _doubt_of_quasar, "vizier:VII/294/catalog",
        ),
        Kind(
            "agn", 1.5,
            "as Milliquas: every entry of such a list (blazars, Seyferts, quasars) is an AGN",
            ("class", "type", "classification"), lambda name: "agn", _doubt_of_listed,
        ),
        Kind(
            "simbad", 1.5,
            "it gathers positions of all kinds, most good to 1 arcsec; brokers match as far",
            ("maintype", "otype", "type"), lambda name: label_of("simbad", name),
            _doubt_of_simbad, "simbad",
        ),
    )
}  # fmt: skip
"""Every kind of catalogue of places by name."""
