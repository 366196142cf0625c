"""A register with the units of the scenarios, a desk to work at it, and case packages to put on the desk."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.files.store import FileStore, local_store
from kit.ids import new_id
from kit.outbox import Handler, Outbox
from server.adapters.registry_wire import RegistryWire
from server.catalogue import service as catalogue
from server.catalogue.ports import Needs as CatalogueNeeds
from server.journeys.procedures import CatalogueProcedures
from server.registry import rules, service
from server.registry.events import CertificatesReleased, Entered, MessageQueued, PlatformMessageArrived
from server.registry.ports import Needs
from server.registry.service.seed import SeedOwner
from server.terms.messages import DownMessage, UpMessage
from server.terms.scope import Scope
from tests.support.moments import NOON

H1, H1_NUMBER = "320114001002GB00012F00180302", "苏(2019)南京市不动产权第0000012号"
H2, H2_NUMBER = "320105003001GB00007F00030015", "苏(2025)南京市不动产权第0000034号"
HERE, ELSEWHERE = Scope.of("320114"), Scope.of("320105")
OFFICER = "0192f3a45b6c7d8e9f00112233445501"
P1 = SeedOwner("张明", "resident_id", "32010219850312999X")
P2 = SeedOwner("李静", "resident_id", "320102198709219982")
P3 = SeedOwner("王强", "resident_id", "320106199003079973")
P4 = SeedOwner("陈晓", "resident_id", "320106199208159969")
FILE = b"\xff\xd8\xff\xe0 a scan"


def key_ring() -> KeyRing:
    return KeyRing({"k1": bytes(range(32)), "blind": bytes(range(32, 64))}, "k1")


async def _nothing(house: Any, event: Any) -> None:
    """Listens, so that the event is written down."""


EVENTS = (PlatformMessageArrived, MessageQueued, Entered, CertificatesReleased)


@dataclass
class RememberingPlatform:
    sent: list[DownMessage] = field(default_factory=list)

    async def send(self, message: DownMessage) -> None:
        self.sent.append(message)


@dataclass
class Desk:
    """The registry's needs with what the tests look at."""

    needs: Needs
    clock: FixedClock
    platform: RememberingPlatform


async def desk(directory: Path, *, now: datetime = NOON) -> Desk:
    clock = FixedClock(now)
    ring = key_ring()
    handlers = [Handler(f"test.{event.name}", event, _nothing) for event in EVENTS]
    catalogue_needs = CatalogueNeeds(clock=clock)
    await catalogue.load_shipped(catalogue_needs)
    platform = RememberingPlatform()
    needs = Needs(
        clock=clock,
        outbox=Outbox(handlers, clock=clock, wake=lambda: None),
        cipher=Cipher(ring),
        files=FileStore(local_store(directory), ring),
        platform=platform,
        codec=RegistryWire(),
        procedures=CatalogueProcedures(catalogue_needs),
    )
    return Desk(needs, clock, platform)


async def seed_h1(needs: Needs, *, owners: tuple[SeedOwner, ...] = (P1, P2), number: str = H1_NUMBER) -> str:
    """H1 with its certificate noted; answers the right's id."""
    right_id = await service.seed_unit(
        needs,
        unit_code=H1,
        location="南京市雨花台区软件大道18号云锦花园3幢302室",
        held_since=date(2019, 5, 10),
        owners=owners,
        usage="residential",
        land_usage_text="城镇住宅用地",
        land_nature="granted",
        house_nature="market",
        structure="reinforced_concrete",
        land_area=1234560,
        land_area_shared=True,
        building_area=8950,
        inner_area=7320,
        shared_area=1630,
        floors_total=18,
        floor_text="3层",
        completed_on=date(2010, 6, 30),
        term_text="国有建设用地使用权 2008年05月20日起2078年05月19日止",
    )
    await service.record_certificate(
        needs,
        right_id=right_id,
        positions=range(1, len(owners) + 1),
        certificate_id="0192f3a45b6c7d8e9f00112233445566",
        number=number,
    )
    return right_id


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def put_file(needs: Needs, application_id: str, data: bytes = FILE) -> str:
    stored = await needs.files.put(scope=rules.material_scope(application_id), chunks=_once(data), limit=1000)
    return stored.digest


def party(owner: SeedOwner, role: str, *, share: tuple[int, int] | None = None) -> dict[str, Any]:
    return {
        "role": role,
        "kind": owner.kind,
        "name": owner.name,
        "id_kind": owner.id_kind,
        "id_number": owner.id_number,
        "phone": "13800005678",
        "share_numerator": share[0] if share else None,
        "share_denominator": share[1] if share else None,
    }


