"""The buyer pays the fee; the wallet tells us twice, and it settles once."""

from typing import Any

from sandbox.demo import cast
from sandbox.demo.scene import Scene
from sandbox.demo.wallets import WALLETS
from sandbox.phones.handset import API
from sandbox.phones.journey import require


def pay_fee(scene: Scene) -> None:
    """Order, pay, two equal notifications and a third later: one transaction, one settlement."""
    buyer, wallet = scene.buyer, WALLETS[scene.buyer.wallet]
    scene.outside.do("/faults", target=wallet.notices, kind="duplicate")
    path = f"{scene.application_path}/payments"
    order = buyer.calls.post(f"pay by {wallet.name}", path, {"wallet": buyer.wallet}, expect=201)
    require(order["amount_fen"] == cast.FEE_FEN, f"{order['amount_fen']} fen are asked for")
    buyer.pay(order["client_params"])
    scene.journey.wait_for(f"{wallet.name}'s notification, twice", lambda: scene.told_twice(wallet.notices))
    settled = scene.journey.wait_for("the payment to settle", lambda: _settled(scene))
    paid = wallet.paid(scene.outside)
    require(list(paid.values()) == [cast.FEE_FEN], f"{wallet.name} has {paid} as paid")
    told_again = scene.outside.do(wallet.notify, out_trade_no=next(iter(paid)))
    require(told_again["status"] in {200, 204}, f"the third notification was answered {told_again}")
    scene.journey.wait_for("the fee to be settled", lambda: _fee_settled(scene))
    scene.journey.wait_for("the wallet's message of payment", lambda: buyer.messages("payment_settled") or None)
    told = buyer.messages("payment_settled")
    require(len(told) == 1, f"the buyer was told {len(told)} times that the payment settled")
    require(_settled(scene) == settled, "the third notification changed the payment")


def _settled(scene: Scene) -> dict[str, Any] | None:
    payment: dict[str, Any] = scene.buyer.calls.get("look at the payment", f"{API}/payments/{scene.order_id}")
    return payment if payment["paid_at"] else None


def _fee_settled(scene: Scene) -> bool | None:
    return scene.application(scene.buyer)["fee"]["state"] == "settled" or None
