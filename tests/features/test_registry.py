"""Declarations of features are complete and consistent."""

import re

import pytest
from astropy.units import Unit

from ztfml.errors import ZtfmlError
from ztfml.features import FEATURES, GROUPS, OPTIONAL
from ztfml.features.registry import FORCED_FIELDS, HISTORY_FIELDS, check_unique
from ztfml.schema import ALERT_BY_NAME

ALL = (*FEATURES, *OPTIONAL)


@pytest.mark.parametrize("feature", ALL, ids=lambda feature: feature.name)
def test_each_declaration_is_valid(feature):
    assert re.fullmatch("[a-z][a-z0-9_]*", feature.name)
    Unit(feature.unit)
    assert len(feature.meaning) > 10
    assert not feature.meaning.endswith(".")
    assert "{" not in feature.meaning
    assert feature.missing
    known = HISTORY_FIELDS | FORCED_FIELDS | {column.in_file for column in ALERT_BY_NAME.values()}
    assert feature.reads
    assert set(feature.reads) <= known


def test_duplicate_names_are_an_error():
    check_unique(ALL)
    with pytest.raises(ZtfmlError, match="drb is declared twice"):
        check_unique((*ALL, FEATURES[0]))


def test_fields_that_identify_night_or_camera_are_not_features():
    forbidden = {
        "candid", "jd", "pid", "nid", "field", "rcid", "xpos", "ypos", "ra", "dec", "rfid", "fid",
        "programid", "jdstarthist", "jdstartref", "jdendref", "magzpsci", "clrcoeff", "exptime",
    }  # fmt: skip
    assert not forbidden & {feature.name for feature in ALL}


def test_groups_and_number_of_features():
    assert len(FEATURES) >= 80
    assert [group.name for group in GROUPS] == [
        "packet", "counts", "timing", "episodes", "rates", "tonight", "colour", "variability",
        "timescales", "context",
    ]  # fmt: skip
