import json
import traceback
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from alipay.aop.api.exception.Exception import ResponseException
from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest
from alipay.aop.api.util import WebUtils

from kit.errors import OutsideError
from kit.wallets.alipay.client import AlipayApi
from kit.wallets.alipay.content import decrypt, encrypt
from kit.wallets.alipay.errors import AlipayError, Meaning
from kit.wallets.alipay.signing import AppSigner
from tests.kit.wallets.alipay.gateway import AES_KEY, ANSWERS, APP_ID, GATEWAY, PAID, Gateway, query_request
from tests.kit.wallets.alipay.test_signing import their_client
from tests.kit.wallets.wechat.party import Party

UNSIGNED_ERROR = b'{"error_response":{"code":"40002","msg":"Invalid Arguments","sub_code":"isv.code-invalid"}}'


async def refused(api: AlipayApi) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        await api.call(query_request(), answers=ANSWERS)
    return caught.value


async def test_posts_common_parameters_in_the_query_and_the_rest_as_a_form(api: AlipayApi, gateway: Gateway) -> None:
    answer = await api.call(query_request("登记-1"), answers=ANSWERS)
    assert answer["trade_status"] == "TRADE_SUCCESS"
    request = gateway.requests[0]
    assert str(request.url).startswith(GATEWAY + "?")
    query, body = (dict(parse_qsl(text)) for text in (request.url.query.decode(), request.content.decode()))
    assert body == {"biz_content": '{"out_trade_no":"登记-1"}'}
    assert query.pop("sign")
    assert query == {
        "app_id": APP_ID,
        "charset": "utf-8",
        "format": "json",
        "method": "alipay.trade.query",
        "sign_type": "RSA2",
        "timestamp": "2026-11-22 00:30:05",
        "version": "1.0",
    }
    assert request.headers["content-type"] == "application/x-www-form-urlencoded;charset=utf-8"


async def test_the_login_code_is_a_form_field_and_success_has_no_code(api: AlipayApi, gateway: Gateway) -> None:
    gateway.answer('{"open_id":"o1"}', name="alipay_system_oauth_token_response")
    request = AlipaySystemOauthTokenRequest()
    request.grant_type, request.code = "authorization_code", "c+1"
    assert await api.call(request, answers="alipay_system_oauth_token_response") == {"open_id": "o1"}
    assert dict(parse_qsl(gateway.requests[0].content.decode())) == {"code": "c+1", "grant_type": "authorization_code"}


@pytest.mark.parametrize(
    "inner",
    [
        '{ "code" : "10000",\n "trade_status":"TRADE_SUCCESS" }',
        '{"code":"10000","a":"\\u5f20\\/","b":"张"}',
        '{"code":"10000","subject":"x\\"},\\"sign\\":\\"AAAA"}',
        '{"code":"10000","subject":"},\\"sign\\":\\"","n":{"alipay_trade_query_response":{"code":"1"},"sign":"x"}}',
        '{"code":"10000","z":1,"a":[{"b":{}}]}',
    ],
)
async def test_the_answer_is_verified_as_it_was_written(api: AlipayApi, gateway: Gateway, inner: str) -> None:
    gateway.answer(inner)
    assert await api.call(query_request(), answers=ANSWERS) == json.loads(inner)


async def test_a_certificates_number_beside_it_changes_nothing(api: AlipayApi, gateway: Gateway) -> None:
    gateway.answer(PAID, rest=',"alipay_cert_sn":"a1b2"')
    assert (await api.call(query_request(), answers=ANSWERS))["out_trade_no"] == "T1"


async def test_the_signature_may_stand_first(api: AlipayApi, gateway: Gateway, alipay: Party) -> None:
    gateway.body = f'{{"sign":"{alipay.sign(PAID.encode())}","{ANSWERS}":{PAID}}}'.encode()
    assert (await api.call(query_request(), answers=ANSWERS))["out_trade_no"] == "T1"


@pytest.mark.parametrize(
    "make",
    [
        lambda gateway: gateway.answer(PAID, sign=None),
        lambda gateway: gateway.answer(PAID, sign="AAAA"),
        lambda gateway: gateway.answer(PAID, sign=gateway.app.sign(PAID.encode())),
        lambda gateway: gateway.answer(PAID, sign=gateway.alipay.sign(json.dumps(json.loads(PAID)).encode())),
        lambda gateway: gateway.answer('{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}', sign=None),
        lambda gateway: gateway.answer('{"code":"40002","sub_code":"ACQ.TRADE_NOT_EXIST"}', sign=None),
        lambda gateway: gateway.answer('{"code":"40002","sub_code":"isv.invalid-app-id"}', sign="ERITJKEIJKJHKKKKHJE"),
        lambda gateway: gateway.answer(PAID, name="error_response", sign=None),
    ],
)
async def test_what_is_not_signed_as_it_should_be_is_not_believed(api: AlipayApi, gateway: Gateway, make: type) -> None:
    make(gateway)
    error = await refused(api)
    assert (error.code, error.permanent) == ("BAD_SIGNATURE", False)


