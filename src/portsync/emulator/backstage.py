"""The routes beside Port's API, by which a test scripts the local Port and looks at what it was asked. They take no
token, cost nothing of the request budget and are not logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from portsync.emulator.answers import answer
from portsync.emulator.faults import FaultReader
from portsync.emulator.intake import read_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from portsync.emulator.faults import Faults
    from portsync.emulator.request_log import RequestLog


class Backstage:
    """`/_faults` and `/_requests`."""

    def __init__(self, faults: Faults, log: RequestLog) -> None:
        self._faults = faults
        self._log = log
        self._reader = FaultReader()

    def routes(self) -> list[Route]:
        return [
            Route("/_faults", self.show_faults, methods=["GET"]),
            Route("/_faults", self.add_faults, methods=["POST"]),
            Route("/_faults", self.clear_faults, methods=["DELETE"]),
            Route("/_requests", self.show_requests, methods=["GET"]),
            Route("/_requests", self.clear_requests, methods=["DELETE"]),
        ]

    async def show_faults(self, _request: Request) -> Response:
        return answer({"faults": self._faults.as_json()})

    async def add_faults(self, request: Request) -> Response:
        """Add the rules of a list, behind those that are there; none of them where one is wrong."""
        self._faults.add(self._reader.read(await read_json(request, too_large_error="payload_too_large")))
        return answer({"faults": self._faults.as_json()})

    async def clear_faults(self, _request: Request) -> Response:
        self._faults.clear()
        return answer({"faults": []})

    async def show_requests(self, _request: Request) -> Response:
        return answer(self._log.as_json())

    async def clear_requests(self, _request: Request) -> Response:
        self._log.clear()
        return answer(self._log.as_json())
