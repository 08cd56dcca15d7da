"""The kinds of catalogues: one record for each.

A record says how far a catalogue can be trusted. A catalogue of positions tells which source is
at a position, but not what flared there tonight; so each kind has a matching radius with a reason.
Uncertain types and separations beyond `UNSURE_BEYOND` count as doubts, and each doubt lowers the
confidence of a label by one step.

To add a kind of catalogue, add a record to the list below. Command-line options and their help,
online queries, the context of objects and the model card read these records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ztfml.catalogs import class_names
from ztfml.catalogs.class_names import by_prefix
from ztfml.taxonomy import LABELS

OBJECTS = "objects"
"""The kind name of tables of object names and types, which are not matched by position."""

UNSURE_BEYOND = 1.0
"""A match with a larger separation (arcsec) counts as a doubt.

The positions of faint ZTF alerts have errors of 0.3 arcsec, those of most catalogues 0.5. Of the
matches of public alerts with VSX within 2 arcsec, 94 % are within 1.
"""


def no_doubt(text: str) -> int:
    """Return 0: the type leaves no doubt about the class.

    >>> no_doubt("QSO")
    0
    """
    return 0


@dataclass(frozen=True)
class Kind:
    """A kind of catalogue that is matched by position.

    Parameters
    ----------
    name : str
        Name on the command line and in the evidence of labels.
    title : str
        Name in texts.
    description : str
        The content and its doubts, for help texts and docs.
    radius : float, arcsec
        Largest separation of an entry from the alert of the same source.
    reason : str
        The reason for the radius.
    type_columns : tuple of str
        Possible names of the column with the types, in lower case without ``_`` and spaces.
    label : callable
        Takes a type and returns its label or None.
    doubt : callable
        Takes a type and returns the number of doubts about its class: 0, 1 or 2.
    service : str, optional
        Online service: ``"ned"``, or the name in the cross-match service of the CDS
        (``"simbad"``, ``"vizier:TABLE"``).
    credit : str
        Name and references for the model card.
    for_labels : bool
        Whether ``ztfml label`` uses it; otherwise only ``ztfml context`` does.
    context_online : bool
        Whether ``ztfml context --online`` queries the service.
    epoch : float, yr
        Julian year of the positions, for proper motions, if the table does not give it.
    motion_unit : str
        Unit of proper motions if the table does not give it.
    has_motions : bool
        Whether the answers of the service contain proper motions.
    content : {'sources', 'reports', 'galaxies'}
        Entries are known sources, reports of discoveries (TNS) or galaxies that may be hosts.

    Examples
    --------
    >>> KINDS["vsx"].radius, KINDS["vsx"].label("RRAB")
    (2.0, 'star')
    """

    name: str
    title: str
    description: str
    radius: float
    reason: str
    type_columns: tuple[str, ...]
    label: Callable[[str], str | None]
    doubt: Callable[[str], int] = no_doubt
    service: str | None = None
    credit: str = ""
    for_labels: bool = True
    context_online: bool = False
    content: str = "sources"
    epoch: float = 2000.0
    motion_unit: str = "mas/yr"
    has_motions: bool = False

    def meanings(self, text: str) -> list[tuple[str, int]]:
        """Return each label that a type may mean, with its number of doubts.

        >>> KINDS["vsx"].meanings("EA|EB"), KINDS["vsx"].meanings("AM|QSO")
        ([('star', 1)], [('star', 1), ('agn', 1)])
        """
        return meanings(text, self.label, self.doubt(text))


def meanings(text: str, label: Callable[[str], str | None], doubts: int) -> list[tuple[str, int]]:
    """Return each label that the alternatives of a type may mean.

    Parameters
    ----------
    text : str
        Alternatives separated by ``|``.
    label : callable
        Takes one alternative and returns its label or None.
    doubts : int

    Returns
    -------
    list of (str, int)
        Labels and doubts; one empty label if no alternative means any of the five classes.

    Examples
    --------
    >>> meanings("SN Ia|TDE", class_names.tns, 0)
    [('transient', 0)]
    """
    labels = {label(alternative) for alternative in text.split("|")} - {None}
    return [(one, doubts) for one in LABELS[::-1] if one in labels][::-1] or [("", doubts)]


def meanings_of_object(text: str) -> list[tuple[str, int]]:
    """Return each label that a type in a table of objects may mean, with its number of doubts.

    Types are labels of ztfml, or types as TNS, the Bright Transient Survey, SkyPortal
    (timedomain-taxonomy) and ALeRCE write them.

    >>> meanings_of_object("star"), meanings_of_object("CV?"), meanings_of_object("SN Ia|Varstar")
    ([('star', 0)], [('star', 1)], [('star', 0), ('transient', 0)])
    >>> meanings_of_object("SSO"), meanings_of_object("Variable Star")
    ([('sso', 0)], [('star', 0)])
    """
    return meanings(text, _object_label, int("?" in text))


def _object_label(name):
    label = name.strip().lower()
    if label in LABELS:
        return label
    found = (of(name) for of in (class_names.bts, class_names.timedomain, class_names.alerce))
    return next((one for one in found if one), None)


# --- doubts -------------------------------------------------------------------------------

# Variables of unknown type; some of them are quasars.
_UNSPECIFIC = {"VAR", "MISC", "*", "S", "L", "CST", "UNK", "NON-CV"}


def _doubt_of_variable(text):
    if set(text.replace(":", "").upper().split("|")) & _UNSPECIFIC:
        return 2
    return int(any(mark in text for mark in ":|?"))


def _doubt_of_simbad(text):
    # A star that is not known to vary may have a neighbour that does.
    not_variable = text in ("*", "Star", "**", "PM*", "HighPM*")
    return int(not_variable or "candidate" in text.lower() or text.endswith("?"))


def _doubt_of_quasar(text):
    # Q, A and B are broad-line quasars, broad-line AGN and BL Lacs with spectra. K and N have
    # narrow lines: their nuclei are obscured, so the variability may have another cause. The
    # others are candidates from colours, radio or X-rays.
    return int(not text.startswith(("Q", "A", "B")))


def _doubt_of_agn_list(text):
    return int("?" in text or text.lower() == "bcu")  # 4LAC: blazar candidate of unknown type


def _doubt_of_classifier(text):
    return 1


# --- records ------------------------------------------------------------------------------

_ALL = (
    Kind(
        "tns", "TNS", "reported transients and their classifications", 3.0,
        "the positions are those of the discovery, by surveys with pixels of up to 2 arcsec",
        ("type", "objtype"), class_names.tns,
        credit="Transient Name Server", for_labels=False, content="reports",
    ),
    Kind(
        "ned", "NED", "galaxies and other extragalactic sources", 2.0,
        "the positions of galaxies have errors of about 1 arcsec",
        # NED marks Galactic sources with an exclamation mark.
        ("type",), lambda name: class_names.simbad(name.lstrip("!")),
        service="ned", for_labels=False, context_online=True,
    ),
    Kind(
        "simbad", "SIMBAD", "stars, AGN and transients of all kinds", 1.5,
        "it collects positions from many sources, most of them good to 1 arcsec; brokers use the "
        "same radius",
        ("maintype", "otype", "type"), class_names.simbad, _doubt_of_simbad, "simbad",
        "SIMBAD, CDS Strasbourg (Wenger et al. 2000)", context_online=True, has_motions=True,
    ),
    Kind(
        "milliquas", "Milliquas", "quasars and AGN; doubts for narrow lines and candidates", 1.5,
        "its optical positions have errors of 0.5 arcsec; a larger radius would match supernovae "
        "with the nuclei of their host galaxies",
        ("type", "objecttype", "class"),
        # Flesch 2023, arXiv:2308.01505: S is a star that looks like a quasar.
        by_prefix({None: ("S",)}, default="agn"), _doubt_of_quasar, "vizier:VII/294/catalog",
        "Milliquas (Flesch 2023)", context_online=True,
    ),
    Kind(
        "vsx", "VSX", "variable stars; two doubts for unspecific types such as VAR and MISC", 2.0,
        "most of its positions come from surveys and are good to 1 arcsec; of the public alerts "
        "589 have an entry within 2 arcsec, of which 0.5 by chance",
        ("type", "vtype", "vartype"),
        # https://www.aavso.org/vsx/index.php?view=about.vartypes
        by_prefix(
            {
                "agn": ("AGN", "QSO", "BLLAC", "BL LAC", "BLAZAR", "GALAXY"),
                "transient": ("SN", "GRB"),
            },
            default="star",
        ),
        _doubt_of_variable, "vizier:B/vsx/vsx",
        "AAVSO International Variable Star Index (Watson et al. 2006)", context_online=True,
    ),
    Kind(
        "gcvs", "GCVS", "variable stars; two doubts for unspecific types", 2.0,
        "its positions were revised to about 1 arcsec (Samus et al. 2017, ARep 61, 80)",
        ("vartype", "type", "vtype"),
        # GCVS 5.1, http://www.sai.msu.su/gcvs/gcvs/vartype.htm
        by_prefix(
            {"agn": ("AGN", "QSO", "BLLAC", "GAL"), "transient": ("SN",)}, default="star"
        ),
        _doubt_of_variable, "vizier:B/gcvs/gcvs_cat",
        "General Catalogue of Variable Stars (Samus' et al. 2017)", motion_unit="arcsec/yr",
        has_motions=True,
    ),
    Kind(
        "gaia", "Gaia", "variables in Gaia DR3, classified by a machine; one doubt", 1.5,
        "its positions are exact: the radius allows for the error of the alert; a larger one would "
        "match neighbours in crowded fields",
        ("class", "bestclassname"),
        # Rimoldini et al. 2023, A&A 674, A14; all other classes are stars.
        by_prefix(
            {"agn": ("AGN", "QSO"), "transient": ("SN",), None: ("GALAXY",)}, default="star"
        ),
        _doubt_of_classifier, "vizier:I/358/vclassre",
        "Gaia (Gaia Collaboration 2016, 2023)", epoch=2016.0,
    ),
    Kind(
        "agn", "AGN", "any list in which every entry is an AGN", 1.5,
        "see Milliquas: every entry of such a list (blazars, Seyferts, quasars) is an AGN",
        ("class", "type", "classification"), lambda name: "agn", _doubt_of_agn_list,
        credit="lists of active galactic nuclei",
    ),
    Kind(
        "galaxies", "galaxies", "any list of galaxies", 2.0,
        "the positions of galaxies have errors of about 1 arcsec",
        ("type", "morphtype", "class"), lambda name: None, for_labels=False, content="galaxies",
    ),
)  # fmt: skip

CONTEXT_KINDS = {kind.name: kind for kind in _ALL}
"""All kinds of catalogues by name, as used for the context of objects."""

KINDS = {kind.name: kind for kind in _ALL if kind.for_labels}
"""The kinds of catalogues that give labels, by name."""

CONTEXT_ONLINE = tuple(kind.name for kind in _ALL if kind.context_online)
"""Names of the kinds that ``ztfml context --online`` queries."""


def describe(kinds: dict[str, Kind]) -> str:
    """Return names and titles of kinds of catalogues for help texts.

    >>> describe({"vsx": KINDS["vsx"]})
    'vsx (variable stars)'
    """
    return ", ".join(
        f"{kind.name} ({kind.description.partition(';')[0]})" for kind in kinds.values()
    )
