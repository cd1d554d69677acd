"""Memory of this process in bytes. PyTorch's CPU allocator keeps no peak, so it is what the system counts."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR_REFS = Path("/proc/self/clear_refs")


def _status(*fields: str) -> int:
    sizes = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return sum(1024 * int(sizes[field].split()[0]) for field in fields)


def reset_peak() -> None:
    if CLEAR_REFS.exists():
        CLEAR_REFS.write_text("5")


def peak() -> int:
    """Since `reset_peak` without the pages of libraries; where there is no /proc, with them and since the start."""
    if STATUS.exists():
        return _status("VmHWM") - _status("RssFile", "RssShmem")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
