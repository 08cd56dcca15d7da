"""Unphysical input values give correct features or one clear error, and no warning."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.test_oracle import disagreements
from tests.nights import JD, random_frames
from ztfml.errors import DataError
from ztfml.features import compute
from ztfml.io.companions import history_beside
from ztfml.night import Night
from ztfml.schema import ALERT_COLUMNS

pytestmark = pytest.mark.filterwarnings("error")

INF, NAN = np.inf, np.nan
EXTREMES = {
    "jd": [NAN, INF, -INF, 0, -1, 1e308, -999, 59000.3, 1.6e9, 2415020.4, 2415020.5, 2488069.5,
           2488069.6],
    "fid": [NAN, INF, 0, 4, -1, -999, 1.5, 127, 128, 255, 257, -255, 1e18],
    "magpsf": [NAN, INF, -INF, 1e308, -1e308, -999, -5.1, -5, 0, 5e-324, 40, 40.1],
    "sigmapsf": [NAN, INF, -INF, 1e308, -999, -1, -0.0, 0, 5e-324, 1e-9, 10, 10.1],
    "diffmaglim": [NAN, INF, -INF, 1e308, -999, -5, 40, 99],
    "isdiffpos": [None, "", "T", "False", " t ", "2", "0.0", "-1"],
}  # fmt: skip


def spoil(table, columns, rng, share):
    """Put extreme values into the named columns of a fraction of the rows."""
    for name in columns:
        values = EXTREMES[name.removeprefix("candidate.")]
        texts = values[0] is None
        column = table[name].astype(object if texts else float)
        # A fixed number: a column with too few valid values would be refused.
        chosen = rng.permutation(len(table)) < share * len(table)
        chosen_values = rng.choice(np.array(values, object if texts else float), chosen.sum())
        table[name] = column.mask(chosen, pd.Series(index=table.index[chosen], data=chosen_values))
    return table


def of_alerts(names):
    return [f"candidate.{name}" for name in names if name != "diffmaglim"]


# --- in single rows they are missing, or what they say ----------------------------------------


@pytest.mark.parametrize("name", EXTREMES)
def test_extremes_in_some_rows_of_the_history(name):
    alerts, history = random_frames(2, n_objects=20)
    assert not disagreements(alerts, spoil(history, [name], np.random.default_rng(1), 0.4))


@pytest.mark.parametrize("name", of_alerts(EXTREMES))
def test_extremes_in_some_alerts(name):
    alerts, history = random_frames(3, n_objects=26, max_alerts=8)
    assert not disagreements(spoil(alerts, [name], np.random.default_rng(2), 0.4), history)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_extremes_everywhere(seed):
    alerts, history = random_frames(seed, n_objects=8, max_rows=60)
    rng = np.random.default_rng(seed)
    spoil(alerts, of_alerts(EXTREMES), rng, 0.15)
    assert not disagreements(alerts, spoil(history, EXTREMES, rng, 0.15))


NUMBERS = [column.in_file for column in ALERT_COLUMNS if column.kind == "float"]


@pytest.mark.parametrize("value", [INF, -INF, 1e308, -1e308, 5e-324, 0.0, -999.0, -1.0, 360.0])
def test_extremes_in_every_field_of_the_packet(value):
    alerts, history = random_frames(4, n_objects=4)
    required = [column.in_file for column in ALERT_COLUMNS if column.required]
    fields = {name: value for name in NUMBERS if name not in required}
    table = compute(Night.from_frames(alerts.assign(**fields), history), broker=True)
    assert not np.isinf(table.to_numpy()).any()
    assert (table["host_offset"].isna() | (table["host_offset"] >= 0)).all()


# --- in all rows they are refused -------------------------------------------------------------


def all_rows(table, name, value):
    """Make a night with one value in all rows of a column of the alerts or the history."""
    alerts, history = random_frames(5, n_objects=4)
    if table == "alerts":
        return Night.from_frames(alerts.assign(**{f"candidate.{name}": value}), history)
    return Night.from_frames(alerts, history.assign(**{name: value}))


REFUSED = {
    "jd": [NAN, INF, -INF, 1e308, 0.0, 5900.3],
    "fid": [NAN, INF, 1e308, -1.0, 0.0, 1.5],
    "magpsf": [1e308, -5.0, 7.9, 40.0],
    "sigmapsf": [1e308, -0.1, 10.1],
    "isdiffpos": ["2", "maybe"],
}


@pytest.mark.parametrize("table", ["alerts", "history"])
@pytest.mark.parametrize(("name", "value"), [(n, v) for n in REFUSED for v in REFUSED[n]])
def test_a_column_of_invalid_values_is_an_error(table, name, value):
    with pytest.raises(DataError, match=f"column (candidate.)?{name} .*check the export") as caught:
        all_rows(table, name, value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [INF, -INF, 0.0, -1.0, 99.0, -99.0])
@pytest.mark.parametrize("name", ["magpsf", "sigmapsf"])
def test_marks_of_non_detections_are_accepted_in_the_history_alone(name, value):
    night = all_rows("history", name, value)
    if name == "magpsf":
        assert np.isnan(night.history.magpsf).all()
    if value != 0.0 or name == "magpsf":
        with pytest.raises(DataError, match=f"column candidate.{name} .*check the export"):
            all_rows("alerts", name, value)


TAKEN = {"magpsf": [8.0, 25.0], "sigmapsf": [NAN, 0.0, 10.0], "isdiffpos": ["f", True]}


@pytest.mark.parametrize("table", ["alerts", "history"])
@pytest.mark.parametrize(("name", "value"), [(n, v) for n in TAKEN for v in TAKEN[n]])
def test_a_column_of_unusual_values_is_accepted(table, name, value):
    assert not np.isinf(compute(all_rows(table, name, value)).to_numpy()).any()


# --- more rows than any object has ------------------------------------------------------------


def many(n, **columns):
    rng = np.random.default_rng(6)
    base = {
        "objectId": "ZTF20a",
        "jd": JD - rng.uniform(0, 3000, n),
        "fid": rng.integers(1, 4, n),
        "magpsf": np.where(rng.random(n) < 0.5, np.nan, rng.uniform(15, 21, n)),
        "sigmapsf": rng.uniform(0.01, 0.3, n),
        "diffmaglim": rng.uniform(19, 21, n),
        "isdiffpos": rng.choice(["t", "f"], n),
    }
    return pd.DataFrame(base | columns)


def three_alerts():
    return pd.DataFrame(
        {
            "objectId": "ZTF20a",
            "candid": [1, 2, 3],
            "candidate.jd": [JD - 1500.3, JD + 0.3, JD + 40],
            "candidate.fid": [1, 2, 2],
            "candidate.magpsf": [18.0, 19.0, 19.5],
            "candidate.sigmapsf": 0.1,
            "candidate.isdiffpos": "t",
        }
    )


CROWDS = {
    "10,000 rows of an object": many(10_000),
    "10,000 in one night": many(10_000, jd=JD + np.arange(10_000) / 1e5),
    "2,000 rows of one epoch": many(2000, jd=JD - 1.8),
    "10,000 detections of one epoch": many(10_000, jd=JD - 1.8, magpsf=18.5),
    "10,000 non-detections of one epoch": many(10_000, jd=JD - 1.8, magpsf=NAN),
    "rows of one epoch, the alert's": many(2000, jd=JD + 0.3),
    "rows of one epoch, the alert's rounded": many(2000, jd=JD + 0.3 - 4e-6),
}


@pytest.mark.parametrize("case", CROWDS)
def test_many_rows_of_one_object(case):
    assert not disagreements(three_alerts(), CROWDS[case])


def test_identical_rows_count_once():
    row = many(1, jd=JD - 1.8)
    once = compute(Night.from_frames(three_alerts(), row))
    again = compute(Night.from_frames(three_alerts(), row.loc[[0] * 50_000]))
    pd.testing.assert_frame_equal(once, again, check_exact=True)


# --- as typed ---------------------------------------------------------------------------------


def as_typed(folder, alerts, history):
    """Run ``ztfml features`` in a new process; return the process and the output path."""
    path, out = folder / "night.parquet", folder / "features.parquet"
    alerts.to_parquet(path)
    history.to_parquet(history_beside(path))
    command = [sys.executable, "-m", "ztfml", "features", str(path), "-o", str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False), out


def test_command_on_a_night_with_extreme_values(tmp_path):
    alerts, history = random_frames(7, n_objects=20)
    rng = np.random.default_rng(7)
    spoil(alerts, of_alerts(EXTREMES), rng, 0.1)
    spoil(history, EXTREMES, rng, 0.2)
    done, out = as_typed(tmp_path, alerts, history)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert "Traceback" not in done.stderr
    assert "rows without a valid jd are ignored" in done.stderr
    expected = compute(Night.from_frames(alerts, history))
    written = pd.read_parquet(out)
    assert (written["candid"] == alerts["candid"]).all()
    pd.testing.assert_frame_equal(written[list(expected)], expected, check_exact=True)


def test_command_on_a_night_with_only_invalid_values(tmp_path):
    alerts, history = random_frames(7)
    done, out = as_typed(tmp_path, alerts, history.assign(jd=1e308))
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "night_prv_candidates.parquet: the column jd has only 0 of" in errors[0]
    assert "Traceback" not in done.stderr
    assert not out.exists()
