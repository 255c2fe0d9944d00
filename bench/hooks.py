"""How long webhooks take to Port, and whether the service may be killed: `./dev bench hooks [--count N]`.

Webhooks are sent to `portsync serve`, one in a hundred with a wrong signature. In the middle the process is killed and
started again. A traceback and exit code 1 where a good one is lost, comes in the wrong order, or a bad one gets in.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.serve.barrage import barrage


def main() -> None:
    """Send, and print how it went."""
    parser = argparse.ArgumentParser(prog="./dev bench hooks", description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000, help="how many webhooks")
    parser.add_argument("--seconds", type=float, default=10.0, help="in how many seconds")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of chance; the time by default")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        outcome = asyncio.run(barrage(Path(folder), wanted.count, wanted.seconds, wanted.seed))
    outcome.check()
    latencies = outcome.latencies()
    p50, p99 = (latencies[int(len(latencies) * share)] for share in (0.5, 0.99))
    down_s = outcome.down[1] - outcome.down[0] - 2
    print(
        f"{wanted.count} webhooks in {wanted.seconds:g} s: {len(outcome.sent)} good ones in Port, in order; "
        f"{len(outcome.forged)} forged ones refused and counted; killed once, away for {down_s:.1f} s, "
        f"{outcome.again} sent again"
    )
    print(
        f"from sending to Port: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {latencies[-1] * 1000:.0f} ms"
    )


if __name__ == "__main__":
    main()
