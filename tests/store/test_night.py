"""A night gets the history of the store: before its alerts, and as far back as requested."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.night_files import rows_of
from tests.store.small import (
    JD,
    ONE,
    PLACES,
    TWO,
    alert,
    edge_of_cells,
    forced,
    night_of,
    row,
    write,
)  # fmt: skip
from ztfml.errors import DataError
from ztfml.features import compute
from ztfml.io.companions import forced_beside, history_beside
from ztfml.night import Night
from ztfml.store.add import add_night
from ztfml.store.layout import Layout
from ztfml.store.night import with_store, write_night_with_history
from ztfml.store.store import Store


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "store")


def times_of(night, name):
    rows = rows_of(night)
    return (rows.loc[rows["objectId"] == name, "jd"] - JD).round(6).tolist()


def test_exposures_of_earlier_nights(store, tmp_path):
    for day in (0, 5):
        add_night(store, night_of(tmp_path, day))
    path = night_of(tmp_path, 10)
    night = write_night_with_history(store, path, tmp_path / "long.parquet")
    expected = [-3, -2, -1, 0, 2, 3, 4, 5, 7, 8, 9]
    for name in PLACES:
        assert times_of(night, name) == expected
    again = Night.load(tmp_path / "long.parquet")
    pd.testing.assert_frame_equal(rows_of(again), rows_of(night))
    fluxes = Night.load(tmp_path / "long.parquet").forced
    assert (fluxes.jd[:6] - JD).round(6).tolist() == [-2, -1, 3, 4, 8, 9]
    assert fluxes.flux[:2].tolist() == [2.0, 1.0]
    # All columns of the night are in the output.
    written = pd.read_parquet(tmp_path / "long.parquet")
    assert written["note"].tolist() == pd.read_parquet(path)["note"].tolist()


def test_it_does_not_matter_whether_the_night_is_in_the_store(store, tmp_path):
    for day in (0, 5):
        add_night(store, night_of(tmp_path, day))
    path = night_of(tmp_path, 10)
    before = with_store(Night.load(path), store)
    add_night(store, path)
    pd.testing.assert_frame_equal(rows_of(with_store(Night.load(path), store)), rows_of(before))


def test_later_nights_are_not_seen(store, tmp_path):
    paths = {day: night_of(tmp_path, day) for day in (0, 2, 5)}
    add_night(store, paths[0])
    before = with_store(Night.load(paths[2]), store)
    add_night(store, paths[5])
    after = with_store(Night.load(paths[2]), store)
    pd.testing.assert_frame_equal(rows_of(after), rows_of(before))
    assert max(times_of(after, ONE)) < 2
    pd.testing.assert_frame_equal(compute(after), compute(before))


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    later=st.lists(
        st.tuples(st.sampled_from(sorted(PLACES)), st.floats(2, 40), st.sampled_from([1, 2])),
        min_size=1, max_size=5,
    )
)  # fmt: skip
def test_no_later_exposure_changes_the_features_of_an_alert(later, tmp_path_factory):
    folder = tmp_path_factory.mktemp("later")
    store = Store.create(folder / "store")
    path = night_of(folder, 2)
    add_night(store, night_of(folder, 0))
    before = compute(with_store(Night.load(path), store))
    alerts = [alert(name, JD + 50, fid=fid) for name in PLACES for fid in (1,)]
    rows = [row(name, JD + day, 17.0, fid) for name, day, fid in later]
    add_night(store, write(folder / "later.parquet", alerts, rows))
    pd.testing.assert_frame_equal(compute(with_store(Night.load(path), store)), before)


def test_the_length_of_the_history(store, tmp_path):
    alerts = [alert(ONE, JD), alert(ONE, JD + 0.1, fid=2)]
    rows = [row(ONE, JD - days, 19.0) for days in (20, 29, 32, 100, 400)]
    path = write(tmp_path / "a.parquet", alerts, rows, [forced(ONE, JD - 100, 1.0)])
    add_night(store, path)
    night = Night.load(path)
    assert times_of(with_store(night, store, months=1), ONE) == [-29, -20, 0]
    assert with_store(night, store, months=1).forced is None
    assert times_of(with_store(night, store), ONE) == [-100, -32, -29, -20, 0]
    assert times_of(with_store(night, store, months=24), ONE)[0] == -400
    assert with_store(night, store).forced.jd.tolist() == [JD - 100]


def test_old_files_of_the_output_are_replaced(store, tmp_path):
    add_night(store, night_of(tmp_path, 0))
    out = tmp_path / "long.parquet"
    write_night_with_history(store, night_of(tmp_path, 1), out)
    assert forced_beside(out).exists()
    path = write(tmp_path / "new.parquet", [alert(ONE, JD - 20)])
    night = write_night_with_history(store, path, out)
    assert len(night.history.jd) == 0
    assert not forced_beside(out).exists()
    assert len(pd.read_parquet(history_beside(out))) == 0


def test_an_object_that_moves_across_the_edge_of_a_cell(store, tmp_path):
    edge = edge_of_cells(0.5, Layout())
    for day, ra in enumerate((edge - 1e-4, edge + 1e-4)):
        path = write(tmp_path / f"{day}.parquet", [alert(ONE, JD + day, ra=ra, dec=0.5)])
        add_night(store, path)
    for ra in (edge - 2e-4, edge + 2e-4):
        path = write(tmp_path / "last.parquet", [alert(ONE, JD + 3, ra=ra, dec=0.5)])
        assert times_of(with_store(Night.load(path), store), ONE) == [0, 1]


def test_a_history_across_the_edge_of_a_block(store, tmp_path):
    days = np.arange(0, 150, 10)
    rows = [row(ONE, JD - day, 19.0) for day in days[1:]]
    path = write(tmp_path / "a.parquet", [alert(ONE, JD)], rows)
    add_night(store, path)
    only = write(tmp_path / "b.parquet", [alert(ONE, JD + 1), alert(TWO, JD + 1)])
    night = with_store(Night.load(only), store)
    assert times_of(night, ONE) == (-days[::-1]).tolist()
    assert times_of(night, TWO) == []


def test_the_output_must_be_parquet(store, tmp_path):
    with pytest.raises(DataError, match=r"long\.csv: the output is a parquet file"):
        write_night_with_history(store, night_of(tmp_path, 1), tmp_path / "long.csv")
