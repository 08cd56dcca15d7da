"""Class names of large type systems, and functions that convert a class name to a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

# SIMBAD object types, https://simbad.cds.unistra.fr/guide/otypes.htx: the codes (RR*), and the
# names before and after the revision of 2020 (RRLyr, RRLyrae). `simbad` handles candidates.
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


def by_prefix(
    prefixes: Mapping[Any, tuple[str, ...]], default: str | None = None
) -> Callable[[str], str | None]:
    """Return a function that converts a class name to a label by the start of the name.

    Parameters
    ----------
    prefixes : mapping of str or None to tuple of str
        For each label the prefixes in upper case; None for names that mean none of the classes.
    default : str, optional
        The label of all other names; by default None.

    Returns
    -------
    callable
        Takes a class name and returns a label or None.

    Examples
    --------
    >>> label = by_prefix({"agn": ("AGN", "QSO")}, default="star")
    >>> label("QSO"), label("RRAB"), label("")
    ('agn', 'star', None)
    """

    def label(name: str) -> str | None:
        name = name.strip().upper()
        for found, starts in prefixes.items():
            if name.startswith(starts):
                return found
        return default if name else None

    return label


def by_name(names: Mapping[str, set[str]]) -> Callable[[str], str | None]:
    """Return a function that converts a class name to a label, ignoring case.

    Parameters
    ----------
    names : mapping of str to set of str
        The class names of each label.

    Returns
    -------
    callable
        Takes a class name and returns a label or None.

    Examples
    --------
    >>> label = by_name({"agn": {"AGN", "Blazar"}})
    >>> label("blazar"), label("Galaxy")
    ('agn', None)
    """
    labels = {name.casefold(): label for label, group in names.items() for name in group}
    return lambda name: labels.get(name.strip().casefold())


_simbad_type = by_name(_SIMBAD)


def simbad(name: str) -> str | None:
    """Return the label of a SIMBAD type; a candidate has the label of its type.

    >>> simbad("RRLyrae_Candidate"), simbad("Galaxy")
    ('star', None)
    """
    return _simbad_type(
        name.strip().casefold().removeprefix("candidate_").removesuffix("_candidate")
    )


tns = by_prefix(_TNS_PREFIXES)
"""Converts a TNS object type to a label."""

bts = by_prefix(_BTS_PREFIXES)
"""Converts a type of the Bright Transient Survey to a label; includes the types of TNS."""

alerce = by_name(_ALERCE)
"""Converts a class of an ALeRCE classifier to a label."""

timedomain = by_name(_TIMEDOMAIN)
"""Converts a class of timedomain-taxonomy to a label."""
