"""Adding nights: rows once, in any order, and only the files that they belong to."""

import itertools
import os
import shutil

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.store.small import (
    JD,
    ONE,
    PLACES,
    TWO,
    alert,
    assert_equal,
    curves,
    edge_of_cells,
    files_of,
    forced,
    night_of,
    row,
    write,
)  # fmt: skip
from ztfml.errors import DataError
from ztfml.io.companions import history_beside
from ztfml.store.add import add_night
from ztfml.store.layout import Layout
from ztfml.store.show import contents, light_curve, nights
from ztfml.store.store import Store


@pytest.fixture
def store(tmp_path):
    return Store.create(tmp_path / "store")


def test_values_by_hand(store, tmp_path):
    path = write(
        tmp_path / "a.parquet",
        [alert(ONE, JD, 18.0)],
        [row(ONE, JD - 2, 19.0), row(ONE, JD - 4), row(TWO, JD - 1, 20.0)],
        [forced(ONE, JD - 1, 5000.0, 1000.0)],
    )
    added = add_night(store, path)
    # The other object has no alert, so it has no position.
    assert (added.n_objects, added.n_rows, added.n_forced) == (1, 3, 1)
    curve = light_curve(store, ONE)
    assert curve["jd"].tolist() == [JD - 4, JD - 2, JD - 1, JD]
    np.testing.assert_array_equal(curve["magpsf"], [np.nan, 19.0, np.nan, 18.0])
    np.testing.assert_array_equal(curve["flux"], [np.nan, np.nan, 5.0, np.nan])
    assert curve["band"].tolist() == ["g"] * 4
    with pytest.raises(DataError, match=f"contains no object '{TWO}'; check its name"):
        light_curve(store, TWO)


def test_alerts_have_a_number_and_a_position(store, tmp_path):
    # The next packet repeats the alert among its previous candidates.
    first = alert(ONE, JD, 18.0)
    add_night(store, write(tmp_path / "a.parquet", [first]))
    repeated = row(ONE, JD, 18.0)
    add_night(store, write(tmp_path / "b.parquet", [alert(ONE, JD + 1)], [repeated]))
    (path,) = files_of(store)
    rows = pd.read_parquet(path)
    assert rows["candid"].tolist() == [first["candid"], alert(ONE, JD + 1)["candid"]]
    assert list(zip(rows["ra"], rows["dec"], strict=True)) == [PLACES[ONE]] * 2


def test_the_files_are_sorted_and_named_by_cell_and_block(store, tmp_path):
    add_night(store, night_of(tmp_path, 3))
    layout = Layout()
    for path in files_of(store):
        frame = pd.read_parquet(path)
        name = frame["objectId"].iloc[0]
        assert f"Npix={layout.cells_of(*PLACES[name])}/" in str(path)
        assert f"/Block={layout.block_of(JD)}/" in str(path)
        assert frame.equals(frame.sort_values(["objectId", "jd"], ignore_index=True))
    assert len(files_of(store)) == 4
    # Other tools read the folder as one table.
    whole = pd.read_parquet(store.place.path / "history")
    assert len(whole) == 8
    assert set(whole["Npix"].astype(int)) == {int(layout.cells_of(*p)) for p in PLACES.values()}


@pytest.mark.parametrize("order", list(itertools.permutations((0, 1, 5)))[1:])
def test_the_order_of_the_nights_does_not_matter(order, tmp_path):
    paths = {day: night_of(tmp_path, day) for day in (0, 1, 5)}
    one, other = (Store.create(tmp_path / name) for name in ("one", "other"))
    for day in sorted(paths):
        add_night(one, paths[day])
    for day in order:
        add_night(other, paths[day])
    assert_equal(curves(one), curves(other))
    tables = [[pq.read_table(path) for path in files_of(store)] for store in (one, other)]
    assert all(a.equals(b) for a, b in zip(*tables, strict=True))


def test_adding_again_changes_no_file(store, tmp_path):
    path = night_of(tmp_path, 3)
    assert add_night(store, path).n_changed == 4
    before = {file: file.stat().st_mtime_ns for file in files_of(store)}
    assert not add_night(store, path).is_new
    again = add_night(store, path, again=True)
    assert (again.is_new, again.n_changed) == (True, 0)
    # The same night under another name.
    for place in (lambda name: name, history_beside):
        shutil.copy(place(path), place(tmp_path / "copy.parquet"))
    assert add_night(store, tmp_path / "copy.parquet").n_changed == 0
    assert {file: file.stat().st_mtime_ns for file in files_of(store)} == before


def test_only_the_cells_of_the_night_are_replaced(store, tmp_path):
    add_night(store, night_of(tmp_path, 3))
    before = set(files_of(store))
    path = write(tmp_path / "one.parquet", [alert(ONE, JD + 4)])
    assert add_night(store, path).n_changed == 1
    assert len(before & set(files_of(store))) == 3
    assert len(files_of(store)) == 4


