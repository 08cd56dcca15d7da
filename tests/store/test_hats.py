"""Exports to HATS catalogues, and nights that are read from them."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.night_files import rows_of
from tests.nights import random_night
from tests.store.small import JD, ONE, PLACES, TWO, alert, edge_of_cells, night_of, write
from ztfml.catalogs.healpix import cell_of
from ztfml.errors import DataError
from ztfml.night import Night
from ztfml.sources.formats import format_of, open_night
from ztfml.store.add import add_night
from ztfml.store.hats import export_hats
from ztfml.store.layout import Layout
from ztfml.store.nested import nested_objects
from ztfml.store.store import Store


def assert_same_night(one, other):
    """The same alerts and rows, in any order."""
    columns = [name for name in one.alerts if name in other.alerts]
    assert set(one.alerts) <= set(other.alerts) | set(one.alerts.columns[one.alerts.isna().all()])
    alerts = [
        night.alerts[columns].sort_values("candid", ignore_index=True) for night in (one, other)
    ]
    pd.testing.assert_frame_equal(*alerts, check_dtype=False)
    pd.testing.assert_frame_equal(rows_of(one), rows_of(other))


@pytest.mark.parametrize("seed", range(5))
def test_a_nested_night_has_everything(seed):
    night = random_night(seed)
    table = nested_objects(night)
    assert table["objectId"].to_pylist() == sorted(night.alerts["objectId"].unique())
    assert_same_night(night, Night.from_nested(table))
    # As pandas has it, with lists of records.
    frame = table.to_pandas()
    assert frame["alerts"][0]["jd"].tolist() == sorted(frame["alerts"][0]["jd"])


@pytest.mark.parametrize("kind_of_list", [pa.list_, pa.large_list])
def test_lists_of_records_are_read(kind_of_list):
    night = random_night(3)
    table = nested_objects(night)
    for name in ("alerts", "lc", "forced"):
        fields = table[name].combine_chunks()
        records = [
            [dict(zip(one, values, strict=True)) for values in zip(*one.values(), strict=True)]
            for one in fields.to_pylist()
        ]
        kind = kind_of_list(
            pa.struct([(field.name, field.type.value_type) for field in fields.type])
        )
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(records, kind))
    assert_same_night(night, Night.from_nested(table))


@pytest.mark.parametrize("column", ["objectId", "alerts", "lc"])
def test_an_absent_column_is_named(column):
    table = nested_objects(random_night(1)).drop_columns([column])
    with pytest.raises(DataError, match=f"there is no column {column}; use a table that"):
        Night.from_nested(table)
    table = nested_objects(random_night(1)).drop_columns(["lc"])
    table = table.append_column("lc", pa.array([1] * len(table)))
    with pytest.raises(DataError, match="the column lc contains int64, not nested rows"):
        Night.from_nested(table)


def test_a_night_and_back(tmp_path):
    path = night_of(tmp_path, 3)
    assert export_hats(path, tmp_path / "hats") == 2
    assert format_of(tmp_path / "hats").name == "folder"
    again, night = open_night(tmp_path / "hats"), Night.load(path)
    assert_same_night(night, again)
    np.testing.assert_allclose(again.forced.flux, night.forced.flux)


def test_a_catalogue_by_hand(tmp_path):
    export_hats(night_of(tmp_path, 3), tmp_path / "hats")
    properties = dict(
        line.split("=") for line in (tmp_path / "hats/hats.properties").read_text().splitlines()[1:]
    )
    assert properties["obs_collection"] == "hats"
    assert properties["hats_nrows"] == "2"
    assert (properties["hats_col_ra"], properties["hats_col_dec"]) == ("ra", "dec")
    listed = pd.read_csv(tmp_path / "hats/partition_info.csv")
    for order, cell in listed.itertuples(index=False):
        path = tmp_path / f"hats/dataset/Norder={order}/Dir=0/Npix={cell}.parquet"
        table = pq.read_table(path, partitioning=None)
        ra, dec = table["ra"].to_numpy(), table["dec"].to_numpy()
        assert (cell_of(ra, dec, order) == cell).all()
        assert table["_healpix_29"].to_pylist() == sorted(cell_of(ra, dec, 29))
        assert table.schema.equals(pq.read_schema(tmp_path / "hats/dataset/_common_metadata"))
    assert len(listed) == 2


def test_a_store_has_the_alerts_of_all_nights(tmp_path):
    store = Store.create(tmp_path / "store")
    for day in (0, 5):
        add_night(store, night_of(tmp_path, day))
    assert export_hats(tmp_path / "store", tmp_path / "hats") == 2
    night = open_night(tmp_path / "hats")
    assert len(night) == 4
    assert sorted(night.alerts["jd"].unique()) == [JD, JD + 5]
    assert dict(zip(night.alerts["objectId"], night.alerts["ra"], strict=True)) == {
        name: place[0] for name, place in PLACES.items()
    }
    assert len(night.light_curve(ONE)) == len(night.light_curve(TWO)) == 8
    assert len(night.forced.jd) == 8


def test_an_object_in_two_cells_is_exported_once(tmp_path):
    store = Store.create(tmp_path / "store")
    edge = edge_of_cells(0.5, Layout())
    for day, ra in enumerate((edge - 1e-4, edge + 1e-4)):
        path = write(tmp_path / f"{day}.parquet", [alert(ONE, JD + day, ra=ra, dec=0.5)])
        add_night(store, path)
    assert export_hats(tmp_path / "store", tmp_path / "hats") == 1
    night = open_night(tmp_path / "hats")
    assert night.alerts["jd"].tolist() == [JD, JD + 1]
    assert len(list((tmp_path / "hats").rglob("Npix=*.parquet"))) == 1


def test_folders_that_cannot_be_written(tmp_path):
    path = night_of(tmp_path, 3)
    with pytest.raises(DataError, match="exists; name a new folder"):
        export_hats(path, tmp_path)
    with pytest.raises(DataError, match="its folder does not exist"):
        export_hats(path, tmp_path / "no" / "hats")
    with pytest.raises(DataError, match=r"no column candidate\.ra"):
        export_hats(
            write(tmp_path / "a.parquet", pd.read_parquet(path).drop(columns="candidate.ra")),
            tmp_path / "hats",
        )
    Store.create(tmp_path / "empty")
    with pytest.raises(DataError, match="there are no objects to export"):
        export_hats(tmp_path / "empty", tmp_path / "hats")
    assert not (tmp_path / "hats").exists()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
