"""The columns of a night and the spellings of isdiffpos."""

import numpy as np
import pytest
from astropy import units

from ztfml.schema import (
    ALERT_BY_NAME,
    ALERT_COLUMNS,
    HISTORY_COLUMNS,
    MATCH_COLUMNS,
    SPELLING_OF_SIGN,
    sign_of,
)


@pytest.mark.parametrize(
    "spelling", ["t", "T", " t ", "1", "True", b"t", "b't'", 1, 1.0, True, np.int8(1)]
)
def test_positive(spelling):
    assert sign_of(spelling) == 1


@pytest.mark.parametrize("spelling", ["f", "0", "-1", "False", b"f", 0, -1, -1.0, False, "-1.0"])
def test_negative(spelling):
    assert sign_of(spelling) == -1


@pytest.mark.parametrize("spelling", [None, "", "maybe", float("nan"), 0.5, 2, b"\xff"])
def test_unknown(spelling):
    assert sign_of(spelling) == 0


@pytest.mark.parametrize("sign", [1, -1, 0])
def test_signs_survive_a_round_trip(sign):
    assert sign_of(SPELLING_OF_SIGN[sign]) == sign


@pytest.mark.parametrize("column", ALERT_COLUMNS + HISTORY_COLUMNS, ids=lambda c: c.in_file)
def test_units_can_be_parsed(column):
    units.Unit(column.unit)
    assert column.valid[0] < column.valid[1]
    assert column.meaning


def test_names_of_alert_columns_are_unique():
    assert len(ALERT_BY_NAME) == len(ALERT_COLUMNS) + len(MATCH_COLUMNS)
