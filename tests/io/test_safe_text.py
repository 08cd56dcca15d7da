"""Text of unknown origin is safe in terminals, spreadsheets and parquet files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.faults.writers import make_night
from ztfml.errors import DataError
from ztfml.io.parquet import write_tables
from ztfml.io.safe_text import file_name, printable, safe_cell
from ztfml.io.text_tables import print_table
from ztfml.night import Night


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\t=1", "-1+1"])
def test_formulas_get_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-1", "+2.5e-3", "-.5", "1+1", "", None, -3.0, "a=b"])
def test_numbers_and_other_text_are_unchanged(value):
    assert safe_cell(value) is value


def test_cells_of_csv_files_are_not_formulas(tmp_path):
    table = pd.DataFrame({"objectId": ["=1+1", "ZTF18abukavn"], "score": [-0.5, np.nan]})
    with write_tables(tmp_path / "ranked.csv") as write:
        write(table)
    assert (tmp_path / "ranked.csv").read_text() == "objectId,score\n'=1+1,-0.5\nZTF18abukavn,\n"


def test_control_characters_are_shown_as_escapes(capsys):
    assert printable("a\x1b[31m\u202eb\n") == "a\\x1b[31m\\u202eb\n"
    print_table(pd.DataFrame({"name": ["\x1b]0;x\x07"]}), "\x1b[2J")
    assert "\x1b" not in capsys.readouterr().out


def test_a_night_with_names_that_are_not_utf8_is_refused(tmp_path):
    path = tmp_path / "night.parquet"
    make_night(1).save(path)
    table = pq.read_table(path)
    names = [name.encode() for name in table["objectId"].to_pylist()]
    names[3] = b"ZTF20\xeb"
    broken = pa.array(names, pa.binary()).view(pa.string())
    place = table.column_names.index("objectId")
    pq.write_table(table.set_column(place, "objectId", broken), path)
    with pytest.raises(DataError, match="column objectId has text that is not UTF-8"):
        Night.load(path)


@pytest.mark.parametrize(
    "name", ["../../etc/x", "a/b", "x" * 300, "ZTF\x1b[31m", "", "ZTF18abukavn"]
)
def test_a_file_name_stays_in_its_folder(name, tmp_path):
    path = tmp_path / f"{file_name(name)}.png"
    path.write_bytes(b"")
    assert path.parent.resolve() == tmp_path.resolve()
    assert len(path.name) <= 104


def test_different_names_have_different_files():
    names = ["a/b", "a_b", "a:b", "A_b", "x" * 300, "x" * 301, "", "_", "Ж", "Я", "ZTF\udc80"]
    assert len({file_name(name).lower() for name in names} | {"a_b"}) == len(names) - 1
    assert file_name("a_b") == "a_b"