async def test_an_answer_to_another_question(api: AlipayApi, gateway: Gateway) -> None:
    gateway.answer(PAID, name="alipay_trade_close_response")
    assert (await refused(api)).code == "BAD_ANSWER"


async def test_a_name_that_stands_twice(api: AlipayApi, gateway: Gateway, alipay: Party) -> None:
    forged = PAID.replace("1.00", "9.00")
    sign = alipay.sign(PAID.encode())
    for body in (
        f'{{"{ANSWERS}":{forged},"{ANSWERS}":{PAID},"sign":"{sign}"}}',
        f'{{"{ANSWERS}":{PAID},"sign":"{sign}","sign":"{sign}"}}',
    ):
        gateway.body = body.encode()
        assert (await refused(api)).code == "BAD_ANSWER"


async def test_a_signed_refusal(api: AlipayApi, gateway: Gateway) -> None:
    gateway.answer('{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST","sub_msg":"交易不存在"}')
    error = await refused(api)
    assert isinstance(error, AlipayError)
    assert (error.system, error.code, error.sub_code) == ("alipay", "ACQ.TRADE_NOT_EXIST", "ACQ.TRADE_NOT_EXIST")
    assert (error.gateway_code, error.meaning, error.permanent) == ("40004", Meaning.TRADE_NOT_FOUND, True)
    assert (error.message, error.signed) == ("交易不存在", True)


@pytest.mark.parametrize("name", ["error_response", ANSWERS])
async def test_an_unsigned_refusal_is_a_refusal(api: AlipayApi, gateway: Gateway, name: str) -> None:
    gateway.body = UNSIGNED_ERROR.replace(b"error_response", name.encode())
    error = await refused(api)
    assert isinstance(error, AlipayError)
    assert (error.code, error.meaning, error.signed) == ("isv.code-invalid", Meaning.CODE_REFUSED, False)


async def test_an_error_beside_an_answer_wins(api: AlipayApi, gateway: Gateway, alipay: Party) -> None:
    error = '{"code":"20000","sub_code":"isp.unknow-error"}'
    gateway.answer(error, name="error_response", rest=f',"{ANSWERS}":{PAID}')
    assert (await refused(api)).code == "isp.unknow-error"
    gateway.answer(PAID, rest=f',"error_response":{error}')
    assert (await refused(api)).code == "BAD_SIGNATURE"


@pytest.mark.parametrize(
    ("status", "body", "code", "permanent"),
    [
        (502, b"<html>", "HTTP_502", False),
        (429, b"", "HTTP_429", False),
        (302, b"", "HTTP_302", True),
        (404, b"{}", "HTTP_404", True),
        (200, b"<html>", "BAD_ANSWER", False),
        (200, b"[]", "BAD_ANSWER", False),
        (200, b"{}", "BAD_ANSWER", False),
        (200, b'{"error_response":5}', "BAD_ANSWER", False),
        (200, b'{"error_response":{"code":""}}', "BAD_ANSWER", False),
    ],
)
async def test_what_is_no_answer(
    api: AlipayApi, gateway: Gateway, status: int, body: bytes, code: str, *, permanent: bool
) -> None:
    gateway.status, gateway.body = status, body
    error = await refused(api)
    assert (error.system, error.code, error.permanent) == ("alipay", code, permanent)


@pytest.mark.parametrize(("failing", "code"), [(httpx.ReadTimeout("x"), "TIMEOUT"), (OSError(), "UNREACHABLE")])
async def test_no_answer_at_all(api: AlipayApi, gateway: Gateway, failing: Exception, code: str) -> None:
    gateway.failing = failing
    error = await refused(api)
    assert (error.code, error.permanent) == (code, False)
    assert "T1" not in "".join(traceback.format_exception(error))


