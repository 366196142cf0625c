"""`payment_notifications`: genuine notices of WeChat Pay, each of its own payment, verified, kept once, acknowledged.

Completed work per second with 32 connections; a notice counts once it is answered, and by then it lies in the
database. What the worker then does with them is reported beside it, as settled payments per second.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.house import House, free_port, prepared
from bench.load.compare import by_work
from bench.load.wrk import Post, Run, run_all, write_posts
from bench.results import Figure
from bench.stage import Server, Stage, stop
from bench.statistics import ROUNDS
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db import fetch_one
from kit.db.connection import credentials, database
from kit.ids import new_id
from payments.models import Attempt, Order
from payments.rules import AttemptState, OrderState
from sandbox import credentials as partners
from sandbox.answers import compact
from sandbox.credentials import Keys
from sandbox.run.partners import Partners
from sandbox.signing import WECHAT_PAY_SCHEME, gcm_encrypt, pay_answer_message, rsa_sign
from server.database import APPS

NAME = "payment_notifications"
A_ROUND = 1500
SETTLED = 1500
_PATH = "/callbacks/wechat_pay"
_FEE_FEN = 8000
_PURPOSE = "bench"
_LONGEST_SECONDS = 120.0


def measure(stage: Stage) -> Figure:
    """Wall time per acknowledged notice, and how fast the worker settles them."""
    given = stage.folder / "partners"
    partners.init(given)
    keys = partners.load(given)
    sections = Partners("http://127.0.0.1:9", given, process=None).sections()  # type: ignore[arg-type]  # only its files
    house = prepared(stage, NAME)
    bare_database = prepared(stage, f"{NAME}_bare").database
    settled = _settled_per_second(stage, house, sections, keys)
    # Made now: a notice is refused five minutes after it was signed.
    rounds = _rounds(stage.folder / "notices", keys)
    ours = house.serve(stage, sections=sections)
    bare = _bare(stage, bare_database, given)
    figure = by_work(NAME, {"ours": _sender(ours, rounds), "bare": _sender(bare, rounds)}, unit="us/notice")
    _same_rows(house.database, bare_database)
    figure.extra["settled_per_second"] = round(settled, 1)
    return figure


def _rounds(folder: Path, keys: Keys) -> list[Path]:
    folder.mkdir()
    serials = itertools.count()
    found = []
    for number in range(ROUNDS):
        path = folder / str(number)
        write_posts(path, (notice(keys, new_id(), next(serials)) for _ in range(A_ROUND)))
        found.append(path)
    return found


def notice(keys: Keys, out_trade_no: str, serial: int) -> Post:
    """A notice as WeChat Pay sends it, signed now."""
    now = datetime.now(UTC)
    transaction = {
        "appid": keys.app_id,
        "mchid": keys.mchid,
        "out_trade_no": out_trade_no,
        "transaction_id": f"4200{serial:024d}",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "success_time": now.astimezone().isoformat(timespec="seconds"),
        "payer": {"openid": "oBench"},
        "amount": {"total": _FEE_FEN, "payer_total": _FEE_FEN, "currency": "CNY", "payer_currency": "CNY"},
    }
    nonce = f"{serial:012d}"
    sealed = gcm_encrypt(keys.apiv3_key, nonce=nonce, associated_data="transaction", plaintext=compact(transaction))
    resource = {
        "original_type": "transaction",
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": sealed,
        "associated_data": "transaction",
        "nonce": nonce,
    }
    body = json.dumps(
        {
            "id": f"EV-{serial:032d}",
            "create_time": transaction["success_time"],
            "event_type": "TRANSACTION.SUCCESS",
            "resource_type": "encrypt-resource",
            "summary": "paid",
            "resource": resource,
        }
    )
    timestamp = str(int(now.timestamp()))
    message = pay_answer_message(timestamp=timestamp, nonce="bench", body=body.encode())
    headers = {
        "Wechatpay-Serial": keys.wechatpay_public_key_id,
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": "bench",
        "Wechatpay-Signature": rsa_sign(keys.wechatpay_key, message),
        "Wechatpay-Signature-Type": WECHAT_PAY_SCHEME,
    }
    return Post(_PATH, headers, body)


def _sender(server: Server, rounds: list[Path]) -> Callable[[], Run]:
    """Each round's notices once: the second time they would be known already."""
    left: Iterator[Path] = iter(rounds)
    return lambda: run_all(next(left), url=server.url, pid=server.pid)


