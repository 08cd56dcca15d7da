"""The first notebook runs on any night, and says what the night lacks."""

import json
from pathlib import Path

import matplotlib.figure
import pandas as pd
import pytest

from tests.sources.formats import exporters
from ztfml.io.companions import history_beside, labels_beside
from ztfml.simulate import write_nights

NOTEBOOK = Path(__file__).parents[1] / "notebooks/01_one_night.ipynb"


def cells():
    """The code without the cell of the parameters and without commands of IPython."""
    found = []
    for cell in json.loads(NOTEBOOK.read_text("utf-8"))["cells"]:
        if cell["cell_type"] == "code" and "parameters" not in cell["metadata"].get("tags", []):
            found.append("".join(line for line in cell["source"] if not line.startswith("%")))
    return found


def run(path, capsys):
    """Run the notebook, draw its figures, and return its variables and what it printed."""
    shown = []
    found = {"path": path, "model_folder": None, "display": shown.append, "fig": None}
    for code in cells():
        before = found["fig"]
        exec(code, found)
        if found["fig"] is not before:
            found["fig"].canvas.draw()
    assert all(isinstance(one, pd.DataFrame | matplotlib.figure.Figure) for one in shown)
    return found, capsys.readouterr().out


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    (path,) = write_nights(tmp_path_factory.mktemp("night"), 150, 1, seed=8)
    return path


@pytest.fixture
def night(simulated, tmp_path):
    """A function that writes some alerts, with or without the files beside them."""

    def write(change, history=True):
        path = tmp_path / "night.parquet"
        alerts = change(pd.read_parquet(simulated))
        alerts.to_parquet(path)
        if history:
            pd.read_parquet(history_beside(simulated)).to_parquet(history_beside(path))
        return path

    return write


def test_a_night_with_labels_is_compared_with_them(simulated, capsys):
    found, text = run(simulated, capsys)
    assert "This night has no" not in text
    assert found["scores"]["recall of classifier"].mean() > 0.6
    assert found["types"].nunique() > 5


def test_one_alert_without_anything_else(night, capsys):
    path = night(lambda alerts: alerts[:1], history=False)
    found, text = run(path, capsys)
    assert "no history" in text
    assert "no labels (night_labels.csv)" in text
    assert len(found["predictions"]) == 1


def test_a_night_of_artifacts(night, capsys):
    found, _ = run(night(lambda alerts: alerts.assign(**{"candidate.drb": 0.001})), capsys)
    assert found["ranked"].empty or len(found["ranked"]) <= 12
    assert (found["predicted"] == "artifact").mean() > 0.5


def test_a_night_with_the_necessary_columns_only(night, capsys):
    columns = ["objectId", "candid"]
    columns += [f"candidate.{name}" for name in ("jd", "fid", "magpsf", "sigmapsf", "isdiffpos",
                                                 "diffmaglim")]  # fmt: skip
    found, text = run(night(lambda alerts: alerts[columns]), capsys)
    assert "no positions (ra, dec): sky maps are skipped" in text
    assert len(found["table"]) == 150


def test_an_export_of_a_broker(simulated, tmp_path, capsys):
    alerts = pd.read_parquet(simulated)[:30]
    history = pd.read_parquet(history_beside(simulated)).reset_index()
    path = tmp_path / "fink.csv"
    exporters.fink_csv(alerts, history, path)
    found, _ = run(path, capsys)
    assert len(found["night"]) >= alerts["objectId"].nunique()


def test_labels_that_people_wrote(night, capsys):
    path = night(lambda alerts: alerts[:50])
    names = pd.read_parquet(path)[["candid", "objectId"]]
    labels = names[:20].assign(label="star", evidence="", confidence="high")
    labels.to_csv(labels_beside(path), index=False)
    found, _ = run(path, capsys)
    assert set(found["types"]) == {"star"}
    assert found["scores"].loc["star", "recall of cuts"] >= 0
