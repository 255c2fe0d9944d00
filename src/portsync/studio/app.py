"""The studio as an ASGI application."""

from __future__ import annotations

import secrets
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from portsync.studio.guard import Guard, Keys
from portsync.studio.routes import routes
from portsync.studio.trial import Trial

if TYPE_CHECKING:
    from contextlib import ExitStack

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from portsync.studio.session import Session

_HERE = Path(__file__).parent
ASSETS = _HERE / "assets"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
"""The editor makes its styles itself, and says the nonce with them."""


def create_app(session: Session, keys: Keys, closing: ExitStack) -> ASGIApp:
    """The studio of `session`, which `keys` open. Whoever serves it enters `session.pool` before, and closes `closing`
    when nobody asks any more."""
    templates = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined)
    page = templates.get_template("studio.html")
    addresses = {name.partition(".")[2]: _address(name) for name in ("studio.css", "studio.js")}

    async def show(_request: Request) -> HTMLResponse:
        nonce = secrets.token_urlsafe(18)
        policy = _POLICY.format(nonce=nonce)
        return HTMLResponse(page.render(nonce=nonce, **addresses), headers={"content-security-policy": policy})

    assets = Mount("/assets", StaticFiles(directory=ASSETS))
    return Guard(Starlette(routes=[Route("/", show), assets, *routes(session, Trial(session, closing))]), keys)


def _address(name: str) -> str:
    """Where an asset is; another one after each change of it."""
    return f"/assets/{name}?{sha256((ASSETS / name).read_bytes()).hexdigest()[:12]}"
