"""What the departments have on file about the fictional residents; a test may change it, which outlives a restart."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sandbox.books import Books
from sandbox.people import People, Person


class Source(StrEnum):
    MARRIAGE = "marriage"
    HOUSEHOLD = "household"


@dataclass(frozen=True, slots=True)
class Record:
    """`name` as the department spells it, which may differ from the person's; `data` in the hub's own form."""

    name: str
    data: dict[str, Any]


# Who has married whom; the rest is by itself. P5 is a child, P7 married before the records were kept by computer.
_MARRIED = {"P1": ("P2", "2012-05-20"), "P2": ("P1", "2012-05-20")}
_ALONE = {"P3": ("divorced", "2021-03-09"), "P4": ("unmarried", None), "P6": ("widowed", None)}
_HOUSEHOLDS = {
    "P1": (("P1", "self"), ("P2", "spouse")),
    "P2": (("P2", "self"), ("P1", "spouse")),
    "P3": (("P3", "self"), ("P5", "child")),
    "P4": (("P4", "self"),),
    "P5": (("P5", "self"), ("P3", "parent")),
    "P6": (("P6", "self"),),
}
_MINORS = {"P5"}
_OTHER_NAMES = {(Source.MARRIAGE, "P6"): "周芬"}  # a clerk's mistake: the number is right, the name is not


def masked(id_number: str) -> str:
    return f"{id_number[:3]}***********{id_number[-4:]}"


class Records:
    def __init__(self, books: Books, people: People) -> None:
        self._books = books
        self._people = people
        self._changed: dict[tuple[str, str], Record | None] = {}
        for entry in books.read("department_records"):
            record = entry["record"]
            self._changed[entry["source"], entry["person"]] = Record(**record) if record else None

    def change(self, source: Source, person: Person, record: Record | None) -> None:
        """From now on this is on file; None for no record at all."""
        self._changed[source.value, person.key] = record
        told = asdict(record) if record else None
        self._books.write("department_records", {"source": source.value, "person": person.key, "record": told})

    def find(self, source: Source, id_number: str) -> Record | None:
        """By the number alone, as departments keep their files."""
        person = next((each for each in self._people.all() if each.id_number == id_number), None)
        if person is None:
            return None
        if (source.value, person.key) in self._changed:
            return self._changed[source.value, person.key]
        data = self._marriage(person) if source is Source.MARRIAGE else self._household(person)
        return Record(_OTHER_NAMES.get((source, person.key), person.name), data) if data else None

    def _marriage(self, person: Person) -> dict[str, Any] | None:
        if person.key in _MARRIED:
            key, day = _MARRIED[person.key]
            spouse = self._people.get(key)
            if spouse is None:
                raise KeyError(key)
            return {
                "status": "married",
                "registered_on": day,
                "spouse_name": spouse.name,
                "spouse_id_number_masked": masked(spouse.id_number),
            }
        if person.key not in _ALONE:
            return None
        status, since = _ALONE[person.key]
        return {"status": status, "registered_on": since, "spouse_name": None, "spouse_id_number_masked": None}

    def _household(self, person: Person) -> dict[str, Any] | None:
        members = [
            {"name": other.name, "relation": relation, "minor": key in _MINORS}
            for key, relation in _HOUSEHOLDS.get(person.key, ())
            if (other := self._people.get(key)) is not None
        ]
        return {"members": members} if members else None
