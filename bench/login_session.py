"""`login_session`: what the check of a resident's session adds to a request, over 10,000 live sessions.

The baseline is a public route of the same app with the same middleware and body.
"""

import asyncio
from functools import partial

from bench.house import House, prepared
from bench.load import wrk
from bench.load.compare import by_cpu
from bench.results import Figure
from bench.rows import sign_in
from bench.stage import Stage
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db.connection import credentials, database
from server.database import APPS

NAME = "login_session"
SESSIONS = 10_000


def measure(stage: Stage) -> Figure:
    """Server CPU time per request."""
    house = prepared(stage, NAME)
    tokens = asyncio.run(_filled(house))
    server = house.serve_module(stage, "bench.session_app")
    requests = {"ours": stage.folder / "signed", "bare": stage.folder / "open"}
    wrk.write_requests(requests["ours"], [("/bench/signed", token) for token in tokens])
    wrk.write_requests(requests["bare"], [("/bench/open", token) for token in tokens])
    if server.get("/bench/signed", tokens[0]) != server.get("/bench/open"):
        raise RuntimeError("the contenders answer differently")
    return by_cpu(
        NAME,
        {name: partial(wrk.run, url=server.url, requests=drawn, pid=server.pid) for name, drawn in requests.items()},
    )


async def _filled(house: House) -> list[str]:
    cipher = Cipher(load_key_ring(house.keys))
    async with database(credentials(house.database), APPS):
        return [each.token for each in await sign_in(cipher, count=SESSIONS)]
