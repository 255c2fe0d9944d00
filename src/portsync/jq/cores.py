"""How many cores this process may use: in a container, its quota, not the host's cores."""

from __future__ import annotations

import math
import os
from pathlib import Path

_V2 = Path("/sys/fs/cgroup/cpu.max")
_V1_QUOTA = Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us")
_V1_PERIOD = Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us")


def usable_cores() -> int:
    """The number of cores, at least 1: of the affinity mask, lowered to the control group's quota (cgroups(7))."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, math.ceil(quota)) if (quota := cpu_quota(_V2, _V1_QUOTA, _V1_PERIOD)) else cores)


def cpu_quota(v2: Path, v1_quota: Path, v1_period: Path) -> float | None:
    """The cores that the control group allows, or None where it sets no limit."""
    try:
        if v2.exists():
            quota, period = v2.read_text(encoding="ascii").split()
        else:
            quota, period = v1_quota.read_text(encoding="ascii"), v1_period.read_text(encoding="ascii")
        return None if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None
