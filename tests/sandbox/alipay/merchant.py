"""The city's app as Alipay sees it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.signing import rsa_sign
from tests.sandbox.city import City

GATEWAY = "/alipay/gateway.do"
OPEN_ID = "074aSandboxAlipayPerson000000000000P3"


@dataclass
class Merchant:
    """The city's app: signs and verifies by the platform's own SDK, not by the sandbox's code."""

    city: City

    def common(self, method: str, **more: str) -> dict[str, str]:
        return {
            "app_id": self.city.ids["alipay_app_id"],
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": f"{datetime.now(UTC) + timedelta(hours=8):%Y-%m-%d %H:%M:%S}",
            "version": "1.0",
            **more,
        }

    def sign(self, params: dict[str, str]) -> str:
        key = load_pem_private_key(self.city.secret("alipay_app_key.pem").encode(), password=None)
        return rsa_sign(key, get_sign_content(params).encode())  # type: ignore[arg-type]

    def signed(self, params: dict[str, str]) -> dict[str, str]:
        return {**params, "sign": self.sign(params)}

    async def raw(
        self, method: str, biz: dict[str, Any] | str | None = None, *, form: dict[str, str] | None = None, **common: str
    ) -> httpx.Response:
        query = self.common(method, **common)
        body = dict(form or {})
        if biz is not None:
            body["biz_content"] = biz if isinstance(biz, str) else json.dumps(biz, ensure_ascii=False)
        query["sign"] = self.sign(query | body)
        return await self.city.http.post(GATEWAY, params=query, data=body)

    async def call(self, method: str, biz: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The inner object, its signature checked over the raw text; an error_response as it is."""
        answer = await self.raw(method, biz, **more)
        assert answer.status_code == 200
        whole: dict[str, Any] = json.loads(answer.text)
        if "error_response" in whole:
            assert "sign" not in whole
            return dict(whole["error_response"])
        node = method.replace(".", "_") + "_response"
        assert whole.keys() == {node, "sign"}
        inner = self.inner(answer.text, node)
        assert self.verifies(inner, whole["sign"])
        return dict(json.loads(inner))

    def inner(self, text: str, node: str) -> str:
        start = text.index(f'"{node}":') + len(node) + 3
        return text[start : text.rindex(',"sign":"')]

    def verifies(self, content: str, signature: str) -> bool:
        pem = self.city.secret("alipay_public_key.pem")
        body = "".join(pem.strip().splitlines()[1:-1])
        try:
            return bool(verify_with_rsa(body, content.encode(), signature))
        except Exception:  # noqa: BLE001 - the SDK raises plain exceptions
            return False

    def order(self, number: str = "T20261121_1", **changes: Any) -> dict[str, Any]:
        return {
            "out_trade_no": number,
            "total_amount": "80.00",
            "subject": "不动产登记费",
            "product_code": "JSAPI_PAY",
            "op_app_id": self.city.ids["alipay_app_id"],
            "buyer_open_id": OPEN_ID,
        } | changes

    async def create(self, number: str = "T20261121_1", **changes: Any) -> dict[str, Any]:
        common = {"notify_url": changes.pop("notify_url")} if "notify_url" in changes else {}
        return await self.call("alipay.trade.create", self.order(number, **changes), **common)

    async def query(self, number: str = "T20261121_1") -> dict[str, Any]:
        return await self.call("alipay.trade.query", {"out_trade_no": number})
