"""Platform and registry as two processes, each with a database of its own: signed HTTP both ways."""

from collections.abc import Mapping
from typing import Final

import httpx

from kit.clock import Clock
from kit.errors import OutsideError
from kit.files.store import FileStore
from kit.http import HttpClient
from kit.http.hosts import address_flaws
from kit.http.signing import RequestSigner
from server.adapters.registry_callbacks import (
    FROM_PLATFORM,
    FROM_REGISTRY,
    MATERIAL_BYTES,
    QUERIES,
    blueprints,
)
from server.adapters.registry_unit_wire import decode_unit, encode_question
from server.adapters.registry_wire import WireError, encode_down, encode_up
from server.terms.messages import DownMessage, UpMessage
from server.terms.unit_record import UnitRecord

__all__ = ["HttpPlatform", "HttpRegistry", "SignedPeer", "blueprints"]

JSON = "application/json"
# Repeating the same bytes will not help; any other refusal may heal: a clock, a key, a file still on its way.
_FINAL: Final = frozenset({400, 413, 415, 422})


class SignedPeer:
    """Sends signed requests to one base URL."""

    def __init__(self, http: HttpClient, *, base_url: str, signer: RequestSigner, clock: Clock) -> None:
        self._http, self._base_url, self._signer, self._clock = http, base_url, signer, clock

    def check_config(self) -> list[str]:
        return address_flaws("the other side's address", self._base_url)

    async def check_connection(self) -> str:
        """The other side's process answers; signatures are tried by the first message."""
        answer = await self._http.request("GET", f"{self._base_url}/healthz")
        if not answer.is_success:
            raise OutsideError(self._http.system, f"HTTP_{answer.status_code}", "/healthz", permanent=False)
        return "it answers; whether it takes our signature only the first message shows"

    async def send(self, method: str, path: str, body: bytes, *, content_type: str = JSON) -> bytes:
        """The answer's body; OutsideError for anything but success."""
        url = self._base_url + path
        signed_path = httpx.URL(url).raw_path.decode()
        headers: Mapping[str, str] = {
            "Content-Type": content_type,
            **self._signer.headers(method, signed_path, body, now=self._clock.now()),
        }
        answer = await self._http.request(method, url, content=body, headers=headers)
        if not answer.is_success:
            raise OutsideError(
                self._http.system,
                f"HTTP_{answer.status_code}",
                f"{method} {path.split('/')[2]} was refused",
                permanent=answer.status_code in _FINAL,
            )
        return answer.content


class HttpRegistry:
    """Implements `relay.ports.CentralRegistry` against a registry's callbacks."""

    def __init__(self, peer: SignedPeer, files: FileStore) -> None:
        self._peer, self._files = peer, files

    def check_config(self) -> list[str]:
        return self._peer.check_config()

    async def check_connection(self) -> str:
        return await self._peer.check_connection()

    async def query_unit(self, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
        question = encode_question(unit_code=unit_code, certificate_number=certificate_number)
        try:
            return decode_unit(await self._peer.send("POST", QUERIES, question))
        except WireError as error:
            raise OutsideError("registry", "BAD_ANSWER", str(error), permanent=False) from None

    async def put_material(self, *, application_id: str, scope: str, digest: str) -> None:
        content = await self._files.read(scope=scope, digest=digest, limit=MATERIAL_BYTES)
        path = f"{FROM_PLATFORM}/materials/{application_id}/{digest}"
        await self._peer.send("PUT", path, content, content_type="application/octet-stream")

    async def send(self, message: UpMessage) -> None:
        await self._peer.send("POST", FROM_PLATFORM, encode_up(message))


class HttpPlatform:
    """Implements `registry.ports.Platform` against the platform's callback."""

    def __init__(self, peer: SignedPeer) -> None:
        self._peer = peer

    def check_config(self) -> list[str]:
        return self._peer.check_config()

    async def check_connection(self) -> str:
        return await self._peer.check_connection()

    async def send(self, message: DownMessage) -> None:
        await self._peer.send("POST", FROM_REGISTRY, encode_down(message))
