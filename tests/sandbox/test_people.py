import pytest

from sandbox.people import FICTIONAL, Person
from tests.sandbox.city import City


@pytest.mark.parametrize("person", FICTIONAL, ids=lambda person: person.key)
def test_fictional_people_have_valid_ids(person: Person):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(digit) * weight for digit, weight in zip(person.id_number, weights, strict=False))
    assert person.id_number[17] == "10X98765432"[total % 11]
    assert person.id_number[14:17] in {"996", "997", "998", "999"}
    assert len(person.openid) == 28


async def test_people_come_and_change(city: City):
    newcomer = {"key": "P8", "name": "赵新", "id_number": "320102199001019990", "phone": "19900000008", "homes": 3}
    added = await city.control("POST", "/people", **newcomer)
    assert added == {**newcomer, "openid": "oSandboxPerson000000000000P8", "alive": True}
    assert (await city.http.post("/_control/people", json=newcomer)).status_code == 409
    assert (await city.control("PATCH", "/people/P8", homes=0))["homes"] == 0
    assert (await city.http.patch("/_control/people/P99", json={"homes": 0})).status_code == 404
    keys = [each["key"] for each in (await city.control("GET", "/people"))["items"]]
    assert keys == ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"]
