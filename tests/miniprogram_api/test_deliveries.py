"""A resident asks for the paper, a clerk sends it, both see where it is, and nobody else does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from sanic import Request

from kit.db import fetch
from kit.ids import new_id
from kit.web.access import Principal
from miniprogram_api import certificates, deliveries
from notifications import service as notifications
from server.certificates.models import CertificateCopy, CertificateCopyHolder
from server.console import deliveries as post_desk
from server.delivery import queries
from server.delivery.models import DeliveryOrder
from server.identity import queries as residents
from server.journeys.house import House
from server.journeys.telling import deliveries as telling
from tests.factories.deliveries import RECEIVER, WAYBILL, PostDesk, at, desk
from tests.support.moments import NOON
from tests.support.serving import client, edge, served

MINE, DESK = "/api/v1/deliveries", "/staff/v1/deliveries"


@dataclass
class Town:
    """One certificate of `p3`; tokens are `p3`, `p4` (residents), `clerk-320114`, `clerk-*` (staff)."""

    post: PostDesk
    house: House
    http: httpx.AsyncClient
    certificate: str

    async def as_resident(self, method: str, path: str, *, who: str = "p3", **options: Any) -> httpx.Response:
        return await self._ask(method, MINE + path, who, options)

    async def as_clerk(self, method: str, path: str, *, where: str = "320114", **options: Any) -> httpx.Response:
        return await self._ask(method, DESK + path, f"clerk-{where}", options)

    async def paper(self, *, who: str = "p3") -> tuple[str, str]:
        """Where the holder reads that the paper is; the list and the one say the same."""
        listed = await self.http.get("/api/v1/certificates", headers={"Authorization": f"Bearer {who}"})
        shown = {item["id"]: item for item in listed.json()["items"]}[self.certificate]
        one = await self.http.get(
            f"/api/v1/certificates/{self.certificate}", headers={"Authorization": f"Bearer {who}"}
        )
        assert one.json() == shown
        return shown["paper_state"], shown["paper_state_text"]

    async def _ask(self, method: str, path: str, token: str, options: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": options.pop("key", new_id())}
        return await self.http.request(method, path, headers=headers, **options)

    def wish(self, **changes: Any) -> dict[str, Any]:
        return {"certificate_id": self.certificate, "receiver": {**RECEIVER, **changes}}

    async def asked(self) -> dict[str, Any]:
        answer = await self.as_resident("POST", "", json=self.wish())
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def sent(self, delivery_id: str, **changes: Any) -> httpx.Response:
        body = {"carrier": "ems", "waybill": WAYBILL, "old_certificate_recalled": True, **changes}
        return await self.as_clerk("POST", f"/{delivery_id}/dispatch", json=body)


async def certificate(house: Any, owner: str, *, state: str = "valid", **more: Any) -> str:
    copy_id = new_id()
    await CertificateCopy.create(
        id=copy_id,
        number=f"苏(2026)南京市不动产权第{copy_id}号",
        kind="title_certificate",
        state=state,
        district="320114",
        unit_code="320114001002GB00012F00180302",
        location_sealed=house.cipher.seal("云锦花园3幢302室", ("certificates_copy.location_sealed", copy_id)),
        co_ownership="sole",
        registered_on=NOON.date(),
        credential="A",
        pdf_digest="0" * 64,
        pdf_size=1,
        created_at=NOON,
        updated_at=NOON,
        **more,
    )
    await CertificateCopyHolder.create(
        id=new_id(),
        copy_id=copy_id,
        position=1,
        name_sealed="x",
        id_kind="resident_id",
        id_number_sealed="x",
        id_number_blind=f"blind-{owner}",
    )
    return copy_id


@pytest.fixture
async def town(db: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    post = desk()
    house = cast(
        "House",
        SimpleNamespace(
            delivery=post.needs,
            identity=None,
            clock=post.clock,
            cipher=post.needs.cipher,
            certificates=SimpleNamespace(cipher=post.needs.cipher, public_base_url="https://city.example"),
        ),
    )

    async def person(_: object, *, resident_id: str) -> Any:
        return SimpleNamespace(id_number_blind=f"blind-{resident_id}", name=RECEIVER["name"])

    monkeypatch.setattr(residents, "person", person)

    async def resident(request: Request) -> Principal:
        name, _, level = (request.token or "").partition("-")
        return Principal("resident", id=name, level=int(level or 3))

    async def clerk(request: Request) -> Principal:
        _, _, where = (request.token or "").partition("-")
        districts = None if where == "*" else frozenset({where})
        held = frozenset({"delivery.read", "delivery.dispatch"})
        return Principal("staff", id="c1", permissions=held, districts=districts)

    door = edge(authenticators={"resident": resident, "staff": clerk}, clock=post.clock)
    nouns = [certificates.blueprint(house, door), deliveries.blueprint(house, door), post_desk.blueprint(house, door)]
    async with served(nouns) as base, client(base) as http:
        yield Town(post, house, http, await certificate(house, "p3"))


async def test_from_the_wish_to_the_signature(town: Town) -> None:
    wished = await town.asked()
    assert (wished["state"], wished["state_text"], wished["waybill"]) == ("requested", "已申请邮寄", None)
    assert wished["receiver"] == {
        "name_masked": "王*",
        "phone_masked": "139****1234",
        "district": "320114",
        "address_masked": "软件大道18" + "*" * 11,
    }
    waiting = (await town.as_clerk("GET", "?state=requested")).json()["items"]
    assert [item["id"] for item in waiting] == [wished["id"]]
    for nothing in ("   ", "\u200b\u200b\u200b", "。。"):
        unsaid = await town.as_clerk("POST", f"/{wished['id']}/label", json={"reason": nothing})
        assert (unsaid.status_code, unsaid.json()["errors"][0]["code"]) == (422, "REASON_EMPTY")
    label = await town.as_clerk("POST", f"/{wished['id']}/label", json={"reason": "填写邮件面单"})
    assert (label.json()["address"], label.json()["contents_text"]) == (RECEIVER["address"], "政务文件")
    sent = await town.sent(wished["id"])
    assert (sent.status_code, sent.json()["state"], sent.json()["old_certificate_recalled"]) == (
        200,
        "dispatched",
        True,
    )
    await town.post.work()
    await town.post.push(town.post.carrier.scan("ems", WAYBILL, (at(5), "301", "本人签收"), (at(1), "103", "已收寄")))
    seen = (await town.as_resident("GET", f"/{wished['id']}")).json()
    assert (seen["state"], seen["signed_by"], seen["signed_at"]) == ("signed", "self", "2026-03-16T17:00:00+08:00")
    assert [(each["state"], each["text"]) for each in seen["timeline"]] == [
        ("signed", "本人签收"),
        ("collected", "已收寄"),
        ("dispatched", f"登记机构已寄出，邮政特快专递EMS运单号{WAYBILL}"),
        ("requested", "您已申请邮寄纸质证书"),
    ]
    (mine,) = (await town.as_resident("GET", "")).json()["items"]
    assert (mine["id"], mine["carrier_text"]) == (wished["id"], "邮政特快专递EMS")


_NONE = ("not_printed", "没有领取纸质证书的记录")
_POSTED = ("posted", "纸质证书已寄出")


async def test_the_certificate_says_where_its_paper_is(town: Town) -> None:
    assert await town.paper() == _NONE
    wished = await town.asked()
    assert await town.paper() == _NONE
    await town.sent(wished["id"])
    assert await town.paper() == _POSTED
    for hour, code, says in (
        (3, "303", _POSTED),
        (4, "301", ("with_holder", "纸质证书已由收件人本人签收")),
        (5, "4", _NONE),
    ):
        await town.post.push(town.post.carrier.scan("ems", WAYBILL, (at(hour), code, "x")))
        assert await town.paper() == says, code
    assert (await CertificateCopy.get(id=town.certificate)).paper_state == "not_printed"


async def test_many_certificates_cost_one_look_at_the_post(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {town.certificate, await certificate(town.house, "p3"), await certificate(town.house, "p3")}
    looks: list[set[str]] = []
    posted = queries.posted

    async def look(needs: Any, *, certificate_ids: list[str]) -> dict[str, bool]:
        looks.append(set(certificate_ids))
        return await posted(needs, certificate_ids=certificate_ids)

    monkeypatch.setattr(queries, "posted", look)
    await town.paper()
    assert looks == [mine, {town.certificate}], "the list's, and the one's"


async def test_a_void_certificates_paper_is_to_be_returned_wherever_the_post_says_it_is(town: Town) -> None:
    await town.sent((await town.asked())["id"])
    await CertificateCopy.filter(id=town.certificate).update(paper_state="to_be_returned", state="superseded")
    assert await town.paper() == ("to_be_returned", "纸质证书应交回登记机构")


async def test_a_request_repeated_makes_one_order(town: Town) -> None:
    first = await town.as_resident("POST", "", json=town.wish(), key="request-0001")
    again = await town.as_resident("POST", "", json=town.wish(), key="request-0001")
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    other = await town.as_resident("POST", "", json=town.wish())
    assert (other.status_code, other.json()["code"]) == (409, "DELIVERY_OPEN")
    assert await DeliveryOrder.all().count() == 1


async def test_a_co_owner_learns_whom_to_ask_and_nothing_of_the_address(town: Town) -> None:
    await CertificateCopyHolder.create(
        id=new_id(),
        copy_id=town.certificate,
        position=2,
        name_sealed="x",
        id_kind="resident_id",
        id_number_sealed="x",
        id_number_blind="blind-p4",
    )
    wished = await town.asked()
    for same in (await town.as_resident("POST", "", json=town.wish()), await town.as_resident("GET", "/x")):
        assert "共有人" not in same.text
    other = await town.as_resident("POST", "", who="p4", json=town.wish(address="另一处地址五号楼"))
    assert (other.status_code, other.json()["code"]) == (409, "DELIVERY_OPEN")
    assert "共有人已经申请" in other.json()["detail"]
    assert (await town.as_resident("GET", f"/{wished['id']}", who="p4")).status_code == 404
    await town.sent(wished["id"])
    assert await town.paper(who="p4") == await town.paper() == _POSTED


@pytest.mark.parametrize(
    ("paper", "name", "code"),
    [("with_holder", "王强", "PAPER_WITH_HOLDER"), ("not_printed", "王小宝", "RECEIVER_NOT_HOLDER")],
)
async def test_the_paper_goes_once_and_to_its_holder(town: Town, paper: str, name: str, code: str) -> None:
    await CertificateCopy.filter(id=town.certificate).update(paper_state=paper)
    answer = await town.as_resident("POST", "", json=town.wish(name=name))
    assert answer.json()["code"] == code
    assert await DeliveryOrder.all().count() == 0


async def test_a_lost_parcel_ends_and_the_paper_can_be_asked_for_again(town: Town) -> None:
    wished = await town.asked()
    await town.sent(wished["id"])
    path = f"/{wished['id']}/settlement"
    told = {"outcome": "lost", "note": "快递公司确认丢失，请来窗口"}
    for flaw in ({"note": "请致电13900001234"}, {"note": "。。"}, {"outcome": "burnt"}):
        assert (await town.as_clerk("POST", path, json=told | flaw)).status_code == 422
    assert (await town.as_clerk("POST", path, json=told, where="320115")).status_code == 404
    settled = await town.as_clerk("POST", path, json=told)
    assert (settled.status_code, settled.json()["state"], settled.json()["settled_as_text"]) == (
        200,
        "lost",
        "登记机构已核实邮件丢失",
    )
    seen = (await town.as_resident("GET", f"/{wished['id']}")).json()
    assert (seen["state_text"], seen["timeline"][0]["text"]) == (
        "邮寄中丢失",
        "登记机构已核实邮件丢失：快递公司确认丢失，请来窗口",
    )
    assert (await town.asked())["state"] == "requested"


async def test_a_mistyped_waybill_is_corrected(town: Town) -> None:
    wished = await town.asked()
    await town.sent(wished["id"], waybill="1136281381675")
    body = {"carrier": "ems", "waybill": WAYBILL, "reason": "面单录入错误"}
    path = f"/{wished['id']}/waybill"
    for flaw in ({"reason": "。。"}, {"waybill": "EK123456784CN"}, {"carrier": "pigeon"}):
        assert (await town.as_clerk("POST", path, json=body | flaw)).status_code == 422
    assert (await town.as_clerk("POST", path, json=body, where="320115")).status_code == 404
    corrected = await town.as_clerk("POST", path, json=body)
    assert (corrected.status_code, corrected.json()["waybill"]) == (200, WAYBILL)
    assert (await town.as_resident("GET", f"/{wished['id']}")).json()["waybill"] == WAYBILL


async def test_a_stray_push_is_put_away_by_who_sees_the_whole_city(town: Town) -> None:
    await town.post.push(town.post.carrier.scan("ems", WAYBILL, (at(1), "103", "x")))
    (stray,) = (await town.as_clerk("GET", "/strays", where="*")).json()["items"]
    path, body = f"/strays/{stray['id']}/explanation", {"reason": "已向快递公司核实"}
    assert (await town.as_clerk("POST", path, json=body)).status_code == 403
    assert (await town.as_clerk("POST", path, json=body, where="*")).json() == {"id": stray["id"]}
    assert (await town.as_clerk("GET", "/strays", where="*")).json()["items"] == []
    assert (await town.as_clerk("POST", path, json=body, where="*")).status_code == 404


async def test_a_request_is_taken_back_before_it_is_sent(town: Town) -> None:
    wished = await town.asked()
    taken = await town.as_resident("POST", f"/{wished['id']}/cancellation", json={})
    assert (taken.status_code, taken.json()["state"]) == (200, "cancelled")
    assert (await town.sent(wished["id"])).json()["code"] == "DELIVERY_STATE_WRONG"
    again = await town.asked()
    assert (await town.sent(again["id"])).status_code == 200
    late = await town.as_resident("POST", f"/{again['id']}/cancellation", json={})
    assert (late.status_code, late.json()["code"]) == (409, "DELIVERY_STATE_WRONG")


async def test_nobody_sees_or_moves_anothers(town: Town) -> None:
    wished = await town.asked()
    for method, path in (("GET", f"/{wished['id']}"), ("POST", f"/{wished['id']}/cancellation")):
        answer = await town.as_resident(method, path, who="p4", **({"json": {}} if method == "POST" else {}))
        assert (answer.status_code, answer.json()["code"]) == (404, "DELIVERY_NOT_FOUND")
    assert (await town.as_resident("GET", "", who="p4")).json()["items"] == []
    theirs = await town.as_resident("POST", "", who="p4", json=town.wish())
    assert (theirs.status_code, theirs.json()["code"]) == (404, "CERTIFICATE_NOT_FOUND")
    assert (await town.as_resident("GET", "", who="p3-2")).status_code == 403
    assert (await town.as_clerk("GET", "", where="320115")).json()["items"] == []
    for path, body in (("label", {"reason": "看看"}), ("dispatch", {"carrier": "ems", "waybill": WAYBILL})):
        sent = {**body, "old_certificate_recalled": True} if path == "dispatch" else body
        answer = await town.as_clerk("POST", f"/{wished['id']}/{path}", where="320115", json=sent)
        assert (answer.status_code, answer.json()["code"]) == (404, "DELIVERY_NOT_FOUND"), path
    assert [row["action"] for row in await fetch("SELECT action FROM kit_audit")] == ["delivery.requested"]


async def test_only_a_valid_certificate_is_posted(town: Town) -> None:
    old = await certificate(town.house, "p3", state="superseded")
    asked = await town.as_resident("POST", "", json=town.wish() | {"certificate_id": old})
    assert (asked.status_code, asked.json()["code"]) == (409, "CERTIFICATE_NOT_VALID")
    wished = await town.asked()
    await CertificateCopy.filter(id=town.certificate).update(state="cancelled")
    assert (await town.sent(wished["id"])).json()["code"] == "CERTIFICATE_NOT_VALID"
    assert (await DeliveryOrder.get(id=wished["id"])).state == "requested"


async def test_the_old_paper_comes_back_first(town: Town) -> None:
    await certificate(
        town.house, "p1", state="superseded", paper_state="to_be_returned", superseded_by=town.certificate
    )
    wished = await town.asked()
    refused = await town.sent(wished["id"], old_certificate_recalled=False)
    assert (refused.status_code, refused.json()["code"]) == (409, "OLD_CERTIFICATE_NOT_RECALLED")
    assert (await town.sent(wished["id"])).status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "王强2", "NAME_INVALID"),
        ("phone", "12345", "PHONE_INVALID"),
        ("district", "320100", "DISTRICT_INVALID"),
        ("address", "三楼", "ADDRESS_INVALID"),
        ("postcode", "21001", "POSTCODE_INVALID"),
        ("postcode", "", "STRING_TOO_SHORT"),
        ("address", "路" * 201, "STRING_TOO_LONG"),
    ],
)
async def test_an_address_that_cannot_be(town: Town, field: str, value: str, code: str) -> None:
    answer = await town.as_resident("POST", "", json=town.wish(**{field: value}))
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(f"receiver.{field}", code)]
    assert await DeliveryOrder.all().count() == 0


@pytest.mark.parametrize(
    "body",
    [
        {"carrier": "ems", "waybill": "EK123456784CN", "old_certificate_recalled": True},
        {"carrier": "pigeon", "waybill": WAYBILL, "old_certificate_recalled": True},
        {"carrier": "shunfeng", "waybill": "SF1234567890", "old_certificate_recalled": True},
        {"carrier": "ems", "waybill": WAYBILL},
        {"carrier": "ems", "waybill": WAYBILL, "old_certificate_recalled": "yes"},
    ],
)
async def test_a_dispatch_that_cannot_be(town: Town, body: dict[str, Any]) -> None:
    wished = await town.asked()
    answer = await town.as_clerk("POST", f"/{wished['id']}/dispatch", json=body)
    assert answer.status_code == 422
    assert (await DeliveryOrder.get(id=wished["id"])).state == "requested"


async def test_strays_are_for_the_whole_city(town: Town) -> None:
    await town.post.push(town.post.carrier.scan("ems", "1136281381675", (at(1), "103", "已收寄")))
    assert (await town.as_clerk("GET", "/strays")).status_code == 403
    (stray,) = (await town.as_clerk("GET", "/strays", where="*")).json()["items"]
    assert (stray["waybill"], stray["fault_text"]) == ("1136281381675", "运单号不是本机构寄出的")


async def test_what_needs_looking_after_is_found(town: Town) -> None:
    wished = await town.asked()
    await town.sent(wished["id"])
    assert (await town.as_clerk("GET", "?attention=true")).json()["items"] == []
    await town.post.push(town.post.carrier.scan("ems", WAYBILL, (at(5), "303", "他人代收")))
    (shown,) = (await town.as_clerk("GET", "?attention=true")).json()["items"]
    assert (shown["id"], shown["attention_text"]) == (wished["id"], "不是收件人本人签收，请核实")


async def test_the_resident_is_told_once_and_nothing_of_a_certificate(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.delivery.events import Dispatched, StateChanged

    told: list[dict[str, Any]] = []

    async def tell(_: object, **message: Any) -> None:
        told.append(message)

    monkeypatch.setattr(notifications, "tell", tell)
    town.house.__dict__["notifications"] = None
    wished = await town.asked()
    await town.sent(wished["id"])
    await telling.dispatched(town.house, Dispatched(wished["id"]))
    for code, state in (("5", "delivering"), ("204", "problem"), ("301", "signed")):
        hours = {"5": 2, "204": 3, "301": 4}[code]
        await town.post.push(town.post.carrier.scan("ems", WAYBILL, (at(hours), code, "x")))
        await telling.moved(town.house, StateChanged(wished["id"], state, "occasion"))
    # What is over by the time it is handled is not told any more.
    await telling.moved(town.house, StateChanged(wished["id"], "delivering", "late"))
    templates = ["delivery_dispatched", "delivery_delivering", "delivery_problem", "delivery_signed"]
    assert [each["template"] for each in told] == templates
    assert {each["recipient"] for each in told} == {"p3"}
    assert len({each["dedupe_key"] for each in told}) == 4
    assert all(each["params"]["number"] == WAYBILL for each in told)
    assert not [each for each in told if "证" in each["params"]["business"]]
