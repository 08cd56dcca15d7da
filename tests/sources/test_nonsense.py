"""Every answer of a broker gives a light curve that can be read back, or a one-sentence error."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("alerce")

from tests.sources.answers import ALERCE_DETECTIONS, FINK_ROWS, NAME
from ztfml.errors import BrokerError
from ztfml.sources import fetched_folder as fetched
from ztfml.sources.alerce import Alerce
from ztfml.sources.fink import Fink

ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.sampled_from([10**400, 2**63, -999, "nan", "inf", "1e400", "2458370.7", 2458370.7, 58370.2]),
)  # fmt: skip
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def rows_like(example):
    """Rows with the columns of an example; some columns have arbitrary values."""
    columns = {name: st.just(value) | VALUES for name, value in example.items()}
    return st.lists(st.fixed_dictionaries(columns) | VALUES, max_size=3) | VALUES


class Answering:
    """A session that has one answer to all that is asked."""

    status_code = 200
    headers = {}

    def __init__(self, answer):
        self.content = json.dumps(answer).encode()

    def json(self):
        return json.loads(self.content)

    def request(self, *args, **kwargs):
        return self

    post = get = request


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nonsense")


def ask(method, *args):
    """The answer, or None where there was one sentence of why not."""
    sentence = ""
    try:
        return method(*args)
    except BrokerError as error:
        sentence = str(error)
    assert sentence
    assert "\n" not in sentence
    return None


def check(broker, folder):
    curve = ask(broker.light_curve, NAME)
    if curve is not None:
        fetched.write_light_curve(folder, NAME, curve)
        assert len(fetched.light_curve(folder, NAME)) == len(curve)


@settings(max_examples=60, deadline=None)
@given(rows_like(FINK_ROWS[0]))
def test_fink(folder, answer):
    check(Fink(Answering(answer)), folder)


@settings(max_examples=60, deadline=None)
@given(rows_like(ALERCE_DETECTIONS[0]), rows_like(ALERCE_DETECTIONS[0]))
def test_alerce(folder, detections, limits):
    answer = {"detections": detections, "non_detections": limits}
    check(Alerce(Answering(answer)), folder)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_stamps(science, template):
    answer = {
        "b:cutoutScience_stampData": science,
        "b:cutoutTemplate_stampData": template,
        "b:cutoutDifference_stampData": [[1.0, 2.0]],
    }
    stamps = ask(Fink(Answering(answer)).cutouts, NAME, 1)
    assert stamps is None or stamps.science.ndim == 2
