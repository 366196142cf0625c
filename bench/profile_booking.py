"""`python -m bench.profile_booking`: where our server's time goes while `booking_contention` loads it."""

import json
import os
import signal

from bench.booking_contention import laid_out
from bench.load.bookings import run
from bench.profile_progress import samples_in
from bench.sampling import shares
from bench.stage import stage

_SECONDS = 6


def main() -> None:
    """Load the sampled server, and print each layer's part."""
    with stage() as stood:
        house, _, requests = laid_out(stood)
        result = stood.folder / "samples.json"
        server = house.serve(stood, under=("-m", "bench.sampling", str(result)))
        done = run(_SECONDS, url=server.url, requests=requests, pid=server.pid)
        os.kill(server.pid, signal.SIGTERM)
        counts = json.loads(samples_in(result))
    print(
        f"{sum(counts.values())} samples, {done.made} booked, {done.refused} refused, {done.cpu_us:.0f} us CPU/request"
    )
    for layer, part in shares(counts):
        print(f"{layer:<32}{part:>6.0%}{part * done.cpu_us:>8.0f} us")


if __name__ == "__main__":
    main()
