"""Templates and values put together. Every value is escaped, whatever the template's name."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from portsync.emulator.page import links, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

_HERE = Path(__file__).parent
ASSETS = _HERE / "assets"


class Renderer:
    """Makes answers of templates."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            blueprint_href=links.blueprint_href,
            entity_href=links.entity_href,
            dashboard_href=links.dashboard_href,
            source_href=links.source_href,
            run_href=links.run_href,
            stylesheet=_address("catalog.css"),
            script=_address("catalog.js"),
        )
        self._templates.filters.update(
            number=texts.number, moment=texts.moment, clipped=texts.clipped, seconds=texts.seconds
        )

    def page(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """An answer that no browser keeps: the catalogue changes behind it."""
        text = self._templates.get_template(template).render(values)
        return HTMLResponse(text, status, {"cache-control": "no-store"})


def _address(name: str) -> str:
    """Where an asset is; another one after each change of it, so that browsers may keep it."""
    return f"/assets/{name}?{sha256((ASSETS / name).read_bytes()).hexdigest()[:12]}"
