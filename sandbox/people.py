"""The residents of the sandbox.

They are fictional. Their ID numbers have valid check digits and the sequence codes (顺序码) 996 to 999, which real
people are hardly ever given; the phone numbers of the pattern 1990000000x belong to nobody we know of
and are never called.
"""

import hashlib
from dataclasses import asdict, dataclass, replace
from typing import Any

from sandbox.books import Books


@dataclass(frozen=True, slots=True)
class Person:
    """A resident with a WeChat and an Alipay account; `homes` is what the tax bureau knows of the family's homes."""

    key: str
    name: str
    id_number: str
    phone: str
    openid: str
    homes: int = 0
    alive: bool = True

    @property
    def alipay_user_id(self) -> str:
        """2088 and twelve digits."""
        number = int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:8])
        return f"2088{number % 10**12:012}"

    @property
    def alipay_open_id(self) -> str:
        return f"074aSandboxAlipayPerson{self.key:0>14}"


def openid_of(key: str) -> str:
    """28 characters, as WeChat's are, and readable in a log."""
    return f"oSandboxPerson{key:0>14}"


def _person(key: str, name: str, id_number: str, *, homes: int = 0, alive: bool = True) -> Person:
    phone = f"1990000000{key.removeprefix('P')}"
    return Person(key, name, id_number, phone, openid_of(key), homes, alive)


FICTIONAL = (
    _person("P1", "张明", "32010219850312999X", homes=2),
    _person("P2", "李静", "320102198709219982", homes=2),
    _person("P3", "王强", "320106199003079973"),
    _person("P4", "陈晓", "320106199208159969"),
    _person("P5", "王小宝", "320114201506019999"),
    _person("P6", "周芳", "320104196801059989", homes=1),
    _person("P7", "周老", "32010419401001999X", homes=1, alive=False),
)


class People:
    """Who exists; additions and changes are written down and outlive a restart."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._by_key = {person.key: person for person in FICTIONAL}
        for entry in books.read("people"):
            person = Person(**entry["person"])
            self._by_key[person.key] = person

    def all(self) -> list[Person]:
        return list(self._by_key.values())

    def get(self, key: str) -> Person | None:
        return self._by_key.get(key)

    def by_openid(self, openid: str) -> Person | None:
        return next((each for each in self._by_key.values() if each.openid == openid), None)

    def by_alipay(self, address: str) -> Person | None:
        """By user_id or open_id."""
        return next((p for p in self.all() if address in {p.alipay_user_id, p.alipay_open_id}), None)

    def by_document(self, *, name: str, id_number: str) -> Person | None:
        """The person both of these belong to: a right number under another name is nobody."""
        return next((p for p in self._by_key.values() if p.id_number == id_number and p.name == name), None)

    def add(self, person: Person) -> Person:
        self._by_key[person.key] = person
        self._books.write("people", {"person": asdict(person)})
        return person

    def change(self, key: str, changes: dict[str, Any]) -> Person:
        return self.add(replace(self._by_key[key], **changes))
