"""The Dockerfile without a container engine: its steps in a Debian root, then its command as process 1 of a namespace.

    python deploy/container/rehearse.py [--root FOLDER]

Needs root, Linux namespaces and debootstrap; FOLDER keeps the Debian root from one time to the next. What it cannot
show is the base image: a Debian of the same release with its own Python stands in for it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from portsync.demo.source import create_source
from portsync.demo.users import sample_users
from portsync.emulator.app import create_app
from portsync.loopback import serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHECKOUT = Path(__file__).parents[2]
SECRET, TOKEN, KEY = "rehearsal-port-secret", "rehearsal-source-token", "rehearsal-http-token"
ADDRESS = "127.0.0.1:18000"
URL = f"http://{ADDRESS}"
KEY_HEADER = {"authorization": f"Bearer {KEY}"}
USERS = 300
"""So many that a run takes some seconds."""
STATE = "home/portsync/state"
PATIENCE_S = 60.0
NEEDED = ("debootstrap", "unshare", "setpriv", "mount", "chroot")


@dataclass
class Image:
    """A root folder with what the Dockerfile says of it."""

    root: Path
    env: dict[str, str] = field(default_factory=lambda: {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"})
    args: dict[str, str] = field(default_factory=dict)
    user: str = "0"
    workdir: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)


def steps(dockerfile: Path) -> Iterator[tuple[str, str]]:
    """The instructions, each with its arguments; comments are gone and continued lines joined."""
    lines = [line for line in dockerfile.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def build(dockerfile: Path, base: Path, work: Path) -> Image:
    """The last stage of the Dockerfile, made out of `base` in `work`."""
    images: dict[str, Image] = {}
    for word, rest in steps(dockerfile):
        if word == "FROM":
            origin, _, name = rest.partition(" AS ")
            image = Image(work / (name or "final"))
            source = images[origin].root if origin in images else base
            # Devices are among the files.
            subprocess.run(["cp", "-a", str(source), str(image.root)], check=True)
            images[name or "final"] = image
        elif word == "ARG":
            argument, _, default = rest.partition("=")
            image.args[argument] = default
        else:
            print(f"  {word} {rest[:110]}", flush=True)
            follow(word, rest, image, images)
    return image


def follow(word: str, rest: str, image: Image, images: Mapping[str, Image]) -> None:
    """Do what one instruction says."""
    match word:
        case "RUN":
            run_in(image, ["/bin/sh", "-c", rest], {**image.args, **pip_settings()}, check=True)
        case "COPY":
            copy(rest, image, images)
        case "ENV":
            pairs = [pair.split("=", 1) for pair in shlex.split(rest)]
            image.env |= {name: value.replace("$PATH", image.env["PATH"]) for name, value in pairs}
        case "USER":
            image.user = rest
        case "WORKDIR":
            image.workdir = rest
            image.root.joinpath(rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        case "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        case "CMD":
            image.command = json.loads(rest)
        case "HEALTHCHECK":
            image.health = json.loads(rest[rest.index("[") :])
        case "LABEL" | "VOLUME" | "EXPOSE":
            pass
        case _:
            sys.exit(f"rehearse: no rehearsal knows the instruction {word}")


def copy(rest: str, image: Image, images: Mapping[str, Image]) -> None:
    """Copy as COPY does: what a folder holds, and not the folder."""
    words = rest.split()
    origin = CHECKOUT
    if words[0].startswith("--from="):
        origin = images[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    into = image.root / (Path(image.workdir) / target).as_posix().lstrip("/")
    for name in sources:
        source = origin / name.lstrip("/")
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if origin == CHECKOUT else None
            shutil.copytree(source, into, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            place = into / source.name if target.endswith("/") else into
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def pip_settings() -> dict[str, str]:
    """What this machine tells pip; a build behind a proxy would give it as build arguments."""
    return {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_CERT"))}


def run_in(image: Image, command: Sequence[str], env: Mapping[str, str], *, check: bool) -> int:
    """Run a command of the build in the image, with this machine's network and authorities."""
    given = {**image.env, **env}
    lent = [f"mount --bind {path} {image.root}{path}" for path in ("/etc/resolv.conf", "/etc/ssl/certs") if
            Path(path).exists() and image.root.joinpath(path.lstrip("/")).exists()]  # fmt: skip
    inside = shlex.join(
        ["chroot", str(image.root), "/bin/sh", "-c", f'cd {image.workdir} && exec "$@"', "sh", *command]
    )
    script = "\n".join([*lent, f"mount -t proc proc {image.root}/proc", f"exec {inside}"])
    words = ["unshare", "--mount", "--pid", "--fork", "/bin/sh", "-euc", script]
    return subprocess.run(words, env={**given, "HOME": "/root"}, check=check).returncode


