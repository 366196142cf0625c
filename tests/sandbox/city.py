"""The city as its partners see it: a client with the city's keys, and a callback address."""

import asyncio
import json
import time
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox import signing


@dataclass
class City:
    """A client with the city's keys, and only those."""

    http: httpx.AsyncClient
    folder: Path
    ids: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = json.loads((self.folder / "credentials.json").read_text())

    def secret(self, name: str) -> str:
        return (self.folder / name).read_text()

    def sign(self, message: bytes) -> str:
        return signing.rsa_sign(self._key("merchant_key.pem"), message)

    async def control(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.request(method, f"/_control{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def token(self) -> str:
        body = {
            "grant_type": "client_credential",
            "appid": self.ids["app_id"],
            "secret": self.secret("app_secret"),
        }
        answer = await self.http.post("/wechat/cgi-bin/stable_token", json=body)
        return str(answer.json()["access_token"])

    async def wechat(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.http.post(f"/wechat{path}", params={"access_token": await self.token()}, json=body)
        assert answer.status_code == 200
        return dict(answer.json())

    def declaration_headers(self, path: str, body: bytes, *, timestamp: int, nonce: str) -> dict[str, str]:
        message = signing.yc_message(method="POST", path=path, timestamp=str(timestamp), nonce=nonce, body=body)
        return {
            "Yc-Key-Id": self.ids["city_key_id"],
            "Yc-Timestamp": str(timestamp),
            "Yc-Nonce": nonce,
            "Yc-Signature": b64encode(self._key("city_tax_key.pem").sign(message)).decode(),
        }

    def payment(self, prepay_id: str, *, person: str = "P3", **changes: str) -> dict[str, str]:
        """What `wx.requestPayment` is called with, signed with the merchant's key."""
        sent = {
            "appId": self.ids["app_id"],
            "timeStamp": "1795266000",
            "nonceStr": "n0nce",
            "package": f"prepay_id={prepay_id}",
        }
        message = "\n".join(sent.values()) + "\n"
        return {"person": person, **sent, "signType": "RSA", "paySign": self.sign(message.encode()), **changes}

    async def order(self, number: str, *, notify_url: str = "http://127.0.0.1:9/nobody") -> str:
        """Order 8000 fen to be paid by P3; the prepay_id."""
        path = "/v3/pay/transactions/jsapi"
        asked = {
            "appid": self.ids["app_id"],
            "mchid": self.ids["mchid"],
            "description": "不动产登记费",
            "out_trade_no": number,
            "notify_url": notify_url,
            "amount": {"total": 8000},
            "payer": {"openid": "oSandboxPerson000000000000P3"},
        }
        body, now = json.dumps(asked).encode(), str(int(time.time()))
        message = signing.pay_request_message(method="POST", path=path, timestamp=now, nonce="n", body=body)
        parts = {
            "mchid": self.ids["mchid"],
            "nonce_str": "n",
            "timestamp": now,
            "serial_no": self.ids["merchant_serial"],
            "signature": self.sign(message),
        }
        header = ",".join(f'{name}="{value}"' for name, value in parts.items())
        headers = {"Authorization": f"{signing.WECHAT_PAY_SCHEME} {header}"}
        answer = await self.http.post(path, content=body, headers=headers)
        return str(answer.json()["prepay_id"])

    def _key(self, name: str) -> Any:
        return load_pem_private_key((self.folder / name).read_bytes(), password=None)


@dataclass
class Receiver:
    """The city's callback address: answers with the statuses given, the last one for ever, and `body`."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [204])
    body: bytes = b""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def wait_for(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        async with asyncio.timeout(60):
            while len(self.received) < count:  # noqa: ASYNC110 - a test may poll
                await asyncio.sleep(0.005)
        return self.received

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:] if line)
        lowered = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(lowered["content-length"]))
        self.received.append((headers, body))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        lines = f"HTTP/1.1 {status} X\r\nContent-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        writer.write(lines.encode() + self.body)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