def _bare(stage: Stage, address: str, given: Path) -> Server:
    port = free_port()
    files = [str(given / "credentials" / name) for name in ("wechatpay_public_key.pem", "apiv3_key")]
    arguments = ("-m", "bench.bare_notifications", address, str(port), *files)
    return stage.serve("bare", *arguments, url=f"http://127.0.0.1:{port}", ready="/")


def _same_rows(ours: str, bare: str) -> None:
    """RuntimeError unless both kept every notice once: then they have done the same work."""
    kept = {name: asyncio.run(_kept(address)) for name, address in (("ours", ours), ("bare", bare))}
    if kept["ours"] - SETTLED != kept["bare"] or kept["bare"] != ROUNDS * A_ROUND:
        raise RuntimeError(f"the contenders kept {kept} notices")


async def _kept(address: str) -> int:
    async with database(credentials(address), APPS):
        return await _count("SELECT COUNT(*) AS n FROM kit_inbox")


async def _count(statement: str) -> int:
    row = await fetch_one(statement)
    return int(row["n"]) if row else 0


def _settled_per_second(stage: Stage, house: House, sections: dict[str, Any], keys: Keys) -> float:
    """Notices for open orders, kept by the server first, then worked on by one worker alone."""
    numbers = asyncio.run(_open_orders(house, keys))
    posts = stage.folder / "to-settle"
    write_posts(posts, (notice(keys, number, 10**9 + serial) for serial, number in enumerate(numbers)))
    server = house.serve(stage, level="WARNING", sections=sections)
    run_all(posts, url=server.url, pid=server.pid)
    settings = house.settings(port=free_port(), level="WARNING", sections=sections)
    worker = stage.start("worker", "-m", "server.cli", "--settings", str(settings), "work")
    try:
        return asyncio.run(_watch(house))
    finally:
        stop(worker)


async def _open_orders(house: House, keys: Keys) -> list[str]:
    """Orders that wait for their payment, each under a number given to the wallet."""
    cipher, now = Cipher(load_key_ring(house.keys)), datetime.now(UTC)
    async with database(credentials(house.database), APPS):
        orders = [_order(now) for _ in range(SETTLED)]
        await Order.bulk_create(orders, batch_size=500)
        attempts = [_attempt(cipher, keys, order, now) for order in await Order.all()]
        await Attempt.bulk_create(attempts, batch_size=500)
    return [attempt.out_trade_no for attempt in attempts]


def _order(now: datetime) -> Order:
    order_id = new_id()
    return Order(
        id=order_id,
        purpose=_PURPOSE,
        subject_id=new_id(),
        payer_id=new_id(),
        slot=f"{_PURPOSE}:{order_id}",
        amount_fen=_FEE_FEN,
        state=OrderState.OPEN,
        created_at=now,
        updated_at=now,
    )


def _attempt(cipher: Cipher, keys: Keys, order: Order, now: datetime) -> Attempt:
    attempt_id = new_id()
    return Attempt(
        id=attempt_id,
        order=order,
        out_trade_no=new_id(),
        wallet="wechat",
        merchant_id=keys.mchid,
        app_id=keys.app_id,
        amount_fen=_FEE_FEN,
        description="bench",
        payer_address_sealed=cipher.seal("oBench", ("payments_attempt.payer_address_sealed", attempt_id)),
        state=AttemptState.READY,
        next_poll_at=now + timedelta(hours=1),
        expires_at=now + timedelta(hours=1),
        created_at=now,
        updated_at=now,
    )


async def _watch(house: House) -> float:
    """Settled payments per second, from the first that is seen to the last."""
    async with database(credentials(house.database), APPS):
        first, begun = 0, 0.0
        deadline = time.monotonic() + _LONGEST_SECONDS
        while time.monotonic() < deadline:
            settled = await _count("SELECT COUNT(*) AS n FROM payments_settlement")
            now = time.monotonic()
            if settled and not begun:
                first, begun = settled, now
            if settled == SETTLED:
                return (settled - first) / max(now - begun, 1e-3)
            await asyncio.sleep(0.02)
    raise RuntimeError(f"only {settled} of {SETTLED} payments were settled")
