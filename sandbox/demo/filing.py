"""Logging in, drawing up the application, confirming and submitting it."""

from collections import Counter
from typing import Any

from sandbox.demo import cast, materials
from sandbox.demo.scene import Scene
from sandbox.demo.wallets import WALLETS
from sandbox.people import Person
from sandbox.phones.handset import API, Handset
from sandbox.phones.journey import require

_SHARED = {"M10", "M10H"}
_HOUSEHOLDS = "departments.household"


def log_in(scene: Scene) -> None:
    """Sessions, phone numbers and real names, all fetched by the server from the wallet."""
    for phone in scene.phones.values():
        phone.log_in()
        phone.bind_phone()
        phone.prove_real_name()
        phone.accept_messages()
    for name, count in _wallets(scene).items():
        for target in (*WALLETS[name].identity, WALLETS[name].face):
            _require_asked(scene, target, times=count)


def draw_up(scene: Scene) -> None:
    """What the register says, what the seller types in, the proofs that departments have, and uploads."""
    calls = scene.seller.calls
    query = {"unit_code": cast.UNIT_CODE, "certificate_number": cast.OLD_NUMBER}
    found = calls.post("look the unit up in the register", f"{API}/register-queries", query, expect=200)
    require(found["unit"]["area_centiare"] == 8950, f"the register says {found['unit']}")
    require(sum(owner["is_me"] for owner in found["owners"]) == 1, "the register does not show the seller as an owner")
    draft = calls.post("open the application", f"{API}/applications", cast.application(), expect=201)
    scene.application_id = draft["id"]
    require({"M02", "M08", *_SHARED} <= {each["code"] for each in _wanted(draft)}, "too few materials are asked for")
    wanted = _share(scene)
    owners = _owners_of_materials(draft)
    for each in wanted:
        _upload(scene, each["code"], each["party_id"], owners.get(each["party_id"]))
    left = [each["name"] for each in scene.application(scene.seller)["materials"] if each["state"] == "missing"]
    require(not set(left) & {each["name"] for each in wanted}, f"still missing: {left}")


def _wanted(application: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in application["materials"] if each["required"] and each["state"] == "missing"]


def _share(scene: Scene) -> list[dict[str, Any]]:
    """The public security's records are down at first, so that proof would be uploaded; they come back in time."""
    scene.outside.do("/faults", target=_HOUSEHOLDS, kind="status", status=503, times=0)
    without = scene.seller.share_materials(scene.application_id)
    scene.outside.end_faults()
    states = {each["code"]: (each["state"], each["source_state"]) for each in without["materials"]}
    require(states["M10"][0] == "shared", f"the marriage proof is {states['M10']}")
    require(states["M10H"] == ("missing", "unavailable"), f"the household proof is {states['M10H']}")
    shared = scene.seller.share_materials(scene.application_id)
    left = _wanted(shared)
    require(not _SHARED & {each["code"] for each in left}, f"still asked for: {left}")
    return left


def confirm_and_submit(scene: Scene) -> None:
    """Each party for themselves, by a face check for the digest of what they read; then the receipt."""
    path = scene.application_path
    scene.seller.calls.post("ask all parties to confirm", f"{path}/confirmation-request", expect=200)
    for phone in scene.phones.values():
        _confirm(scene, phone)
    for name, count in _wallets(scene).items():
        _require_asked(scene, WALLETS[name].face, times=2 * count)
    submitted = scene.seller.calls.post("submit", f"{path}/submission", expect=201)
    require(submitted["receipt"]["number"], "there is no 收件回执")
    require(submitted["number"], "the application has no number")
    receipt = scene.seller.calls.get("read the 收件回执", f"{path}/documents/receipt")
    require(submitted["receipt"]["number"] in str(receipt), "the 收件回执 does not carry its number")


def _require_asked(scene: Scene, target: str, *, times: int) -> None:
    """By the wallet's own books: the server asked for the outcome, it did not take a phone's word for it."""
    asked = [each for each in scene.outside.book("requests") if each["target"] == target and each["status"] == 200]
    require(len(asked) >= times, f"the server asked for {target} {len(asked)} times, not {times}")


def _wallets(scene: Scene) -> Counter[str]:
    """How many of the phones have each wallet."""
    return Counter(phone.wallet for phone in scene.phones.values())


def _owners_of_materials(application: dict[str, Any]) -> dict[str, Person]:
    """Whose each party's materials are: the parties stand in the order they were typed in."""
    return {party["id"]: person for party, person in zip(application["parties"], cast.PARTIES, strict=True)}


def _upload(scene: Scene, code: str, party_id: str | None, owner: Person | None) -> None:
    made = materials.make(code, owner)
    kept = scene.seller.calls.ask(
        f"upload {code}",
        "POST",
        f"{scene.application_path}/materials/{code}/files",
        params={"party_id": party_id} if party_id else None,
        content=made.content,
        headers={"Content-Type": made.mime},
        expect=201,
    ).json()
    require(kept["size"] == len(made.content), f"{code} arrived with {kept['size']} bytes")
    require(kept["mime"] == made.mime, f"{code} is taken for {kept['mime']}")


def _confirm(scene: Scene, phone: Handset) -> None:
    path = scene.application_path
    mine = phone.calls.get("find my applications", f"{API}/applications")["items"]
    require(scene.application_id in {each["id"] for each in mine}, f"{phone.person.key} does not see the application")
    known = cast.SELLERS_ANSWERS if phone.person in cast.SELLERS else cast.BUYERS_ANSWERS
    questions = phone.calls.get("read the inquiry", f"{path}/inquiry")["questions"]
    unknown = [each["code"] for each in questions if each["code"] not in known]
    require(not unknown, f"the demo cannot answer {unknown}")
    answers = {each["code"]: known[each["code"]] for each in questions}
    read = phone.calls.put("answer it and read the statement", f"{path}/inquiry", {"answers": answers})
    require(cast.UNIT_CODE in str(read["statement"]), "the statement does not say which unit is sold")
    check = phone.prove_it_is_me(read["digest"])
    drawn = phone.sign(materials.drawn_signature(phone.person.name))
    form = {"digest": read["digest"], "face_check_id": check, "signature_png_base64": drawn}
    phone.calls.post("confirm", f"{path}/confirmations", form, expect=201)
