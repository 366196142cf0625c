from kit.db import fetch, transactional, upsert

ROW = {"id": "0" * 32, "kind": "visit", "district": "370102", "period": "2026", "value": 1}
KEY = ("kind", "district", "period")


@transactional
async def _write(change: str, **other: object) -> None:
    await upsert("kit_sequence", {**ROW, **other}, key=KEY, change=change)


async def test_the_first_inserts_and_the_next_changes_the_same_row(db: None) -> None:
    await _write("value = value + 1")
    await _write("value = value + 1", id="1" * 32, value=7)
    assert await fetch("SELECT id, value FROM kit_sequence") == [{"id": "0" * 32, "value": 2}]


async def test_what_is_new_is_told_apart_from_what_is_there(db: None) -> None:
    await _write("value = new.value", value=5)
    await _write("value = value + new.value", value=6)
    await _write("value = new.value", id="1" * 32, district="370103", value=9)
    assert await fetch("SELECT district, value FROM kit_sequence ORDER BY district") == [
        {"district": "370102", "value": 11},
        {"district": "370103", "value": 9},
    ]
