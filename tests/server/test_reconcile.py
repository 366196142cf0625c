import asyncio
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kit.clock import day_begins
from kit.db.connection import database
from kit.ids import new_id
from payments.bill_models import BillEntry, DailyBill
from server import wiring
from server.cli import cli
from server.database import APPS
from server.settings import read

DAY = date(2026, 11, 20)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A prepared installation."""
    path = tmp_path / "yichuang.toml"
    path.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path}/data/city.db"\n[files]\ndirectory = "{tmp_path}/files"\n'
        f'[crypto]\nkeys_directory = "{tmp_path}/keys"\n'
    )
    assert run(path, "prepare").exit_code == 0
    return path


def run(settings: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--settings", str(settings), *arguments])


def keep_bill(settings: Path, *, lines: int) -> None:
    """A bill that was fetched, with payments that nobody here knows."""

    async def keep() -> None:
        async with database(wiring.connection(read(settings)), APPS):
            now = day_begins(date(2026, 11, 21))
            bill = await DailyBill.create(
                id=new_id(),
                wallet="wechat",
                day=DAY,
                next_fetch_at=now,
                fetched_at=now,
                created_at=now,
                updated_at=now,
            )
            for position in range(1, lines + 1):
                await BillEntry.create(
                    id=new_id(),
                    bill=bill,
                    position=position,
                    kind="payment",
                    number=f"t{position}",
                    out_trade_no=f"n{position}",
                    transaction_id=f"t{position}",
                    amount_fen=8000,
                    settled_fen=8000,
                    service_fee_fen=48,
                    done_at=day_begins(DAY),
                )

    asyncio.run(keep())


def test_a_day_with_something_unexplained_ends_with_1(house: Path):
    keep_bill(house, lines=2)
    result = run(house, "reconcile", "--day", "2026-11-20")
    assert result.exit_code == 1
    assert "微信支付 2026-11-20  有差异" in result.output
    assert "[未解释] 账单有收款，我方没有：收款 n2，账单 80.00，我方 无，账单第 2 行" in result.output
    assert "未解释差异：2" in result.output


def test_a_day_that_fits_ends_with_0(house: Path):
    keep_bill(house, lines=0)
    result = run(house, "reconcile", "--day", "2026-11-20", "--wallet", "wechat")
    assert (result.exit_code, "已对平" in result.output) == (0, True)


def test_a_bill_that_is_not_there_is_unexplained(house: Path):
    result = run(house, "reconcile", "--day", "2026-11-20", "--wallet", "alipay")
    assert (result.exit_code, result.output) == (1, "支付宝 2026-11-20  没有账单\n\n")


def test_a_day_that_is_none_is_refused(house: Path):
    assert run(house, "reconcile", "--day", "yesterday").exit_code == 2


def test_where_no_wallet_is_connected_nothing_is_balanced(house: Path):
    """As on a registry: a job on the wrong machine must be seen."""
    done = run(house, "reconcile", "--day", f"{DAY}")
    assert (done.exit_code, "没有接通钱包" in done.output) == (1, True)
