"""Small random nights for several tests."""

import numpy as np
import pandas as pd

from ztfml.night import Night

JD = 2459000.5


def random_frames(seed, n_objects=4, max_rows=30, max_alerts=3):
    """Random alerts and history with the problems of real files: ties, repeats, gaps, NaN."""
    rng = np.random.default_rng(seed)
    alerts, history = [], []
    for k in range(n_objects):
        name = f"ZTF20aaaaaa{chr(97 + k)}"
        n = int(rng.integers(0, max_rows + 1))
        # Few distinct epochs, so that some coincide, and sometimes a long gap.
        jd = JD + 0.2 + np.round(rng.choice([1, 60]) * rng.uniform(0, 10, n), rng.choice([0, 1, 4]))
        rows = pd.DataFrame(
            {
                "objectId": name,
                "jd": jd,
                "fid": rng.integers(1, 4, n),
                "magpsf": np.where(rng.random(n) < 0.4, np.nan, rng.uniform(15, 21, n)),
                "sigmapsf": rng.choice([0.0, 0.05, 0.2, np.nan], n),
                "diffmaglim": rng.choice([19.5, 20.5, 21.0, np.nan], n),
                "isdiffpos": rng.choice(["t", "f", "1", "0"], n),
            }
        )
        history.append(rows)
        history.append(rows.sample(n=min(n, 2), random_state=int(seed % 2**32)))
        for _ in range(int(rng.integers(1, max_alerts + 1))):
            alerts.append(
                {
                    "objectId": name,
                    "candid": 2459000000000000000 + len(alerts),
                    "candidate.jd": JD + 0.3 + rng.integers(0, 100) / 10,
                    "candidate.fid": int(rng.integers(1, 4)),
                    "candidate.magpsf": rng.uniform(15, 21),
                    "candidate.sigmapsf": rng.uniform(0.02, 0.2),
                    "candidate.isdiffpos": str(rng.choice(["t", "f"])),
                    "candidate.ra": rng.uniform(0, 360),
                    "candidate.dec": rng.uniform(-30, 90),
                    "candidate.drb": rng.uniform(0, 1),
                    "candidate.jdstarthist": JD - rng.uniform(0, 100),
                    "candidate.ndethist": int(rng.integers(1, 100)),
                    "candidate.ncovhist": int(rng.integers(100, 1000)),
                }
            )
    return pd.DataFrame(alerts), pd.concat(history, ignore_index=True)


def random_night(seed, **sizes):
    """Make a `Night` from `random_frames`."""
    return Night.from_frames(*random_frames(seed, **sizes))
