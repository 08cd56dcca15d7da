"""Commands around the classifier."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.cli.run import one_sentence, ztfml
from ztfml.features import FEATURES, FORCED, OPTIONAL
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS


def test_features_of_a_night(nights, tmp_path):
    for name in ("f.parquet", "f.csv"):
        ztfml("features", nights[0], "-o", tmp_path / name)
    table = pd.read_parquet(tmp_path / "f.parquet")
    assert list(table.columns) == ["objectId", "candid", "jd"] + [
        feature.name for feature in (*FEATURES, *FORCED.features)
    ]
    assert len(table) == 1200
    text = pd.read_csv(tmp_path / "f.csv")
    np.testing.assert_allclose(text["fade_rate_r"], table["fade_rate_r"])
    assert (text["candid"] == table["candid"]).all()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_several_nights_are_written_to_one_table(nights, model, tmp_path, suffix):
    read = pd.read_parquet if suffix == ".parquet" else pd.read_csv
    for command in (["features"], ["predict", "-m", model]):
        together = tmp_path / f"together{suffix}"
        ztfml(command[0], *nights, *command[1:], "-o", together)
        alone = []
        for night in nights:
            ztfml(command[0], night, *command[1:], "-o", tmp_path / f"one{suffix}")
            alone.append(read(tmp_path / f"one{suffix}"))
        pd.testing.assert_frame_equal(read(together), pd.concat(alone, ignore_index=True))


def test_an_unreadable_night_does_not_lose_the_others(nights, tmp_path):
    out = tmp_path / "f.parquet"
    result = ztfml("features", nights[0], tmp_path / "no.parquet", "-o", out, code=1)
    assert "no.parquet: there is no such file" in result.stderr
    assert len(pd.read_parquet(out)) == 1200


def test_history_needs_a_single_night(nights, tmp_path):
    arguments = (*nights, "--history", nights[0], "-o", tmp_path / "f.parquet")
    assert "give one NIGHT" in ztfml("features", *arguments, code=2).stderr
    assert not list(tmp_path.iterdir())


def test_features_list():
    assert len(json.loads(ztfml("features", "--list", "json").stdout)) == len(FEATURES) + len(
        OPTIONAL
    )
    markdown = ztfml("features", "--list=markdown").stdout
    row = next(line for line in markdown.splitlines() if line.startswith("| `fade_rate_r` "))
    assert row.split("|")[2].strip() == "mag / d"
    assert len(ztfml("features", "--list").stdout.splitlines()) == len(FEATURES) + len(OPTIONAL) + 1


def test_columns_of_predictions(nights, model, tmp_path):
    out = tmp_path / "p.parquet"
    ztfml("predict", nights[2], "-m", model, "-o", out)
    table = pd.read_parquet(out)
    assert list(table.columns) == [
        *("objectId", "candid", "jd", "label"),
        *PROBABILITY_COLUMNS,
        "uncertain",
    ]
    assert table["candid"].dtype == np.int64
    alerts = pd.read_parquet(nights[2])
    assert (table["candid"].to_numpy() == alerts["candid"].to_numpy()).all()
    probabilities = table[list(PROBABILITY_COLUMNS)].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-9)
    assert (table["label"] == np.array(LABELS)[probabilities.argmax(axis=1)]).all()


def test_drift_reports(nights, model, tmp_path):
    ztfml("predict", *nights[:2], "-m", model, "-o", tmp_path / "plain.parquet")
    files = [tmp_path / f"drift{suffix}" for suffix in (".csv", ".json", ".png")]
    options = [part for file in files for part in ("--report", file)]
    shown = ztfml(
        "predict", *nights[:2], "-m", model, "-o", tmp_path / "p.parquet", *options
    ).stdout
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "p.parquet"), pd.read_parquet(tmp_path / "plain.parquet")
    )
    table, found = pd.read_csv(files[0]), json.loads(files[1].read_text())
    assert table["night"].unique().tolist() == [str(night) for night in nights[:2]]
    assert len(table) == 2 * len(FEATURES)
    assert [one["night"] for one in found] == [str(night) for night in nights[:2]]
    for one in found:
        assert f"{one['night']}: {one['summary']}" in shown
        assert (
            one["features"][0]["feature"]
            == table[table["night"] == one["night"]].iloc[0]["feature"]
        )
    assert files[2].read_bytes().startswith(b"\x89PNG")


def test_evaluation_reports_the_drift_of_the_whole_night(nights, model, tmp_path):
    both = []
    for command in (["predict", "-o", tmp_path / "p.csv"], ["evaluate"]):
        file = tmp_path / f"{command[0]}.csv"
        ztfml(*command, nights[2], "-m", model, "--report", file)
        both.append(pd.read_csv(file))
    pd.testing.assert_frame_equal(*both)


def test_reports_of_other_formats_are_refused(nights, model, tmp_path):
    arguments = ("predict", nights[0], "-m", model, "-o", tmp_path / "p.csv")
    assert "must end in" in ztfml(*arguments, "--report", tmp_path / "d.txt", code=2).stderr
    same = ztfml(*arguments, "--report", tmp_path / "p.csv", code=1)
    assert "would be overwritten" in same.stderr
    assert not list(tmp_path.iterdir())


OWN = '''
from ztfml.features import Group

GROUP = Group("mine", "an example")


@GROUP.feature(unit="mag", missing="never")
def depth(diffmaglim, magpsf):
    """Limiting magnitude minus magnitude."""
    return diffmaglim - magpsf
'''


def test_own_features_on_the_command_line(nights, tmp_path, monkeypatch):
    module = tmp_path / "own_features_of_a_command.py"
    module.write_text(OWN)
    ztfml("features", nights[0], "--trust", module, "-o", tmp_path / "f.csv")
    table, alerts = pd.read_csv(tmp_path / "f.csv"), pd.read_parquet(nights[0])
    depth = alerts["candidate.diffmaglim"] - alerts["candidate.magpsf"]
    np.testing.assert_allclose(table["depth"], depth)
    small = ("--classes", "sso,star", "--param", "n_estimators=3")
    ztfml("train", nights[0], *small, "--trust", module, "-o", tmp_path / "m")
    arguments = ("predict", nights[1], "-m", tmp_path / "m", "-o", tmp_path / "p.csv")
    one_sentence(ztfml(*arguments, code=1), "add --trust")
    ztfml(*arguments, "--trust", module)
    with_option = pd.read_csv(tmp_path / "p.csv")
    monkeypatch.setenv("ZTFML_TRUST", str(module))
    ztfml(*arguments)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "p.csv"), with_option)
    monkeypatch.delenv("ZTFML_TRUST")
    empty = tmp_path / "without_features_of_a_command.py"
    empty.write_text("")
    one_sentence(
        ztfml("features", nights[0], "--trust", empty, "-o", tmp_path / "f.csv", code=1),
        "declares no own features",
    )


def test_content_of_metrics(nights, model, tmp_path):
    out = tmp_path / "m.json"
    figure = tmp_path / "m.png"
    shown = ztfml("evaluate", nights[2], "-m", model, "-o", out, "--plot", figure).stdout
    assert figure.read_bytes().startswith(b"\x89PNG")
    metrics = json.loads(out.read_text())
    assert {"macro_f1", "accuracy", "per_class", "confusion", "n"} <= set(metrics)
    assert set(metrics["per_class"]["star"]) >= {"precision", "recall", "f1", "support"}
    assert np.sum(metrics["confusion"]) == metrics["n"]
    # Simulated nights are easy to classify; a random guess has a score of about 0.2.
    assert metrics["macro_f1"] > 0.6
    assert f"{metrics['macro_f1']:.2f}" in shown


def test_model_show_and_verify(model):
    assert "macro-F1" in ztfml("model", "show", model).stdout
    assert "FAILED" not in ztfml("model", "verify", model).stdout
