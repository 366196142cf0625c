"""Face verification v2: getverifyid, what `wx.requestFacialVerify` does, queryverifyinfo.

WeChat does not publish every errcode of this interface. For bad arguments this side answers 40097, for an unknown or
expired verify_id 84001; a caller should treat whatever is not errcode 0 with verify_ret 10000 as not passed.
"""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sanic import Request

from sandbox.answers import Answer, read_object
from sandbox.clock import Clock
from sandbox.people import People, Person
from sandbox.signing import face_cert_hash
from sandbox.wechat.refusals import accepted, refuse
from sandbox.wechat.tokens import Tokens

EXPIRES_IN_SECONDS = 3600
PASSED = 10000
FACE_DIFFERS = 10002
ID_MISMATCH = 10003
NOT_FINISHED = 90199

# What the person did before the camera -> verify_ret; "pass" is decided by who stands there.
OUTCOMES = {
    "mismatch": FACE_DIFFERS,
    "unsupported": 90001,
    "cancel": 90002,
    "network": 90007,
    "no_camera": 90008,
    "timeout": 90017,
}

_OUT_SEQ_NO = re.compile(r"[0-9A-Za-z_-]{5,32}")


@dataclass(slots=True)
class _Check:
    out_seq_no: str
    openid: str
    cert_name: str
    cert_no: str
    cert_hash: str
    expires_at: int
    verify_ret: int = NOT_FINISHED


class Faces:
    def __init__(self, *, clock: Clock, people: People, tokens: Tokens) -> None:
        self._clock = clock
        self._people = people
        self._tokens = tokens
        self._checks: dict[str, _Check] = {}
        self._out_seq_nos: set[str] = set()

    def open(self, request: Request) -> Answer:
        """POST /cityservice/face/identify/getverifyid."""
        asked = self._read(request)
        out_seq_no, openid, cert = asked.get("out_seq_no"), asked.get("openid"), asked.get("cert_info")
        if not isinstance(out_seq_no, str) or not _OUT_SEQ_NO.fullmatch(out_seq_no):
            raise refuse(40097, "out_seq_no")
        if not isinstance(openid, str) or self._people.by_openid(openid) is None:
            raise refuse(40003)
        if not isinstance(cert, dict) or not _complete(cert):
            raise refuse(40097, "cert_info")
        if out_seq_no in self._out_seq_nos:
            raise refuse(40097, "out_seq_no has been used")
        self._out_seq_nos.add(out_seq_no)
        verify_id = secrets.token_urlsafe(48)
        self._checks[verify_id] = _Check(
            out_seq_no=out_seq_no,
            openid=openid,
            cert_name=cert["cert_name"],
            cert_no=cert["cert_no"],
            cert_hash=face_cert_hash(**cert),
            expires_at=self._clock.timestamp() + EXPIRES_IN_SECONDS,
        )
        return accepted(verify_id=verify_id, expires_in=EXPIRES_IN_SECONDS)

    def perform(self, verify_id: str, *, person: Person, outcome: str) -> int | None:
        """The person looks into the camera: the verify_ret, or None when there is no such check to do."""
        check = self._alive(verify_id)
        if check is None or check.verify_ret == PASSED:
            return None
        check.verify_ret = OUTCOMES[outcome] if outcome != "pass" else self._judge(check, person)
        return check.verify_ret

    def query(self, request: Request) -> Answer:
        """POST /cityservice/face/identify/queryverifyinfo."""
        asked = self._read(request)
        check = self._alive(str(asked.get("verify_id")))
        if check is None:
            raise refuse(84001)
        if asked.get("openid") != check.openid:
            raise refuse(40003)
        for field in ("out_seq_no", "cert_hash"):
            if asked.get(field) != getattr(check, field):
                raise refuse(40097, field)
        return accepted(verify_ret=check.verify_ret)

    def _judge(self, check: _Check, person: Person) -> int:
        known = self._people.by_document(name=check.cert_name, id_number=check.cert_no)
        if known is None:
            return ID_MISMATCH
        return PASSED if known == person and person.alive else FACE_DIFFERS

    def _read(self, request: Request) -> dict[str, Any]:
        self._tokens.check(request)
        asked = read_object(request)
        if asked is None:
            raise refuse(47001)
        return asked

    def _alive(self, verify_id: str) -> _Check | None:
        check = self._checks.get(verify_id)
        return check if check and check.expires_at > self._clock.timestamp() else None


def _complete(cert: dict[str, Any]) -> bool:
    if cert.keys() != {"cert_type", "cert_name", "cert_no"} or cert["cert_type"] != "IDENTITY_CARD":
        return False
    return all(isinstance(value, str) and value for value in cert.values())
