"""Settings of a user or of a folder, in files with the name ``ztfml.toml``."""

from ztfml.config.files import NAME, read_config
from ztfml.config.values import EMPTY, Config, Value

__all__ = ["EMPTY", "NAME", "Config", "Value", "read_config"]
