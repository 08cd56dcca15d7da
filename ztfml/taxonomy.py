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
    "transient": ("SN", "GRB"),
}

_GCVS_PREFIXES = {
    # GCVS 5.1 classification, http://www.sai.msu.su/gcvs/gcvs/vartype.htm
    "agn": ("AGN", "QSO", "BLLAC", "GAL"),
    "transient": ("SN",),
}

# SIMBAD object types, https://simbad.cds.unistra.fr/guide/otypes.htx: the codes (RR*), and the
# names before and since the revision of 2020 (RRLyr, RRLyrae). Candidates are told below.
_SIMBAD = {
    "sso": {"Asteroid", "Comet"},
    "agn": {
        "AGN", "AG?", "LIN", "LINER", "SyG", "Seyfert", "Sy1", "Seyfert1", "Seyfert_1", "Sy2",
        "Seyfert2", "Seyfert_2", "Bla", "Blazar", "Bz?", "BLL", "BLLac", "BL?", "OVV", "QSO", "Q?",
        "LeQ", "LensedQ", "rG", "RadioG",
    },
    "star": {
        # Stars, single and double
        "*", "Star", "*inCl", "*iC", "*inNeb", "*iN", "*inAssoc", "*iA", "*in**", "*i*", "**",
        "PM*", "HighPM*", "HV*", "HighVel*", "MS*", "MainSequence*", "Ma*", "Massive*", "SB*",
        "LM*", "Low-Mass*", "LowMass*", "BD*", "BrownD*", "WD*", "WhiteDwarf", "HS*", "HotSubdwarf",
        "Hsd", "BS*", "BSS", "BlueStraggler", "HB*", "HorBranch*", "RG*", "RB*", "RGB*", "AB*",
        "AGB*", "pA*", "post-AGB*", "C*", "S*", "CH", "CH*", "OH*", "OH", "OH/IR", "OH/IR*", "Ev*",
        "Evolved*", "sg*", "SG*", "Supergiant", "s*b", "BSG*", "BlueSG", "BlueSG*", "s*r", "RSG*",
        "RedSG", "RedSG*", "s*y", "YSG*", "YellowSG", "YellowSG*", "WR*", "WolfRayet*", "Be*",
        "Em*", "EmLine*", "Pec*", "Pe*", "ChemPec*", "N*", "NS", "Neutron*",
        # Young stars
        "Y*O", "YSO", "pr*", "pMS*", "TT*", "TTau*", "TTauri*", "Ae*", "Or*", "Orion_V*",
        "OrionV*", "FU*", "FUOr",
        # Variables
        "V*", "Variable*", "Ir*", "Irregular_V*", "IrregularV*", "RI*", "Rapid_Irreg_V*", "Er*",
        "Eruptive*", "Fl*", "Flare*", "RC*", "RCrB", "RCrBV*", "Erupt*RCrB", "Ro*", "RotV*", "a2*",
        "alf2CVnV*", "RotV*alf2CVn", "Psr", "Pulsar", "BY*", "BYDra", "BYDraV*", "RS*", "RSCVn",
        "RSCVnV*", "Pu*", "PulsV*", "RR*", "RRLyr", "RRLyrae", "Ce*", "Cepheid", "cC*", "deltaCep",
        "ClassicalCep", "WV*", "PulsV*WVir", "Type2Cep", "RV*", "PulsV*RVTau", "RVTauV*", "bC*",
        "PulsV*bCep", "bCepV*", "dS*", "PulsV*delSct", "delSctV*", "gD*", "gammaDor", "gammaDorV*",
        "SX*", "PulsV*SX", "SXPheV*", "ZZ*", "pulsWD*", "LP*", "LPV*", "LPVariable", "LongPeriodV*",
        "Mi*", "Mira", "sr*", "semi-regV*",
        # Binaries that vary
        "EB*", "EclBin", "Al*", "EB*Algol", "bL*", "EB*betLyr", "WU*", "EB*WUMa", "EP*",
        "EB*Planet", "El*", "EllipVar", "Sy*", "Symb*", "Symbiotic*", "CV*", "CataclyV*", "DQ*",
        "DQHer", "AM*", "AMHer", "NL*", "Nova-like", "No*", "Nova", "ClassicalNova", "DN*",
        "DwarfNova", "XB", "XB*", "XrayBin", "LXB", "LMXB", "LowMassXBin", "HXB", "HMXB",
        "HighMassXBin",
        # Codes of candidates
        "**?", "V*?", "CV?", "Y*?", "pr?", "TT?", "Ae?", "Be?", "WR?", "RR?", "Ce?", "WV?", "RV?",
        "LP?", "Mi?", "sv?", "AB?", "RB?", "pA?", "HB?", "C*?", "S*?", "OH?", "sg?", "s?b", "s?r",
        "s?y", "BS?", "HS?", "WD?", "N*?", "LM?", "BD?", "EB?", "El?", "Sy?", "No?", "XB?", "LX?",
        "HX?", "Ro?", "BY?", "RS?", "Pu?", "Er?", "RC?", "Pe?", "Pec?", "a2?", "bC?", "Ma?", "MS?",
        "Ev?", "SB?",
    },
    "transient": {
        "SN", "SN*", "Supernova", "SN?", "GRB", "gB", "gammaBurst", "TDE", "Kilonova",
    },
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


_TNS_PREFIXES = {
    # TNS object types, https://www.wis-tns.org/ (sorted by how they begin); "Galaxy" says that
    # the spectrum shows the host alone
    "agn": ("AGN", "QSO", "BLAZAR"),
    "star": ("CV", "VARSTAR", "M DWARF", "LBV", "STAR", "YSO", "WR"),
    "transient": (
        "SN", "SLSN", "TDE", "KILONOVA", "AFTERGLOW", "FBOT", "ILRT", "LRN", "NOVA", "GAP",
        "IMPOSTOR-SN", "ILN",
    ),
}  # fmt: skip

_BTS_PREFIXES = {
    # Those of TNS, and what the Bright Transient Survey writes besides, with the SN left away or
    # for what was no transient (Fremling et al. 2020, ApJ 895, 32; Perley et al. 2020, ApJ 904, 35)
    "artifact": ("BOGUS",),
    "sso": ("ROCK", "ASTEROID"),
    "agn": (*_TNS_PREFIXES["agn"], "NLS1", "SEYFERT", "BL LAC"),
    "star": _TNS_PREFIXES["star"],
    "transient": (*_TNS_PREFIXES["transient"], "IA", "IB", "IC", "II", "CA-RICH"),
}

_GAIA_PREFIXES = {
    # Gaia DR3 classes of variables (Rimoldini et al. 2023, A&A 674, A14); all others are stars
    "agn": ("AGN", "QSO"),
    "transient": ("SN",),
    None: ("GALAXY",),
}

_MILLIQUAS_PREFIXES = {
    # Milliquas types (Flesch 2023, arXiv:2308.01505): S is a star that looks like a quasar
    None: ("S",),
}


def _exact(table):
    return {alias.casefold(): label for label, aliases in table.items() for alias in aliases}


_SIMBAD_ALIASES, _ALERCE_ALIASES, _TIMEDOMAIN_ALIASES = map(_exact, (_SIMBAD, _ALERCE, _TIMEDOMAIN))


def _simbad(name):
    """Look up a SIMBAD type; a candidate (Candidate_RRLyr, RRLyrae_Candidate) is the thing."""
    name = name.strip().casefold()
    certain = name.removeprefix("candidate_").removesuffix("_candidate")
    return _SIMBAD_ALIASES.get(certain)


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
    source : {'vsx', 'gcvs', 'gaia', 'milliquas', 'simbad', 'tns', 'bts', 'alerce', 'timedomain'}
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
        "gaia": lambda: _by_prefix(_GAIA_PREFIXES, name, default="star"),
        "milliquas": lambda: _by_prefix(_MILLIQUAS_PREFIXES, name, default="agn"),
        "tns": lambda: _by_prefix(_TNS_PREFIXES, name),
        "bts": lambda: _by_prefix(_BTS_PREFIXES, name),
        "simbad": lambda: _simbad(name),
        "alerce": lambda: _ALERCE_ALIASES.get(name.strip().casefold()),
        "timedomain": lambda: _TIMEDOMAIN_ALIASES.get(name.strip().casefold()),
    }
    return by_source[source]()


CONFIDENCES = ("high", "medium", "low")
