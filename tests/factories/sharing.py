"""Sharing with departments in memory, and questions to put to them."""

from dataclasses import dataclass
from typing import Any

from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from server.adapters.fake_departments import FakeDepartments
from server.sharing.ports import Needs
from server.sharing.service import From, Subject
from server.terms.evidence import EvidenceKind, Household, MaritalStatus, Marriage, Member, Relation
from tests.support.moments import NOON

P3, P3_NUMBER = "王强", "320106199003079973"
APPLICATION, PARTY, RESIDENT = "1" * 32, "2" * 32, "3" * 32
MARRIAGE = From(
    "civil_affairs_marriage", "民政部门婚姻登记信息", EvidenceKind.MARRIAGE, "核对共有关系", "条例第二十四条"
)
HOUSEHOLD = From("police_household", "公安部门户籍信息", EvidenceKind.HOUSEHOLD, "核定住房套数", "条例第二十四条")


@dataclass
class Hall:
    needs: Needs
    departments: FakeDepartments
    clock: FixedClock


def hall(*, port: Any = None, seconds: float = 3.0) -> Hall:
    """P3 is divorced and lives with a child; `port` takes the departments' place."""
    clock = FixedClock(NOON)
    departments = FakeDepartments(
        clock,
        marriages={P3_NUMBER: (P3, Marriage(MaritalStatus.DIVORCED))},
        households={P3_NUMBER: (P3, Household((Member(P3, Relation.SELF, minor=False),)))},
    )
    asked = port or departments
    cipher = Cipher(KeyRing({"k1": b"1" * 32, "blind": b"b" * 32}, "k1"))
    needs = Needs(clock=clock, cipher=cipher, identity=asked, lookup=asked, seconds=seconds)
    return Hall(needs, departments, clock)


def subject(*, name: str = P3, id_number: str = P3_NUMBER, application_id: str = APPLICATION) -> Subject:
    return Subject(application_id, PARTY, name, id_number, "320***********9973")
