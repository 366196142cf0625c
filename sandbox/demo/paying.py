"""Step 7: the buyer pays the fee; the wallet tells us twice, and it settles once."""

from typing import Any

from sandbox.demo import cast
from sandbox.demo.scene import Scene
from sandbox.phones.journey import require
from sandbox.phones.phone import API


def pay_fee(scene: Scene) -> None:
    """Order, pay, two equal notifications and a third later: one transaction, one settlement."""
    buyer = scene.buyer
    scene.outside.do("/faults", target="pay.notify", kind="duplicate")
    path = f"{scene.application_path}/payments"
    order = buyer.calls.post("pay by WeChat", path, {"wallet": "wechat"}, expect=201)
    require(order["amount_fen"] == cast.FEE_FEN, f"{order['amount_fen']} fen are asked for")
    buyer.pay(order["client_params"])
    number = scene.journey.wait_for("WeChat Pay's notification, twice", lambda: scene.told_twice("pay.notify"))
    settled = scene.journey.wait_for("the payment to settle", lambda: _settled(scene))
    told_again = scene.outside.do("/pay/notify", out_trade_no=number)
    require(told_again["status"] in {200, 204}, f"the third notification was answered {told_again}")
    _settles_once(scene, number)
    require(_settled(scene) == settled, "the third notification changed the payment")


def _settled(scene: Scene) -> dict[str, Any] | None:
    payment: dict[str, Any] = scene.buyer.calls.get("look at the payment", f"{API}/payments/{scene.order_id}")
    return payment if payment["paid_at"] else None


def _settles_once(scene: Scene, number: str) -> None:
    booked = [each for each in scene.outside.book("transactions") if each["out_trade_no"] == number]
    require(len(booked) == 1, f"WeChat Pay has booked {len(booked)} transactions")
    paid = [each for each in scene.outside.look("/pay/orders") if each["trade_state"] == "SUCCESS"]
    require([each["total"] for each in paid] == [cast.FEE_FEN], f"WeChat Pay has {len(paid)} paid orders")
    scene.journey.wait_for("the fee to be settled", lambda: _fee_settled(scene))
    scene.journey.wait_for("the WeChat message of payment", lambda: scene.buyer.messages("payment_settled") or None)
    told = scene.buyer.messages("payment_settled")
    require(len(told) == 1, f"the buyer was told {len(told)} times that the payment settled")


def _fee_settled(scene: Scene) -> bool | None:
    return scene.application(scene.buyer)["fee"]["state"] == "settled" or None
