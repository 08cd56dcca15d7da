"""Bad input and wrong usage give one sentence and leave no files."""

import json
import shutil

import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml


def break_night(night, folder, change):
    """Copy a night and change its alerts with a function."""
    path = folder / "broken.parquet"
    change(pd.read_parquet(night)).to_parquet(path)
    shutil.copy(f"{night.with_suffix('')}_prv_candidates.parquet",
                folder / "broken_prv_candidates.parquet")  # fmt: skip
    return path


BAD_NIGHTS = {
    "missing column": (lambda t: t.drop(columns="candidate.magpsf"), "candidate.magpsf"),
    "candid as float": (lambda t: t.assign(candid=t["candid"].astype(float)), "candid"),
    "empty night": (lambda t: t.iloc[:0], "empty"),
    "history of others": (lambda t: t.assign(objectId="ZTF99" + t["objectId"]), "objectId"),
}


@pytest.mark.parametrize("case", BAD_NIGHTS)
@pytest.mark.parametrize("command", ["features", "predict", "rank", "cuts"])
def test_a_bad_night_gives_one_sentence_and_no_files(case, command, nights, model, tmp_path):
    change, named = BAD_NIGHTS[case]
    path = break_night(nights[0], tmp_path, change)
    out = tmp_path / ("out.csv" if command in ("rank", "cuts") else "out.parquet")
    options = ["-m", model] if command in ("predict", "rank") else []
    result = ztfml(command, path, *options, "-o", out, code=1)
    one_sentence(result, "broken", named)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "broken.parquet", "broken_prv_candidates.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"objectId,candid\n", b"", "half"])
def test_a_file_that_is_not_complete_parquet(content, nights, tmp_path):
    path = tmp_path / "n.parquet"
    whole = nights[0].read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    one_sentence(ztfml("features", path, "-o", tmp_path / "f.parquet", code=1), path, "parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["n.parquet"]


def test_a_missing_night(tmp_path):
    path = tmp_path / "none.parquet"
    one_sentence(ztfml("features", path, "-o", tmp_path / "f.parquet", code=1), path)


def test_a_label_file_with_an_unknown_class(nights, tmp_path):
    labels = tmp_path / "l.csv"
    candid = pd.read_parquet(nights[0])["candid"][0]
    labels.write_text(f"candid,objectId,label\n{candid},ZTF20a,pulsar\n")
    result = ztfml("train", nights[0], "--labels", labels, "-o", tmp_path / "m", code=1)
    one_sentence(result, labels, "pulsar", "transient")
    assert not (tmp_path / "m").exists()


def damage_truncate(folder):
    text = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(text[: len(text) // 2])


def damage_crlf(folder):
    text = (folder / "model.txt").read_bytes()
    (folder / "model.txt").write_bytes(text.replace(b"\n", b"\r\n"))


def damage_byte(folder):
    text = bytearray((folder / "model.txt").read_bytes())
    text[len(text) // 2] ^= 1
    (folder / "model.txt").write_bytes(text)


def damage_classes(folder):
    card = json.loads((folder / "card.json").read_text())
    card["classes"][0], card["classes"][1] = card["classes"][1], card["classes"][0]
    (folder / "card.json").write_text(json.dumps(card))


@pytest.mark.parametrize("damage", [damage_truncate, damage_crlf, damage_byte, damage_classes])
def test_a_damaged_model_gives_one_sentence(damage, model, nights, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(model, folder)
    damage(folder)
    out = tmp_path / "p.parquet"
    one_sentence(ztfml("predict", nights[2], "-m", folder, "-o", out, code=1), "damaged")
    assert not out.exists()
    assert "FAILED" in ztfml("model", "verify", folder, code=1).stdout


def test_wrong_usage_exits_with_2(nights, tmp_path):
    ztfml("rank", code=2)
    for command in ("predict", "features", "rank", "plot"):
        ztfml(command, nights[0], "-o", tmp_path / "p.txt", code=2)
    ztfml("features", nights[0], code=2)
    ztfml("features", code=2)
    ztfml("rank", nights[0], "--top", "0", code=2)


def test_a_missing_output_folder(nights, tmp_path):
    out = tmp_path / "no" / "f.parquet"
    one_sentence(ztfml("features", nights[0], "-o", out, code=1), out)
