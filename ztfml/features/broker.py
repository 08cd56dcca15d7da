"""Scores that brokers compute from the cutouts; not used by default."""

from ztfml.features.registry import Group

GROUP = Group("broker", "scores that brokers compute from the cutouts")

GROUP.copy(
    "acai_h", "acai_v", "acai_o", "acai_n", "acai_b", "braai",
    missing="if the export has no classifications",
)  # fmt: skip