async def test_encrypted_content(api: AlipayApi, gateway: Gateway) -> None:
    gateway.answer(json.dumps(encrypt(AES_KEY, PAID)))
    request = query_request()
    request.need_encrypt = True
    assert (await api.call(request, answers=ANSWERS))["out_trade_no"] == "T1"
    given = gateway.given()
    assert given["encrypt_type"] == "AES"
    assert decrypt(AES_KEY, given["biz_content"]) == '{"out_trade_no":"T1"}'
    gateway.answer(json.dumps(encrypt(b"f" * 16, PAID)))
    assert (await refused(api)).code == "BAD_ANSWER"
    gateway.answer(json.dumps(encrypt(AES_KEY, '{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}')))
    assert (await refused(api)).code == "ACQ.TRADE_NOT_EXIST"


async def test_without_an_aes_key_nothing_is_sent_that_asks_for_one(gateway: Gateway, signer: AppSigner) -> None:
    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway)) as http:
        plain = AlipayApi(http, GATEWAY, signer, gateway.alipay.public)
        request = query_request()
        request.need_encrypt = True
        with pytest.raises(OutsideError) as caught:
            await plain.call(request, answers=ANSWERS)
        assert caught.value.code == "NOT_CONFIGURED"
        assert gateway.requests == []
        gateway.answer(json.dumps(encrypt(AES_KEY, PAID)))
        assert (await refused(plain)).code == "BAD_ANSWER"


def test_a_page_url_carries_everything_signed(api: AlipayApi, gateway: Gateway) -> None:
    url = api.page_url(query_request())
    assert url.startswith(GATEWAY + "?")
    gateway(httpx.Request("GET", url))  # raises unless the signature holds
    assert gateway.given()["biz_content"] == '{"out_trade_no":"T1"}'
    assert urlsplit(url).fragment == ""


class _Connection:
    """What the SDK talks to instead of a socket."""

    status = 200

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.body, self.status = body, status

    def connect(self) -> None:
        """Always there."""

    def close(self) -> None:
        """Nothing to close."""

    def request(self, *_: object, **__: object) -> None:
        """Whatever is asked."""

    def getresponse(self) -> "_Connection":
        return self

    def read(self) -> bytes:
        return self.body


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Connection]:
    connection = _Connection(b"")
    monkeypatch.setattr(WebUtils, "get_http_connection", lambda *_: ("http://x", connection))
    return connection


def test_the_sdk_cannot_take_a_port(app: Party, alipay: Party) -> None:
    with pytest.raises(TypeError):
        their_client(app, alipay, "http://127.0.0.1:9/gateway.do").execute(query_request())


def test_the_sdk_breaks_on_an_http_status(app: Party, alipay: Party, theirs: _Connection) -> None:
    theirs.status, theirs.body = 502, b"<html>"
    with pytest.raises(TypeError):
        their_client(app, alipay).execute(query_request())


def test_the_sdk_reads_no_unsigned_error_and_shows_it_whole(app: Party, alipay: Party, theirs: _Connection) -> None:
    theirs.body = UNSIGNED_ERROR
    with pytest.raises(ResponseException, match=r"shape maybe illegal.*isv\.code-invalid"):
        their_client(app, alipay).execute(query_request())


def test_the_sdk_stumbles_where_alipays_certificate_stands_between(
    app: Party, alipay: Party, gateway: Gateway, theirs: _Connection
) -> None:
    sign = alipay.sign(PAID.encode())
    theirs.body = f'{{"{ANSWERS}":{PAID},"alipay_cert_sn":"a1","sign":"{sign}"}}'.encode()
    with pytest.raises(ResponseException, match="shape maybe illegal"):
        their_client(app, alipay).execute(query_request())


def test_the_sdk_falls_for_text_that_looks_like_a_signature(
    app: Party, alipay: Party, gateway: Gateway, theirs: _Connection
) -> None:
    gateway.answer(PAID, rest=',"rest":{"a":{"b":1},"sign":"x"}')
    theirs.body = gateway.body
    with pytest.raises(ResponseException, match="verify failed"):
        their_client(app, alipay).execute(query_request())


async def test_where_the_sdk_stumbles_we_read_on(api: AlipayApi, gateway: Gateway, alipay: Party) -> None:
    sign = alipay.sign(PAID.encode())
    gateway.body = f'{{"{ANSWERS}":{PAID},"alipay_cert_sn":"a1","sign":"{sign}"}}'.encode()
    assert (await api.call(query_request(), answers=ANSWERS))["out_trade_no"] == "T1"
    gateway.answer(PAID, rest=',"rest":{"a":{"b":1},"sign":"x"}')
    assert (await api.call(query_request(), answers=ANSWERS))["out_trade_no"] == "T1"