def test_two_sources_with_other_roundings_and_spellings(store, tmp_path):
    """One night from a parquet pair, and as a flat CSV table with rounded values."""
    path = night_of(tmp_path, 3)
    add_night(store, path)
    before = curves(store)
    alerts = pd.read_parquet(path).drop(columns="note")
    alerts.columns = [name.removeprefix("candidate.") for name in alerts]
    alerts["jd"] = alerts["jd"].round(4) + 1e-4
    alerts["fid"] = alerts["fid"].map({1: "g"})
    alerts["isdiffpos"] = "1"
    alerts["sigmapsf"] += 0.001
    alerts.to_csv(tmp_path / "other.csv", index=False)
    add_night(store, tmp_path / "other.csv")
    after = curves(store)
    assert_equal(before, after)
    assert [len(curve) for curve in after.values()] == [6, 6]


def test_a_changed_night_adds_its_new_rows(store, tmp_path):
    path = night_of(tmp_path, 3)
    add_night(store, path)
    night_of(tmp_path, 3)
    write(path, [alert(ONE, JD + 3, 18.0), alert(ONE, JD + 3.1, 17.5)])
    os.utime(path, ns=(1, 1))
    assert add_night(store, path).is_new
    assert JD + 3.1 in light_curve(store, ONE)["jd"].tolist()


def test_an_object_with_alerts_in_two_cells_is_in_both(store, tmp_path):
    layout = Layout()
    edge = edge_of_cells(0.5, layout)
    first, second = (edge - 5e-5, 0.5), (edge + 5e-5, 0.5)
    assert layout.cells_of(*first) != layout.cells_of(*second)
    places = [dict(zip(("ra", "dec"), place, strict=True)) for place in (first, second)]
    for day, place in enumerate(places):
        rows = [row(ONE, JD + day - 0.5, 19.0)]
        add_night(store, write(tmp_path / f"{day}.parquet", [alert(ONE, JD + day, **place)], rows))
    assert contents(store).n_cells == 2
    assert light_curve(store, ONE)["jd"].tolist() == [JD - 0.5, JD, JD + 0.5, JD + 1]


def test_a_night_without_positions(store, tmp_path):
    alerts = pd.DataFrame([alert(ONE, JD), alert(TWO, JD)])
    write(tmp_path / "a.parquet", alerts.drop(columns="candidate.ra"))
    with pytest.raises(DataError, match=r"a\.parquet: there is no column candidate.ra, so the obj"):
        add_night(store, tmp_path / "a.parquet")
    write(tmp_path / "b.parquet", alerts.assign(**{"candidate.ra": np.nan}))
    with pytest.raises(DataError, match=r"candidate\.ra and candidate.dec are missing in all 2 al"):
        add_night(store, tmp_path / "b.parquet")
    assert files_of(store) == []


def test_objects_without_position_are_reported(store, tmp_path, caplog):
    alerts = pd.DataFrame([alert(ONE, JD), alert(TWO, JD)])
    alerts.loc[1, "candidate.ra"] = np.nan
    add_night(store, write(tmp_path / "a.parquet", alerts))
    assert "a.parquet: 1 of 2 objects have no position and are left out" in caplog.text
    assert light_curve(store, ONE)["jd"].tolist() == [JD]


def test_the_list_of_nights(store, tmp_path):
    for day in (5, 3):
        add_night(store, night_of(tmp_path, day))
    listed = nights(store)
    assert [path.split("/")[-1] for path in listed["night"]] == [
        "night03.parquet",
        "night05.parquet",
    ]
    assert listed["rows"].tolist() == [8, 8]
    assert listed["first_jd"].tolist() == [JD + 3, JD + 5]
    found = contents(store)
    assert (found.n_rows, found.n_forced, found.n_cells, found.n_files) == (12, 8, 2, 4)
    assert found.n_bytes == sum(path.stat().st_size for path in files_of(store))


def test_a_store_of_a_newer_version(tmp_path):
    Store.create(tmp_path / "store")
    card = tmp_path / "store" / "_store.json"
    card.write_text('{"format": 2}')
    for opened in (Store.open, Store.create):
        with pytest.raises(DataError, match="is a store of format 2, this ztfml reads format 1; i"):
            opened(tmp_path / "store")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 1}', '{"format": 1, "order": 99}'])
def test_a_damaged_card(content, tmp_path):
    Store.create(tmp_path / "store")
    (tmp_path / "store" / "_store.json").write_text(content)
    with pytest.raises(DataError, match=r"_store\.json: cannot be .* copy this file of the store"):
        Store.open(tmp_path / "store")


def test_folders_that_are_not_a_store(tmp_path):
    (tmp_path / "other.txt").touch()
    with pytest.raises(DataError, match="is not a history store; make one with `ztfml history add"):
        Store.open(tmp_path)
    with pytest.raises(DataError, match=r"contains other files \(for example other.txt\)"):
        Store.create(tmp_path)
    with pytest.raises(DataError, match="is a file; name the folder of the store"):
        Store.create(tmp_path / "other.txt")


def test_a_damaged_file_is_named(store, tmp_path):
    path = night_of(tmp_path, 3)
    add_night(store, path)
    damaged = files_of(store)[0]
    damaged.write_bytes(damaged.read_bytes()[:-9])
    with pytest.raises(DataError, match=f"{damaged.name}: cannot be read .* with --again"):
        add_night(store, path, again=True)
    damaged.unlink()
    add_night(store, path, again=True)
    assert len(files_of(store)) == 4
