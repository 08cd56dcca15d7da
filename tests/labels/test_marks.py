"""Files of marks: other spellings, damaged values, and the merge of several people."""

import pandas as pd
import pytest

from ztfml.errors import LabelError
from ztfml.labels.label_file import read_labels
from ztfml.labels.marks import COLUMNS, labels_of_marks, merge_marks, read_marks


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


def table(**columns):
    return pd.DataFrame(columns).reindex(columns=list(COLUMNS), fill_value="")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_other_spellings(tmp_path, encoding, separator):
    lines = [["ZTF ID", "Decision", "CLASS", "Comment"], ["ZTF1", "Rejected", "AGN", "'=seen"]]
    text = "\r\n".join(separator.join(line) for line in lines)
    marks = read_marks(write(tmp_path / "m.csv", text, encoding))
    assert marks.loc[0, ["objectId", "mark", "label", "note"]].tolist() == [
        "ZTF1", "reject", "agn", "=seen",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("objectId,mark\nZTF1,maybe\n", "row 2: the mark 'maybe' is not one of follow, reject"),
        ("objectId,label\nZTF1,agn\nZTF2,blazar\n", "row 3: the label 'blazar'"),
        ("objectId,jd\nZTF1,3\n", "is not a file of marks"),
        ("mark,label\nfollow,agn\n", "is not a file of marks"),
        ("objectId,mark,mark\nZTF1,follow,reject\n", "two columns have the name mark"),
        ("", "the file is empty"),
    ],
)
def test_files_that_are_refused(tmp_path, text, message):
    with pytest.raises(LabelError, match=message) as error:
        read_marks(write(tmp_path / "m.csv", text))
    assert "m.csv" in str(error.value)


def test_text_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(LabelError, match="cannot be read as CSV"):
        read_marks(write(tmp_path / "m.csv", "objectId,note\nZTF1,é\n", "cp1252"))


def test_a_candid_that_a_spreadsheet_damaged_is_left_out_but_the_mark_is_kept(tmp_path, caplog):
    path = write(tmp_path / "m.csv", "candid,objectId,label\n2.3E+18,ZTF1,agn\n,ZTF2,star\n")
    marks = read_marks(path)
    assert marks["candid"].tolist() == ["", ""]
    assert marks["label"].tolist() == ["agn", "star"]
    assert "1 candids are not whole numbers, for example 2.3E+18" in caplog.text
    assert labels_of_marks(merge_marks([marks], ["Ada"])).empty


def test_the_newest_decision_is_kept_and_notes_are_joined():
    ada = table(
        objectId=["a", "a", "b"],
        mark=["reject", "follow", "skip"],
        note=["faint", "", "x"],
        when=["2026-03-03T04:00:00Z", "2026-03-01", ""],
        who="Ada",
    )
    bob = table(objectId=["a", "c"], note=["bright", ""], label=["agn", "star"], who="Bob")
    merged = merge_marks([ada, bob], ["ada", "bob"])
    rows = merged.marks.set_index("objectId")
    assert rows.loc["a", ["mark", "label", "note", "who"]].tolist() == [
        "reject", "agn", "bright; faint", "Ada",
    ]  # fmt: skip
    assert rows.loc["b", "mark"] == "skip"
    assert rows.loc["c", "label"] == "star"
    assert merged.disagreements.empty, "one person may change the decision"


def test_the_order_of_files_does_not_change_decisions_with_times():
    one = table(objectId=["a"], mark=["follow"], when=["2026-03-02T00:00:00+02:00"], who="Ada")
    two = table(objectId=["a"], mark=["reject"], when=["2026-03-01T23:00:00Z"], who="Bob")
    for tables in ([one, two], [two, one]):
        merged = merge_marks(tables, ["1", "2"])
        assert merged.marks["mark"].tolist() == ["reject"]
        assert merged.disagreements["kept"].tolist() == ["reject"]


def test_classes_become_labels_with_the_alert_that_was_seen(tmp_path):
    ada = table(candid=["7", "8"], objectId=["a", "b"], label=["agn", "star"], who="Ada")
    later = table(candid=["9", "5"], objectId=["a", "b"], mark=["follow", ""],
                  label=["", "agn"], when="2026-03-02", who="Bob")  # fmt: skip
    merged = merge_marks([ada, later], ["ada", "bob"])
    assert merged.disagreements["objectId"].tolist() == ["b"]
    labels = labels_of_marks(merged)
    path = tmp_path / "labels.csv"
    labels.to_csv(path, index=False)
    assert read_labels(path)[["candid", "label"]].to_numpy().tolist() == [[7, "agn"]]


def test_many_marks_are_merged_in_seconds():
    marks = table(objectId=[f"ZTF{k % 30_000}" for k in range(60_000)], mark="reject")
    assert len(merge_marks([marks], ["Ada"]).marks) == 30_000
