"""A carrier in memory, the equal of a real one: it takes subscriptions, answers questions and signs its pushes."""

import hashlib
import hmac
from datetime import datetime

import orjson

from kit.errors import OutsideError
from kit.web.errors import CallbackSignatureWrong
from server.delivery.ports import Parcel, Push, UnreadableReport
from server.delivery.rules import Entry, Report, signer_of, state_of

_SYSTEM = "fake_carrier"


class FakeCarrier:
    """Implements `delivery.ports.Carrier` and `Pushes`; `pushing=False` is a provider that only answers."""

    def __init__(self, *, pushing: bool = True, secret: bytes = b"fake carrier") -> None:
        self.subscribed: list[Parcel] = []
        self.asked: list[Parcel] = []
        self._pushing = pushing
        self._secret = secret
        self._lists: dict[str, Report] = {}

    def check_config(self) -> list[str]:
        return []

    async def subscribe(self, parcel: Parcel) -> bool:
        if not parcel.waybill:
            raise OutsideError(_SYSTEM, "NO_WAYBILL", "a parcel without a number", permanent=True)
        if self._pushing and parcel not in self.subscribed:
            self.subscribed.append(parcel)
        return self._pushing

    async def query(self, parcel: Parcel) -> Report | None:
        self.asked.append(parcel)
        return self._lists.get(parcel.waybill)

    def scan(self, carrier: str, waybill: str, *lines: tuple[datetime, str, str]) -> Report:
        """The parcel's whole list from now on: (when, code, text) each; the newest decides where it stands."""
        entries = tuple(Entry(at, text, code, state_of(code)) for at, code, text in lines)
        newest = max(lines, default=None)
        raw = newest[1] if newest else ""
        codes = [code for _, code, _ in sorted(lines, reverse=True)]
        report = Report(carrier, waybill, raw, entries, state_of(raw), signer_of(codes))
        self._lists[waybill] = report
        return report

    def push(self, report: Report, *, signed: bool = True) -> bytes:
        """A push as it goes over the wire."""
        body = orjson.dumps(_written(report))
        sign = self._sign(body) if signed else "0" * 64
        return orjson.dumps({"sign": sign, "body": body.decode()})

    def open(self, raw_body: bytes) -> Push:
        try:
            sent = orjson.loads(raw_body)
            body, sign = str(sent["body"]).encode(), str(sent["sign"])
        except (ValueError, KeyError, TypeError):
            raise CallbackSignatureWrong from None
        if not hmac.compare_digest(sign, self._sign(body)):
            raise CallbackSignatureWrong
        try:
            waybill = _read(body).waybill
        except UnreadableReport:
            waybill = ""
        return Push(hashlib.sha256(body).hexdigest(), waybill, body)

    def read(self, body: bytes) -> Report:
        return _read(body)

    def _sign(self, body: bytes) -> str:
        return hmac.digest(self._secret, body, "sha256").hex()


def _written(report: Report) -> dict[str, object]:
    lines = [[entry.at.isoformat(), entry.raw_code, entry.text, entry.location] for entry in report.entries]
    return {
        "carrier": report.carrier,
        "waybill": report.waybill,
        "raw_state": report.raw_state,
        "lines": lines,
        "corrects": report.corrects,
        "aborted": report.aborted,
        "ended": report.ended,
    }


def _read(body: bytes) -> Report:
    try:
        told = orjson.loads(body)
        entries = tuple(
            Entry(datetime.fromisoformat(at), text, code, state_of(code), location)
            for at, code, text, location in told["lines"]
        )
        codes = [
            told["raw_state"],
            *(entry.raw_code for entry in sorted(entries, key=lambda entry: entry.at, reverse=True)),
        ]
        return Report(
            told["carrier"],
            told["waybill"],
            told["raw_state"],
            entries,
            state_of(told["raw_state"]),
            signer_of(codes),
            told["corrects"],
            told["aborted"],
            told["ended"],
        )
    except (ValueError, KeyError, TypeError):
        raise UnreadableReport("no list of ours") from None
