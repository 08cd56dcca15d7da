"""Suggestions of similar names in messages."""

import time

import pandas as pd
import pytest

from ztfml.errors import DataError
from ztfml.io.columns import check_required
from ztfml.io.similar import did_you_mean, similar_object
from ztfml.ranking.scorer import row_of
from ztfml.schema import ALERT_COLUMNS
from ztfml.training.parameters import read_parameters

REQUIRED = [column.in_file for column in ALERT_COLUMNS if column.required]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ZTF18abukavm", "ZTF18abukavn"),
        ("ztf18abukavn", "ZTF18abukavn"),
        (" ZTF18abukavn ", "ZTF18abukavn"),
        ("ZTF18abuakvn", "ZTF18abukavn"),
        ("ZTF8abukavn", "ZTF18abukavn"),
        ("ZTF18abvkwla", None),
        ("AT2018cow", None),
        ("", None),
    ],
)
def test_a_mistyped_object_is_found(name, expected):
    known = ["ZTF17aaaaaaa", "ZTF18abukavn", "ZTF18abzzzzz"]
    assert similar_object(name, known) == (f"did you mean {expected!r}?" if expected else "")


def test_a_full_night_is_searched_at_once():
    known = [f"ZTF18{number:07d}" for number in range(150_000)]
    start = time.process_time()
    assert similar_object("ZTF18014999x", known) != ""
    assert time.process_time() - start < 5


def test_letters_of_another_case_are_the_same():
    assert did_you_mean("MODEL", ["model"]) == "did you mean 'model'?"
    assert did_you_mean("x", []) == ""


def test_the_message_of_an_absent_object_names_a_similar_one():
    ranked = pd.DataFrame({"objectId": ["ZTF18abukavn", "ZTF18abvkwla"]})
    with pytest.raises(DataError, match="did you mean 'ZTF18abukavn'"):
        row_of(ranked, "ZTF18abukavm")
    with pytest.raises(DataError, match="name an object of the night"):
        row_of(ranked, "AT2018cow")


def test_the_message_of_an_absent_column_names_a_similar_one():
    names = [*REQUIRED, "candidate.magpfs"]
    names.remove("candidate.magpsf")
    with pytest.raises(DataError, match=r"; rename candidate.magpfs, or add it to the export"):
        check_required(names, ALERT_COLUMNS, "night")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_column_with_another_meaning_is_not_suggested(name):
    names = [column.in_file for column in ALERT_COLUMNS if column.in_file != name]
    names += [f"candidate.{field}" for field in ("pid", "nid", "rcid", "programid", "magapbig")]
    with pytest.raises(DataError, match="is missing") as error:
        check_required(names, ALERT_COLUMNS, "night")
    assert "rename" not in str(error.value)


def test_the_message_of_an_unknown_parameter_names_a_similar_one():
    with pytest.raises(
        DataError, match="'num_leavs' is not a parameter; did you mean 'num_leaves'"
    ):
        read_parameters(["num_leavs=31"], None)
