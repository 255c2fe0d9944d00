"""What somebody takes along: the mapping, its blueprints, a test case of the answers that are kept, and commands."""

from __future__ import annotations

import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from portsync.authoring.cassette import save
from portsync.authoring.suite import load_suite
from portsync.authoring.update import updated
from portsync.errors import ConfigError
from portsync.pieces import plain_path
from portsync.studio.checked import variables_in
from portsync.studio.commands import Taken, commands
from portsync.studio.view import view
from portsync.studio.work import NEW, prepared
from portsync.transport.exchange import Exchange

if TYPE_CHECKING:
    from portsync.authoring.asked import Seen
    from portsync.mapping.loader import LoadedMapping
    from portsync.plan import SourcePlan
    from portsync.studio.asked import Text
    from portsync.studio.session import Session
    from portsync.studio.work import Ready

_MOST_ENDS = 20
"""How many empty pages are made up for one test, where the answers that are kept do not end by themselves."""


@dataclass(frozen=True, slots=True)
class TakenFile:
    """A file to take along; its name is a path below the mapping's folder."""

    name: str
    content: bytes
    about: str


async def taken_files(session: Session, asked: Text) -> list[TakenFile]:
    """The files. Raises ConfigError where the text is no mapping."""
    ready = prepared(session, asked)
    if ready.found.mapping is None or ready.found.source is None:
        raise ConfigError(*ready.found.problems)
    name = (session.file.path or NEW).stem
    files = [TakenFile(f"{name}.yaml", asked.text.encode(), "the mapping")]
    for identifier, blueprint in ready.blueprints.items():
        content = f"{json.dumps(blueprint, indent=2, ensure_ascii=False)}\n".encode()
        about = f"the blueprint {identifier}"
        files.append(TakenFile(f"blueprints/{name}/{_file_name(identifier)}.json", content, about))
    exchanges = await _exchanges(session, ready)
    if exchanges:
        files += await _test_files(session, asked.text, name, ready.found.mapping, ready.found.source, exchanges)
    return files


def _file_name(identifier: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", identifier).strip("-") or "blueprint"


async def taken(session: Session, asked: Text) -> dict[str, Any]:
    """The files and commands, for the page. Raises ConfigError."""
    files = await taken_files(session, asked)
    name = (session.file.path or NEW).stem
    names = [each["name"] for each in variables_in(asked.text, {})]
    has = Taken(name, names, any("/" in each.name and each.name.startswith("blueprints/") for each in files),
                any(each.name.endswith(".test.yaml") for each in files), session.folder)  # fmt: skip
    shown = [{"name": each.name, "about": each.about, "text": each.content.decode()} for each in files]
    made = [{"title": each.title, "about": each.about, "text": each.text} for each in commands(has)]
    return {"files": shown, "commands": made}


def packed(files: list[TakenFile]) -> bytes:
    """The files as one ZIP archive; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for each in files:
            archive.writestr(zipfile.ZipInfo(each.name), each.content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


async def _exchanges(session: Session, ready: Ready) -> list[Exchange]:
    """The answers that the resources read, each once, in their order."""
    mapping, source = ready.found.mapping, ready.found.source
    assert mapping is not None
    assert source is not None
    found: dict[tuple[str, str, bytes], Exchange] = {}
    for index in range(len(mapping.file.resources)):
        _, playing = await view(session, ready.settings, mapping, source, index)
        for exchange in playing.given:
            found.setdefault((exchange.method, exchange.url, exchange.content or b""), exchange)
    return list(found.values())


async def _test_files(
    session: Session, text: str, name: str, mapping: LoadedMapping, source: SourcePlan, exchanges: list[Exchange]
) -> list[TakenFile]:
    """A test case for each kind, with what it comes to written down, and the answers that it reads."""
    ends = _ends(mapping)
    kinds = list(dict.fromkeys(resource.kind for resource in mapping.file.resources))
    cases = [{"name": f"the first pages of {kind}", "kind": kind, "cassette": f"cassettes/{name}"} for kind in kinds]
    with TemporaryDirectory(prefix="portsync-studio-") as folder:
        root = Path(folder)
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
        path = root / f"{name}.test.yaml"
        path.write_text(_cases_text(cases), encoding="utf-8")
        for _ in range(_MOST_ENDS):
            save(root / "cassettes" / name, exchanges, session.now, source.base_url, session.redactor)
            suite = load_suite(path)
            results = {}
            async for outcome in suite.outcomes():
                if outcome.result.requests:
                    results[suite.cases.file.cases.index(outcome.case)] = outcome.result
            missed = [request for result in results.values() for request in result.missed]
            made = [_end_for(request, source.base_url, ends) for request in missed]
            exchanges = exchanges + [one for one in made if one is not None and one not in exchanges]
            if not made or None in made:
                break
        # Nothing was kept for the others, and so nothing can be expected of them.
        kept = [case for number, case in enumerate(cases) if number in results]
        path.write_text(_cases_text(kept), encoding="utf-8")
        found = {kept.index(cases[number]): result for number, result in results.items()}
        path.write_text(updated(load_suite(path).cases, found), encoding="utf-8")
        files = [TakenFile(path.name, path.read_bytes(), "a test case of the answers that are kept")]
        for file in sorted((root / "cassettes" / name).iterdir()):
            about = "when and where they came" if file.name == "cassette.json" else "an answer, secrets masked"
            files.append(TakenFile(f"cassettes/{name}/{file.name}", file.read_bytes(), about))
        return files


def _cases_text(cases: list[dict[str, str]]) -> str:
    lines = ["# portsync test runs these cases, without a network.", "cases:"]
    for case in cases:
        first = "  - "
        for key, value in case.items():
            lines.append(f"{first}{key}: {json.dumps(value, ensure_ascii=False)}")
            first = "    "
    return "\n".join(lines) + "\n"


def _ends(mapping: LoadedMapping) -> dict[str, bytes]:
    """The empty page of each kind whose records are at a plain path."""
    found = {}
    for resource in mapping.file.resources:
        path = plain_path(resource.selector.data_path)
        if path is not None:
            value: Any = []
            for part in reversed(path):
                value = {part: value}
            found[resource.kind.partition("?")[0]] = orjson.dumps(value)
    return found


def _end_for(request: Seen, base_url: str, ends: dict[str, bytes]) -> Exchange | None:
    """An empty page for a request behind the last answer that is kept: the studio reads no more than the first ones."""
    body = ends.get(request.path) or (next(iter(ends.values())) if len(ends) == 1 else None)
    if body is None:
        return None
    query = f"?{urlencode(request.query)}" if request.query else ""
    content = None if request.body is None else orjson.dumps(request.body)
    url = f"{base_url}{request.path}{query}"
    return Exchange(request.method, url, {}, content, 200, {"content-type": "application/json"}, body)
