"""Signing in with the wallet's login code, and out."""

from typing import Annotated

from pydantic import Field
from sanic import Blueprint

from kit.clock import rfc3339
from kit.web.access import public, resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from miniprogram_api.me import Me, present
from server.identity import queries, service
from server.identity.errors import LoginBlocked, LoginCodeRejected
from server.identity.rules import Level
from server.journeys.house import House

_RATE = "60/minute"  # per address: behind one carrier's gateway are many phones


class LoginInput(Input):
    """`code` is what `wx.login` or `my.getAuthCode` gave the phone; it is good once, WeChat's for five minutes."""

    code: Annotated[str, Field(min_length=1, max_length=128)]


class Session(Answer):
    """`token` goes into `Authorization: Bearer` and is told only here."""

    token: str
    expires_at: str
    resident: Me


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of residents' sessions."""
    routes = Routes("sessions", "/api/v1/sessions", edge)
    _wechat(routes, house)
    _alipay(routes, house)
    _ending(routes, house)
    return routes.blueprint


def _wechat(routes: Routes, house: House) -> None:
    @routes.post(
        "/wechat",
        access=public("whoever has a login code of the wallet may sign in; the code is good once"),
        summary="Sign in with WeChat",
        body=LoginInput,
        answer=Session,
        status=201,
        keyed=False,
        rate=_RATE,
        errors=(LoginCodeRejected, LoginBlocked),
    )
    async def sign_in_with_wechat(call: Call[LoginInput]) -> Session:
        return await _signed_in(house, "wechat", call.input.code)


def _alipay(routes: Routes, house: House) -> None:
    @routes.post(
        "/alipay",
        access=public("whoever has a login code of the wallet may sign in; the code is good once"),
        summary="Sign in with Alipay",
        body=LoginInput,
        answer=Session,
        status=201,
        keyed=False,
        rate=_RATE,
        errors=(LoginCodeRejected,),
    )
    async def sign_in_with_alipay(call: Call[LoginInput]) -> Session:
        return await _signed_in(house, "alipay", call.input.code)


async def _signed_in(house: House, wallet: str, code: str) -> Session:
    started = await service.start_session(house.identity, wallet=wallet, code=code)
    me = await queries.me(house.identity, resident_id=started.resident_id)
    return Session(token=started.token, expires_at=rfc3339(started.expires_at), resident=present(me))


def _ending(routes: Routes, house: House) -> None:
    @routes.delete("/current", access=resident(Level.WALLET), summary="Sign out")
    async def sign_out(call: Call[None]) -> None:
        await service.end_session(house.identity, resident_id=call.who.id, session_id=call.who.session_id)
