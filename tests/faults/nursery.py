"""A process that has read all of portsync already, and forks for every run: a start costs a tenth of the usual one.

It takes lines of JSON (`arguments`, `environment`, `folder`, and `is_cold` for a start like the usual one), and answers
each with two lines: the process's id at once, and its exit code, negative for a signal, when it has ended.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

_MODULES = ("portsync.cli.sync", "sqlalchemy.dialects.sqlite", "httpx", "httpcore", "anyio._backends._asyncio")


def main() -> None:
    for module in _MODULES:
        import_module(module)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _run(order)
        _say(pid)
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def _run(order: dict[str, Any]) -> None:
    """Become what `portsync` with these arguments is."""
    os.chdir(order["folder"])
    nothing, out = os.open(os.devnull, os.O_RDONLY), os.open("out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for descriptor, stands_for in ((nothing, 0), (out, 1), (out, 2)):
        os.dup2(descriptor, stands_for)
    os.environ.clear()
    os.environ.update(order["environment"])
    if order["is_cold"]:
        os.execv(sys.executable, [sys.executable, "-m", "portsync", *order["arguments"]])
    import_module("portsync.cli.main").main(order["arguments"])


if __name__ == "__main__":
    main()
