"""A worker lives as long as its parent, whatever number the parent has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

_WORKER = (
    "import sys; from portsync.jq.worker import die_with_parent; die_with_parent(int(sys.argv[1])); print('lives')"
)
_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


def says(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def has_namespaces() -> bool:
    return shutil.which("unshare") is not None and says(*_NAMESPACE, "true").returncode == 0


@pytest.mark.parametrize(("parent", "out"), [(os.getpid, "lives\n"), (os.getppid, "")])
def test_a_worker_whose_parent_is_another_one_already_ends(parent: object, out: str) -> None:
    assert callable(parent)
    assert says(sys.executable, "-c", _WORKER, str(parent())).stdout == out


@pytest.mark.skipif(not has_namespaces(), reason="there is no way to be process 1 here")
def test_process_1_of_a_container_has_workers_that_work() -> None:
    run = says(*_NAMESPACE, sys.executable, "-m", "portsync", "demo", "--records", "200")

    assert (run.returncode, run.stderr) == (0, "")
