"""`progress_read`: a signed-in resident reads how far an application is, on MariaDB.

Our server does what it does in production: session check with its memory of 5 seconds, request id, metrics, one log
line per request, the answer checked out of the same tables. `ours_quiet` is reported beside it: the same without
log lines.
"""

import asyncio
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.house import House, free_port, prepared
from bench.load import wrk
from bench.load.compare import by_cpu
from bench.results import Figure
from bench.rows import file_applications, sign_in
from bench.stage import Server, Stage
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db.connection import credentials, database
from server.database import APPS

NAME = "progress_read"
APPLICATIONS = 2000
COMPARED = 20


Asked = tuple[str, str]
"""A path, and the bearer token of the resident who asks."""


def laid_out(stage: Stage) -> tuple[House, list[Asked], Path]:
    """An installation full of applications, what is asked of it, and the file that loads draw from."""
    house = prepared(stage, NAME)
    asked = asyncio.run(_filled(house))
    requests = stage.folder / "requests"
    wrk.write_requests(requests, asked)
    return house, asked, requests


def measure(stage: Stage) -> Figure:
    """Server CPU time per request."""
    house, asked, requests = laid_out(stage)
    servers = {
        "ours": house.serve(stage),
        "ours_quiet": house.serve(stage, level="WARNING"),
        "bare": _bare(stage, house),
    }
    _same_bytes(servers, random.sample(asked, COMPARED))
    return by_cpu(
        NAME,
        {name: partial(wrk.run, url=server.url, requests=requests, pid=server.pid) for name, server in servers.items()},
    )


async def _filled(house: House) -> list[Asked]:
    cipher = Cipher(load_key_ring(house.keys))
    async with database(credentials(house.database), APPS):
        signed = await sign_in(cipher, count=APPLICATIONS)
        ids = await file_applications(cipher, [each.resident for each in signed])
    return [
        (f"/api/v1/applications/{application_id}/progress", each.token)
        for application_id, each in zip(ids, signed, strict=True)
    ]


def _bare(stage: Stage, house: House) -> Server:
    port = free_port()
    arguments = ("-m", "bench.bare_progress", house.database, str(port))
    return stage.serve("bare", *arguments, url=f"http://127.0.0.1:{port}", ready="/")


def _same_bytes(servers: dict[str, Server], sample: Sequence[Asked]) -> None:
    """RuntimeError when the contenders do not answer the same: then their times say nothing."""
    for path, token in sample:
        bodies = {name: server.get(path, token) for name, server in servers.items()}
        if len(set(bodies.values())) != 1:
            raise RuntimeError(f"the contenders answer differently: {bodies}")