def container(image: Image, state: Path, env: Mapping[str, str], command: Sequence[str]) -> list[str]:
    """The words that start the image's entry point as process 1: another user, no privileges, a root that is
    read-only, and the state's folder alone to write to."""
    root = image.root
    script = f"""
mount --bind {root} {root}
mount --bind {state} {root}/{STATE}
mount -o remount,ro,bind {root}
mount -t proc proc {root}/proc
mount -t tmpfs -o ro none {root}/tmp
mount -t tmpfs none {root}/dev
mknod -m 666 {root}/dev/null c 1 3
mknod -m 666 {root}/dev/urandom c 1 9
mount -o remount,ro {root}/dev
exec "$@"
"""
    inside = ["chroot", str(root), "setpriv", f"--reuid={image.user}", f"--regid={image.user}", "--clear-groups",
              "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]  # fmt: skip
    values = pairs({**image.env, **env})
    at = ["/usr/bin/env", "-i", f"--chdir={image.workdir}", *values, *image.entrypoint, *command]
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "/bin/sh", "-euc", script, "sh", *inside, *at]


def debian(folder: Path, release: str) -> Path:
    """A Debian root with Python, made where there is none yet."""
    root = folder / release
    if not (root / "usr/local/bin/python").exists():
        packages = "--include=python3,python3-venv,ca-certificates"
        words = ["debootstrap", "--variant=minbase", packages, release, str(root), "http://deb.debian.org/debian"]
        subprocess.run(words, check=True)
        (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    return root


@contextmanager
def peers() -> Iterator[tuple[str, str]]:
    """The sample source and a local Port; their URLs."""
    users = sample_users(USERS)
    emails = [user.email for user in users]
    source = create_source(token=TOKEN, today=datetime.now(UTC).date(), users=users)
    with (
        serving(source) as source_url,
        serving(create_app(client_id="cid", client_secret=SECRET, users=emails)) as port,
    ):
        yield source_url, port


def guide_environment(source_url: str, port_url: str) -> dict[str, str]:
    """The variables of the `docker run` command in Port's guide to Claude, with addresses on this machine."""
    return {
        "OCEAN__EVENT_LISTENER": '{"type":"ONCE"}',
        "OCEAN__INITIALIZE_PORT_RESOURCES": "true",
        "OCEAN__SEND_RAW_DATA_EXAMPLES": "true",
        "OCEAN__INTEGRATION__CONFIG__BASE_URL": source_url,
        "OCEAN__INTEGRATION__CONFIG__AUTH_TYPE": "bearer",
        "OCEAN__INTEGRATION__CONFIG__PAGINATION_TYPE": "none",
        "OCEAN__INTEGRATION__SECRETS__TOKEN": TOKEN,
        "OCEAN__PORT__CLIENT_ID": "cid",
        "OCEAN__PORT__CLIENT_SECRET": SECRET,
        "OCEAN__PORT__BASE_URL": port_url,
    }


def main() -> None:
    """Build, run once, stay up, stop; exit code 0 where all of it went as the guides say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=Path, help="keep the Debian root in this folder")
    options = parser.parse_args()
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if os.geteuid() != 0 or missing:
        print(f"rehearse: skipped: it needs root{' and ' + ', '.join(missing) if missing else ''}")
        return
    dockerfile = CHECKOUT / "Dockerfile"
    release = re.search(r"(?m)^FROM python:[\d.]+-slim-(\w+)", dockerfile.read_text(encoding="utf-8"))
    assert release is not None, "the base image names its Debian"
    with tempfile.TemporaryDirectory(prefix="portsync-image-") as work, ExitStack() as stack:
        base = debian(options.root or Path(work), release[1])
        image = build(dockerfile, base, Path(work))
        say_size(image, base)
        state = Path(work, "volume")
        state.mkdir(mode=0o770)
        os.chown(state, int(image.user), int(image.user))
        source_url, port_url = stack.enter_context(peers())
        once(image, state, guide_environment(source_url, port_url))
        plan(image, state, source_url, port_url)
        stay(image, state, guide_environment(source_url, port_url))
        written = sorted(str(path.relative_to(state)) for path in state.rglob("*") if path.is_file())
        print(f"written to the volume: {', '.join(written)}")


def say_size(image: Image, base: Path) -> None:
    def mib(path: Path) -> float:
        return sum(p.lstat().st_size for p in path.rglob("*") if not p.is_symlink() and p.is_file()) / 2**20

    print(f"size: {mib(image.root) - mib(base):.0f} MiB beyond the base")
    assert not list(image.root.joinpath("opt/portsync").rglob("pip/__init__.py")), "pip is not shipped"


def once(image: Image, state: Path, env: Mapping[str, str]) -> None:
    """The command of Port's guide, twice: everything arrives, and then nothing is new."""
    for told in ("created", "unchanged"):
        words = container(image, state, env, image.command)
        run = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
        assert run.returncode == 0, run.stderr
        assert SECRET not in run.stdout + run.stderr
        found = re.search(r"(?m)^ok: .*", run.stdout)
        assert found is not None, run.stdout
        assert re.search(rf"[1-9]\d* {told}", found[0].replace(",", "")), found[0]
        print(f"one-time run, by the command of Port's guide: exit code 0, {found[0]}")


def plan(image: Image, state: Path, source_url: str, port_url: str) -> None:
    """Another command of the same image: a plan, which puts what it foresees into a file for a moment."""
    own = {"PORT_CLIENT_ID": "cid", "PORT_CLIENT_SECRET": SECRET, "PORT_BASE_URL": port_url}
    env = {**own, "ANTHROPIC_BASE_URL": source_url, "ANTHROPIC_API_KEY": TOKEN}
    words = container(image, state, env, ["plan", "mappings/claude.yaml", "--detailed-exitcode"])
    run = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert run.returncode in (0, 10), run.stdout + run.stderr
    print(f"plan: exit code {run.returncode}")


def stay(image: Image, state: Path, env: Mapping[str, str]) -> None:
    """The service: healthy, with all rights gone; it waits for its dead children and ends on SIGTERM."""
    own = {"PORTSYNC_HTTP_TOKEN": KEY, "PORTSYNC_LISTEN": ADDRESS}
    given = {**env, "OCEAN__EVENT_LISTENER": '{"type":"POLLING"}', **own}
    process = subprocess.Popen(container(image, state, given, image.command), text=True, stderr=subprocess.PIPE)
    try:
        wait_for(good_runs, "the first run")
        first = child_of(process.pid)
        health = ["chroot", str(image.root), "/usr/bin/env", "-i", *pairs({**image.env, **given}), *image.health]
        assert subprocess.run(health, check=False).returncode == 0
        print("the health check passes")
        status = Path(f"/proc/{first}/status").read_text(encoding="utf-8")
        for name, wanted in (("Uid", image.user), ("CapEff", "0" * 16), ("NoNewPrivs", "1"), ("NSpid", str(first))):
            found = re.search(rf"(?m)^{name}:\s+(\S+)", status)
            assert found is not None
            assert found[1] == wanted, f"{name} is {found[1]}"
        httpx.post(f"{URL}/resync", headers=KEY_HEADER, trust_env=False).raise_for_status()
        wait_for(lambda: children_of(first), "a worker")
        killed = children_of(first)
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        wait_for(lambda: good_runs() >= 2, "the second run")
        assert not [pid for pid in children_of(first) if state_of(pid) == "Z"], "a dead child is not waited for"
        print(f"{len(killed)} workers killed during a run: it ended well, and left no zombie to process 1")
        began = time.monotonic()
        os.kill(first, signal.SIGTERM)
        code = process.wait(timeout=PATIENCE_S)
        assert code == 0, process.stderr.read() if process.stderr else ""
        print(f"SIGTERM to process 1: exit code {code} after {time.monotonic() - began:.1f} s")
        assert subprocess.run(health, check=False, stderr=subprocess.DEVNULL).returncode != 0
        print("the health check fails where nobody answers")
    finally:
        process.kill()


def good_runs() -> int:
    """How many runs have ended well."""
    try:
        answer = httpx.get(f"{URL}/runs", headers=KEY_HEADER, trust_env=False)
    except httpx.HTTPError:
        return 0
    runs: list[dict[str, Any]] = answer.json()["runs"]
    return sum(run["status"] == "ok" for run in runs)


def pairs(env: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in env.items()]


def wait_for(happened: Any, what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < until, f"{what} did not come"
        time.sleep(0.1)


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(word) for word in text.split()]


def child_of(pid: int) -> int:
    (child,) = children_of(pid)
    return child


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]


if __name__ == "__main__":
    main()
