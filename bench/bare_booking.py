"""The baseline of `booking_contention`: the statements of one of our requests in one transaction behind bare Sanic.

The same texts in the same order over a raw aiomysql pool, the same refusals and the same size of answer; no ORM, no
log, no validation. Started as `python -m bench.bare_booking <database url> <port> <office id>`.
"""

import sys
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
from sanic import HTTPResponse, Request, Sanic

from bench.bare import bare_app, shanghai

_HOLD = timedelta(minutes=5)
_SESSION = (
    "SELECT s.id, s.resident_id, s.last_used_at, s.expires_at, r.level "
    "FROM identity_session s JOIN identity_resident r ON r.id = s.resident_id "
    "WHERE s.token_hash = %s AND s.ended_at IS NULL"
)
_KEY = (
    "SELECT id, body_digest AS digest, state, result_id, status, created_at FROM kit_idempotency_key "
    "WHERE who = %s AND route = %s AND request_key = %s"
)
_SLOT = (
    "SELECT id, office_id, business_group, day, starts_at, ends_at, capacity, booked, closed "
    "FROM appointments_slot WHERE id = %s"
)
_BOOK = (
    "INSERT INTO appointments_booking (id, resident_id, slot_id, office_id, district, business_group, business_type, "
    "state, hold_until, active_key, day, starts_at, ends_at, version, created_at, updated_at, ended_reason) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 1, %s, %s, '')"
)
_AUDIT = (
    "INSERT INTO kit_audit (id, at, actor_kind, actor_id, action, subject_kind, subject_id, result, source_ip_sealed, "
    "reason, request_id, details, seq, previous_hash, hash) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, NULL, NULL, %s, %s, NULL, NULL, NULL)"
)
_SETTLE = (
    "INSERT INTO kit_idempotency_key (id, who, route, request_key, body_digest, state, result_id, status, created_at) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
_TAKE = (
    "UPDATE appointments_slot SET booked = booked + 1 "
    "WHERE id = %s AND booked < capacity AND starts_at > %s AND closed = 0"
)
_READ = (
    "SELECT id, resident_id, slot_id, office_id, business_group, business_type, state, hold_until, number, "
    "starts_at, ends_at, version, ended_reason, checked_in_at FROM appointments_booking WHERE id = %s "
    "AND resident_id = %s"
)
_ROUTE = "POST /api/v1/appointments"
_OFFICE = {"name": "测试受理点", "address": "测试路1号", "phone": "025-00000000", "map_hint": "测试站1号口"}


class _FullError(Exception):
    """No place is left."""


async def book(cursor: Any, token: str, key: str, raw: bytes, office_id: str) -> bytes:
    """One request's statements, between BEGIN and COMMIT; the answer."""
    await cursor.execute(_SESSION, (sha256(token.encode()).hexdigest(),))
    session = await cursor.fetchone()
    wanted = orjson.loads(raw)
    now = datetime.now(UTC).replace(tzinfo=None)
    resident, slot_id, booking = session[1], wanted["slot_id"], uuid.uuid4().hex
    who = f"resident:{resident}"
    await cursor.execute(_KEY, (who, _ROUTE, key))
    await cursor.fetchone()
    await cursor.execute(_SLOT, (slot_id,))
    _, _, group, day, starts_at, ends_at, capacity, booked, _ = await cursor.fetchone()
    if booked >= capacity:
        raise _FullError
    active = f"{resident}:{group}"
    held = (booking, resident, slot_id, office_id, "320102", group, wanted["business_type"], "held", now + _HOLD)
    await cursor.execute(_BOOK, (*held, active, day, starts_at, ends_at, now, now))
    deed = (uuid.uuid4().hex, now, "resident", resident, "appointments.held", "appointment", booking, "ok")
    await cursor.execute(_AUDIT, (*deed, uuid.uuid4().hex, f'{{"slot_id":"{slot_id}"}}'))
    digest = sha256(raw).hexdigest()
    await cursor.execute(_SETTLE, (uuid.uuid4().hex, who, _ROUTE, key, digest, "done", booking, 201, now))
    if await cursor.execute(_TAKE, (slot_id, now)) != 1:
        raise _FullError
    await cursor.execute(_READ, (booking, resident))
    return _body(await cursor.fetchone())


def _body(row: Any) -> bytes:
    booking, _, slot_id, office_id, group, business, state, hold_until, number, starts_at, ends_at, version, note, _ = (
        row
    )
    return orjson.dumps(
        {
            "id": booking,
            "state": state,
            "state_text": "已保留，待确认",
            "office": {"id": office_id, **_OFFICE},
            "slot_id": slot_id,
            "business_type": business,
            "business_group": group,
            "business_group_text": "转移登记",
            "starts_at": shanghai(starts_at),
            "ends_at": shanghai(ends_at),
            "hold_until": shanghai(hold_until),
            "number": number,
            "note": note,
            "version": version,
        }
    )


def create_app(database: str, office_id: str) -> Sanic[Any, Any]:
    """One route, and nothing around it."""
    app = bare_app("bare-booking", database, init_command="SET tx_isolation='READ-COMMITTED'")

    @app.post("/api/v1/appointments")
    async def hold(request: Request) -> HTTPResponse:
        token, key = request.token or "", request.headers.get("idempotency-key", "")
        async with app.ctx.pool.acquire() as connection, connection.cursor() as cursor:
            await connection.begin()
            try:
                answer = await book(cursor, token, key, request.body, office_id)
            except _FullError:
                await connection.rollback()
                return HTTPResponse(b'{"code":"SLOT_FULL"}', status=409, content_type="application/json")
            await connection.commit()
        return HTTPResponse(answer, status=201, content_type="application/json")

    return app


if __name__ == "__main__":
    create_app(sys.argv[1], sys.argv[3]).run(port=int(sys.argv[2]), single_process=True, access_log=False, motd=False)
