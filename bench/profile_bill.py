"""`python -m bench.profile_bill [--lines 100000]`: a day's bill of each wallet, kept and matched on MariaDB.

Our books have every movement of the bill, and know nothing of it in the last step. Printed for each step: seconds,
statements and commits, the longest time for which the worker's loop stood still, the longest transaction that another
connection saw, and the process's peak memory so far.
"""

import asyncio
import json
import resource
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import pymysql

from bench.bill_rows import KEYS
from bench.house import prepared
from bench.stage import stage
from kit.clock import FixedClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import load_key_ring
from kit.db import execute
from kit.db.connection import credentials, database
from kit.outbox import Outbox
from payments.bill_models import DailyBill
from payments.bill_rules import BillState, due_from
from payments.bills import parsing_alipay, parsing_wechat
from payments.bills.bill import Bill
from payments.ports import Needs
from payments.service import conclude, fetch_bill, open_due_bills
from server.database import APPS

DAY = date(2026, 11, 20)
_TICK = 0.002
_LOOK = 0.02


@dataclass(frozen=True, slots=True)
class _FromDisk:
    """The bill as its provider brings it, the network aside."""

    wallet: str
    path: Path

    async def fetch(self, day: date) -> Bill:
        raw = self.path.read_bytes()
        if self.wallet == "wechat":
            return await asyncio.to_thread(parsing_wechat.parse, raw, day=day, merchant_id=KEYS.mchid)
        return await asyncio.to_thread(parsing_alipay.parse, raw, day=day, seller_id=KEYS.alipay_seller_id)


@dataclass
class _Watch:
    """Looks on while a step runs: on the loop, and at the server over a connection of its own."""

    address: str
    stood_still: float = 0.0
    longest_transaction: float = 0.0
    statements: int = 0
    commits: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    async def tick(self) -> None:
        """The longest time between two turns of the loop."""
        before = time.monotonic()
        while True:
            await asyncio.sleep(_TICK)
            now = time.monotonic()
            self.stood_still, before = max(self.stood_still, now - before - _TICK), now

    def look(self) -> None:
        """The longest time for which one and the same transaction with changes was seen."""
        parts = urlsplit(self.address)
        connection = pymysql.connect(
            host=parts.hostname, port=parts.port or 3306, user=parts.username or "", autocommit=True
        )
        since: dict[str, float] = {}
        with connection, connection.cursor() as cursor:
            first, looks = _counters(cursor), 0
            while not self._over.wait(_LOOK):
                cursor.execute("SELECT trx_id FROM information_schema.innodb_trx WHERE trx_rows_modified > 0")
                now, looks = time.monotonic(), looks + 1
                since = {row[0]: since.get(row[0], now) for row in cursor.fetchall()}
                self.longest_transaction = max([self.longest_transaction, *(now - at for at in since.values())])
            last = _counters(cursor)
        self.statements, self.commits = last[0] - first[0] - looks - 1, last[1] - first[1]

    def end(self) -> None:
        self._over.set()


def _counters(cursor: Any) -> tuple[int, int]:
    cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_commit', 'Questions')")
    found = {name: int(value) for name, value in cursor.fetchall()}
    return found["Questions"], found["Com_commit"]


@click.command()
@click.option("--lines", default=100_000, help="Lines of each bill; one in a hundred is a refund.")
@click.option("--step", default="", hidden=True)
def main(lines: int, step: str) -> None:
    """Measure each wallet in a process of its own."""
    if step:
        asyncio.run(_measure(**json.loads(step)))
        return
    with stage() as stood:
        house = prepared(stood, "bills")
        for wallet in ("wechat", "alipay"):
            path = stood.folder / f"{wallet}.bill"
            stood.command("-m", "bench.bill_rows", house.database, wallet, str(path), str(lines), DAY.isoformat())
            print(f"{wallet}: {lines} lines, {path.stat().st_size / 1e6:.1f} MB packed", flush=True)
            told = {"address": house.database, "keys": str(house.keys), "wallet": wallet, "path": str(path)}
            name = f"measured-{wallet}"
            stood.start(name, "-m", "bench.profile_bill", "--step", json.dumps(told)).wait()
            print((stood.folder / f"{name}.log").read_text(encoding="utf-8"), flush=True)


async def _measure(address: str, keys: str, wallet: str, path: str) -> None:
    clock = FixedClock(due_from(DAY))
    bills = {wallet: _FromDisk(wallet, Path(path))}
    outbox = Outbox((), clock=clock, wake=lambda: None)
    needs = Needs(clock, outbox, Cipher(load_key_ring(Path(keys))), {}, {}, bills=bills)
    async with database(credentials(address), APPS):
        await open_due_bills(needs)
        bill = await DailyBill.get(wallet=wallet, day=DAY)
        await _step(address, "fetched, kept, matched", lambda: fetch_bill(needs, bill_id=bill.id))
        await bill.refresh_from_db()
        if bill.state != BillState.MATCHED:
            raise RuntimeError(f"the bill is {bill.state}: {bill.error}, {bill.unexplained} unexplained")
        await _step(address, "matched again", lambda: conclude(needs, bill_id=bill.id))
        for table in ("refund", "settlement", "attempt"):
            await execute(f"UPDATE payments_{table} SET wallet = ? WHERE wallet = ?", [f"not {wallet}", wallet])  # noqa: S608 - constants
        await _step(address, "matched with nothing of it in our books", lambda: conclude(needs, bill_id=bill.id))


async def _step(address: str, name: str, command: Callable[[], Awaitable[None]]) -> None:
    watch = _Watch(address)
    eye = threading.Thread(target=watch.look)
    eye.start()
    ticking = asyncio.create_task(watch.tick())
    begun = time.monotonic()
    try:
        await command()
    finally:
        seconds = time.monotonic() - begun
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        watch.end()
        eye.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"  {name}: {seconds:.1f} s, {watch.statements} statements, {watch.commits} commits, loop still "
        f"{watch.stood_still * 1000:.0f} ms, transaction {watch.longest_transaction:.1f} s, peak {peak:.0f} MB"
    )


if __name__ == "__main__":
    main()
