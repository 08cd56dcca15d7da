"""Editing a file that is compiled into the features changes the results, even with a warm cache."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ztfml
from tests.nights import random_night
from ztfml.compiled import sources_of
from ztfml.features import compute
from ztfml.features.table import _fill_records

PACKAGE = Path(ztfml.__file__).parent

# Edits of the files that the small kernel below uses: old text, new text, the value that changes.
EDITS = {
    "lightcurves/slopes.py": ("slope = product / spread", "slope = 2 * product / spread", "slope"),
    "lightcurves/night_means.py": ("return ZERO_POINT -", "return 1.0 + ZERO_POINT -", "mean_mag"),
    "lightcurves/light_curve.py": ("SYSTEMATIC = 0.015", "SYSTEMATIC = 0.5", "error"),
    "lightcurves/exposures.py": ("EXPOSURE = 2e-4 + 1e-9", "EXPOSURE = 0.5", "detections"),
    "astrophysics.py": ("np.floor(jd - 0.5) + 0.5", "np.floor(jd / 100)", "nights"),
}

KERNEL = """
import numpy as np
from ztfml.compiled import kernel
from ztfml.lightcurves.history import History
from ztfml.lightcurves.light_curve import light_curve_of, make_workspace
from ztfml.lightcurves.night_means import night_means_of
from ztfml.lightcurves.slopes import fit_slope

@kernel
def small(history, jd, workspace, out):
    curve = light_curve_of(history, 0, len(history.jd), jd, 2.0, 19.0, 0.05, 1.0, workspace)
    r = night_means_of(curve, workspace)[1]
    out[0], out[1], out[2], out[3] = len(curve.jd), curve.err[0], r.mag[0], len(r.jd)
    out[4] = fit_slope(curve.jd, curve.mag, curve.err).slope

def run():
    # Two exposures in one night, one in the next, and the alert itself, repeated.
    jd = np.array([2459000.7, 2459000.8, 2459001.7, 2459002.7])
    n = len(jd)
    sign, fid = np.ones(n, np.int8), np.full(n, 2, np.int8)
    mag = np.array([18.0, 18.2, 18.5, 19.0])
    history = History(jd, fid, mag, np.full(n, 0.05), np.full(n, 20.5), sign, np.array([0, n]))
    out = np.empty(5)
    small(history, jd[-1], make_workspace(n), out)
    names = ("detections", "error", "mean_mag", "nights", "slope")
    return dict(zip(names, out.tolist())), sum(small.stats.cache_hits.values())
"""

# Each step runs in a fork, which imports the package as a new process would.
RUNNER = """
import json, os, sys
import numba, numpy, pandas, pyarrow.parquet
from pathlib import Path

package, steps = Path("ztfml"), json.loads(sys.argv[1])
for name, old, new, code in steps:
    path = package / name
    original = path.read_text()
    assert old in original, f"{name} does not contain {old!r}: adapt the edit"
    path.write_text(original.replace(old, new, 1))
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        sys.path.insert(0, os.getcwd())
        exec(code)
        sys.stdout.flush()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    path.write_text(original)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """Copy the package with its cache of compiled code."""
    compute(random_night(7))
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "ztfml")
    (folder / "ztfml" / "small_kernel.py").write_text(KERNEL)
    return folder


def run_steps(folder, steps):
    """Run code after each edit in turn, and return what it prints, decoded from JSON."""
    command = [sys.executable, "-c", RUNNER, json.dumps(steps)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def files_of_the_feature_kernel():
    files = {str(Path(file).relative_to(PACKAGE)) for file in sources_of(_fill_records)[0]}
    groups = {
        f"features/{n}.py"
        for n in (
            "counts",
            "timing",
            "episodes",
            "rates",
            "tonight",
            "colour",
            "variability",
            "timescales",
        )
    }
    assert groups | set(EDITS) | {"features/groups.py", "features/table.py"} <= files
    return sorted(files)


def test_each_edit_changes_the_result_of_a_kernel(copy):
    code = "import json; from ztfml import small_kernel; print(json.dumps(small_kernel.run()))"
    edits = [(name, old, new, code) for name, (old, new, _) in EDITS.items()]
    same = (edits[0][0], "", "", code)
    (first, _), (before, hits), *after = run_steps(copy, [same, same, *edits])
    assert before == first
    assert hits == 1
    assert before["detections"] == 4
    assert before["nights"] == 3
    for (name, (_, _, key)), (found, hits) in zip(EDITS.items(), after, strict=True):
        assert hits == 0, f"{name} was edited and old compiled code was used"
        assert found[key] != before[key], f"{name} was edited and {key} did not change"
    assert after[0][0] == before | {"slope": 2 * before["slope"]}


def test_each_edit_outdates_the_feature_kernel(copy):
    code = (
        "from ztfml.compiled import stamp_of; from ztfml.features.table import _fill_records;"
        "print(json.dumps(stamp_of(_fill_records)))"
    )
    files = files_of_the_feature_kernel()
    steps = [("schema.py", "", "", code), ("schema.py", '"""', '"""An edit. ', code)]
    # A comment is enough: any edit of a file outdates what is compiled from it.
    steps += [(name, '"""', '"""An edit. ', code) for name in files]
    before, other, *after = run_steps(copy, steps)
    assert other == before, "an edit that is not compiled into the features outdates them"
    assert before not in after
    assert len(set(after)) == len(files)


def test_doubling_the_slope_doubles_the_rates(copy):
    code = (
        "import numpy as np; from tests.nights import random_night;"
        "from ztfml.features import compute; from ztfml.features.table import _fill_records;"
        "rates = compute(random_night(7))['fade_rate_r'].dropna().tolist();"
        "print(json.dumps([rates, sum(_fill_records.stats.cache_hits.values())]))"
    )
    shutil.copytree(
        Path(__file__).parents[1],
        copy / "tests",
        ignore=lambda folder, names: [
            name for name in names if name not in ("__init__.py", "nights.py")
        ],
    )
    name = "lightcurves/slopes.py"
    (before, hits), (after, misses) = run_steps(
        copy, [(name, "", "", code), (name, *EDITS[name][:2], code)]
    )
    assert (hits, misses) == (1, 0)
    assert len(before) > 0
    np.testing.assert_array_equal(after, 2 * np.array(before))
