"""Each exposure has one row, in whatever order the rows arrive."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.small import JD, ONE, TWO, row, table
from ztfml.lightcurves.exposures import SAME_EXPOSURE, one_per_exposure
from ztfml.store.merge import FORCED, HISTORY, merge

TIMES = st.sampled_from([0, 0.9e-4, 1.8e-4, 2e-4, 4e-4, 4.4e-4, 1, 1.00015, 80])
ROWS = st.lists(
    st.builds(
        lambda name, jd, mag, fid, error, limit: row(name, JD + jd, mag, fid, error, limit),
        st.sampled_from([ONE, TWO]),
        TIMES,
        st.sampled_from([np.nan, 18.0, 18.5]),
        st.sampled_from([1, 2]),
        st.sampled_from([0.0, 0.1, 0.2]),
        st.sampled_from([19.5, 20.5, np.nan]),
    ),
    max_size=12,
)


def once(*groups):
    return merge([table(rows) for rows in groups if rows] or [HISTORY.empty()], HISTORY)


def test_the_best_row_of_an_exposure_is_kept():
    # A limit, two brokers that rounded one detection, and another exposure 40 s later.
    merged = once(
        [row(ONE, JD + 1e-4), row(ONE, JD, 18.0, error=0.2), row(ONE, JD + 2e-4, 18.1)],
        [row(ONE, JD + 4.6e-4, 17.0)],
    )
    assert merged["jd"].to_pylist() == [JD + 2e-4, JD + 4.6e-4]
    assert merged["magpsf"].to_pylist() == [18.1, 17.0]
    assert merged["jd_first"].to_pylist() == [JD, None]
    assert merged["jd_last"].to_pylist() == [None, None]


def test_bands_and_objects_are_separate():
    rows = [row(ONE, JD, 18.0), row(ONE, JD, 18.0, fid=2), row(TWO, JD, 18.0)]
    merged = once(rows, rows)
    assert merged["objectId"].to_pylist() == [ONE, ONE, TWO]
    assert merged["fid"].to_pylist() == [1, 2, 1]


def test_a_chain_of_rows_is_one_exposure_in_any_order():
    # The first and the last row are 3e-4 d apart, and the one between is close to both.
    chain = [row(ONE, JD, 18.0), row(ONE, JD + 3e-4, 18.2), row(ONE, JD + 1.5e-4, 18.1)]
    assert len(once(chain)) == 1
    first_two = once(chain[:2])
    assert len(first_two) == 2
    assert merge([first_two, table(chain[2:])], HISTORY).equals(once(chain))


def test_rows_of_unknown_band_are_kept_apart():
    merged = once([row(ONE, JD, 18.0, fid=0), row(ONE, JD, 18.0, fid=1)])
    assert merged["fid"].to_pylist() == [0, 1]


def test_forced_photometry_prefers_the_smaller_error():
    base = {"objectId": ONE, "fid": 1, "jd_first": None, "jd_last": None}
    rows = [
        base | {"jd": JD, "flux": 5.0, "flux_err": 2.0},
        base | {"jd": JD + 5e-5, "flux": 4.0, "flux_err": 1.0},
        base | {"jd": JD + 1, "flux": -4.0, "flux_err": 1.0},
    ]
    merged = merge([pa.Table.from_pylist(rows, schema=FORCED.schema)], FORCED)
    assert merged["flux"].to_pylist() == [4.0, -4.0]


@settings(max_examples=60, deadline=None)
@given(ROWS, st.randoms(), st.integers(1, 4))
def test_order_and_repetition_do_not_matter(rows, random, n_groups):
    at_once = once(rows)
    shuffled = rows + rows[: len(rows) // 2]
    random.shuffle(shuffled)
    merged = HISTORY.empty()
    for k in range(n_groups):
        group = shuffled[k::n_groups]
        merged = merge([merged, table(group)] if group else [merged], HISTORY)
    assert merged.equals(at_once)
    assert merge([merged, at_once], HISTORY).equals(at_once)


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_each_exposure_has_one_row(rows):
    frame = once(rows).to_pandas()
    for _, exposures in frame.groupby(["objectId", "fid"], observed=True):
        assert (np.diff(np.sort(exposures["jd"])) > SAME_EXPOSURE).all()
    given_keys = {(one["objectId"], one["jd"], one["fid"]) for one in rows}
    assert set(zip(frame["objectId"], frame["jd"], frame["fid"], strict=True)) <= given_keys


@pytest.mark.parametrize("seed", range(5))
def test_the_rule_is_that_of_the_features(seed):
    """Without chains of rows, `one_per_exposure` keeps the same measurements."""
    rng = np.random.default_rng(seed)
    rows = [
        row(ONE, JD + k * 0.01 + rng.uniform(0, 1.9e-4), rng.choice([np.nan, 18.0, 18.1]),
            error=rng.choice([0.0, 0.1, 0.2]), limit=rng.choice([19.5, 20.5]))
        for k in range(60) for _ in range(rng.integers(1, 4))
    ]  # fmt: skip
    stored = once(rows).to_pandas()
    expected = one_per_exposure(table(rows).to_pandas().fillna(np.nan).sort_values("jd"))
    pd.testing.assert_series_equal(
        stored["jd"], expected["jd"].reset_index(drop=True), check_names=False
    )
