"""Run `portsync sync` as a user would, against servers of this folder, and take what it costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HERE = Path(__file__).parent
_SAMPLE_EVERY_S = 0.02
_MEGABYTE = 1_000_000
_OURS = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
"""What says which portsync is measured."""
SYNC = (str(Path(sys.executable).with_name("portsync")), "sync")


class BenchError(Exception):
    """This means that a run did not do the work that it is measured by."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took."""

    cpu_s: float
    """User and system, of the command and of its JQ workers."""
    wall_s: float
    """Of the whole command, its start included."""
    main_mb: float
    """Peak memory of the command itself."""
    worker_mb: float
    """Peak memory of its JQ workers, together."""
    worker_cpu_s: float
    """What of `cpu_s` its JQ workers took."""
    report: dict[str, Any]


@contextmanager
def server(script: str, *arguments: str) -> Iterator[str]:
    """Run a server of this folder; its base URL."""
    with started(script, *arguments) as (url, _):
        yield url


@contextmanager
def started(script: str, *arguments: str) -> Iterator[tuple[str, int]]:
    """Run a server of this folder; the address that it prints, and its process. Raises BenchError."""
    command = [sys.executable, "-m", f"bench.{script}", *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_HERE.parent
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            if not (url := process.stdout.readline().strip()):
                raise BenchError(f"{script} did not start")
            yield url, process.pid
        finally:
            process.stdin.close()  # which ends it


def timed_sync(mapping: Path, port_url: str, **more: str) -> Taken:
    """Sync `mapping`, with `more` in the environment. Raises BenchError where that fails."""
    return timed_command([*SYNC, str(mapping)], mapping, port_url, **more)


def timed_command(command: Sequence[str], mapping: Path, port_url: str, **more: str) -> Taken:
    """Run a command that takes `--report`, as `timed_sync` does."""
    report = mapping.with_suffix(".report.json")
    environment = {
        "PORT_CLIENT_ID": "bench",
        "PORT_CLIENT_SECRET": "bench-secret",
        "PORT_BASE_URL": port_url,
        **_OURS,
        **more,
    }
    output = mapping.with_suffix(".output")
    peaks: dict[int, int] = {}
    computed: dict[int, float] = {}
    with output.open("wb") as stream:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--report", str(report)], env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        # wait4 gives the resources of this one child and of the children that it has waited for: the JQ worker.
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            _sample(process.pid, peaks, computed)
            time.sleep(_SAMPLE_EVERY_S)
        wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(ended[1])
    if process.returncode != 0:
        text = output.read_text(encoding="utf-8", errors="replace")
        raise BenchError(f"{' '.join(command[1:])} ended with exit code {process.returncode}\n{text}")
    main_peak = peaks.pop(process.pid, 0)
    computed.pop(process.pid, None)
    return Taken(
        ended[2].ru_utime + ended[2].ru_stime,
        wall_s,
        main_peak / _MEGABYTE,
        sum(peaks.values()) / _MEGABYTE,
        sum(computed.values()),
        json.loads(report.read_text(encoding="utf-8")),
    )


def _sample(pid: int, peaks: dict[int, int], computed: dict[int, float]) -> None:
    """Note the peak memory of a process and of its children, and the seconds that they computed. Both only rise, so the
    last sample counts."""
    for each in (pid, *children(pid)):
        try:
            status = Path(f"/proc/{each}/status").read_text(encoding="ascii", errors="replace")
            computed[each] = int(Path(f"/proc/{each}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        except OSError:
            continue
        if (found := status.partition("VmHWM:")[2]) != "":
            peaks[each] = int(found.split(maxsplit=1)[0]) * 1024


def children(pid: int) -> list[int]:
    """The processes that one has started, as of now."""
    try:
        lists = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for text in lists for child in text.split()]
