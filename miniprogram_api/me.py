"""The resident themselves, masked, and their phone."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from sanic import Blueprint

from kit.web.access import resident
from kit.web.edge import Call, Edge
from kit.web.routes import Routes
from kit.web.validation import Answer, Input
from server.identity import queries, service
from server.identity.errors import PhoneCodeRejected, PhoneNotMainland, WalletMissing
from server.identity.rules import Level
from server.journeys.house import House
from server.terms.errors import TermError


class Me(Answer):
    """`level`: 1 signed in, 2 with a phone, 3 under the verified name."""

    id: str
    level: int
    level_text: str
    name_masked: str | None
    id_number_masked: str | None
    phone_masked: str | None
    version: int


class PhoneInput(Input):
    """What the phone number button gave: in WeChat a `code` (not the login code), in Alipay `response` and `sign`."""

    code: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    response: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    sign: Annotated[str, Field(min_length=1, max_length=1024)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        given = (self.code is not None, self.response is not None, self.sign is not None)
        if given not in {(True, False, False), (False, True, True)}:
            raise TermError("PHONE_PROOF_INCOMPLETE", PhoneCodeRejected.title)
        return self


def blueprint(house: House, edge: Edge) -> Blueprint:
    """The routes of the resident's own account."""
    routes = Routes("me", "/api/v1/me", edge)
    needs = house.identity

    @routes.get("", access=resident(Level.WALLET), summary="Who I am here", answer=Me)
    async def read(call: Call[None]) -> Me:
        return present(await queries.me(needs, resident_id=call.who.id))

    @routes.post(
        "/phone",
        access=resident(Level.WALLET),
        summary="Bind the phone number of the wallet",
        body=PhoneInput,
        answer=Me,
        rate="10/hour",
        errors=(PhoneCodeRejected, PhoneNotMainland, WalletMissing),
    )
    async def bind_phone(call: Call[PhoneInput]) -> Me:
        resident_id = await call.once(
            lambda key: service.bind_phone(
                needs,
                resident_id=call.who.id,
                wallet=call.who.wallet,
                code=call.input.code or "",
                response=call.input.response or "",
                sign=call.input.sign or "",
                key=key,
            ),
            calls_outside=True,
        )
        return present(await queries.me(needs, resident_id=resident_id))

    return routes.blueprint


def present(me: queries.Me) -> Me:
    """A resident as JSON shows them."""
    return Me(
        id=me.id,
        level=me.level,
        level_text=me.level.text,
        name_masked=me.name_masked,
        id_number_masked=me.id_number_masked,
        phone_masked=me.phone_masked,
        version=me.version,
    )