def entry(
    *,
    sellers: Sequence[SeedOwner] = (P1, P2),
    buyers: Sequence[tuple[SeedOwner, tuple[int, int] | None]] = ((P3, None),),
    **changes: Any,
) -> dict[str, Any]:
    """The sale of H1."""
    return {
        "position": 1,
        "business_type": "TRANSFER_RESALE",
        "registration_type": "transfer",
        "right_type": "state_land_and_house",
        "unit_code": H1,
        "certificate_number": H1_NUMBER,
        "register_version": 2,
        "parties": [party(seller, "obligor") for seller in sellers]
        + [party(buyer, "right_holder", share=share) for buyer, share in buyers],
        **changes,
    }


def confirmation(position: int, owner: SeedOwner, **answers: str) -> dict[str, Any]:
    """What one party confirmed; the answers by the question's code."""
    inquiry = [
        {"code": code, "question": f"{code}？", "answer": answer, "answer_text": f"答：{answer}"}
        for code, answer in answers.items()
    ]
    return {
        "party_position": position,
        "digest": "a" * 64,
        "confirmed_at": "2026-03-16T09:00:00+08:00",
        "face_check_id": new_id(),
        "statement": {
            "me": {"party": position, "name": owner.name, "id_number": owner.id_number},
            "inquiry": inquiry,
        },
    }


def package(application_id: str, digest: str, **changes: Any) -> dict[str, Any]:
    return {
        "application_id": application_id,
        "number": f"SJ-20260316-320114-{application_id[-6:]}",
        "district": "320114",
        "mode": "zero_visit",
        "origin": "wallet",
        "catalogue_version": 1,
        "submitted_at": "2026-03-16T10:00:00+08:00",
        "price_fen": 200_000_000,
        "entries": [entry()],
        "materials": [
            {"code": code, "party_position": position, "digest": digest, "mime": "image/jpeg", "size": len(FILE)}
            for code, position in (("M08", None), ("M02", 1), ("M02", 2))
        ],
        "confirmations": [
            {
                "party_position": 1,
                "digest": "a" * 64,
                "confirmed_at": "2026-03-16T09:00:00+08:00",
                "face_check_id": new_id(),
                "statement": {"answer": "yes"},
            }
        ],
        **changes,
    }


def up(kind: str, application_id: str, body: Mapping[str, Any], *, at: datetime = NOON) -> UpMessage:
    return UpMessage(new_id(), kind, application_id, at, dict(body))


def evidence(kind: str, application_id: str) -> UpMessage:
    tax = {
        "declaration_no": "D1",
        "certificate_no": "C1",
        "cleared_at": "2026-03-16T13:00:00+08:00",
        "taxes": [{"tax": "deed", "payer": "buyer", "amount_fen": 2_000_000}],
    }
    fee = {"order_id": "O1", "amount_fen": 8000, "paid_at": "2026-03-16T13:00:00+08:00", "transaction_id": "T1"}
    body = tax if kind == "evidence_tax" else fee
    return up(kind, application_id, {"application_id": application_id, **body})


async def received(needs: Needs, **changes: Any) -> tuple[str, str]:
    """A case on the desk; answers case id and application id."""
    from server.registry.models import RegistryCase

    application_id = new_id()
    digest = await put_file(needs, application_id)
    message = up("case_package", application_id, package(application_id, digest, **changes))
    await service.receive_package(needs, message=message)
    case = await RegistryCase.get(application_id=application_id)
    return case.id, application_id


async def accepted(needs: Needs, **changes: Any) -> tuple[str, str]:
    case_id, application_id = await received(needs, **changes)
    await service.accept(needs, staff_id=OFFICER, scope=HERE, case_id=case_id, opinion="材料齐全")
    return case_id, application_id


async def ready(needs: Needs, *, fee: bool = True, **changes: Any) -> tuple[str, str]:
    """A case that only waits to be entered."""
    case_id, application_id = await accepted(needs, **changes)
    await service.review(needs, staff_id=OFFICER, scope=HERE, case_id=case_id, result="passed", opinion="同意")
    await service.record_evidence(needs, message=evidence("evidence_tax", application_id))
    if fee:
        await service.record_evidence(needs, message=evidence("evidence_fee", application_id))
    return case_id, application_id


async def entered(needs: Needs, **changes: Any) -> tuple[str, str]:
    case_id, application_id = await ready(needs, **changes)
    await service.enter(needs, staff_id=OFFICER, scope=HERE, case_id=case_id)
    return case_id, application_id


def moment(hour: int) -> datetime:
    return datetime(2026, 3, 16, hour, tzinfo=UTC)
