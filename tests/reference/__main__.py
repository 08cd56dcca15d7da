"""Write the fingerprints of the real nights again."""

import json

from tests.conftest import SHARED_DATA
from tests.reference import NIGHTS, file_of, fingerprints

for name in NIGHTS:
    found = fingerprints(SHARED_DATA / "alerts" / f"ztf_alerts_{name}.parquet")
    file_of(name).write_text(json.dumps(found, indent=1) + "\n")
