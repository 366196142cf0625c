from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from bench.bare_progress import body
from bench.rows import STEPS, file_applications, sign_in
from kit.clock import SystemClock
from kit.crypto.cipher import Cipher
from kit.crypto.keys import KeyRing
from kit.db import fetch
from kit.db.sql import as_utc
from kit.sessions import Lifetime, LiveSessions
from server.applications import queries
from server.identity.queries import authenticate, me
from server.identity.rules import Level

CIPHER = Cipher(KeyRing({"k1": b"1" * 32, "blind": b"2" * 32}, "k1"))


@pytest.fixture
def needs() -> Any:
    lifetime = Lifetime(idle=timedelta(minutes=30), absolute=timedelta(hours=12))
    live = LiveSessions(table="identity_session")
    return SimpleNamespace(clock=SystemClock(), cipher=CIPHER, live=live, lifetime=lifetime)


async def test_who_is_signed_in_is_known_by_the_service(db: Any, needs: Any):
    first, second = await sign_in(CIPHER, count=2)
    principal = await authenticate(needs, token=second.token)
    assert principal is not None
    assert (principal.id, principal.level) == (second.resident.id, Level.REAL_NAME)
    assert (await me(needs, resident_id=first.resident.id)).id_number_masked is not None


async def test_the_baseline_answers_the_bytes_of_the_service(db: Any, needs: Any):
    signed = await sign_in(CIPHER, count=2)
    ids = await file_applications(CIPHER, [each.resident for each in signed])
    ours = await queries.progress(needs, application_id=ids[1], resident_id=signed[1].resident.id)
    assert [step["code"] for step in orjson.loads(ours)["steps"]] == [code for code, _, _ in STEPS]
    rows = await fetch(
        "SELECT a.id, a.state, s.code, s.name, s.note, s.happened_at FROM applications_application a "
        "JOIN applications_step s ON s.application_id = a.id WHERE a.id = ? ORDER BY s.happened_at",
        [ids[1]],
    )
    assert body([(*list(row.values())[:5], as_utc(row["happened_at"])) for row in rows]) == ours
