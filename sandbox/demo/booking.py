"""Before the application: the buyer reads the guide and books a counter, changes their mind, books another time."""

from typing import Any

from sandbox.demo import cast, paper
from sandbox.demo.scene import Scene
from sandbox.phones.handset import API
from sandbox.phones.journey import require

_DISTRICT = cast.UNIT_CODE[:6]
_PATH = f"{API}/appointments"


def book(scene: Scene) -> None:
    """The pass is read back from its picture, as the clerk's scanner does."""
    _read_guide(scene)
    office = _choose_office(scene)
    first, second = _two_free_slots(scene, office)
    given_up = _booked(scene, first)
    cancelled = scene.buyer.calls.post("cancel the appointment", f"{_PATH}/{given_up['id']}/cancellation", expect=200)
    require(cancelled["state"] == "cancelled", f"the appointment is {cancelled['state']}")
    kept = _booked(scene, second)
    require(_left(scene, office, first["id"]) == first["left"], "the place given up is not free again")
    picture = scene.buyer.show_pass(kept["id"])
    (scene.results / "appointment-pass.png").write_bytes(picture)
    text = paper.read_code_of_png(picture).text
    require(text and cast.BUYER.id_number not in text, "the pass holds more than a random text")
    mine = scene.buyer.calls.get("see my appointments", _PATH)["items"]
    require([each["state"] for each in mine] == ["booked", "cancelled"], f"my appointments are {mine}")


def _read_guide(scene: Scene) -> None:
    guide = scene.buyer.calls.get("read the guide", f"{API}/catalogue/businesses/{cast.BUSINESS}")
    empty = [part for part in ("steps", "materials", "time_limit_working_days", "fees", "laws") if not guide[part]]
    require(not empty, f"the guide says nothing of {empty}")


def _choose_office(scene: Scene) -> dict[str, Any]:
    offices: list[dict[str, Any]] = scene.buyer.calls.get(
        "choose the district and an office", f"{API}/offices", params={"district": _DISTRICT}
    )["items"]
    require(offices, f"there is no office in {_DISTRICT}")
    return offices[0]


def _two_free_slots(scene: Scene, office: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """On the last day that can be booked: whatever the hour now, it has not begun."""
    free = [slot for day in _calendar(scene, office) for slot in day["slots"] if slot["left"]]
    require(len(free) > 1, "there are not two free slots")
    return free[-2], free[-1]


def _calendar(scene: Scene, office: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = {"business": cast.BUSINESS, "days": office["days_ahead"]}
    days: list[dict[str, Any]] = scene.buyer.calls.get(
        "see the free slots", f"{API}/offices/{office['id']}/slots", params=wanted
    )["days"]
    return days


def _left(scene: Scene, office: dict[str, Any], slot_id: str) -> int:
    slots = [slot for day in _calendar(scene, office) for slot in day["slots"]]
    return next(int(slot["left"]) for slot in slots if slot["id"] == slot_id)


def _booked(scene: Scene, slot: dict[str, Any]) -> dict[str, Any]:
    booked = scene.buyer.book_slot(slot["id"], cast.BUSINESS)
    require(booked["state"] == "booked" and booked["number"], f"the appointment is {booked}")
    return booked
