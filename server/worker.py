"""The second process: drains the outbox and the inbox, seals the audit trail, says that it is alive."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from prometheus_client import Counter, Gauge

from kit.db.connection import database
from kit.heartbeat.service import beat, forget_dead, stop_beating
from kit.log import configure, get_logger
from kit.outbox.drain import Drain
from kit.outbox.loop import Loop
from kit.outbox.queries import counts, oldest_due_seconds
from kit.outbox.wake import Alarm
from payments import service as payments
from server import wiring
from server.database import APPS
from server.settings import Settings

HEARTBEAT_SECONDS = 5.0
SEAL_SECONDS = 2.0
BILLS_SECONDS = 5.0
log = get_logger("worker")
_ROWS = Gauge("outbox_rows", "Unfinished outbox rows", ["state"])
_OLDEST = Gauge("outbox_oldest_due_seconds", "How long the oldest row has been due that nobody has finished")
_TIMER_FAILURES = Counter("timer_failures_total", "Timers that ended in an error", ["timer"])
_Action = Callable[[datetime], Coroutine[Any, Any, None]]


async def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; rows in hand are finished first."""
    configure(settings.log.level)
    built = wiring.build(settings)
    wiring.serve_metrics(settings.http.metrics_host, settings.worker.metrics_port)
    async with database(wiring.connection(settings), APPS):
        try:
            await _work(settings, built)
        finally:
            await built.close()


async def _work(settings: Settings, built: wiring.Built) -> None:
    stop, alarm = asyncio.Event(), Alarm()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stopper(stop, alarm))
    listening = await alarm.listen(settings.worker.wake_path) if settings.worker.wake_path else None
    name = f"worker:{settings.role}:{os.getpid()}"
    drain = Drain(
        built.house,
        built.handlers,
        built.house.clock,
        concurrency=settings.worker.concurrency,
        lease_seconds=settings.worker.lease_seconds,
        crash_at=settings.worker.crash_at,
    )
    timers = [
        asyncio.create_task(_every(seconds, action, built, stop)) for seconds, action in _timers(settings, built, name)
    ]
    log.info("worker_started", role=settings.role, pid=os.getpid())
    try:
        await Loop(drain, alarm, poll_seconds=settings.worker.poll_ms / 1000).run(stop)
    finally:
        for timer in timers:
            timer.cancel()
        await asyncio.gather(*timers, return_exceptions=True)
        if listening is not None:
            listening.close()
        await stop_beating(name=name)
    log.info("worker_stopped")


def _timers(settings: Settings, built: wiring.Built, name: str) -> list[tuple[float, _Action]]:
    """What is done beside the rows, and after how many seconds again; logs and metrics call each by its name."""

    async def alive(now: datetime) -> None:
        await beat(name=name, now=now)
        for state, count in (await counts()).items():
            _ROWS.labels(state).set(count)
        _OLDEST.set(await oldest_due_seconds(now=now))

    async def seal(_: datetime) -> None:
        await built.seal_audit()

    async def tidy(now: datetime) -> None:
        await forget_dead(now=now)
        await built.tidy()

    async def open_bills(_: datetime) -> None:
        if settings.role != "registry":
            await payments.open_due_bills(built.house.payments)

    return [
        (HEARTBEAT_SECONDS, alive),
        (SEAL_SECONDS, seal),
        (BILLS_SECONDS, open_bills),
        (settings.worker.tidy_seconds, tidy),
    ]


def _stopper(stop: asyncio.Event, alarm: Alarm) -> Callable[[], None]:
    def ask() -> None:
        stop.set()
        alarm.ring()

    return ask


async def _every(seconds: float, action: _Action, built: wiring.Built, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            await action(built.house.clock.now())
        except Exception:
            _TIMER_FAILURES.labels(action.__name__).inc()
            log.exception("timer_failed", timer=action.__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), timeout=seconds)
