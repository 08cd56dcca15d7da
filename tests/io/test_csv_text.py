"""CSV files of people are read as text, and faults in them are one sentence."""

import pytest

from ztfml.catalogs.read import read_catalog
from ztfml.errors import DataError, LabelError
from ztfml.io.csv_text import read_csv_text
from ztfml.labels.label_file import read_labels
from ztfml.sources.fetch import read_ranked


def write(folder, text, name="ranked.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_text_is_unchanged(tmp_path):
    path = write(tmp_path, '\ufeffa,b\n1, "x, y"\n\n007,"two\nlines"\n')
    table = read_csv_text(path, "")
    assert table.to_dict("list") == {"a": ["1", "007"], "b": ["x, y", "two\nlines"]}
    assert len(read_csv_text(path, "", n_rows=1)) == 1


def test_a_row_that_is_too_wide_is_refused(tmp_path):
    path = write(tmp_path, "rank,objectId,reasons\n1,ZTF18abukavn,fades, fast\n")
    with pytest.raises(DataError, match=r"ranked\.csv: line 2 has 4 fields, but the header has 3"):
        read_ranked(path, 12)


def test_repeated_columns_are_refused(tmp_path):
    path = write(tmp_path, "rank,objectId,objectId\n1,ZTF18abukavn,ZTF18abukavm\n")
    with pytest.raises(DataError, match=r"two columns have the name 'objectId'"):
        read_ranked(path, 12)
    path = write(tmp_path, "candid,objectId,label,label\n1,ZTF18abukavn,star,agn\n")
    with pytest.raises(LabelError, match=r"two columns have the name"):
        read_labels(path)
    path = write(tmp_path, "ra,dec,type,ra\n10,20,RRAB,30\n")
    with pytest.raises(DataError, match=r"2 columns have the name ra; keep one"):
        read_catalog("vsx", path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        (b"objectId\nZTF\xeb\n", "it is not UTF-8 text"),
        ('objectId\n"ZTF', "cannot be read as CSV"),
        ("name\nZTF18abukavn\n", "no list with a column objectId"),
    ],
)
def test_other_faults_of_a_ranked_list(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_ranked(write(tmp_path, content), 12)


def test_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="there is no such file; make it with ztfml rank"):
        read_ranked(tmp_path / "ranked.csv", 12)
