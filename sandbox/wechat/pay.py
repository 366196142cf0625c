"""WeChat Pay API v3, JSAPI: order, query, close; and what `wx.requestPayment` checks."""

import secrets
from typing import Any
from urllib.parse import unquote

from sanic import Request

from sandbox.answers import Answer, read_object
from sandbox.clock import Clock
from sandbox.credentials import Keys
from sandbox.people import People, Person
from sandbox.signing import (
    WECHAT_PAY_SCHEME,
    pay_answer_message,
    pay_authorization,
    pay_client_message,
    pay_request_message,
    rsa_sign,
    rsa_verifies,
)
from sandbox.wechat.pay_notify import Announcer
from sandbox.wechat.pay_orders import STATE_TEXTS, Order, Orders, lives_long_enough, read_order, refuse

_CLOCK_WINDOW_SECONDS = 300


class Pay:
    def __init__(self, *, keys: Keys, clock: Clock, people: People, orders: Orders, announcer: Announcer) -> None:
        self._keys = keys
        self._clock = clock
        self._people = people
        self._orders = orders
        self._announcer = announcer

    def order(self, request: Request) -> Answer:
        """POST /v3/pay/transactions/jsapi; the same order posted again answers its current prepay_id."""
        self.check_signature(request)
        asked = read_order(object_of(request), keys=self._keys)
        if self._people.by_openid(asked["openid"]) is None:
            raise refuse(400, "PARAM_ERROR", "参数错误：payer.openid")
        known = self._orders.get(asked["out_trade_no"])
        if known is None:
            if not lives_long_enough(asked["time_expire"], self._clock):
                raise refuse(400, "PARAM_ERROR", "参数错误：time_expire")
            return Answer(200, {"prepay_id": self._orders.open(asked).prepay_id})
        if known.asked != asked or known.trade_state != "NOTPAY":
            raise refuse(403, "OUT_TRADE_NO_USED", "商户订单号重复")
        return Answer(200, {"prepay_id": self._orders.renew_prepay(known).prepay_id})

    def query_by_number(self, request: Request) -> Answer:
        return self._query(request, self._orders.get(unquote(request.match_info["number"])))

    def query_by_transaction(self, request: Request) -> Answer:
        return self._query(request, self._orders.by_transaction(request.match_info["number"]))

    def close(self, request: Request) -> Answer:
        """POST .../out-trade-no/{no}/close: 204."""
        self.check_signature(request)
        self._check_merchant(object_of(request).get("mchid"))
        order = self._orders.get(unquote(request.match_info["number"]))
        if order is None:
            raise refuse(404, "ORDER_NOT_EXIST", "订单不存在")
        if order.trade_state == "SUCCESS":
            raise refuse(400, "INVALID_REQUEST", "订单已支付，不能关单")
        if order.trade_state == "CLOSED":
            raise refuse(400, "ORDER_CLOSED", "订单已关闭")
        self._orders.close(order)
        return Answer(204, None)

    def sign_answer(self, _request: Request, body: bytes, spoil: bool) -> dict[str, str]:  # noqa: FBT001 - the shape of every signer
        """Every answer is signed with the platform's key, 204 included."""
        timestamp, nonce = str(self._clock.timestamp()), secrets.token_hex(16)
        message = pay_answer_message(timestamp=timestamp, nonce=nonce, body=body + b" " if spoil else body)
        return {
            "Wechatpay-Serial": self._keys.wechatpay_public_key_id,
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Signature": rsa_sign(self._keys.wechatpay_key, message),
            "Wechatpay-Signature-Type": WECHAT_PAY_SCHEME,
            "Request-ID": secrets.token_hex(16).upper(),
        }

    def request_payment(self, person: Person, sent: dict[str, str], *, outcome: str) -> str | None:
        """What the phone's `wx.requestPayment` ends with: None when paid, else why not."""
        order = self._payable(person, sent)
        if isinstance(order, str):
            return order
        if outcome == "cancel":
            return "requestPayment:fail cancel"
        self._announcer.announce(self._orders.pay(order))
        return None

    def _payable(self, person: Person, sent: dict[str, str]) -> Order | str:
        message = pay_client_message(
            app_id=sent["appId"], timestamp=sent["timeStamp"], nonce=sent["nonceStr"], package=sent["package"]
        )
        signed = rsa_verifies(self._keys.merchant_public, message, sent["paySign"])
        if sent["signType"] != "RSA" or sent["appId"] != self._keys.app_id or not signed:
            return "requestPayment:fail 支付验证签名失败"
        order = self._orders.by_prepay(sent["package"].removeprefix("prepay_id="))
        if order is None or not sent["package"].startswith("prepay_id="):
            return "requestPayment:fail 订单已失效"
        if order.openid != person.openid:
            return "requestPayment:fail 付款人与下单用户不一致"
        if order.trade_state != "NOTPAY":
            return f"requestPayment:fail {STATE_TEXTS[order.trade_state]}"
        return order

    def _query(self, request: Request, order: Order | None) -> Answer:
        self.check_signature(request)
        self._check_merchant(request.args.get("mchid"))
        if order is None:
            raise refuse(404, "ORDER_NOT_EXIST", "订单不存在")
        shown = order.describe(self._keys)
        # Once money goes back the order says so, whether all of it goes or a part.
        return Answer(
            200, shown | {"trade_state": "REFUND", "trade_state_desc": "转入退款"} if order.refunded else shown
        )

    def _check_merchant(self, mchid: Any) -> None:
        if mchid != self._keys.mchid:
            raise refuse(400, "PARAM_ERROR", "参数错误：mchid")

    def check_signature(self, request: Request) -> None:
        """Whoever asks is the merchant, now; raises SIGN_ERROR as WeChat Pay does."""
        parts = pay_authorization(request.headers.get("Authorization", ""))
        if parts is None or not parts["timestamp"].isdigit():
            raise refuse(401, "SIGN_ERROR", "Authorization不合法")
        if abs(int(parts["timestamp"]) - self._clock.timestamp()) > _CLOCK_WINDOW_SECONDS:
            raise refuse(401, "SIGN_ERROR", "签名时间戳过期")
        message = pay_request_message(
            method=request.method,
            path=request.raw_url.decode("ascii"),
            timestamp=parts["timestamp"],
            nonce=parts["nonce_str"],
            body=request.body,
        )
        known = (parts["mchid"], parts["serial_no"]) == (self._keys.mchid, self._keys.merchant_serial)
        if not known or not rsa_verifies(self._keys.merchant_public, message, parts["signature"]):
            raise refuse(401, "SIGN_ERROR", "签名错误")
        named = request.headers.get("Wechatpay-Serial")
        if named not in {None, self._keys.wechatpay_public_key_id}:
            raise refuse(400, "PARAM_ERROR", "参数错误：Wechatpay-Serial")


def object_of(request: Request) -> dict[str, Any]:
    """The request's JSON object; raises PARAM_ERROR."""
    asked = read_object(request)
    if asked is None:
        raise refuse(400, "PARAM_ERROR", "请求体不是JSON")
    return asked
