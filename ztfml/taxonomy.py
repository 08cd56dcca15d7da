"""The five classes, and what other catalogues and brokers call them."""

from enum import IntEnum


class AlertClass(IntEnum):
    """What an alert is; the order is that of every probability table in ztfml.

    ARTIFACT
        Not a source: bad subtraction, ghost, edge, cosmic ray.
    SSO
        A solar-system object.
    STAR
        A variable or erupting star of the Galaxy, cataclysmic variables and classical
        novae that SIMBAD knows as stars included.
    AGN
        An active galactic nucleus or quasar.
    TRANSIENT
        An extragalactic event that comes once: supernova, tidal disruption, kilonova,
        afterglow; and novae reported as transients by TNS or BTS.
    """

    ARTIFACT = 0
    SSO = 1
    STAR = 2
    AGN = 3
    TRANSIENT = 4

    @property
    def label(self):
        """The name in label files and predictions, e.g. ``'agn'``."""
        return self.name.lower()


LABELS = tuple(member.label for member in AlertClass)
PROBABILITY_COLUMNS = tuple(f"p_{label}" for label in LABELS)

_VSX_PREFIXES = {
    # AAVSO VSX variability types, https://www.aavso.org/vsx/index.php?view=about.vartypes
    "agn": ("AGN", "QSO", "BLLAC", "BL LAC", "BLAZAR", "GALAXY"),
    "transient": ("SN",),
}

_GCVS_PREFIXES = {
    # GCVS 5.1 classification, http://www.sai.msu.su/gcvs/gcvs/vartype.htm
    "agn": ("AGN", "QSO", "BLLAC", "GAL"),
    "transient": ("SN",),
}

# SIMBAD object types, https://simbad.cds.unistra.fr/guide/otypes.htx
_SIMBAD = {
    "sso": {"Asteroid", "Comet"},
    "agn": {
        "AGN", "AGN_Candidate", "BLLac", "Bla", "Blazar", "BLLac_Candidate", "Bz?", "LINER",
        "LIN", "QSO", "QSO_Candidate", "Q?", "Seyfert", "Seyfert_1", "Seyfert_2", "Seyfert1",
        "Seyfert2", "SyG", "Sy1", "Sy2", "rG", "RadioG", "AG?", "BL?",
    },
    "star": {
        "*", "**", "Star", "V*", "Variable*", "RRLyr", "RRLyrae", "RR*", "EB*", "EclBin",
        "Cepheid", "Ce*", "cC*", "Mira", "Mi*", "LPV*", "LPVariable", "LongPeriodV*", "LP*",
        "CV*", "CataclyV*", "CV?", "Nova", "No*", "YSO", "YSO_Candidate", "Y*O", "Y*?", "TTau*",
        "TT*", "TTauri*", "Em*", "PulsV*", "Pu*", "PulsV*delSct", "dS*", "BYDra", "BY*",
        "RSCVn", "RS*", "RotV*", "Ro*", "Eruptive*", "Er*", "Flare*", "Fl*", "Orion_V*", "Or*",
        "C*", "AGB*", "AB*", "RGB*", "RB*", "WD*", "WhiteDwarf", "HB*", "HorBranch*", "SB*",
        "LowMass*", "LM*", "BrownD*", "Symbiotic*", "Sy*", "XB", "LMXB", "LXB", "HMXB", "HXB",
        "Candidate_RRLyr", "Candidate_CV*", "Candidate_LP*", "Candidate_EB*", "delSctV*",
        "gammaDorV*", "SXPheV*", "alf2CVnV*", "Irregular_V*", "Ir*", "PM*",
    },
    "transient": {"SN", "SN*", "Supernova", "SN?", "GRB", "gB", "TDE", "Kilonova"},
}  # fmt: skip

# ALeRCE light-curve and stamp classifiers (Sánchez-Sáez et al. 2021; Carrasco-Davis et al. 2021)
_ALERCE = {
    "artifact": {"bogus"},
    "sso": {"asteroid"},
    "star": {"VS", "LPV", "E", "DSCT", "RRL", "CEP", "Periodic-Other", "YSO", "CV/Nova"},
    "agn": {"AGN", "QSO", "Blazar"},
    "transient": {"SN", "SNIa", "SNIbc", "SNII", "SLSN", "TDE"},
}

# timedomain-taxonomy leaves, https://github.com/profjsb/timedomain-taxonomy
_TIMEDOMAIN = {
    "artifact": {"bogus"},
    "sso": {"Solar System Object", "Asteroid", "Comet", "moving"},
    "star": {
        "Variable Star", "Pulsator", "Eclipsing", "Cataclysmic", "Eruptive", "Flare", "FU Ori",
        "RR Lyrae", "Cepheid", "Long-period Variable", "Mira", "Delta Scuti", "YSO", "Rotator",
        "Microlensing", "Dwarf Nova",
    },
    "agn": {"AGN", "Blazar", "Quasar", "Seyfert", "BL Lac", "Narrow-line Seyfert 1"},
    "transient": {
        "Supernova", "Ia", "Ib", "Ic", "II", "IIb", "IIn", "Ibn", "SLSN", "Ic-BL", "Kilonova",
        "GRB", "Afterglow", "Tidal Disruption Event", "FBOT", "ILOT", "Nova", "LRN", "LBV",
    },
}  # fmt: skip


def _exact(table):
    return {alias.casefold(): label for label, aliases in table.items() for alias in aliases}


_SIMBAD_ALIASES, _ALERCE_ALIASES, _TIMEDOMAIN_ALIASES = map(_exact, (_SIMBAD, _ALERCE, _TIMEDOMAIN))
_TNS_PREFIXES = {
    # TNS object types, https://www.wis-tns.org/ (sorted by how they begin)
    "agn": ("AGN", "QSO", "GALAXY", "BLAZAR"),
    "star": ("CV", "VARSTAR", "M DWARF", "LBV", "STAR", "YSO", "WR"),
    "transient": (
        "SN", "SLSN", "TDE", "KILONOVA", "AFTERGLOW", "FBOT", "ILRT", "LRN", "NOVA", "GAP",
        "IMPOSTOR-SN", "ILN",
    ),
}  # fmt: skip


def _by_prefix(table, name, default=None):
    name = name.strip().upper()
    for label, prefixes in table.items():
        if name.startswith(prefixes):
            return label
    return default if name else None


def label_of(source, name):
    """Translate another catalogue's class name to one of the five labels.

    Parameters
    ----------
    source : {'vsx', 'gcvs', 'simbad', 'tns', 'alerce', 'timedomain'}
        Whose name it is.
    name : str
        The name as that source writes it.

    Returns
    -------
    str or None
        A label of `LABELS`, or None where the name says nothing about the five classes.

    Raises
    ------
    KeyError
        If `source` is not one of those above.

    Examples
    --------
    >>> label_of("vsx", "RRAB"), label_of("tns", "SN Ia"), label_of("simbad", "Galaxy")
    ('star', 'transient', None)
    """
    by_source = {
        "vsx": lambda: _by_prefix(_VSX_PREFIXES, name, default="star"),
        "gcvs": lambda: _by_prefix(_GCVS_PREFIXES, name, default="star"),
        "tns": lambda: _by_prefix(_TNS_PREFIXES, name),
        "simbad": lambda: _SIMBAD_ALIASES.get(name.strip().casefold()),
        "alerce": lambda: _ALERCE_ALIASES.get(name.strip().casefold()),
        "timedomain": lambda: _TIMEDOMAIN_ALIASES.get(name.strip().casefold()),
    }
    return by_source[source]()
