"""The tax bureau: GET /tax/v1/status, POST /tax/v1/declarations, and its callback once the taxpayers have paid."""

import hashlib
import secrets
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sanic import Request

from sandbox.addresses import may_be_called
from sandbox.answers import Answer, Refused, compact
from sandbox.books import Books
from sandbox.clock import BEIJING, Clock
from sandbox.credentials import Keys
from sandbox.deliveries import Courier, Delivery, Forgery, Receipt
from sandbox.people import People
from sandbox.tax_rules import Sale, assess
from sandbox.yc_door import YcDoor

TARGET = "tax.notify"
SCHEDULE = (5, 15, 60, 300, 900, 3600, 3600, 3600)
_HOME_CODES = {"residential", "10", "11", "12", "13", "111", "112"}
_OK = range(200, 300)


class Taxpayer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1)
    id_number: str = Field(min_length=15, max_length=18)


class DeclarationForm(BaseModel):
    """What the city declares; area in 0.01 m2, price in fen, `usage` a national code, its name or "residential"."""

    model_config = ConfigDict(extra="forbid", strict=True)

    declaration_no: str = Field(min_length=1, max_length=64)
    case_no: str = Field(min_length=1, max_length=64)
    unit_code: str = Field(pattern=r"^[0-9A-Z]{28}$")
    area_centiare: int = Field(gt=0)
    price_fen: int = Field(gt=0)
    held_since: date = Field(strict=False)
    sole_home_over_five_years: bool
    usage: str = Field(min_length=1)
    sellers: list[Taxpayer] = Field(min_length=1)
    buyers: list[Taxpayer] = Field(min_length=1)
    notify_url: str

    @field_validator("notify_url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        if not may_be_called(url):
            raise ValueError("https, or http on loopback, at most 255 characters")
        return url

    @property
    def residential(self) -> bool:
        return self.usage in _HOME_CODES or "住宅" in self.usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """`digest` of what was declared; the callback's event_id and body are fixed when the taxes are paid."""

    declaration_no: str
    case_no: str
    digest: str
    notify_url: str
    accepted_at: str
    taxes: list[dict[str, Any]]
    status: str = "assessed"
    event: dict[str, Any] | None = None
    notified: bool = False


class TaxBureau:
    def __init__(self, *, keys: Keys, clock: Clock, books: Books, people: People, courier: Courier) -> None:
        self._door = YcDoor(clock, keys.tax_key_id, keys.tax_bureau_key, keys.city_key_id, keys.city_tax_public)
        self._clock = clock
        self._books = books
        self._people = people
        self._courier = courier
        self._by_number: dict[str, Declaration] = {}
        for entry in books.read("declarations"):
            declaration = Declaration(**entry["declaration"])
            self._by_number[declaration.declaration_no] = declaration

    def all(self) -> list[Declaration]:
        return list(self._by_number.values())

    def find(self, *, declaration_no: str | None, case_no: str | None) -> Declaration | None:
        """By its own number, else the latest of the case."""
        if declaration_no is not None:
            return self._by_number.get(declaration_no)
        return next((each for each in reversed(self.all()) if each.case_no == case_no), None)

    def status(self, request: Request) -> Answer:
        """Whether the bureau takes the city's signature; nothing is declared."""
        self._door.check(request)
        return Answer(200, {"status": "ok", "at": self._clock.beijing()})

    def declare(self, request: Request) -> Answer:
        """Assesses at once; the same declaration again gets the same answer, another under its number 409."""
        self._door.check(request)
        try:
            form = DeclarationForm.model_validate_json(request.body)
        except ValidationError as error:
            fields = sorted({".".join(map(str, each["loc"])) for each in error.errors()})
            raise Refused(400, {"code": "BODY_INVALID", "message": "申报内容有误", "fields": fields}) from error
        digest = hashlib.sha256(form.model_dump_json().encode()).hexdigest()
        known = self._by_number.get(form.declaration_no)
        if known is None:
            known = self._save(self._assess(form, digest))
        elif known.digest != digest:
            raise Refused(409, {"code": "DECLARATION_NO_USED", "message": "该申报号已用于另一申报"})
        return Answer(200, {field: getattr(known, field) for field in ("declaration_no", "accepted_at", "taxes")})

    def pay(self, declaration: Declaration) -> Declaration:
        """The taxpayers pay everything; the city is told until it answers 2xx. Paying twice changes nothing."""
        if declaration.status == "cleared":
            return declaration
        event = self._event(declaration)
        paid = self._save(replace(declaration, status="cleared", event=event))
        self._courier.dispatch(self._delivery(paid, event), SCHEDULE)
        return paid

    def resume(self) -> None:
        """Start over with the callbacks that a restart left unacknowledged."""
        for each in self.all():
            if each.event is not None and not each.notified:
                self._courier.dispatch(self._delivery(each, each.event), SCHEDULE)

    async def send_extra(self, declaration: Declaration, forgery: Forgery) -> Receipt:
        """The callback once more; about an unpaid declaration it is a lie that only its signature can give away."""
        event = declaration.event or self._event(declaration)
        return await self._courier.send(self._delivery(declaration, event), forgery)

    async def replay(self, declaration: Declaration) -> Receipt | None:
        """The last attempt byte for byte, None when nothing was sent yet."""
        known = self._courier.latest(TARGET, declaration.declaration_no)
        return await self._courier.replay(known) if known and known.last_headers else None

    def sign_answer(self, request: Request, body: bytes, spoil: bool) -> dict[str, str]:  # noqa: FBT001 - the shape of every signer
        return self._door.sign_answer(request, body, spoil)

    def _assess(self, form: DeclarationForm, digest: str) -> Declaration:
        buyers = [self._people.by_document(name=each.name, id_number=each.id_number) for each in form.buyers]
        known = [person for person in buyers if person is not None]
        if len(known) < len(buyers):
            raise Refused(422, {"code": "TAXPAYER_UNKNOWN", "message": "纳税人姓名与证件号码不符或查无此人"})
        sale = Sale(
            on=self._clock.now().astimezone(BEIJING).date(),
            price_fen=form.price_fen,
            area_centiare=form.area_centiare,
            held_since=form.held_since,
            sole_home_over_five_years=form.sole_home_over_five_years,
            residential=form.residential,
            buyer_homes=max(person.homes for person in known),
        )
        return Declaration(
            declaration_no=form.declaration_no,
            case_no=form.case_no,
            digest=digest,
            notify_url=form.notify_url,
            accepted_at=self._clock.beijing(),
            taxes=[asdict(tax) for tax in assess(sale)],
        )

    def _event(self, declaration: Declaration) -> dict[str, Any]:
        return {
            "event_id": str(uuid.uuid4()),
            "declaration_no": declaration.declaration_no,
            "case_no": declaration.case_no,
            "status": "cleared",
            "cleared_at": self._clock.beijing(),
            "taxes": declaration.taxes,
            "certificate_no": f"3320{self._clock.now().astimezone(BEIJING):%y%m%d}{secrets.randbelow(10**8):08}",
        }

    def _delivery(self, declaration: Declaration, event: dict[str, Any]) -> Delivery:
        return Delivery(
            target=TARGET,
            subject=declaration.declaration_no,
            url=declaration.notify_url,
            body=compact(event),
            sign=self._sign,
            accepts=_OK.__contains__,
            on_accepted=lambda: self._mark_notified(declaration.declaration_no),
        )

    def _sign(self, body: bytes, url: str, forgery: Forgery) -> dict[str, str]:
        path = httpx.URL(url).raw_path.decode("ascii")
        headers = self._door.headers(
            "POST", path, body, wrong_key=forgery.wrong_key, stale_seconds=forgery.stale_seconds
        )
        return {"Content-Type": "application/json", **headers}

    def _mark_notified(self, declaration_no: str) -> None:
        self._save(replace(self._by_number[declaration_no], notified=True))

    def _save(self, declaration: Declaration) -> Declaration:
        self._by_number[declaration.declaration_no] = declaration
        self._books.write("declarations", {"declaration": asdict(declaration)})
        return declaration
