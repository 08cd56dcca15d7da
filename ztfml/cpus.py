"""The number of processors that this process may use."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def cpu_count() -> int:
    """Count the processors that this process may use, at least 1.

    This is the count of ``joblib.cpu_count()``, whose import takes a tenth of a second: the
    smallest of the processors of the computer, those that the process is bound to, the limit of
    its container, and ``LOKY_MAX_CPU_COUNT`` in the environment.

    Returns
    -------
    int

    Examples
    --------
    >>> import joblib
    >>> cpu_count() == joblib.cpu_count()
    True
    """
    counts = [os.cpu_count() or 1, _container_limit()]
    if hasattr(os, "sched_getaffinity"):
        counts.append(len(os.sched_getaffinity(0)))
    if "LOKY_MAX_CPU_COUNT" in os.environ:
        counts.append(int(os.environ["LOKY_MAX_CPU_COUNT"]))
    return max(1, int(min(counts)))


def _container_limit():
    """Processors that the container gives to its processes, rounded up."""
    try:
        quota, period = _quota_and_period()
    except (OSError, ValueError):
        return math.inf
    if quota == "max" or int(quota) <= 0 or int(period) <= 0:
        return math.inf
    return math.ceil(int(quota) / int(period))


def _quota_and_period():
    if (_CGROUP / "cpu.max").exists():
        return (_CGROUP / "cpu.max").read_text().split()
    files = (_CGROUP / "cpu" / f"cpu.cfs_{name}_us" for name in ("quota", "period"))
    return [file.read_text().strip() for file in files]
