"""The commands about marks, from the page to a trained model."""

import pandas as pd

from tests.cli.run import one_sentence, ztfml
from ztfml.model.model import Model


def test_merge_lists_disagreements_and_writes_labels(tmp_path):
    ada, bob, out = (tmp_path / name for name in ("ada.csv", "bob.csv", "all.csv"))
    ada.write_text("candid,objectId,mark,label\n7,ZTF1,follow,agn\n8,ZTF2,reject,\n")
    bob.write_text("candid,objectId,mark,label\n7,ZTF1,reject,agn\n")
    labels = tmp_path / "labels.csv"
    shown = ztfml("marks", "merge", ada, bob, "-o", out, "--labels", labels).stdout
    assert "follow (ada), reject (bob)" in shown
    assert f"{out}: 2 objects, 1 disagreements" in shown
    assert pd.read_csv(out)["mark"].tolist() == ["reject", "reject"]
    assert pd.read_csv(labels)[["candid", "label"]].to_numpy().tolist() == [[7, "agn"]]
    one_sentence(ztfml("marks", "merge", ada, "-o", ada, code=1), "ada.csv")
    missing = tmp_path / "no.csv"
    one_sentence(ztfml("marks", "merge", missing, "-o", out, code=1), "no.csv")


def test_report_folds_earlier_marks(nights, model, tmp_path):
    ranked = tmp_path / "ranked.csv"
    ztfml("rank", nights[2], "-m", model, "-o", ranked, "--top", 2)
    first = pd.read_csv(ranked)["objectId"][0]
    marks = tmp_path / "marks.csv"
    marks.write_text(f"objectId;mark;who\n{first};Rejected;Ada\n")
    out = tmp_path / "night.html"
    ztfml("report", nights[2], "-m", model, "-o", out, "--top", 2, "--marks", marks)
    assert f'"earlier":{{"objectId":"{first}","mark":"reject","who":"Ada"}}' in out.read_text(
        "utf-8"
    )
    marks.write_text("objectId,mark\nZTF1,maybe\n")
    arguments = ("report", nights[2], "-m", model, "-o", tmp_path / "b.html", "--marks", marks)
    one_sentence(ztfml(*arguments, code=1), "maybe")


def test_marked_classes_extend_a_model(nights, model, tmp_path):
    predictions = tmp_path / "predictions.parquet"
    ztfml("predict", nights[2], "-m", model, "-o", predictions)
    table = pd.read_parquet(predictions)
    chosen = pd.concat([rows[:15] for _, rows in table.groupby("label")])
    marks, labels = tmp_path / "marks.csv", tmp_path / "labels.csv"
    chosen[["candid", "objectId", "label"]].to_csv(marks, index=False)
    ztfml("marks", "merge", marks, "-o", tmp_path / "all.csv", "--labels", labels)
    extended = tmp_path / "extended"
    ztfml("train", nights[2], "--onto", model, "--labels", labels, "-o", extended)
    assert len(Model.load(extended).folder.name) > 0
    ztfml("predict", nights[2], "-m", extended, "-o", tmp_path / "new.parquet")
    assert len(pd.read_parquet(tmp_path / "new.parquet")) == len(table)
