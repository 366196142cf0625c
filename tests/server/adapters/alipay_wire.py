"""Our door to Alipay as the settings make it, and the sandbox's gateway at the other end of the wire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kit.clock import Clock, SystemClock
from sandbox import credentials
from sandbox.run.partners import Partners as Sandbox
from sandbox.server import served
from server.identity.ports import WalletDoor
from server.settings import AlipaySettings
from server.wiring.alipay import open_alipay
from server.wiring.partners import Partners
from tests.sandbox.city import City


@dataclass(frozen=True)
class Wire:
    """`city.control` is what people do in Alipay; `section` the settings that the door was made of."""

    door: WalletDoor
    city: City
    section: dict[str, Any]


@asynccontextmanager
async def wire(folder: Path, *, clock: Clock | None = None, **changed: Any) -> AsyncIterator[Wire]:
    """Serve the sandbox and open the door; `changed` settings of the section."""
    directory = folder / "sandbox"
    credentials.init(directory)
    async with served(directory, time_scale=0.001) as running:
        section = Sandbox(running.url, directory, process=None).sections()["alipay"] | changed  # type: ignore[arg-type]
        partners = Partners()
        made = AlipaySettings.model_validate(section)
        _, door = open_alipay(made, clock or SystemClock(), partners.client("alipay", timeout=60))
        async with httpx.AsyncClient(base_url=running.url, timeout=60, trust_env=False) as http:
            yield Wire(door, City(http, directory / "credentials"), section)
        for client in partners.clients:
            await client.aclose()
