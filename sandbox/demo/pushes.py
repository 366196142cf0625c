"""What partners pushed to us, by their own records: noted in the journey beside the calls of phones and desks."""

from dataclasses import dataclass

from sandbox.demo.scene import Scene
from sandbox.phones.journey import PushTaken

_NAMES = {
    "pay.notify": "WeChat Pay: it is paid",
    "alipay.notify": "Alipay: it is paid",
    "tax.notify": "the tax bureau: all is cleared",
    "carrier.notify": "the carrier: where the parcel is",
}


@dataclass(slots=True)
class Pushes:
    """`note` after each step writes down those that it has not seen before."""

    scene: Scene
    seen: int = 0

    def note(self) -> None:
        journey, sent = self.scene.journey, list(self.scene.outside.book("deliveries"))
        for each in sent[self.seen :]:
            if each["status"] is not None:
                name = _NAMES.get(each["target"], each["target"])
                journey.pushes.append(PushTaken(journey.step, name, each["status"]))
        self.seen = len(sent)
