"""After the certificate: its paper by express, followed until the buyer has signed for it."""

from typing import Any

from sandbox.demo import cast
from sandbox.demo.scene import Scene
from sandbox.phones.handset import API
from sandbox.phones.journey import require

WAYBILL = "EK123456785CN"
_DONE = 200


def post(scene: Scene) -> None:
    """Tracking comes late, out of order and twice; the timeline is right all the same."""
    wanted = {"certificate_id": scene.new_certificate["id"], "receiver": cast.RECEIVER}
    asked = scene.buyer.calls.post("ask for the paper by express", f"{API}/deliveries", wanted, expect=201)
    path = f"{API}/deliveries/{asked['id']}"
    _send(scene, asked["id"])
    scene.journey.wait_for("the subscription at the carrier", lambda: _subscribed(scene))
    _travel(scene)
    signed = scene.journey.wait_for("the signature", lambda: _when_signed(scene, path))
    require(signed["signed_by"] == "self", f"it was signed for by {signed['signed_by']}")
    _check_timeline(signed["timeline"])
    told = ("delivery_dispatched", "delivery_signed")
    scene.journey.wait_for(
        "the messages about the parcel", lambda: all(scene.buyer.messages(each) for each in told) or None
    )


def _send(scene: Scene, delivery_id: str) -> None:
    """The clerk reads the address once, and says that the old paper is back."""
    scene.clerk.sign_in()
    waiting = scene.clerk.deliveries("requested")
    require(delivery_id in {each["id"] for each in waiting}, "the clerk does not see the request")
    require(cast.BUYER.name not in str(waiting), "the list shows the receiver's name in clear")
    label = scene.clerk.label(delivery_id, reason="打印面单")
    require(label["address"] == cast.RECEIVER["address"], "the label carries another address")
    require("证书" not in label["contents_text"], "the label says what is inside")
    sent = scene.clerk.dispatch(delivery_id, carrier="ems", waybill=WAYBILL)
    require(sent["state"] == "dispatched", f"the parcel is {sent['state']}")


def _travel(scene: Scene) -> None:
    """Collected and on its way; then an old push once more, and the last one twice."""
    for step in ("collected", "transit", "arrived"):
        _advance(scene, step)
    _push(scene, only=1)
    _advance(scene, "delivering")
    _advance(scene, "signed", signed_by="self")
    scene.journey.wait_for("the last push", lambda: _told(scene) or None)
    _push(scene)
    _push(scene, only=2)


def _advance(scene: Scene, step: str, **more: Any) -> None:
    scene.outside.do("/carrier/advance", waybill=WAYBILL, step=step, **more)
    scene.journey.wait_for(f"the push of {step}", lambda: _told(scene) or None)


def _push(scene: Scene, **more: Any) -> None:
    receipt = scene.outside.do("/carrier/push", waybill=WAYBILL, **more)
    require(receipt["status"] == _DONE, f"a push was answered {receipt}")


def _parcel(scene: Scene) -> dict[str, Any]:
    parcels = scene.outside.look("/carrier/parcels")
    return next((each for each in parcels if each["waybill"] == WAYBILL), {})


def _subscribed(scene: Scene) -> bool | None:
    return bool(_parcel(scene).get("callback_url")) or None


def _told(scene: Scene) -> bool:
    return bool(_parcel(scene)["told"])


def _when_signed(scene: Scene, path: str) -> dict[str, Any] | None:
    found: dict[str, Any] = scene.buyer.calls.get("look where the parcel is", path)
    return found if found["state"] == "signed" else None


def _check_timeline(timeline: list[dict[str, Any]]) -> None:
    """Five scans and our own two lines, each once, newest first."""
    moments = [each["at"] for each in timeline]
    require(moments == sorted(moments, reverse=True), f"the timeline is out of order: {moments}")
    states = [each["state"] for each in reversed(timeline)]
    require(states[:2] == ["requested", "dispatched"], f"the timeline begins with {states[:2]}")
    require(states[-1] == "signed", f"the timeline ends with {states[-1]}")
    require(len(timeline) == len({(each["at"], each["text"]) for each in timeline}), "a line is there twice")
