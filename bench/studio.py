"""How long the studio takes from a keystroke to what it shows: `./dev bench studio [--records N]`.

The page's own request is sent as it would be after each keystroke of an expression that is being written, on answers
that are kept. A first answer of some records, and a huge one. Exit code 1 where the target is missed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from portsync.jq.pool import JqPool
from portsync.jq.process import Limits
from portsync.logs import Redactor
from portsync.loopback import serving
from portsync.runtime import Runtime
from portsync.studio.app import create_app
from portsync.studio.files import MappingFileOnDisk
from portsync.studio.guard import ENTRY, Keys
from portsync.studio.session import Session

_TARGET_MS = 300
_WRITTEN = '(.name | ascii_upcase) + " of " + (.owner.login // "nobody")'
_MAPPING = """source: {{base_url: {url}}}
resources:
  - kind: /things?count={count}
    selector: {{data_path: .data}}
    port:
      entity:
        mappings:
          identifier: .id
          title: .name
          blueprint: '"thing"'
          properties:
            size: .size
            said: {expression!r}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="How many the huge answer holds.")
    wanted = parser.parse_args()

    def things(request: object) -> JSONResponse:
        count = int(request.query_params["count"])  # type: ignore[attr-defined]
        data = [
            {"id": n, "name": f"thing {n}", "size": n, "owner": {"login": "ada"}, "text": "x" * 80}
            for n in range(count)
        ]
        return JSONResponse({"data": data})

    source = Starlette(routes=[Route("/things", things)])
    pool, keys = JqPool(Limits(), 2, has_spare=True), Keys()
    is_met = True
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        session = Session(Runtime({}), Redactor(), pool, MappingFileOnDisk(), Path(folder))
        upstream = stack.enter_context(serving(source))
        url = stack.enter_context(serving(create_app(session, keys, stack), around=lambda: pool))
        client = stack.enter_context(httpx.Client(base_url=url, trust_env=False, headers={"origin": url}, timeout=120))
        client.get(f"{ENTRY}?token={keys.token}").raise_for_status()
        for count in (50, wanted.records):
            text = _MAPPING.format(url=upstream, count=count, expression=".name")
            client.post("/api/ask", json={"text": text}).raise_for_status()
            times = []
            for end in range(1, len(_WRITTEN) + 1):
                text = _MAPPING.format(url=upstream, count=count, expression=_WRITTEN[:end])
                began = time.perf_counter()
                answer = client.post("/api/look", json={"text": text}).raise_for_status()
                times.append((time.perf_counter() - began) * 1000)
            slow = statistics.quantiles(times, n=20)[-1]
            is_met = is_met and slow < _TARGET_MS
            print(
                f"{count:>9,} records: median {statistics.median(times):6.1f} ms, 95 % within {slow:6.1f} ms, "
                f"longest {max(times):6.1f} ms, {len(answer.content):,} bytes to the page"
            )
    others = f"; the machine's load is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    print(f"target: 95 % within {_TARGET_MS} ms: {'met' if is_met else 'MISSED'}{others}")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
