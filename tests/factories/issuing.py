"""What it takes to issue certificates: a seal made for the test, and requests for the sale of H1."""

import dataclasses
import datetime as dt
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.files.store import FileStore, local_store
from kit.outbox import Handler, Outbox
from server.adapters.seal_keys import DemoSeal, create_demo_seal
from server.certificates.credential import public_keys
from server.certificates.events import CopyKept, Issued, StatusChanged
from server.certificates.ports import Authority, Needs
from server.certificates.request import HolderValues, IssueRequest
from tests.factories.registry import H1, key_ring
from tests.support.moments import NOON

AUTHORITY = Authority(name="南京市不动产登记中心", code="320100", province="苏", place="南京市")


@cache
def seal_files() -> DemoSeal:
    return create_demo_seal(Path(mkdtemp(prefix="seal-")) / "seal", AUTHORITY.name)


async def _nothing(house: Any, event: Any) -> None:
    """Listens, so that the event is written down."""


@dataclass
class Office:
    needs: Needs
    clock: FixedClock


def office(directory: Path) -> Office:
    clock, ring, files = FixedClock(NOON), key_ring(), seal_files()
    handlers = [Handler(f"test.{event.name}", event, _nothing) for event in (Issued, StatusChanged, CopyKept)]
    needs = Needs(
        clock=clock,
        outbox=Outbox(handlers, clock=clock, wake=lambda: None),
        cipher=Cipher(ring),
        files=FileStore(local_store(directory), ring),
        seal=files.open(),
        authority=AUTHORITY,
        credential_keys=public_keys([files.credential_public.read_bytes()]),
        public_base_url="http://127.0.0.1:8000",
    )
    return Office(needs, clock)


_REQUEST = IssueRequest(
    case_id="0192f3a45b6c7d8e9f001122334455aa",
    position=1,
    application_id="0192f3a45b6c7d8e9f001122334455bb",
    right_id="0192f3a45b6c7d8e9f001122334455cc",
    district="320114",
    unit_code=H1,
    location="南京市雨花台区软件大道18号云锦花园3幢302室",
    co_ownership="sole",
    co_ownership_text="单独所有",
    holders=(HolderValues("王强", "resident_id", "320106199003079973", id_kind_text="居民身份证"),),
    right_type_text="国有建设用地使用权/房屋所有权",
    right_nature_text="出让/市场化商品房",
    usage_text="城镇住宅用地/住宅",
    land_area=1234560,
    building_area=8950,
    term_text="国有建设用地使用权 2008年05月20日起2078年05月19日止",
    registered_on=dt.date(2026, 3, 16),
)


def request(**changes: Any) -> IssueRequest:
    return dataclasses.replace(_REQUEST, **changes)
