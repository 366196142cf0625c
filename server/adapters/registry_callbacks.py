"""What each side lets the other call: signed, verified on the raw bytes, kept once, acknowledged, worked on later."""

import hashlib
from collections.abc import AsyncIterator

from sanic import Blueprint, HTTPResponse, Request

from kit.errors import Kind, Problem
from kit.http.signing import NONCE, BadSignature, RequestVerifier
from kit.inbox import Inbox
from kit.log import get_logger
from kit.web.access import callback
from kit.web.edge import Call, Edge
from kit.web.errors import CallbackSignatureWrong
from kit.web.routes import Routes
from kit.web.validation import Answer
from server.adapters.registry_unit_wire import decode_question, encode_unit
from server.adapters.registry_wire import WireError, peek
from server.journeys.house import House
from server.registry import rules as registry_rules
from server.registry.errors import QueryReplayed
from server.registry.events import PlatformMessageArrived
from server.registry.service import answer_query
from server.relay.events import RegistryMessageArrived

FROM_PLATFORM = "/callbacks/platform"
FROM_REGISTRY = "/callbacks/registry"
QUERIES = f"{FROM_PLATFORM}/queries"
MATERIAL_BYTES = 32 * 1024 * 1024
PLATFORM, REGISTRY = "platform", "registry"
log = get_logger("road")


class MessageWrong(Problem):
    code = "CALLBACK_MESSAGE_WRONG"
    kind = Kind.CONTENT
    title = "报文不符合约定的格式，请更正后重新发送"


class DigestWrong(Problem):
    code = "CALLBACK_DIGEST_WRONG"
    kind = Kind.CONTENT
    title = "文件内容与摘要不符，请重新发送这份文件"


class Received(Answer):
    received: bool
    duplicate: bool


class Stored(Answer):
    digest: str
    size: int


def blueprints(house: House, edge: Edge, verifier: RequestVerifier | None, *, role: str) -> list[Blueprint]:
    """The callbacks of a role; none without the other side's key."""
    if verifier is None:
        return []
    found = []
    if role in {"platform", "all"}:
        found.append(platform_blueprint(house, edge, verifier))
    if role in {"registry", "all"}:
        found.append(registry_blueprint(house, edge, verifier))
    return found


def platform_blueprint(house: House, edge: Edge, verifier: RequestVerifier) -> Blueprint:
    """Where the platform hears from the registry."""
    routes = Routes("registry_callback", FROM_REGISTRY, edge)
    inbox = Inbox(house.relay.outbox, house.relay.cipher, house.relay.clock)

    @routes.post(
        "",
        access=callback(REGISTRY),
        keyed=False,
        summary="The registry: what became of a case, and its certificates",
        answer=Received,
        errors=(CallbackSignatureWrong, MessageWrong),
    )
    async def registry_message(call: Call[None]) -> Received:
        raw = call.request.body
        _verify(verifier, house, call.request, raw)
        message_id, application_id = _peek(raw, up=False)
        new = await inbox.receive(
            system=REGISTRY,
            external_id=message_id,
            body=raw,
            announce=lambda inbox_id: RegistryMessageArrived(inbox_id, application_id),
        )
        return Received(received=True, duplicate=not new)

    return routes.blueprint


def registry_blueprint(house: House, edge: Edge, verifier: RequestVerifier) -> Blueprint:
    """Where the registry hears from the platform: messages, files, and live queries."""
    routes = Routes("platform_callback", FROM_PLATFORM, edge)
    _messages(routes, house, verifier)
    _queries(routes, house, verifier)
    return routes.blueprint


def _messages(routes: Routes, house: House, verifier: RequestVerifier) -> None:
    """Each file of an application comes before the package that names it."""
    needs = house.registry

    inbox = Inbox(needs.outbox, needs.cipher, needs.clock)

    @routes.post(
        "",
        access=callback(PLATFORM),
        keyed=False,
        summary="The platform: case packages, evidence, withdrawals",
        answer=Received,
        errors=(CallbackSignatureWrong, MessageWrong),
    )
    async def platform_message(call: Call[None]) -> Received:
        raw = call.request.body
        _verify(verifier, house, call.request, raw)
        message_id, application_id = _peek(raw, up=True)
        new = await inbox.receive(
            system=PLATFORM,
            external_id=message_id,
            body=raw,
            announce=lambda inbox_id: PlatformMessageArrived(inbox_id, application_id),
        )
        return Received(received=True, duplicate=not new)

    @routes.put(
        "/materials/<application_id:[0-9a-f]{32}>/<digest:[0-9a-f]{64}>",
        access=callback(PLATFORM),
        summary="The platform: one file of an application, before its package",
        answer=Stored,
        stream=True,
        errors=(CallbackSignatureWrong, DigestWrong),
    )
    async def platform_material(call: Call[None], application_id: str, digest: str) -> Stored:
        _verify_streamed(verifier, house, call.request, digest)
        scope = registry_rules.material_scope(application_id)
        stored = await needs.files.put(scope=scope, chunks=_body(call, digest), limit=MATERIAL_BYTES)
        return Stored(digest=stored.digest, size=stored.size)


def _queries(routes: Routes, house: House, verifier: RequestVerifier) -> None:
    needs = house.registry

    @routes.post(
        "/queries",
        access=callback(PLATFORM),
        keyed=False,
        summary="The platform: a live query of one unit by its certificate",
        errors=(CallbackSignatureWrong, MessageWrong, QueryReplayed),
    )
    async def platform_query(call: Call[None]) -> HTTPResponse:
        raw = call.request.body
        _verify(verifier, house, call.request, raw)
        try:
            question = decode_question(raw)
        except WireError:
            raise MessageWrong from None
        found = await answer_query(
            needs,
            unit_code=question.unit_code,
            certificate_number=question.certificate_number,
            nonce=call.request.headers[NONCE][:64],
        )
        headers = {"Cache-Control": "no-store"}
        return HTTPResponse(encode_unit(found), headers=headers, content_type="application/json")


def _signed_path(request: Request) -> str:
    return request.path + (f"?{request.query_string}" if request.query_string else "")


def _verify(verifier: RequestVerifier, house: House, request: Request, raw: bytes) -> None:
    now = house.clock.now()
    try:
        verifier.check(request.method, _signed_path(request), dict(request.headers), raw, now=now)
    except BadSignature as error:
        _refuse(error)


def _verify_streamed(verifier: RequestVerifier, house: House, request: Request, digest: str) -> None:
    """Before the body is read: the signature is over its digest, which stands in the path."""
    now = house.clock.now()
    try:
        verifier.check_streamed(request.method, _signed_path(request), dict(request.headers), digest, now=now)
    except BadSignature as error:
        _refuse(error)


def _refuse(error: BadSignature) -> None:
    log.warning("signature_refused", reason=str(error))
    raise CallbackSignatureWrong from None


def _peek(raw: bytes, *, up: bool) -> tuple[str, str]:
    try:
        return peek(raw, up=up)
    except WireError as error:
        log.warning("message_refused", reason=str(error))
        raise MessageWrong from None


async def _body(call: Call[None], digest: str) -> AsyncIterator[bytes]:
    """The body, if it is what was signed for; other bytes are never kept, nor is their own file touched."""
    seen = hashlib.sha256()
    async for chunk in call.chunks(limit=MATERIAL_BYTES):
        seen.update(chunk)
        yield chunk
    if seen.hexdigest() != digest:
        raise DigestWrong
