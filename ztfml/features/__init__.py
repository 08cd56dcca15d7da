"""Features of the alerts of a night.

`compute` returns the table of a night, `compute_in_parts` the same table in parts, and
`of_light_curve` the features of a single light curve. `FEATURES` describes each feature.
"""

from ztfml.features.groups import BROKER, FEATURES, FORCED, GROUPS, MATCHED, OPTIONAL
from ztfml.features.table import compute, compute_in_parts, of_light_curve

__all__ = [
    "BROKER",
    "FEATURES",
    "FORCED",
    "GROUPS",
    "MATCHED",
    "OPTIONAL",
    "compute",
    "compute_in_parts",
    "of_light_curve",
]
