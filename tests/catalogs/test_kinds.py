"""The kinds of catalogues, and the class names of other sources."""

import pandas as pd
import pytest

from ztfml.catalogs import class_names
from ztfml.catalogs.kinds import CONTEXT_KINDS, CONTEXT_ONLINE, KINDS, describe
from ztfml.cli.labels import label as label_command
from ztfml.model.card_page import _LABEL_SOURCES


@pytest.mark.parametrize(
    ("source", "name", "label"),
    [
        ("vsx", "RRAB", "star"),
        ("vsx", "UGSU+E", "star"),
        ("vsx", "SN Ia", "transient"),
        ("vsx", "AGN", "agn"),
        ("gcvs", "M", "star"),
        ("tns", "SN Ia-91T-like", "transient"),
        ("tns", "SLSN-I", "transient"),
        ("tns", "CV", "star"),
        ("tns", "Nova", "transient"),
        ("tns", "AGN", "agn"),
        ("tns", "Other", None),
        ("simbad", "QSO", "agn"),
        ("simbad", "RRLyr", "star"),
        ("simbad", "Nova", "star"),
        ("simbad", "Galaxy", None),
        ("alerce", "SNIbc", "transient"),
        ("alerce", "bogus", "artifact"),
        ("timedomain", "Kilonova", "transient"),
        ("vsx", "", None),
        ("vsx", "GRB", "transient"),
        ("simbad", "Candidate_RRLyr", "star"),
        ("simbad", "LongPeriodV*_Candidate", "star"),
        ("simbad", "Sy*", "star"),
        ("simbad", "Sy1", "agn"),
        ("simbad", "QSO_Candidate", "agn"),
        ("simbad", "Candidate_SN*", "transient"),
        ("simbad", "EmG", None),
        ("tns", "Galaxy", None),
        ("bts", "rock", "sso"),
        ("bts", "bogus", "artifact"),
        ("bts", "Ic-BL", "transient"),
        ("bts", "NLS1", "agn"),
        ("bts", "-", None),
        ("gaia", "DSCT|GDOR|SXPHE", "star"),
        ("gaia", "AGN", "agn"),
        ("gaia", "GALAXY", None),
        ("milliquas", "QRX", "agn"),
        ("milliquas", "S", None),
    ],
)
def test_class_names_of_other_sources(source, name, label):
    function = (
        CONTEXT_KINDS[source].label if source in CONTEXT_KINDS else getattr(class_names, source)
    )
    assert function(name) == label


def test_every_simbad_name_has_one_label():
    labels = {}
    for label, names in class_names._SIMBAD.items():
        for name in names:
            assert labels.setdefault(name.casefold(), label) == label


def test_every_vsx_type_has_a_label_and_nearly_all_are_stars(shared_data):
    vsx = pd.read_parquet(shared_data / "catalogs" / "vsx.parquet")
    column = next(name for name in vsx.columns if "type" in name.lower())
    types = vsx[column].dropna().astype(str)
    types = types[types.str.strip() != ""]
    labels = types.map({name: CONTEXT_KINDS["vsx"].label(name) for name in types.unique()})
    assert labels.notna().all()
    assert (labels == "star").mean() > 0.98


def test_every_kind_explains_itself():
    for kind in CONTEXT_KINDS.values():
        assert kind.radius > 0
        assert len(kind.reason) > 20
        assert len(kind.type_columns) > 0
        assert len(kind.title) > 0
        assert kind.name in describe(CONTEXT_KINDS)


def test_kinds_for_labels_and_for_context():
    assert set(CONTEXT_KINDS) - set(KINDS) == {"tns", "ned", "galaxies"}
    assert CONTEXT_ONLINE == ("ned", "simbad", "milliquas", "vsx")
    assert all(CONTEXT_KINDS[name].service for name in CONTEXT_ONLINE)


def test_options_and_the_model_card_read_the_records():
    (option,) = [parameter for parameter in label_command.params if parameter.name == "files"]
    assert describe(KINDS) in option.help
    assert all(_LABEL_SOURCES[name] == kind.credit for name, kind in KINDS.items())
