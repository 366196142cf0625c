"""What an application's events send up: files first, then the package, each thing once."""

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.errors import OutsideError
from kit.failing import Failing
from kit.outbox import Outbox
from server.adapters.registry_wire import RegistryWire, encode_up
from server.applications.events import FeeSettled, Submitted, TaxCleared, Withdrawn
from server.delivery.events import PaperMoved
from server.journeys import relaying
from server.journeys.house import House
from server.relay.ports import Needs
from server.terms.messages import UpMessage
from server.terms.unit_record import UnitRecord
from tests.factories.registry import key_ring, package
from tests.support.moments import NOON

APPLICATION = "0192f3a45b6c7d8e9f00112233445566"


@dataclass
class Remembering:
    steps: list[str] = field(default_factory=list)
    sent: list[UpMessage] = field(default_factory=list)

    async def query_unit(self, *, unit_code: str, certificate_number: str) -> UnitRecord | None:
        raise AssertionError((unit_code, certificate_number))

    async def put_material(self, *, application_id: str, scope: str, digest: str) -> None:
        self.steps.append(f"{application_id[-4:]} {scope} {digest[:2]}")

    async def send(self, message: UpMessage) -> None:
        encode_up(message)
        self.steps.append(message.kind)
        self.sent.append(message)


def record(**changes: Any) -> Any:
    values: dict[str, Any] = {
        "id": APPLICATION,
        "tax_declaration_no": "D1",
        "tax_certificate_no": "C1",
        "tax_cleared_at": NOON,
        "taxes": [SimpleNamespace(tax="deed", payer="buyer", amount_fen=2_000_000)],
        "fee_order_id": "O1",
        "fee_amount_fen": 8000,
        "fee_paid_at": NOON,
        "fee_transaction_id": None,
    }
    return SimpleNamespace(**{**values, **changes})


@dataclass
class Up:
    house: House
    registry: Remembering
    clock: FixedClock
    package: dict[str, Any]
    record: dict[str, Any]


@pytest.fixture
def going_up(db: object, monkeypatch: pytest.MonkeyPatch) -> Up:
    clock, registry, held = FixedClock(NOON), Remembering(), {"record": record()}
    body = package(APPLICATION, "a" * 64)
    needs = Needs(
        clock=clock,
        outbox=Outbox([], clock=clock, wake=lambda: None),
        cipher=Cipher(key_ring()),
        registry=registry,
        codec=RegistryWire(),
    )

    async def build(_: object, application_id: str) -> dict[str, Any]:
        assert application_id == APPLICATION
        return dict(body)

    async def full(_: object, *, application_id: str) -> Any:
        assert application_id == APPLICATION
        return held["record"]

    monkeypatch.setattr(relaying.packaging, "build_package", build)
    monkeypatch.setattr(relaying.applications, "full", full)
    house = cast("House", SimpleNamespace(clock=clock, relay=needs, applications=None))
    return Up(house, registry, clock, body, held)


async def test_files_go_before_the_package_and_each_once(going_up: Up) -> None:
    going_up.package["materials"] += [{**going_up.package["materials"][0], "digest": "b" * 64}]
    await relaying.forward_package(going_up.house, Submitted(APPLICATION))
    scope = f"application/{APPLICATION}"
    assert going_up.registry.steps == [f"5566 {scope} aa", f"5566 {scope} bb", "case_package"]


async def test_a_repeated_event_sends_nothing_again_and_a_new_submission_does(going_up: Up) -> None:
    for submitted_at in ("2026-03-16T10:00:00+08:00", "2026-03-16T10:00:00+08:00", "2026-03-18T10:00:00+08:00"):
        going_up.package["submitted_at"] = submitted_at
        going_up.clock.at += timedelta(minutes=1)
        await relaying.forward_package(going_up.house, Submitted(APPLICATION))
    assert [message.body["submitted_at"][:10] for message in going_up.registry.sent] == ["2026-03-16", "2026-03-18"]


async def test_where_a_paper_is_goes_up_once_without_any_package(going_up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    parcel = SimpleNamespace(carrier="ems", waybill="EK123456785CN", signed_by=None, old_certificate_recalled=True)
    standing = SimpleNamespace(
        application_id="", number="苏(2026)南京市不动产权第0000001号", old_papers_outside=("c" * 32,)
    )

    async def by_id(_: object, *, delivery_id: str) -> Any:
        assert delivery_id == "d" * 32
        return parcel

    async def paper_standing(_: object, *, certificate_id: str) -> Any:
        assert certificate_id == "e" * 32
        return standing

    monkeypatch.setattr(relaying.deliveries, "by_id", by_id)
    monkeypatch.setattr(relaying.certificates, "paper_standing", paper_standing)
    going_up.house.delivery = going_up.house.certificates = None  # type: ignore[misc, assignment]
    moments = ("2026-03-16T12:00:00+08:00", "2026-03-16T15:00:00+08:00")
    for way, noted_at in (("posted", moments[0]), ("posted", moments[0]), ("handed_over", moments[1])):
        await relaying.forward_paper(going_up.house, PaperMoved("d" * 32, "e" * 32, way, moments[0], noted_at))
        standing.old_papers_outside = ()
    told = [(message.body["way"], message.body["recalled"]) for message in going_up.registry.sent]
    assert told == [("posted", ["c" * 32]), ("handed_over", [])]
    parcel.old_certificate_recalled, standing.old_papers_outside = False, ("c" * 32,)
    await relaying.forward_paper(going_up.house, PaperMoved("d" * 32, "e" * 32, "kept", moments[1], moments[1]))
    assert going_up.registry.sent[-1].body["recalled"] == []


async def test_evidence_and_withdrawal_follow_the_package(going_up: Up) -> None:
    await relaying.forward_package(going_up.house, Submitted(APPLICATION))
    for _ in range(2):
        await relaying.forward_tax(going_up.house, TaxCleared(APPLICATION))
        await relaying.forward_fee(going_up.house, FeeSettled(APPLICATION))
        await relaying.forward_withdrawal(going_up.house, Withdrawn(APPLICATION))
    kinds = [message.kind for message in going_up.registry.sent]
    assert kinds == ["case_package", "evidence_tax", "evidence_fee", "withdrawal"]
    _, tax, fee, _ = going_up.registry.sent
    assert tax.body["taxes"] == [{"tax": "deed", "payer": "buyer", "amount_fen": 2_000_000}]
    assert (fee.body["amount_fen"], fee.body["paid_at"]) == (8000, "2026-03-16T12:00:00+08:00")


async def test_a_registry_that_is_down_gets_the_same_message_later(going_up: Up) -> None:
    down = OutsideError("registry", "TIMEOUT", "no answer", permanent=False)
    going_up.house.relay.__dict__["registry"] = Failing(going_up.registry, [down], after=True, methods={"send"})
    with pytest.raises(OutsideError):
        await relaying.forward_package(going_up.house, Submitted(APPLICATION))
    await relaying.forward_package(going_up.house, Submitted(APPLICATION))
    assert len({message.id for message in going_up.registry.sent}) == 1


async def test_evidence_without_its_moment_is_a_fault_of_ours(going_up: Up) -> None:
    going_up.record["record"] = record(tax_cleared_at=None)
    with pytest.raises(ValueError, match="no time"):
        await relaying.forward_tax(going_up.house, TaxCleared(APPLICATION))
