"""Which objects a model was trained on."""

import numpy as np
import pytest

from ztfml.errors import ModelError
from ztfml.training.trained_objects import is_trained_on, pack_objects


def test_trained_objects_are_found():
    trained = [f"ZTF18{k:07d}" for k in range(500)]
    others = [f"ZTF19{k:07d}" for k in range(500)]
    card = {"training": {"objects": pack_objects(trained)}}
    found = is_trained_on(np.array([*others, *trained, *trained]), card)
    assert found.tolist() == [False] * 500 + [True] * 1000


def test_a_card_without_objects():
    assert not is_trained_on(["ZTF18abukavn"], {"training": {}}).any()


def test_no_objects():
    assert pack_objects([]) == ""


def test_a_damaged_list_is_refused():
    with pytest.raises(ModelError, match=r"training\.objects is damaged"):
        is_trained_on(["ZTF18abukavn"], {"training": {"objects": "!!"}})
