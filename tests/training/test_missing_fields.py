"""Copies of alerts without packet fields."""

import numpy as np
import pytest

from tests.nights import random_frames
from ztfml import features
from ztfml.features import FEATURES
from ztfml.night import Night
from ztfml.schema import ALERT_BY_NAME
from ztfml.training.missing_fields import (
    EXPORTS,
    FIELD_GROUPS,
    OPTIONAL_FIELDS,
    fields_outside,
    without_fields,
    without_random_fields,
    without_random_groups,
)


@pytest.fixture(scope="module")
def night():
    night = Night.from_frames(*random_frames(5, n_objects=150, max_rows=12))
    absent = [field for field in OPTIONAL_FIELDS if field not in night.alerts]
    return night.replace(alerts=night.alerts.assign(**dict.fromkeys(absent, 0.5)))


def test_field_names_are_those_of_packets():
    named = [*FIELD_GROUPS.values(), *EXPORTS.values(), OPTIONAL_FIELDS]
    assert {field for fields in named for field in fields} <= set(ALERT_BY_NAME)


def test_each_optional_field_is_in_one_group_at_most():
    grouped = [field for fields in FIELD_GROUPS.values() for field in fields]
    assert len(grouped) == len(set(grouped))
    # The limiting magnitude describes the exposure, not the source.
    assert set(OPTIONAL_FIELDS) - set(grouped) <= {"diffmaglim"}


@pytest.mark.parametrize("field", ["rb", "fwhm", "sgscore1", "magnr", "ndethist", "ra"])
def test_without_a_field_its_features_change_and_the_others_do_not(night, field):
    whole = features.compute(night)
    table = features.compute(without_fields(night, (field,)))
    in_file = ALERT_BY_NAME[field].in_file
    for feature in FEATURES:
        if in_file not in feature.reads:
            assert table[feature.name].equals(whole[feature.name]), feature.name
        elif feature.column is not None and len(feature.reads) == 1:
            assert table[feature.name].isna().all(), feature.name


def test_random_fields_are_missing_in_some_alerts_only(night):
    alerts = without_random_fields(night, np.random.default_rng(0)).alerts
    present = [field for field in OPTIONAL_FIELDS if field in alerts]
    before = night.alerts[present].notna().mean()
    kept = alerts[present].notna().mean()[before > 0] / before[before > 0]
    assert (kept < 1).all()
    assert (kept > 0.6).all()


def test_random_groups_are_missing_as_a_whole_or_as_in_an_export(night):
    missing = without_random_groups(night, np.random.default_rng(0)).alerts.isna()
    before = night.alerts.isna()
    lost_fwhm = (missing["fwhm"] & ~before["fwhm"]).to_numpy()
    lost_elong = (missing["elong"] & ~before["elong"]).to_numpy()
    assert 0.2 < lost_fwhm.mean() < 0.6
    # BTSbot has fwhm but not elong; otherwise shape parameters are missing together.
    assert (lost_elong >= lost_fwhm).mean() > 0.95


def test_an_export_has_its_fields(night):
    alerts = without_fields(night, fields_outside("ALeRCE")).alerts
    assert alerts["rb"].equals(night.alerts["rb"])
    assert alerts[["fwhm", "sgscore1", "ndethist"]].isna().all(axis=None)
    assert alerts["magpsf"].equals(night.alerts["magpsf"])
