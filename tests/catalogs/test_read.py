"""Reading catalogues with different names and notations of their columns."""

import numpy as np
import pytest

from ztfml.catalogs.read import read_catalog, read_doubtful
from ztfml.errors import DataError


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("RAJ2000,DEJ2000,Type", "150.25,-0.5,EW"),
        ("_RAJ2000,_DEJ2000,Type", "150.25,-0.5,EW"),
        ("ra,dec,VarType", "150.25,-0.5,EW"),
        ("R.A.,Dec,type", "10 01 00.0,-00 30 00.0,EW"),
        ("RAJ2000,DEJ2000,Type", "10:01:00.0,-00:30:00,EW"),
        ("RAh,RAm,RAs,DE-,DEd,DEm,DEs,VarType", "10,01,00.0,-,00,30,00,EW"),
        # In 4LAC, RAJ2000 is the gamma-ray position.
        ("RAJ2000,DEJ2000,RA_Counterpart,DEC_Counterpart,Type", "150.3,-0.6,150.25,-0.5,EW"),
    ],
)
def test_positions_in_the_notations_of_catalogues(header, row, tmp_path):
    (tmp_path / "c.csv").write_text(f"{header}\n{row}\n")
    read = read_catalog("vsx", tmp_path / "c.csv")
    np.testing.assert_allclose([read.ra[0], read.dec[0]], [150.25, -0.5], atol=1e-9)
    assert read.types.tolist() == ["EW"]


def test_rows_without_a_position_are_omitted_with_a_warning(tmp_path, caplog):
    (tmp_path / "c.csv").write_text("ra,dec,type\n1,2,EW\n,,EW\n400,2,EW\n3,4,RRAB\n")
    with caplog.at_level("WARNING", "ztfml"):
        read = read_catalog("vsx", tmp_path / "c.csv")
    assert read.types.tolist() == ["EW", "RRAB"]
    assert "omitted 2 rows without a position" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("l,b,type\n1,2,EW\n", r"no columns with right ascension .* it has l, b, type"),
        ("ra,dec,period\n1,2,0.3\n", r"no column with the types of vsx .* ra, dec, period"),
        ("ra,dec,type\n", "ra and dec contain no position in 0 of 0 rows"),
        ("ra,dec,type\nx,y,EW\n", "the columns ra and dec contain no position"),
    ],
)
def test_a_catalogue_without_positions_or_types_is_refused(text, message, tmp_path):
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_catalog("vsx", tmp_path / "c.csv")


def test_objects_listed_twice_as_doubtful_appear_once(tmp_path):
    (tmp_path / "d.csv").write_text("objectId,reason\nZTF18a,wrong host\nZTF18a,again\n")
    rows = read_doubtful(tmp_path / "d.csv")
    assert rows.to_numpy().tolist() == [["ZTF18a", "wrong host"]]


def test_a_doubtful_table_without_reasons_is_refused(tmp_path):
    (tmp_path / "d.csv").write_text("objectId,note\nZTF18a,wrong host\n")
    with pytest.raises(DataError, match="no columns objectId and reason; it has objectId, note"):
        read_doubtful(tmp_path / "d.csv")
