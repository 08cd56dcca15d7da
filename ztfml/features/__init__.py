"""Features of the alerts of a night.

`compute` returns the table of a night, `compute_in_parts` the same table in parts, and
`of_light_curve` the features of a single light curve. `FEATURES` describes each feature.
`compute_own` computes features that users declare with a `Group` of their own.
"""

from ztfml.features.groups import BROKER, FEATURES, FORCED, GROUPS, MATCHED, OPTIONAL
from ztfml.features.own import compute_own
from ztfml.features.registry import Group
from ztfml.features.table import compute, compute_in_parts, of_light_curve
from ztfml.features.units import with_units

__all__ = [
    "BROKER",
    "FEATURES",
    "FORCED",
    "GROUPS",
    "MATCHED",
    "OPTIONAL",
    "Group",
    "compute",
    "compute_in_parts",
    "compute_own",
    "of_light_curve",
    "with_units",
]
