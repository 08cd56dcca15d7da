"""The command line as a user types it."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ztfml.cli import main
from ztfml.features.registry import FEATURES
from ztfml.ranking import DEFAULT_FILE
from ztfml.simulate import write_nights
from ztfml.taxonomy import LABELS, PROBABILITY_COLUMNS


def ztfml(*arguments, code=0):
    """Run a command in this process; give what it printed to stdout and stderr."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


def one_sentence(result, *names):
    """The error is one line that names what it should, and no traceback."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    for name in names:
        assert str(name) in lines[0]
    return lines[0]


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    return write_nights(tmp_path_factory.mktemp("nights"), 1200, 3, seed=11)


@pytest.fixture(scope="module")
def model(nights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "mine"
    result = ztfml("train", *nights[:2], "-o", folder)
    assert result.stdout.startswith("Sources never trained on")
    return folder


def all_commands(group=main, path=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(all_commands()), ids=" ".join)
def test_every_command_has_an_example_in_its_help_and_stands_in_the_readme(path, request):
    text = ztfml(*path, "--help").stdout
    assert f"Example:\n    ztfml {' '.join(path)}" in text
    readme = (request.config.rootpath / "README.md").read_text()
    assert f"ztfml {' '.join(path)}" in readme


def test_simulate_writes_the_same_files_for_the_same_seed(tmp_path):
    for name in ("a", "b"):
        ztfml("simulate", tmp_path / name, "--nights", 2, "--alerts", 200, "--seed", 5)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert len(files) == 6
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_features_of_a_night(nights, tmp_path):
    for name in ("f.parquet", "f.csv"):
        ztfml("features", nights[0], "-o", tmp_path / name)
    table = pd.read_parquet(tmp_path / "f.parquet")
    assert list(table.columns) == ["objectId", "candid", "jd"] + [f.name for f in FEATURES]
    assert len(table) == 1200
    text = pd.read_csv(tmp_path / "f.csv")
    np.testing.assert_allclose(text["fade_rate_r"], table["fade_rate_r"])
    assert (text["candid"] == table["candid"]).all()


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_several_nights_stand_one_below_the_other(nights, model, tmp_path, suffix):
    read = pd.read_parquet if suffix == ".parquet" else pd.read_csv
    for command in (["features"], ["predict", "-m", model]):
        together = tmp_path / f"together{suffix}"
        ztfml(command[0], *nights, *command[1:], "-o", together)
        alone = []
        for night in nights:
            ztfml(command[0], night, *command[1:], "-o", tmp_path / f"one{suffix}")
            alone.append(read(tmp_path / f"one{suffix}"))
        pd.testing.assert_frame_equal(read(together), pd.concat(alone, ignore_index=True))


def test_one_night_that_cannot_be_read_leaves_no_file(nights, tmp_path):
    out = tmp_path / "f.parquet"
    one_sentence(ztfml("features", nights[0], tmp_path / "no.parquet", "-o", out, code=1), "no.par")
    assert not list(tmp_path.iterdir())


def test_a_history_is_of_one_night(nights, tmp_path):
    arguments = (*nights, "--history", nights[0], "-o", tmp_path / "f.parquet")
    assert "name one night" in ztfml("features", *arguments, code=2).stderr
    assert not list(tmp_path.iterdir())


def test_features_list():
    assert len(json.loads(ztfml("features", "--list", "json").stdout)) == len(FEATURES)
    assert "| `fade_rate_r` | mag / d |" in ztfml("features", "--list=markdown").stdout
    assert len(ztfml("features", "--list").stdout.splitlines()) == len(FEATURES) + 1


def test_predict_gives_the_contracted_columns(nights, model, tmp_path):
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


def test_evaluate_gives_the_contracted_metrics(nights, model, tmp_path):
    out = tmp_path / "m.json"
    figure = tmp_path / "m.png"
    shown = ztfml("evaluate", nights[2], "-m", model, "-o", out, "--plot", figure).stdout
    assert figure.read_bytes().startswith(b"\x89PNG")
    metrics = json.loads(out.read_text())
    assert {"macro_f1", "accuracy", "per_class", "confusion", "n"} <= set(metrics)
    assert set(metrics["per_class"]["star"]) >= {"precision", "recall", "f1", "support"}
    assert np.sum(metrics["confusion"]) == metrics["n"]
    # Its own simulation is an easy world; a model that has learnt nothing is at 0.2.
    assert metrics["macro_f1"] > 0.6
    assert f"{metrics['macro_f1']:.2f}" in shown


def test_rank_gives_one_row_an_object_with_reasons_and_links(nights, model, tmp_path):
    out = tmp_path / "r.csv"
    shown = ztfml("rank", nights[2], "-m", model, "-o", out, "--top", 25).stdout
    table = pd.read_csv(out)
    expected = ["rank", "objectId", "candid", "score", "reasons", "p_transient"]
    expected += ["best_rate", "rate_err", "band", "direction"]
    expected += ["age", "peak_mag", "last_mag", "color"]
    assert list(table.columns[: len(expected)]) == expected
    assert list(table["rank"]) == list(range(1, 26))
    assert table["objectId"].is_unique
    assert table["score"].is_monotonic_decreasing
    assert table["reasons"].str.contains("mag/day|no rate yet").all()
    assert table["alerce"].str.endswith(table["objectId"][0]).any()
    assert table["objectId"][0] in shown
    latest = pd.read_parquet(nights[2]).sort_values("candidate.jd").groupby("objectId").last()
    assert (latest.loc[table["objectId"], "candid"].to_numpy() == table["candid"].to_numpy()).all()


def test_rank_for_another_instrument_and_by_other_weights(nights, model, tmp_path):
    instrument = tmp_path / "dbsp.toml"
    instrument.write_text(
        '[instrument]\nname = "DBSP"\nlimiting_magnitude = 21.5\nspectra_per_night = 7\n'
    )
    out = tmp_path / "r.csv"
    ztfml("rank", nights[2], "-m", model, "-o", out, "--instrument", instrument)
    table = pd.read_csv(out)
    # As many rows as it takes spectra.
    assert len(table) == 7
    assert (table.loc[table["last_mag"] < 20, "term_bright"] > 0.95).all()
    weights = tmp_path / "mine.toml"
    names = [name.removeprefix("term_") for name in table if name.startswith("term_")]
    lines = [f"{name} = {10 if name == 'young' else 0}" for name in (*names, "intercept")]
    weights.write_text("[weights]\n" + "\n".join(lines))
    ztfml("rank", nights[2], "-m", model, "-o", out, "--weights", weights)
    by_age = pd.read_csv(out)
    assert len(by_age) == 12
    assert by_age["score"].to_numpy() == pytest.approx(1 / (1 + np.exp(-10 * by_age["term_young"])))
    weights.write_text("[weights]\nluck = 1\n")
    told = ztfml("rank", nights[2], "-m", model, "-o", out, "--weights", weights, code=1)
    one_sentence(told, weights)


def test_explain_tells_the_terms_and_draws_them(nights, model, tmp_path):
    out, figure = tmp_path / "r.csv", tmp_path / "why.png"
    ztfml("rank", nights[2], "-m", model, "-o", out, "--top", 3)
    row = pd.read_csv(out).iloc[2]
    name = row["objectId"]
    shown = ztfml("rank", nights[2], "-m", model, "--explain", name, "--plot", figure).stdout
    assert f"score {row['score']:.3f}, rank 3 of" in shown
    assert row["reasons"] in shown
    assert f"{row['term_young']:.3f}" in shown
    assert "what the trees go by" in shown
    assert figure.read_bytes().startswith(b"\x89PNG")
    told = ztfml("rank", nights[2], "-m", model, "--explain", "ZTF00nobody", code=1)
    one_sentence(told, "ZTF00nobody")
    ztfml("rank", nights[2], "-m", model, "--plot", figure, code=2)
    ztfml("rank", nights[2], "-m", model, "--explain", name, "--top", 3, code=2)


def test_cuts_print_the_flow_and_write_labels(nights, tmp_path):
    out, figure = tmp_path / "rules.csv", tmp_path / "cuts.png"
    shown = ztfml("cuts", nights[0], "--drb", "0.6", "-o", out, "--plot", figure).stdout
    assert "the cut flow" in shown
    labels = pd.read_csv(out)
    assert len(labels) == 1200
    assert set(labels["label"]) <= set(LABELS)
    assert labels["evidence"].str.startswith("rules:").all()
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_labels_of_the_rules_can_be_trained_on(nights, tmp_path):
    labels = tmp_path / "rules.csv"
    ztfml("cuts", nights[0], "-o", labels)
    ztfml("train", nights[0], "--labels", labels, "-o", tmp_path / "by_rules")
    assert "rules" in ztfml("model", "show", tmp_path / "by_rules").stdout


def test_plot_draws_one_object(nights, tmp_path):
    name = pd.read_parquet(nights[0])["objectId"][0]
    ztfml("plot", nights[0], name, "-o", tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 10_000


def test_model_show_and_verify(model):
    assert "macro-F1" in ztfml("model", "show", model).stdout
    assert "FAILED" not in ztfml("model", "verify", model).stdout


def test_ingest_then_rank_real_packets(shared_data, model, tmp_path):
    night = tmp_path / "night.parquet"
    tarball = shared_data / "packets" / "ztf_public_20180819_mod1000.tar.gz"
    assert "alerts and" in ztfml("ingest", tarball, "-o", night).stdout
    ztfml("rank", night, "-m", model, "-o", tmp_path / "r.csv")
    assert len(pd.read_csv(tmp_path / "r.csv")) == 12


def test_data_goes_to_stdout_and_remarks_to_stderr(nights, model, tmp_path):
    alone = tmp_path / "alone.parquet"
    shutil.copy(nights[2], alone)
    result = ztfml("rank", alone, "-m", model)
    assert "the alerts have no history" in result.stderr
    assert "alone" not in result.stdout.replace(str(alone), "")
    assert ztfml("rank", alone, "-m", model, "--quiet").stderr == ""


# --- bad input ------------------------------------------------------------------------


def spoil(night, folder, change):
    """A copy of a night whose alerts a function has changed."""
    path = folder / "spoilt.parquet"
    change(pd.read_parquet(night)).to_parquet(path)
    shutil.copy(f"{night.with_suffix('')}_prv_candidates.parquet",
                folder / "spoilt_prv_candidates.parquet")  # fmt: skip
    return path


BAD_NIGHTS = {
    "missing column": (lambda t: t.drop(columns="candidate.magpsf"), "candidate.magpsf"),
    "candid as float": (lambda t: t.assign(candid=t["candid"].astype(float)), "candid"),
    "empty night": (lambda t: t.iloc[:0], "empty"),
    "history of others": (lambda t: t.assign(objectId="ZTF99" + t["objectId"]), "objectId"),
}


@pytest.mark.parametrize("case", BAD_NIGHTS)
@pytest.mark.parametrize("command", ["features", "predict", "rank", "cuts"])
def test_a_bad_night_is_one_sentence_and_leaves_nothing(case, command, nights, model, tmp_path):
    change, named = BAD_NIGHTS[case]
    path = spoil(nights[0], tmp_path, change)
    out = tmp_path / ("out.csv" if command in ("rank", "cuts") else "out.parquet")
    options = ["-m", model] if command in ("predict", "rank") else []
    result = ztfml(command, path, *options, "-o", out, code=1)
    one_sentence(result, "spoilt", named)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "spoilt.parquet", "spoilt_prv_candidates.parquet",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"objectId,candid\n", b"", "half"])
def test_a_file_that_is_no_whole_parquet(content, nights, tmp_path):
    path = tmp_path / "n.parquet"
    whole = nights[0].read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content == "half" else content)
    one_sentence(ztfml("features", path, "-o", tmp_path / "f.parquet", code=1), path, "parquet")
    assert [p.name for p in tmp_path.iterdir()] == ["n.parquet"]


def test_a_night_that_is_not_there(tmp_path):
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
def test_a_damaged_model_is_one_sentence(damage, model, nights, tmp_path):
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


def test_an_output_folder_that_is_not_there(nights, tmp_path):
    out = tmp_path / "no" / "f.parquet"
    one_sentence(ztfml("features", nights[0], "-o", out, code=1), out)


def test_as_typed_in_a_shell(nights, model, tmp_path):
    """The real program, in its own process, into a pipe."""
    out = tmp_path / "r.csv"
    command = [
        sys.executable,
        "-m",
        "ztfml",
        "rank",
        str(nights[2]),
        "-m",
        str(model),
        "-o",
        str(out),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env=os.environ | {"COLUMNS": "40"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(out)
    # Into a pipe no name is cut off, however narrow the terminal was.
    assert all(name in done.stdout for name in table["objectId"])


def test_report_writes_a_page(nights, model, tmp_path):
    out = tmp_path / "night.html"
    shown = ztfml("report", nights[2], "-m", model, "-o", out, "--top", 5).stdout
    assert shown.splitlines()[-1] == str(out)
    assert "5 with a card" in shown
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<article") == 5
    assert nights[2].stem in page
    assert list(tmp_path.iterdir()) == [out]


def test_report_takes_what_was_fetched_beside_the_night(nights, model, tmp_path):
    from ztfml.sources import fetched_folder as fetched

    ranked = tmp_path / "ranked.csv"
    ztfml("rank", nights[2], "-m", model, "-o", ranked, "--top", 1)
    best = pd.read_csv(ranked).iloc[0]
    stamps = fetched.Cutouts(int(best["candid"]), *np.random.default_rng(0).normal(size=(3, 9, 9)))
    folder = fetched.fetched_beside(nights[2])
    fetched.write_cutouts(folder, best["objectId"], stamps)
    out = tmp_path / "night.html"
    ztfml("report", nights[2], "-m", model, "-o", out, "--top", 1)
    shutil.rmtree(folder)
    assert out.read_text(encoding="utf-8").count("data:image/png;base64,") == 3


def test_report_weighs_as_it_is_told(nights, model, tmp_path):
    ours = DEFAULT_FILE.read_text()
    wanted = tmp_path / "wanted.toml"
    wanted.write_text(re.sub(r"^intercept = .*$", "intercept = -99.0", ours, flags=re.M))
    out = tmp_path / "night.html"
    ztfml("report", nights[2], "-m", model, "-o", out, "--top", 1, "--weights", wanted)
    assert '<span class="big-score">0.00</span>' in out.read_text(encoding="utf-8")
    wanted.write_text("[weights]\n")
    arguments = ("report", nights[2], "-m", model, "-o", tmp_path / "b.html", "--weights", wanted)
    one_sentence(ztfml(*arguments, code=1), wanted)
    assert not (tmp_path / "b.html").exists()


def test_report_of_no_night_leaves_nothing(model, tmp_path):
    out = tmp_path / "night.html"
    one_sentence(ztfml("report", tmp_path / "no.parquet", "-m", model, "-o", out, code=1), "no.par")
    assert ".html" in ztfml("report", tmp_path / "no.parquet", "-o", "night.pdf", code=2).stderr
    assert not list(tmp_path.iterdir())
