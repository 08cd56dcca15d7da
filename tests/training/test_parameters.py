"""Parameters of the classifier from the command line and from a TOML file."""

import inspect

import pytest

from ztfml.errors import DataError
from ztfml.model.classifier import AlertClassifier
from ztfml.training.parameters import RANGES, read_parameters


def test_every_parameter_belongs_to_the_classifier():
    names = set(inspect.signature(AlertClassifier).parameters)
    assert names - set(RANGES) == {"class_weight", "n_jobs"}
    assert set(RANGES) <= names


def test_texts_replace_values_of_the_file(tmp_path):
    path = tmp_path / "parameters.toml"
    path.write_text("num_leaves = 7\nlearning_rate = 0.3\nreg_lambda = 2\n")
    assert read_parameters(["num_leaves = 31"], path) == {
        "num_leaves": 31,
        "learning_rate": 0.3,
        "reg_lambda": 2.0,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_leaves", "write NAME=VALUE"),
        ("leaves=3", "'leaves' is not a parameter; did you mean 'num_leaves'"),
        ("num_leaves=3.5", "num_leaves = 3.5 is not a whole number from 2 to 10000"),
        ("num_leaves=1", "is not a whole number"),
        ("num_leaves=inf", "is not a whole number"),
        ("learning_rate=nan", "is not a number from 0.0001 to 1"),
        ("learning_rate=fast", "learning_rate = fast is not a number"),
        ("n_jobs=4", "'n_jobs' is not a parameter"),
    ],
)
def test_wrong_texts(text, message):
    with pytest.raises(DataError, match=message):
        read_parameters([text])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"num_leaves = ", "not a TOML file"),
        (b"\xff\xfe", "not a TOML file"),
        (b"num_leaves = true", "num_leaves = True is not a whole number"),
        (b"num_leaves = [3]", "is not a whole number"),
        (b"[classifier]\nnum_leaves = 3", "'classifier' is not a parameter"),
    ],
)
def test_wrong_files(tmp_path, content, message):
    path = tmp_path / "parameters.toml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_parameters(path=path)
    assert str(path) in str(error.value)


def test_a_file_that_is_absent(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_parameters(path=tmp_path / "none.toml")
