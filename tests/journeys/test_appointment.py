"""A counter booked from a real phone, told by WeChat, and cancelled again."""

import io

import zxingcpp
from PIL import Image

from sandbox.demo import cast, filing
from sandbox.phones.phone import API
from tests.journeys.city import Build


def test_a_counter_is_booked_and_told(build: Build):
    with build("sqlite") as city, city.scene(cast.PARTIES[:1]) as scene:
        filing.log_in(scene)
        phone = next(iter(scene.phones.values()))
        booked = phone.book_counter("320114", "TRANSFER_RESALE")
        assert (booked["state"], booked["number"]) == ("booked", "A001")
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(phone.show_pass(booked["id"]))))
        assert len(code.text) == 32
        told = scene.journey.wait_for("the message", lambda: phone.messages("appointment_booked") or None)
        assert len(told) == 1
        phone.calls.post("cancel", f"{API}/appointments/{booked['id']}/cancellation", {})
        scene.journey.wait_for("the other message", lambda: phone.messages("appointment_cancelled") or None)
        assert city.count("appointments_slot", "booked <> 0") == 0
