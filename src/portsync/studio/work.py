"""What one keystroke sets off: the check, and a look at the resource that is in view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from portsync.errors import ConfigError, Problem
from portsync.studio.checked import blueprint_names, checked, read_blueprint, shown_problem, variables_in
from portsync.studio.view import ask, shown, view

if TYPE_CHECKING:
    from portsync.settings import Settings
    from portsync.studio.asked import Text
    from portsync.studio.checked import Checked
    from portsync.studio.session import Session

NEW = Path("mapping.yaml")
"""What a mapping is called that has no file yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A text after its check."""

    settings: Settings
    found: Checked
    blueprints: dict[str, dict[str, Any]]
    blueprint_problems: dict[str, Problem]


def prepared(session: Session, asked: Text) -> Ready:
    """The check of a text with its blueprints. From here on its secrets are known. Raises SettingsError."""
    settings = session.settings()
    read = {name: read_blueprint(name, text) for name, text in asked.blueprints.items()}
    blueprints = {name: value for name, value in read.items() if not isinstance(value, Problem)}
    wrong = {name: value for name, value in read.items() if isinstance(value, Problem)}
    path = session.file.path or NEW
    found = checked(asked.text, path, session.environment, settings, list(blueprints.values()))
    if found.mapping is not None:
        session.know(found.secrets)
    return Ready(settings, found, blueprints, wrong)


async def look(session: Session, asked: Text) -> dict[str, Any]:
    """The check of the text and, where it is a mapping, what its resource makes of the kept answers."""
    began = perf_counter()
    ready = prepared(session, asked)
    found, redactor = ready.found, session.redactor
    # Who begins with nothing has made no mistake yet.
    wrong = found.problems if asked.text.strip() else ()
    problems = [shown_problem(one, asked.text, redactor, "error") for one in wrong]
    problems += [shown_problem(one, asked.text, redactor, "warning") for one in found.warnings]
    answer: dict[str, Any] = {
        "problems": problems,
        "variables": variables_in(asked.text, session.environment),
        "blueprint_problems": {
            name: shown_problem(one, asked.blueprints[name], redactor, "error")
            for name, one in ready.blueprint_problems.items()
        },
        "resources": None,
        "view": None,
    }
    if found.mapping is not None:
        resources = found.mapping.file.resources
        answer["resources"] = [
            {
                "kind": redactor.clean(resource.kind),
                "method": resource.selector.method,
                "data_path": resource.selector.data_path,
                "mappings": len(resource.port.entity.mappings),
                "properties": sum(len(entity.properties) for entity in resource.port.entity.mappings),
                **_lines(found, index),
            }
            for index, resource in enumerate(resources)
        ]
        answer["blueprints"] = blueprint_names(found.mapping)
        if found.source is not None and asked.index < len(resources):
            viewed, playing = await view(session, ready.settings, found.mapping, found.source, asked.index)
            answer["view"] = shown(viewed, playing, session)
    answer["took_ms"] = round((perf_counter() - began) * 1000, 1)
    return answer


def _lines(found: Checked, index: int) -> dict[str, int]:
    assert found.mapping is not None
    node = found.mapping.document.nearest(("resources", index))
    return {"line": node.start_mark.line + 1, "to_line": node.end_mark.line + 1}


async def ask_source(session: Session, asked: Text) -> None:
    """Ask the source for the first pages of the resource in view; what it answers is kept. Raises ConfigError where
    the text is no mapping yet."""
    ready = prepared(session, asked)
    found = ready.found
    if found.mapping is None or found.source is None:
        raise ConfigError(*found.problems)
    if asked.index < len(found.mapping.file.resources):
        with session.knowing(found.secrets):
            await ask(session, ready.settings, found.mapping, found.source, asked.index)
