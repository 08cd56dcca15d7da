"""Scores that brokers computed from the cutouts; off by default, as they come from elsewhere."""

from ztfml.features.registry import Group

GROUP = Group("broker", "scores that brokers computed from the cutouts")

GROUP.copy(
    "acai_h", "acai_v", "acai_o", "acai_n", "acai_b", "braai",
    missing="where the export has no classifications",
)  # fmt: skip
