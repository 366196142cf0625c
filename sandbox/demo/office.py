"""The case at the registry, from its arrival to the new certificate."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from sandbox.demo import cast, paper
from sandbox.demo.scene import Scene
from sandbox.demo.wallets import WALLETS
from sandbox.demo.writing import NOTICE
from sandbox.phones.handset import API, Handset
from sandbox.phones.journey import require

# The officer wrote twice, in different words; the buyer booked twice.
_OCCASIONS = {NOTICE: 2, "appointment_booked": 2}


def arrive(scene: Scene) -> None:
    """The package crosses to the registry with its materials, readable there."""
    scene.officer.sign_in()
    found = scene.journey.wait_for("the case package at the registry", lambda: _arrived(scene))
    scene.case_id = found["id"]
    require(found["unit_code"] == cast.UNIT_CODE, f"the case is about {found['unit_code']}")
    photos = [each for each in found["materials"] if each["mime"] == "image/jpeg"]
    require(photos, "no picture came with the case")
    content = scene.officer.read_material(scene.case_id, photos[0]["id"])
    require(len(content) == photos[0]["size"], "a material arrived in another size")
    require(content.startswith(b"\xff\xd8"), "a picture arrived as something else")


def accept_and_review(scene: Scene) -> None:
    """The 受理凭证 comes back, all three are told, the review passes, and the fee falls due."""
    scene.officer.decide("accept", scene.case_id, "acceptance", opinion="申请材料齐全，符合法定形式，予以受理。")
    accepted = scene.journey.wait_for("the 受理凭证", lambda: _when(scene, "case_number"))
    scene.case_number = accepted["case_number"]
    proof = scene.seller.calls.get("read the 受理凭证", f"{scene.application_path}/documents/acceptance")
    require(scene.case_number in str(proof), "the 受理凭证 does not carry the case number")
    scene.journey.wait_for("the wallets' messages of acceptance", lambda: scene.all_told("case_accepted"))
    opinion = "权属清楚，材料真实有效，符合登记条件，同意登记。"
    scene.officer.decide("pass the review", scene.case_id, "review", result="passed", opinion=opinion)
    due = scene.journey.wait_for("the fee to fall due", lambda: _when(scene, "fee"))
    require(due["fee"]["amount_fen"] == cast.FEE_FEN, f"the fee is {due['fee']['amount_fen']} fen")
    scene.order_id = due["fee"]["order_id"]


def clear_tax_and_enter(scene: Scene) -> None:
    """Entry is refused while taxes are open; the bureau clears them, twice told; then it is entered."""
    _read_old_code(scene)
    refused = scene.officer.decide("try to enter before the tax", scene.case_id, "entry", expect=409)
    require(refused["code"] == "TAX_NOT_CLEARED", f"entry was refused with {refused['code']}")
    declared = scene.journey.wait_for("the declaration at the tax bureau", lambda: _declaration(scene))
    deed = [each["amount_fen"] for each in declared["taxes"] if each["tax"] == "deed_tax"]
    require(deed == [cast.DEED_TAX_FEN], f"the deed tax is {deed} fen")
    scene.outside.do("/faults", target="tax.notify", kind="duplicate")
    scene.outside.do("/tax/pay", declaration_no=declared["declaration_no"])
    scene.journey.wait_for("the bureau's callback, twice", lambda: scene.told_twice("tax.notify"))
    scene.journey.wait_for("the tax to be cleared at the registry", lambda: _tax_passed(scene))
    scene.officer.decide("enter", scene.case_id, "entry")
    scene.journey.wait_for("the wallets' messages of entry", lambda: scene.all_told("case_entered"))


def receive_certificate(scene: Scene) -> None:
    """The old certificate is superseded; the buyer downloads the new one."""
    scene.new_certificate = scene.journey.wait_for(
        "the new certificate", lambda: _certificate(scene.buyer, lambda each: each["unit_code"] == cast.UNIT_CODE)
    )
    scene.journey.wait_for("the old certificate's end", lambda: _superseded(scene))
    old = scene.seller.calls.get("open the old certificate", _certificate_path(scene.old_certificate))
    require(old["paper_state"] == "to_be_returned", f"its paper is {old['paper_state']}")
    path = _certificate_path(scene.new_certificate)
    scene.new_certificate = scene.buyer.calls.get("open the new certificate", path)
    require(scene.new_certificate["state"] == "valid", f"it is {scene.new_certificate['state']}")
    require(scene.new_certificate["number"] != cast.OLD_NUMBER, "the new certificate has the old number")
    scene.pdf = scene.buyer.calls.ask("download certificate.pdf", "GET", f"{path}/file").content
    (scene.results / "certificate.pdf").write_bytes(scene.pdf)
    picture = scene.buyer.calls.ask("show the QR code", "GET", f"{path}/qr").content
    (scene.results / "certificate-qr.png").write_bytes(picture)
    text = paper.text_of(scene.pdf)
    require(cast.BUYER.name in text, "the certificate does not name the buyer")
    require(cast.UNIT_CODE in text, "the certificate does not name the unit")
    require(scene.new_certificate["number"] in text, "the certificate does not carry its number")
    _everything_told_once(scene)


def _everything_told_once(scene: Scene) -> None:
    """Twice notified, once told: nobody has two messages of a kind, neither in the wallet nor in our own inbox."""
    scene.journey.wait_for("the certificate's message", lambda: scene.buyer.messages("certificate_ready") or None)
    for phone in scene.phones.values():
        inbox = phone.calls.get("read my messages", f"{API}/messages", params={"limit": 100})["items"]
        shown = scene.outside.look(WALLETS[phone.wallet].messages, person=phone.person.key)
        for told in (inbox, shown):
            counts = Counter(each["template"] for each in told)
            often = {template: count for template, count in counts.items() if count > _OCCASIONS.get(template, 1)}
            require(told and not often, f"{phone.person.key} was told {often or 'nothing'}")


def _arrived(scene: Scene) -> dict[str, Any] | None:
    """The case, once it and all its materials are there."""
    for each in scene.officer.cases():
        if each["application_id"] == scene.application_id:
            return scene.officer.case(each["id"])
    return None


def _when(scene: Scene, field: str) -> dict[str, Any] | None:
    application = scene.application(scene.seller)
    return application if application[field] else None


def _declaration(scene: Scene) -> dict[str, Any] | None:
    declared = scene.outside.look("/tax/declarations")
    return next((each for each in declared if each["case_no"] == scene.case_number), None)


def _tax_passed(scene: Scene) -> bool | None:
    tracks = {each["code"]: each["state"] for each in scene.officer.case(scene.case_id)["tracks"]}
    return tracks["tax"] in {"done", "waived"} or None


def _certificate(phone: Handset, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any] | None:
    items: list[dict[str, Any]] = phone.calls.get("see my certificates", f"{API}/certificates")["items"]
    return next((each for each in items if fits(each)), None)


def _certificate_path(certificate: dict[str, Any]) -> str:
    return f"{API}/certificates/{certificate['id']}"


def _read_old_code(scene: Scene) -> None:
    """The seller's present certificate, made by the same service, has a code of its own, and it is valid."""
    scene.old_certificate = scene.journey.wait_for(
        "the seller's certificate", lambda: _certificate(scene.seller, lambda each: each["number"] == cast.OLD_NUMBER)
    )
    path = f"{_certificate_path(scene.old_certificate)}/qr"
    picture = scene.seller.calls.ask("show the old certificate's QR code", "GET", path).content
    scene.old_link = paper.read_code_of_png(picture).text
    page = scene.passer_by.ask("open the old certificate's link", "GET", scene.old_link).text
    require("有效" in page, "the old certificate is not valid before entry")


def _superseded(scene: Scene) -> bool | None:
    old = scene.seller.calls.get("look at the old certificate", _certificate_path(scene.old_certificate))
    return old["state"] == "superseded" or None
