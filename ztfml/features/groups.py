"""All feature groups: the only file that lists them.

To add a group, write its file and add it to `GROUPS`; if it has a compiled function ``write``, call
that function in `write_features`.
"""

from ztfml.compiled import kernel
from ztfml.features import (
    broker,
    colour,
    context,
    counts,
    episodes,
    forced,
    host,
    localization,
    packet,
    rates,
    timescales,
    timing,
    tonight,
    variability,
)
from ztfml.features.registry import check_unique

GROUPS = tuple(
    module.GROUP
    for module in (
        packet,
        counts,
        timing,
        episodes,
        rates,
        tonight,
        colour,
        variability,
        timescales,
        context,
    )
)
"""The groups in the order of the table."""

BROKER = broker.GROUP
"""Scores of the brokers, which are computed only on request."""

FEATURES = tuple(feature for group in GROUPS for feature in group.features)
"""All features in the order of the table."""

MATCHED = (host.GROUP, localization.GROUP)
"""Groups that need a match of the night with a galaxy catalogue or a sky map; each is computed for
nights that have the columns that it reads."""

FORCED = forced.GROUP
"""Features of forced photometry, which are computed only for nights that have some."""

OPTIONAL = tuple(feature for group in (BROKER, *MATCHED, FORCED) for feature in group.features)
"""Features that are not computed for every night, and that no shipped model uses."""

check_unique((*FEATURES, *OPTIONAL))


@kernel
def write_features(curve, means, packet, workspace, row):
    """Write the features of one light curve to its row.

    Parameters
    ----------
    curve : LightCurve
    means : tuple of NightMeans
        The night means in g, r and i.
    packet : PacketFields
        Fields of the alert.
    workspace : Workspace
    row : record
        One field per declared feature, NaN until it is written.
    """
    counts.write(curve, means, packet, workspace, row)
    timing.write(curve, means, packet, workspace, row)
    episodes.write(curve, means, packet, workspace, row)
    rates.write(curve, means, packet, workspace, row)
    tonight.write(curve, means, packet, workspace, row)
    colour.write(curve, means, packet, workspace, row)
    variability.write(curve, means, packet, workspace, row)
    timescales.write(curve, means, packet, workspace, row)
