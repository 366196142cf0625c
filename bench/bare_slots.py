"""The baseline of `slot_calendar`: bare Sanic, a raw aiomysql pool and one SELECT; no session, the same bytes out.

Started as `python -m bench.bare_slots <database url> <port>`.
"""

import sys
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any

import orjson
from sanic import HTTPResponse, Request, Sanic

from bench.bare import SHANGHAI, bare_app

DAYS = 14
DAYS_AHEAD = 21
_NOON = time(12)
_WEEKDAYS = "一二三四五六日"
_SLOTS = (
    "SELECT s.id, s.day, s.starts_at, s.ends_at, s.capacity, s.booked, s.closed, c.reason "
    "FROM appointments_slot s LEFT JOIN appointments_closure c ON c.office_id = s.office_id AND c.day = s.day "
    "WHERE s.office_id = %s AND s.business_group = %s AND s.starts_at >= %s AND s.starts_at < %s ORDER BY s.starts_at"
)


def body(office_id: str, rows: list[Any], first: date, now: datetime) -> bytes:
    """The answer from the rows of two weeks, all of them within what is released."""
    by_day = {day: list(found) for day, found in groupby(rows, key=lambda row: row[1])}
    days = [first + timedelta(days=step) for step in range(DAYS)]
    return orjson.dumps(
        {
            "office_id": office_id,
            "business_group": "transfer",
            "business_group_text": "转移登记",
            "days": [_day(day, by_day.get(day, []), now) for day in days],
        }
    )


def _day(day: date, rows: list[Any], now: datetime) -> dict[str, Any]:
    closed_text = None if rows and not rows[0][6] else "休息日，不对外办公"
    slots, left = [], [0, 0]
    for slot_id, _, starts_at, ends_at, capacity, booked, _, _ in rows:
        if starts_at <= now:
            continue
        begins = starts_at.replace(tzinfo=UTC).astimezone(SHANGHAI)
        ends = ends_at.replace(tzinfo=UTC).astimezone(SHANGHAI)
        left[begins.time() >= _NOON] += capacity - booked
        slots.append(
            {
                "id": slot_id,
                "starts_at": begins.isoformat(timespec="seconds"),
                "ends_at": ends.isoformat(timespec="seconds"),
                "left": capacity - booked,
            }
        )
    return {
        "day": day.isoformat(),
        "weekday_text": f"星期{_WEEKDAYS[day.weekday()]}",
        "closed": closed_text is not None,
        "closed_text": closed_text,
        "left": sum(left),
        "morning_left": left[0],
        "afternoon_left": left[1],
        "slots": slots,
    }


def create_app(database: str) -> Sanic[Any, Any]:
    """One route, and nothing around it."""
    app = bare_app("bare-slots", database, autocommit=True)

    @app.get("/api/v1/offices/<office_id>/slots")
    async def slots(_: Request, office_id: str) -> HTTPResponse:
        now = datetime.now(UTC).replace(tzinfo=None)
        today = datetime.now(SHANGHAI).date()
        begin = datetime.combine(today, time(), SHANGHAI).astimezone(UTC).replace(tzinfo=None)
        async with app.ctx.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(_SLOTS, (office_id, "transfer", begin, begin + timedelta(days=DAYS)))
            rows = await cursor.fetchall()
        return HTTPResponse(body(office_id, rows, today, now), content_type="application/json")

    return app


if __name__ == "__main__":
    create_app(sys.argv[1]).run(port=int(sys.argv[2]), single_process=True, access_log=False, motd=False)
