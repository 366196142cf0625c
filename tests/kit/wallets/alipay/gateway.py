"""Alipay's gateway as a test needs it: takes apart what came, answers what it is told, signed or not."""

import json
from urllib.parse import parse_qsl

import httpx
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.kit.wallets.wechat.party import Party

APP_ID = "2021000000000001"
AES_KEY = b"0123456789abcdef"
GATEWAY = "http://127.0.0.1:8443/gateway.do"
ANSWERS = "alipay_trade_query_response"
PAID = '{"code":"10000","msg":"Success","out_trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"1.00"}'


def query_request(number: str = "T1") -> AlipayTradeQueryRequest:
    model = AlipayTradeQueryModel()
    model.out_trade_no = number
    return AlipayTradeQueryRequest(biz_model=model)


class Gateway:
    """Refuses what the app has not signed; `body` replaces the answer, `status` its HTTP status."""

    def __init__(self, app: Party, alipay: Party) -> None:
        self.app, self.alipay = app, alipay
        self.status, self.body = 200, b""
        self.failing: Exception | None = None
        self.requests: list[httpx.Request] = []
        self.answer(PAID)

    def answer(self, inner: str, *, name: str = ANSWERS, sign: str | None = "", rest: str = "") -> None:
        """Answer `inner` under `name`; `sign=None` leaves it unsigned, another value replaces the signature."""
        signature = self.alipay.sign(inner.encode()) if sign == "" else sign
        signed = "" if signature is None else f',"sign":{json.dumps(signature)}'
        self.body = f'{{"{name}":{inner}{signed}{rest}}}'.encode()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.failing:
            raise self.failing
        self.requests.append(request)
        given = self.given()
        sign = given.pop("sign")
        content = "&".join(f"{name}={given[name]}" for name in sorted(given))
        # Raises when the app did not sign exactly what came over the wire.
        self.app.public.verify(_bytes(sign), content.encode(), PKCS1v15(), SHA256())
        return httpx.Response(self.status, content=self.body)

    def given(self) -> dict[str, str]:
        """All parameters of the last request, from query and form."""
        request = self.requests[-1]
        return dict(parse_qsl(request.url.query.decode(), strict_parsing=True)) | dict(
            parse_qsl(request.content.decode())
        )


def _bytes(sign: str) -> bytes:
    from base64 import b64decode

    return b64decode(sign, validate=True)
