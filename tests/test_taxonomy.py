"""The five classes."""

from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS, AlertClass


def test_classes_and_their_order():
    assert LABELS == ("artifact", "sso", "star", "agn", "transient")
    assert PROBABILITY_COLUMNS == ("p_artifact", "p_sso", "p_star", "p_agn", "p_transient")
    assert [AlertClass[label.upper()] for label in LABELS] == [0, 1, 2, 3, 4]
