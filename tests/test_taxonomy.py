"""The five classes, and the names that other sources have for them."""

import pandas as pd
import pytest

from ztfml.taxonomy import _SIMBAD, LABELS, PROBABILITY_COLUMNS, AlertClass, label_of


def test_the_classes_and_their_order_are_the_contract():
    assert LABELS == ("artifact", "sso", "star", "agn", "transient")
    assert PROBABILITY_COLUMNS == ("p_artifact", "p_sso", "p_star", "p_agn", "p_transient")
    assert [AlertClass[label.upper()] for label in LABELS] == [0, 1, 2, 3, 4]


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
def test_names_of_other_sources(source, name, label):
    assert label_of(source, name) == label


def test_no_simbad_name_means_two_things():
    labels = {}
    for label, names in _SIMBAD.items():
        for name in names:
            assert labels.setdefault(name.casefold(), label) == label


def test_an_unknown_source_is_refused():
    with pytest.raises(KeyError):
        label_of("horoscope", "RRAB")


def test_every_vsx_type_has_a_label_and_nearly_all_are_stars(shared_data):
    vsx = pd.read_parquet(shared_data / "catalogs" / "vsx.parquet")
    column = next(name for name in vsx.columns if "type" in name.lower())
    types = vsx[column].dropna().astype(str)
    types = types[types.str.strip() != ""]
    labels = types.map({name: label_of("vsx", name) for name in types.unique()})
    assert labels.notna().all()
    assert (labels == "star").mean() > 0.98
