"""What programs take that a command does not start itself: the workers of a cluster, and a database."""

from __future__ import annotations

import os
import threading
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.runs import children

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_EVERY_S = 0.05
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class _Process:
    group: str
    before_s: float
    """What it had computed when it was first seen, or when the watch began."""
    cpu_s: float = 0.0
    peak_mb: float = 0.0


class Watch:
    """Looks again and again at processes and at all that they have started."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        """`roots`: a process of each group."""
        self._roots = roots
        self._seen: dict[int, _Process] = {}
        self._has_begun = False

    def look(self) -> None:
        """See what there is now."""
        for group, root in self._roots.items():
            for pid in _tree(root):
                self._look_at(pid, group, is_root=pid == root)
        self._has_begun = True

    def cpu_s(self) -> Counter[str]:
        """Seconds that each group has computed since the first look."""
        found: Counter[str] = Counter()
        for one in self._seen.values():
            found[one.group] += max(0.0, one.cpu_s - one.before_s)  # type: ignore[assignment]
        return found

    def peak_mb(self, group: str) -> float:
        """The most memory that one process of a group has had."""
        return max((one.peak_mb for one in self._seen.values() if one.group == group), default=0.0)

    def _look_at(self, pid: int, group: str, *, is_root: bool) -> None:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
            peak = Path(f"/proc/{pid}/status").read_text("ascii", "replace").partition("VmHWM:")[2]
            if pid not in self._seen:
                named = group if is_root else _group_of(Path(f"/proc/{pid}/cmdline").read_bytes(), group)
                self._seen[pid] = _Process(named, 0.0 if self._has_begun else _seconds(fields))
        except OSError:
            return
        one = self._seen[pid]
        one.cpu_s = _seconds(fields)
        if peak:
            one.peak_mb = int(peak.split(maxsplit=1)[0]) * 1024 / 1e6


@contextmanager
def watched(roots: Mapping[str, int]) -> Iterator[Watch]:
    """A watch over processes and all that they have started, for as long as the block lasts."""
    watch, done = Watch(roots), threading.Event()
    watch.look()

    def go_on() -> None:
        while not done.wait(_EVERY_S):
            watch.look()

    looking = threading.Thread(target=go_on)
    looking.start()
    try:
        yield watch
    finally:
        done.set()
        looking.join()
        watch.look()


def _tree(pid: int) -> list[int]:
    return [pid, *(below for child in children(pid) for below in _tree(child))]


def _group_of(command: bytes, group: str) -> str:
    """`jq` and `worker` are the processes that a scheduler's has started."""
    if group != "scheduler" or b"resource_tracker" in command:
        return group
    return "jq" if b"portsync.jq.worker" in command else "worker"


def _seconds(fields: list[str]) -> float:
    """User and system, of all threads."""
    return (int(fields[11]) + int(fields[12])) / _TICKS
