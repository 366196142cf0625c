"""`python -m bench.profile_progress`: where our server's time goes while `progress_read` loads it."""

import json
import os
import signal
import time
from pathlib import Path

from bench.load import wrk
from bench.progress_read import laid_out
from bench.sampling import shares
from bench.stage import stage

_SECONDS = 10
_PATIENCE_SECONDS = 20.0


def main() -> None:
    """Load the sampled server, and print each layer's part."""
    with stage() as stood:
        house, _, requests = laid_out(stood)
        result = stood.folder / "samples.json"
        server = house.serve(stood, under=("-m", "bench.sampling", str(result)))
        run = wrk.run(_SECONDS, url=server.url, requests=requests, pid=server.pid)
        os.kill(server.pid, signal.SIGTERM)
        counts = json.loads(samples_in(result))
    print(f"{sum(counts.values())} samples, {run.requests} requests, {run.cpu_us:.0f} us CPU/request")
    for layer, part in shares(counts):
        print(f"{layer:<32}{part:>6.0%}{part * run.cpu_us:>8.0f} us")


def samples_in(result: Path) -> str:
    """What the server writes when it ends."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not (result.exists() and (text := result.read_text(encoding="utf-8"))):
        if time.monotonic() > deadline:
            raise TimeoutError("the sampled server did not end")
        time.sleep(0.05)
    return text


if __name__ == "__main__":
    main()
